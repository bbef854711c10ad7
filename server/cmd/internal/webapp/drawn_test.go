package webapp

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/web"
)

const hostile = `</script><img src=x onerror=alert(1)>"'&<!--`

// api answers as the API does, for a user with a hostile name.
func api(change func(*shared.Account)) server.Ask {
	at := time.Date(2026, 11, 20, 22, 30, 0, 0, time.UTC)
	account := shared.Account{
		User: shared.User{ID: "1", Name: "ann", DisplayName: hostile}, Product: "Keypeg", PasskeysOn: true, HasPassword: true, PasswordsOn: true, PasswordSet: at,
		Passkeys: 1, SignedInAt: at,
	}
	change(&account)
	answers := map[string]any{
		shared.PathAccount: account, shared.PathSessions: shared.SessionList{Sessions: []shared.Session{{ID: "s", Browser: hostile, Current: true, Created: at, Seen: at}}},
		shared.PathActivity: shared.Activity{Events: []shared.Event{{ID: "e", Kind: shared.EventPasskeyAdded, Passkey: hostile, Time: at}}},
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
	return drawer{stuck{appOf(t, "Keypeg").Page, files, "Keypeg", "IT desk"}, appLanguages(files)}
}

// draws draws a page for a browser with these headers.
func (d drawer) draws(path string, ask server.Ask, headers ...string) *httptest.ResponseRecorder {
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	d.draw(w, r, ask)
	return w
}

// TestDrawnMarkup draws names that look like markup. They are texts wherever they stand, in the data too.
func TestDrawnMarkup(t *testing.T) {
	d := newDrawer(t)
	for _, path := range []string{"/", "/passkeys", "/sessions", "/activity", "/users"} {
		w := d.draws(path, api(func(a *shared.Account) { a.User.Role = shared.RoleAuditor }))
		if w.Code != 200 || w.Header().Get("Cache-Control") != "no-store, no-transform" {
			t.Errorf("%s: status %d, caches may %q", path, w.Code, w.Header().Get("Cache-Control"))
		}
		page, err := html.Parse(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		named, data := 0, ""
		for node := range page.Descendants() {
			for _, a := range node.Attr {
				if a.Key == "onerror" || a.Key == "src" && a.Val == "x" {
					t.Errorf("%s: a name is markup: <%s>", path, node.Data)
				}
				if a.Key == "id" && a.Val == "drawn-answers" {
					data = node.FirstChild.Data
				}
			}
			if node.Type == html.TextNode && strings.Contains(node.Data, hostile) {
				named++
			}
		}
		if named == 0 {
			t.Errorf("%s doesn't name its user", path)
		}
		var answers map[string]struct {
			Status int
			Body   string
		}
		var account shared.Account
		if err := json.Unmarshal([]byte(data), &answers); err != nil {
			t.Errorf("%s: the data: %v", path, err)
		}
		if err := json.Unmarshal([]byte(answers[shared.PathAccount].Body), &account); err != nil || account.User.DisplayName != hostile {
			t.Errorf("%s: the account in the data: %+v (%v)", path, account.User, err)
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
		w := d.draws(row.path, api(func(a *shared.Account) { a.User.Role, a.User.DisplayName = row.role, "Ann" }))
		body := w.Body.String()
		_, drawn, _ := strings.Cut(body, `<div id="drawn"`)
		if w.Code != 200 || !strings.Contains(drawn, ">Ann</span>") || !strings.Contains(drawn, row.says) {
			t.Errorf("%s isn't drawn: %d %s", row.path, w.Code, drawn)
		}
	}
	for what, ask := range map[string]server.Ask{
		"the session has ended": func(context.Context, string, string) (int, []byte) {
			return 401, []byte(`{"code":"unauthenticated","detail":"Please sign in."}`)
		},
		"the store is away": func(context.Context, string, string) (int, []byte) {
			return 500, []byte(`{"code":"internal","detail":"Something went wrong."}`)
		},
		"nonsense": func(context.Context, string, string) (int, []byte) { return 200, []byte(`<html>`) },
	} {
		w := d.draws("/", ask)
		if w.Code != 200 || strings.Contains(w.Body.String(), `id="drawn"`) || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: the page isn't that of the program: %d %s", what, w.Code, w.Header().Get("Cache-Control"))
		}
	}
}

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
		w := d.draws("/", api(func(*shared.Account) {}), "Accept-Language", row.accepts, "Cookie", shared.CookieTimeZone+"="+row.zone+"; "+shared.CookieLanguage+"="+row.lang)
		if body := w.Body.String(); !strings.Contains(body, row.want) {
			t.Errorf("%+v: not in %s", row, body)
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
					body := d.draws(path, api(func(a *shared.Account) { a.User.DisplayName = name })).Body.String()
					if !strings.Contains(body, `<span class="menu-name">`+name+`</span>`) {
						t.Errorf("%s isn't drawn for %s", path, name)
					}
				}
			})
		}
	}
	drawing.Wait()
}

// TestDrawnSmall compresses a page where nobody else can have chosen a part of it (BREACH).
func TestDrawnSmall(t *testing.T) {
	d := newDrawer(t)
	ask := api(func(a *shared.Account) { a.User.DisplayName = "Ann" })
	whole := d.draws("/", ask).Body.Len()
	w := d.draws("/", ask, "Accept-Encoding", "gzip, br")
	if w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() > whole/3 || w.Header().Get("Vary") != "Accept-Encoding" {
		t.Errorf("%q: %d bytes of %d", w.Header().Get("Content-Encoding"), w.Body.Len(), whole)
	}
	unpacked, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if page, err := io.ReadAll(unpacked); err != nil || !strings.Contains(string(page), ">Ann</span>") {
		t.Errorf("got %s (%v)", page, err)
	}
	for _, path := range []string{"/?find=x", "/activity?kind=y"} {
		if w := d.draws(path, ask, "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed", path)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	files, err := web.Open()
	if err != nil {
		b.Fatal(err)
	}
	d := drawer{stuck{newApp(files, "Keypeg").Page, files, "Keypeg", ""}, appLanguages(files)}
	ask := api(func(*shared.Account) {})
	for b.Loop() {
		d.draws("/", ask)
	}
}
