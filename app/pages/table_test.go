package pages

import (
	"net/http/httptest"
	"strings"
	"testing"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// memberPage is a new page with a parameter. It needs this row, and [shell.member], which would
// be in a file of its own. Nothing else changes.
var memberPage = page{
	pattern: "/members/{id}", audience: withRole, content: (*shell).member,
	title: func(*message.Catalogue) string { return "A member" },
}

func (s *shell) member(values map[string]string) goapp.UI {
	return goapp.Elem("h1").Text("The member " + values["id"])
}

// opens returns the shell of a user who has opened a path.
func opens(path string, isAdministrator bool) *shell {
	return &shell{
		path: path, state: stateReady, pages: append(table(), memberPage),
		speech:  speech{languages: newLanguages(nil), text: &message.English, spoken: true},
		account: shared.Account{User: shared.User{ID: "ann", DisplayName: "Ann", Role: map[bool]shared.Role{true: shared.RoleAdministrator}[isAdministrator]}},
	}
}

func TestAPageIsARowAndAFile(t *testing.T) {
	for path, want := range map[string]string{
		"/members/Zm9v-_8": "<h1>The member Zm9v-_8</h1>",
		"/users/Zm9v-_8":   `href="/users"`,
		"/users":           `id="users-title"`,
		"/users/":          "There is nothing at this address.",
		"/users/a/b":       "There is nothing at this address.",
		"/users/<b>":       "There is nothing at this address.",
		"/":                "<h1>Your account</h1>",
		"/shell":           "<h1>Your account</h1>",
	} {
		if got := goapp.HTMLString(opens(path, true)); !strings.Contains(got, want) {
			t.Errorf("%s lacks %s:\n%s", path, want, got)
		}
	}
}

func TestAudience(t *testing.T) {
	for _, path := range []string{"/users", "/users/bob"} {
		got := goapp.HTMLString(opens(path, false))
		if !strings.Contains(got, "Your role doesn&#39;t allow this.") || strings.Contains(got, "bob") {
			t.Errorf("%s, to another user:\n%s", path, got)
		}
	}
	for isAdministrator, want := range map[bool]string{
		false: "passkeys sessions activity sign-out sign-out-keep",
		true:  "passkeys sessions activity users sign-out sign-out-keep",
	} {
		var ids []string
		for _, item := range opens("/", isAdministrator).menu().Items {
			ids = append(ids, item.ID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("administrator %t: the menu has %s, want %s", isAdministrator, got, want)
		}
	}
}

func TestTabs(t *testing.T) {
	figures := page{pattern: "/figures", tab: "/figures", audience: withRole, content: (*shell).member, title: func(*message.Catalogue) string { return "Figures" }}
	for path, want := range map[string]string{
		"/users":     `<a aria-current="page" href="/users">Users</a>`,
		"/users/bob": `<a aria-current="page" href="/users">Users</a>`,
		"/figures":   `<a aria-current="page" href="/figures">Figures</a>`,
		"/sessions":  "", "/": "",
	} {
		s := opens(path, true)
		s.pages = append(s.pages, figures)
		row := ""
		if tabs := s.renderTabs(); tabs != nil {
			row = goapp.HTMLString(tabs)
		}
		row = strings.NewReplacer("\n", "", `href="/users" aria-current="page"`, `aria-current="page" href="/users"`, `href="/figures" aria-current="page"`, `aria-current="page" href="/figures"`).Replace(row) // go-app writes attributes in any order
		if (row == "") != (want == "") || !strings.Contains(row, want) || strings.Count(row, "aria-current") > 1 {
			t.Errorf("%s has the tabs %s, want %s", path, row, want)
		}
	}
	stranger := opens("/users", false)
	stranger.pages = append(stranger.pages, figures)
	if tabs := stranger.renderTabs(); tabs != nil {
		t.Errorf("without a role: %s", goapp.HTMLString(tabs))
	}
}

// stage mounts a shell outside of a browser, where go-app itself calls no OnMount.
type stage struct {
	goapp.Compo

	shell *shell
}

// OnPreRender gives the shell a context.
func (s *stage) OnPreRender(ctx goapp.Context) { s.shell.ctx = ctx }

// shows returns the markup of the page that the shell shows now.
func (s *stage) shows() string { return goapp.HTMLString(s.shell.renderPage()) }

func (s *stage) Render() goapp.UI { return s.shell }

func TestNotFound(t *testing.T) {
	s := opens("/members/removed", true)
	engine, on := goapp.NewTestEngine(), &stage{shell: s}
	if err := engine.Load(on); err != nil {
		t.Fatal(err)
	}
	engine.ConsumeAll()
	s.notFound()
	engine.ConsumeAll()
	if got := on.shows(); !strings.Contains(got, "<h1>Not found</h1>") || strings.Contains(got, "The member") {
		t.Errorf("a member who isn't there:\n%s", got)
	}
	s.path = "/members/bob"
	if got := on.shows(); !strings.Contains(got, "The member bob") {
		t.Errorf("and then one who is:\n%s", got)
	}
}

// TestRoutes has go-app draw pages without a user, as it does while the network is away. The
// page of an address that isn't ours doesn't wait for a user.
func TestRoutes(t *testing.T) {
	for _, name := range []string{EnvProduct, EnvIcon, EnvLanguages} {
		t.Setenv(name, "") // go-app sets them in its process
	}
	routes(Deps{Product: "Keypeg"}, append(table(), memberPage))
	handler := &goapp.Handler{}
	for path, isOurs := range map[string]bool{
		"/": true, "/shell": true, "/passkeys": true, "/users": true, "/users/bob": true,
		"/sign-in": false, "/user": false, "/usersbob": false, "/x/users/bob": false,
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if got := strings.Contains(w.Body.String(), "page-wait"); w.Code != 200 || got != isOurs {
			t.Errorf("%s: status %d, the app's: %t, want %t", path, w.Code, got, isOurs)
		}
	}
}

func TestTable(t *testing.T) {
	patterns, ids := map[shared.PagePattern]bool{}, map[string]bool{}
	for _, p := range table() {
		if p.content != nil {
			if patterns[p.pattern] {
				t.Errorf("two pages are at %s", p.pattern)
			}
			patterns[p.pattern] = true
			for _, text := range message.Languages {
				if p.title(text) == "" {
					t.Errorf("%s has no title in %s", p.pattern, text.Name)
				}
			}
		}
		if p.menu == nil {
			continue
		}
		if strings.Contains(string(p.pattern), "{") {
			t.Errorf("%s is in the menu, which knows no value for its parameter", p.pattern)
		}
		if ids[p.menu.id] {
			t.Errorf("two lines of the menu are %s", p.menu.id)
		}
		ids[p.menu.id] = true
	}
	if len(Patterns()) != len(patterns) || !patterns[shared.PageHome] {
		t.Errorf("the server gets the patterns %v", Patterns())
	}
}

// TestPrograms checks that a page of administration is in one program, and the entry of the menu
// that leads to it in both.
func TestPrograms(t *testing.T) {
	for path, want := range map[string]bool{"/": false, "/passkeys": false, "/users": true, "/users/bob": true, "/audit": true, "/usersbob": false} {
		if got := IsAdministration(path); got != want {
			t.Errorf("%s is a page of administration: %t, want %t", path, got, want)
		}
	}
	s := opens("/users", true)
	s.pages = account()
	if got := goapp.HTMLString(s); !strings.Contains(got, "There is nothing at this address.") {
		t.Errorf("everybody's program draws a page of administration:\n%s", got)
	}
	if items := s.menu().Items; items[3].Href != "/users" {
		t.Errorf("the menu of everybody's program has %+v", items)
	}
}
