package webapp

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/keypeg/keypeg/app/pages"
	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/web"
)

const hostile = `</script><img src=x onerror=alert(1)>"><img src=x onerror=alert(1)>\"'&<!--`

// api answers as the API does, for a user with a hostile name.
func api(change func(*shared.Account)) server.Ask {
	at := time.Date(2026, 11, 20, 22, 30, 0, 0, time.UTC)
	account := shared.Account{
		User: shared.User{ID: "1", Name: "ann", DisplayName: hostile}, Product: "Keypeg", PasskeysOn: true, HasPassword: true, PasswordsOn: true, PasswordSet: at,
		Passkeys: 1, Programs: 1, SignedInAt: at,
	}
	change(&account)
	answers := map[string]any{
		shared.PathAccount: account, shared.PathSessions: shared.SessionList{Sessions: []shared.Session{{ID: "s", Browser: hostile, Current: true, Created: at, Seen: at}}},
		shared.PathActivity: shared.Activity{Events: []shared.Event{{ID: "e", Kind: shared.EventPasskeyAdded, Passkey: hostile, Time: at}}},
		shared.PathPrograms: shared.ProgramList{Programs: []shared.Program{{ID: "g", Name: hostile, Host: hostile, Scopes: []string{}, Since: at}}},
		shared.PathPasskeys: shared.PasskeyList{Passkeys: []shared.Passkey{{ID: "p", Name: hostile, Created: at}}},
	}
	return func(_ context.Context, path, _ string) (int, []byte) {
		answer, is := answers[path]
		if !is {
			return http.StatusNotFound, []byte(`{"code":"not_found","detail":"There is nothing at this address."}`)
		}
		body, err := json.Marshal(answer)
		if err != nil {
			panic(err)
		}
		return http.StatusOK, body
	}
}

func newDrawer(t *testing.T) drawer {
	t.Helper()
	files, err := web.Open()
	if err != nil {
		t.Fatal(err)
	}
	return drawer{pages.Deps{Product: "Keypeg", Contact: "IT desk", Icon: files.URL("icon.svg")}, appLanguages(files), thatDay}
}

// draws draws a page for a browser with these headers.
func (d drawer) draws(path string, ask server.Ask, headers ...string) (shared.DrawnPage, error) {
	r := httptest.NewRequest("GET", shared.PathDrawn, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	page, err := url.Parse(path)
	if err != nil {
		return shared.DrawnPage{}, err
	}
	return d.draw(r, page, ask)
}

// TestDrawnMarkup draws names that look like markup. They are texts wherever they stand.
func TestDrawnMarkup(t *testing.T) {
	d := newDrawer(t)
	for _, path := range []string{"/", "/passkeys", "/sessions", "/activity", "/users", "/audit?find=" + url.QueryEscape(hostile)} {
		drawn, err := d.draws(path, api(func(a *shared.Account) { a.User.Role = shared.RoleAuditor }))
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		page, err := html.Parse(strings.NewReader(drawn.HTML))
		if err != nil {
			t.Fatal(err)
		}
		named, labelled := 0, 0
		for node := range page.Descendants() {
			for _, a := range node.Attr {
				if strings.Contains(a.Val, hostile) {
					labelled++
				}
				if a.Key == "onerror" || a.Key == "src" && a.Val == "x" {
					t.Errorf("%s: a name is markup: <%s>", path, node.Data)
				}
			}
			if node.Type == html.TextNode && strings.Contains(node.Data, hostile) {
				named++
			}
		}
		if named == 0 {
			t.Errorf("%s doesn't name its user", path)
		}
		if labelled == 0 && (path == "/" || path == "/passkeys" || strings.HasPrefix(path, "/audit")) {
			t.Errorf("%s has no attribute with the text", path)
		}
		var account shared.Account
		if err := json.Unmarshal([]byte(drawn.Answers[shared.PathAccount].Body), &account); err != nil || account.User.DisplayName != hostile {
			t.Errorf("%s: the account in the answers: %+v (%v)", path, account.User, err)
		}
	}
}

// TestDrawnForWhom draws pages that aren't for the user, or of nothing. They say so, as the program does.
func TestDrawnForWhom(t *testing.T) {
	d := newDrawer(t)
	for _, row := range []struct {
		path, says string
		role       shared.Role
	}{
		{"/users", "Your role doesn&#39;t allow this.", shared.RoleNone},
		{"/audit", "Your role doesn&#39;t allow this.", shared.RoleHelper},
		{"/users/nobody", "There is nothing at this address.", shared.RoleAdministrator},
		{"/activity", ` added</bdi>`, shared.RoleNone},
	} {
		drawn, err := d.draws(row.path, api(func(a *shared.Account) { a.User.Role, a.User.DisplayName = row.role, "Ann" }))
		if err != nil || !strings.Contains(drawn.HTML, ">Ann</span>") || !strings.Contains(drawn.HTML, row.says) {
			t.Errorf("%s isn't drawn: %v %s", row.path, err, drawn.HTML)
		}
	}
	for what, row := range map[string]struct {
		status int
		answer string
		why    shared.Code
	}{
		"the session has ended": {401, `{"code":"unauthenticated","detail":"Please sign in."}`, shared.CodeUnauthenticated},
		"the store is away":     {500, `{"code":"internal","detail":"Something went wrong."}`, shared.CodeInternal},
		"nonsense":              {200, `<html>`, shared.CodeInBetween},
	} {
		drawn, err := d.draws("/", func(context.Context, string, string) (int, []byte) { return row.status, []byte(row.answer) })
		if shared.CodeOf(err) != row.why {
			t.Errorf("%s: it is drawn, or doesn't say why not: %+v (%v)", what, drawn, err)
		}
	}
}

// thatDay is some days after what has happened.
func thatDay() time.Time { return time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC) }

