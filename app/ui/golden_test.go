package ui

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
	"golang.org/x/net/html"

	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

var update = flag.Bool("update", false, "write the golden files; then look at what changed")

func inEnglish() Context { return stateContext(&message.English) }

// TestLooks compares the markup of every component in every state with a golden file. Look at a
// change of these files, in the files and in a browser.
func TestLooks(t *testing.T) {
	for _, state := range States(&message.English) {
		name, component := state.Name, state.UI
		t.Run(name, func(t *testing.T) {
			got := ordered(app.HTMLString(component)) + "\n"
			golden := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("it looks different:\n%s\nwant\n%s", got, want)
			}
			if strings.Contains(got, "<img src=\"x") {
				t.Error("a passkey's name became markup")
			}
		})
	}
}

// ordered sorts the attributes of every element, since go-app writes them in the order of a
// map.
func ordered(markup string) string {
	var b strings.Builder
	for tokens := html.NewTokenizer(strings.NewReader(markup)); tokens.Next() != html.ErrorToken; {
		token := tokens.Token()
		slices.SortFunc(token.Attr, func(a, b html.Attribute) int { return strings.Compare(a.Key, b.Key) })
		b.WriteString(token.String())
	}
	return b.String()
}

func TestSentence(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
		it   bool
	}{
		{&ceremony.Failure{Reason: ceremony.Denied, Registering: true}, "Nothing was saved. The prompt was closed or timed out.", false},
		{&ceremony.Failure{Reason: ceremony.Denied}, "Sign-in was cancelled or timed out, or no matching passkey is on this device.", false},
		{&ceremony.Failure{Reason: ceremony.Denied, Confirming: true}, "Nothing was confirmed. The prompt was closed or timed out, or no matching passkey is on this device.", false},
		{&ceremony.Failure{Reason: ceremony.Aborted, Registering: true}, "", false},
		{&ceremony.Failure{Reason: ceremony.Exists, Registering: true}, "This device already has a passkey for your account.", false},
		{&ceremony.Failure{Reason: ceremony.WrongAddress}, "Passkeys aren't set up for this address (id.example.com; expected example.com). Contact IT.", true},
		{&ceremony.Failure{Reason: ceremony.NotSupported, Registering: true}, "This device can't create the kind of passkey that is required.", false},
		{&ceremony.Failure{Reason: ceremony.NoLock}, "Set a screen lock or a security-key PIN, then try again.", false},
		{&ceremony.Failure{Reason: ceremony.Faulty, Exception: "EncodingError"}, "Your passkey provider reported a problem. (Reference EncodingError)", true},
		{shared.Errorf(shared.CodeLastMethod, "Add another first."), "Add another first.", false},
		{shared.Errorf(shared.CodeOffline, "Offline."), "Offline.", false},
		{shared.Errorf(shared.CodeHeld, "Until then, no."), "Until then, no.", false},
		{shared.Errorf(shared.CodeInternal, "Ours."), "Ours.", true},
		{errors.New("anything"), "The server sent something unexpected. Please reload the page.", true},
	} {
		c := inEnglish()
		c.RPID = "example.com"
		if got := c.sentence(test.err); got != test.want {
			t.Errorf("%v: got %q, want %q", test.err, got, test.want)
		}
		if got := needsIT(test.err); got != test.it {
			t.Errorf("%v: IT is named %t, want %t", test.err, got, test.it)
		}
	}
}
