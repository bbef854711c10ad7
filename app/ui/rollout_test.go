package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// TestAverages: the lines begin with the seventh day of sign-ins, have days without any, and end
// yesterday.
func TestAverages(t *testing.T) {
	counted := time.Date(2026, 11, 20, 9, 41, 0, 0, time.UTC)
	day := func(ago, passkeys int) shared.SignInDay {
		return shared.SignInDay{Day: counted.AddDate(0, 0, -ago).Format(time.DateOnly), Methods: map[string]int{shared.MethodPasskey: passkeys}}
	}
	for name, test := range map[string]struct {
		days  []shared.SignInDay
		want  []float64 // of the passkeys
		first string
	}{
		"none":                      {nil, nil, ""},
		"today only":                {[]shared.SignInDay{day(0, 5)}, nil, ""},
		"six days and today":        {[]shared.SignInDay{day(6, 7), day(0, 5)}, nil, ""},
		"a week":                    {[]shared.SignInDay{day(7, 7), day(3, 14), day(0, 700)}, []float64{3}, "2026-11-19"},
		"nine days, with few of it": {[]shared.SignInDay{day(9, 7), day(1, 14)}, []float64{1, 0, 2}, "2026-11-17"},
		"a day that isn't one":      {[]shared.SignInDay{{Day: "yesterday"}}, nil, ""},
	} {
		p := &RolloutPage{Context: inEnglish(), rollout: shared.Rollout{Counted: counted, Days: test.days}}
		lines, first := p.lines()
		var got []float64
		if len(lines) > 0 {
			got = lines[0].days
		}
		if !slices.Equal(got, test.want) || (test.want != nil && first.Format(time.DateOnly) != test.first) {
			t.Errorf("%s: the averages are %v from %s on, want %v from %s on", name, got, first.Format(time.DateOnly), test.want, test.first)
		}
	}
}

func TestTopOfLines(t *testing.T) {
	for most, want := range map[float64]int{0: 1, 1: 1, 1.2: 2, 3: 4, 4.5: 5, 5.5: 10, 100: 100, 293: 400, 401: 500, 999: 1000} {
		if got := topOf([]curve{{days: []float64{0, most}}}); got != want {
			t.Errorf("up to %v: the top is %d, want %d", most, got, want)
		}
	}
}

// TestShares: where there are few users, per cent would say too much.
func TestShares(t *testing.T) {
	p := &RolloutPage{Context: inEnglish()}
	for _, test := range []struct {
		n, of int
		want  string
	}{{0, 0, "0 of 0"}, {1, 3, "1 of 3"}, {9, 9, "9 of 9"}, {1, 10, "10 %"}, {168, 248, "68 %"}, {1, 1000, "0 %"}, {999, 1000, "100 %"}, {1, 200, "1 %"}} {
		if got := p.share(test.n, test.of); got != test.want {
			t.Errorf("%d of %d: got %q, want %q", test.n, test.of, got, test.want)
		}
	}
}

// TestFailedCeremonies adds those of a reason, and those of a browser, which the server lists by both.
func TestFailedCeremonies(t *testing.T) {
	p := stateRollout(inEnglish(), func(*RolloutPage) {})
	markup := app.HTMLString(p.renderFailed())
	for _, want := range []string{"183 in all", "148", "Other browsers", "141"} {
		if !strings.Contains(markup, want) {
			t.Errorf("it lacks %q", want)
		}
	}
}

func TestSignInTable(t *testing.T) {
	got := signInTable([]shared.SignInDay{{Day: "2026-11-19", Methods: map[string]int{shared.MethodPasskey: 2, shared.MethodSetupLink: 1}}})
	want := `"day","passkey","password","sso","recovery_code","setup_link"` + "\n" + `"2026-11-19","2","0","0","0","1"` + "\n"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