// TestDrawnWhere writes times in the reader's zone, language and region.
func TestDrawnWhere(t *testing.T) {
	d := newDrawer(t)
	for _, row := range []struct{ zone, accepts, lang, want string }{
		{"", "en-US", "", "Nov 20"},
		{"Asia/Tokyo", "en-US", "", "Nov 21"},
		{"Asia/Tokyo", "en-GB,en;q=0.9", "", "21 Nov"},
		{"America/New_York", "de-CH", "", "20. Nov."},
		{"Europe/Berlin", "fr", "", "20 nov."},
		{"Nowhere/Else", "es", "", "20 nov"},
		{"../../etc/passwd", "en", "ja", "11月20日"},
	} {
		drawn, err := d.draws("/", api(func(*shared.Account) {}), "Accept-Language", row.accepts, "Cookie", shared.CookieTimeZone+"="+row.zone+"; "+shared.CookieLanguage+"="+row.lang)
		if err != nil || !strings.Contains(drawn.HTML, row.want) {
			t.Errorf("%+v: not in %s (%v)", row, drawn.HTML, err)
		}
	}
}

// TestDrawnFor draws what depends on what the browser is and keeps.
func TestDrawnFor(t *testing.T) {
	d := newDrawer(t)
	const (
		desktop = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
		phone   = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36"
	)
	for _, row := range []struct{ page, offers, agent, has, hasNot, with string }{
		{"/passkeys", "", desktop, "Add on my phone", "Add on another device", ""},
		{"/passkeys", "", phone, "Add on another device", "Add on my phone", ""},
		{"/", "", desktop, `id="offer"`, "Add one here", ""},
		{"/", "second", desktop, `id="offer"`, "Add one here", ""},
		{"/", "rest", desktop, "Password", `id="offer"`, ""},
		{"/", "rest,2026-11-20T22:30:00Z", desktop, "Password", `id="offer"`, shared.MethodRecoveryCode},
		{"/", "2026-11-19T22:30:00Z", desktop, "with a recovery code", "Sign in faster", shared.MethodRecoveryCode},
	} {
		r := httptest.NewRequest("GET", shared.PathDrawn+"?"+shared.QueryOffers+"="+row.offers, nil)
		r.Header.Set("User-Agent", row.agent)
		page := &url.URL{Path: row.page}
		drawn, err := d.draw(r, page, api(func(a *shared.Account) { a.Passkeys, a.SignedInWith = 0, row.with }))
		if err != nil || !strings.Contains(drawn.HTML, row.has) || strings.Contains(drawn.HTML, row.hasNot) {
			t.Errorf("%+v: %v %s", row, err, drawn.HTML)
		}
	}
}

// TestDrawnTogether draws many pages at the same time, each for its own user.
func TestDrawnTogether(t *testing.T) {
	d := newDrawer(t)
	var drawing sync.WaitGroup
	for _, name := range []string{"Ann", "Bob", "Carl", "Dora"} {
		for _, path := range []string{"/", "/passkeys", "/sessions", "/activity"} {
			drawing.Go(func() {
				for range 20 {
					drawn, err := d.draws(path, api(func(a *shared.Account) { a.User.DisplayName = name }))
					if err != nil || !strings.Contains(drawn.HTML, `<span class="menu-name">`+name+`</span>`) {
						t.Errorf("%s isn't drawn for %s", path, name)
					}
				}
			})
		}
	}
	drawing.Wait()
}

func BenchmarkDraw(b *testing.B) {
	files, err := web.Open()
	if err != nil {
		b.Fatal(err)
	}
	d := drawer{pages.Deps{Product: "Keypeg", Icon: files.URL("icon.svg")}, appLanguages(files), thatDay}
	ask := api(func(*shared.Account) {})
	for b.Loop() {
		if _, err := d.draws("/", ask); err != nil {
			b.Fatal(err)
		}
	}
}

// TestDaysOfAnotherYear writes the year of a day that isn't of this one.
func TestDaysOfAnotherYear(t *testing.T) {
	at := time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		f    formats
		want string
	}{
		{formats{lang: "en"}, "Mar 5, 2026"}, {formats{lang: "en", british: true}, "5 Mar 2026"}, {formats{lang: "de"}, "05.03.2026"},
		{formats{lang: "fr"}, "5 mars 2026"}, {formats{lang: "es"}, "5 mar 2026"}, {formats{lang: "ja"}, "2026/03/05"},
	} {
		row.f.zone, row.f.now = time.UTC, at.AddDate(1, 0, 0)
		if got, _ := row.f.Date(at); got != row.want {
			t.Errorf("%s: got %q, want %q", row.f.lang, got, row.want)
		}
	}
}
