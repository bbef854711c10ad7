package server_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/shared"
)

func TestSignInPages(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann := s.user("ann")
	t.Run("the form signs in without a script", func(t *testing.T) {
		v := s.visitor()
		page := string(v.sends("GET", "/sign-in?next=/passkeys", nil).body)
		for _, part := range []string{`<form method="post" action="/sign-in"`, `name="next" value="/passkeys"`, `autocomplete="username webauthn"`, `type="password"`, "IT desk"} {
			if !strings.Contains(page, part) {
				t.Errorf("the page lacks %s", part)
			}
		}
		a := v.submits("/sign-in", url.Values{"name": {"ann"}, "password": {password}, "next": {"/passkeys"}})
		if a.status != 303 || a.header.Get("Location") != "/passkeys" {
			t.Errorf("got %s to %q", a, a.header.Get("Location"))
		}
		if a := s.visitor().submits("/sign-in", url.Values{"name": {"ann"}, "password": {password}, "next": {"/passkeys"}}); a.status != 303 || a.header.Get("Location") != "/signed-in?next=%2Fpasskeys" {
			t.Errorf("a browser of which nobody knows whether it keeps cookies goes on to %q: %s", a.header.Get("Location"), a)
		}
		if a := v.sends("GET", "/signed-in?next=%2Fpasskeys", nil); a.status != 303 || a.header.Get("Location") != "/passkeys" {
			t.Errorf("with its cookie, it goes on to %q: %s", a.header.Get("Location"), a)
		}
		if a := v.sends("GET", "/passkeys", nil); string(a.body) != "the app" {
			t.Errorf("a page of the app: %s", a)
		}
		if a := v.sends("GET", "/sign-in", nil); a.status != 303 || a.header.Get("Location") != "/" {
			t.Errorf("signed in, the sign-in page leads to %q", a.header.Get("Location"))
		}
	})
	t.Run("a wrong password keeps the name, escaped, and says nothing of which was wrong", func(t *testing.T) {
		a := s.visitor().submits("/sign-in", url.Values{"name": {`"><script>x</script>`}, "password": {"wrong"}})
		if page := string(a.body); a.status != 401 || strings.Contains(page, "<script>x") || !strings.Contains(page, "&lt;script&gt;") || !strings.Contains(page, "The user name or the password is not right.") {
			t.Errorf("got %s", a)
		}
	})
	t.Run("next leads to a page of the app and nowhere else", func(t *testing.T) {
		for _, next := range []string{"https://evil.test", "//evil.test", "/\\evil.test", "/sign-in", "/api/v1/account", "javascript:alert(1)", "/users/{id}", "/users//evil.test", ""} {
			a := s.visitor().submits("/sign-in", url.Values{"name": {"ann"}, "password": {password}, "next": {next}})
			if to := a.header.Get("Location"); a.status != 303 || to != "/signed-in" {
				t.Errorf("next %q leads to %q", next, to)
			}
		}
	})
	t.Run("the app's pages send to the sign-in page, which leads back", func(t *testing.T) {
		for path, want := range map[string]string{
			"/": "/sign-in", "/passkeys": "/sign-in?next=%2Fpasskeys", "/users/Zm9v-_8": "/sign-in?next=%2Fusers%2FZm9v-_8",
			"/passkeys?find=a%26b&days=7": "/sign-in?next=%2Fpasskeys%3Ffind%3Da%2526b%26days%3D7", // filters come back too
			"/passkeys?find=%22":          "/sign-in?next=%2Fpasskeys%3Ffind%3D%2522", "/passkeys?'": "/sign-in?next=%2Fpasskeys",
			"/passkeys?find=" + strings.Repeat("x", 501): "/sign-in?next=%2Fpasskeys", "/passkeys?token=x": "/sign-in?next=%2Fpasskeys",
		} {
			if a := s.visitor().sends("GET", path, nil); a.status != 303 || a.header.Get("Location") != want {
				t.Errorf("%s leads to %q", path, a.header.Get("Location"))
			}
		}
		v := s.visitor()
		v.submits("/sign-in", url.Values{"name": {"ann"}, "password": {password}})
		if a := v.sends("GET", "/signed-in?next=%2Fusers%2FZm9v-_8", nil); a.status != 303 || a.header.Get("Location") != "/users/Zm9v-_8" {
			t.Errorf("signed in, it goes on to %q: %s", a.header.Get("Location"), a)
		}
		if a := v.sends("GET", "/users/Zm9v-_8", nil); a.status != 200 || string(a.body) != "the app" {
			t.Errorf("a page with a parameter: %s", a)
		}
	})
	t.Run("the shell is for everybody, and the service worker keeps it", func(t *testing.T) {
		if a := s.visitor().sends("GET", shared.PageShell, nil); a.status != 200 || string(a.body) != "the app" {
			t.Errorf("got %s", a)
		}
	})
	t.Run("a parameter that is no id is nowhere, signed in or not", func(t *testing.T) {
		for _, path := range []string{"/users/", "/users/a%2Fb", "/users/%22%3E%3Cscript%3E", "/users/a%20b", "/users/a/b"} {
			for _, v := range []*visitor{s.visitor(), ann} {
				a := v.sends("GET", path, nil)
				if a.status != 404 || strings.Contains(string(a.body), "<script>") || !strings.Contains(string(a.body), "There is nothing at this address.") {
					t.Errorf("%s: %s", path, a)
				}
			}
			next, _ := url.PathUnescape(path)
			if a := s.visitor().submits("/sign-in", url.Values{"name": {"ann"}, "password": {password}, "next": {next}}); a.header.Get("Location") != "/signed-in" {
				t.Errorf("next %q leads to %q", next, a.header.Get("Location"))
			}
		}
	})
	t.Run("there is no set-up page without the link, and none for others", func(t *testing.T) {
		for _, path := range []string{"/setup", "/setup?token=", "/setup?token=wrong"} {
			if a := s.visitor().sends("GET", path, nil); a.status != 404 || strings.Contains(string(a.body), "<form") {
				t.Errorf("%s: %s", path, a)
			}
		}
	})
	t.Run("the link makes the administrator, whose page then is the app", func(t *testing.T) {
		fresh := newSite(t, stores["memstore"], nil)
		link, err := fresh.accounts.NewSetupLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first := fresh.visitor()
		if a := first.sends("GET", "/setup?token="+link.Token, nil); a.status != 303 || a.header.Get("Location") != "/setup?opened" {
			t.Fatalf("the link: %s to %q", a, a.header.Get("Location"))
		}
		if a := fresh.visitor().sends("GET", "/setup", nil); a.status != 404 {
			t.Errorf("for another browser: %s", a)
		}
		if a := first.sends("GET", "/setup", nil); a.status != 200 || !strings.Contains(string(a.body), `action="/setup"`) {
			t.Fatalf("the page: %s", a)
		}
		bad := first.submits("/setup", url.Values{"name": {"ann"}, "display-name": {"<b>Ann"}, "password": {"short"}})
		if page := string(bad.body); bad.status != 422 || !strings.Contains(page, "at least 12") || !strings.Contains(page, "&lt;b&gt;Ann") || strings.Contains(page, "short\"") {
			t.Errorf("a short password: %s", bad)
		}
		for input, typed := range map[string]url.Values{
			"name":         {"name": {"an n"}, "display-name": {"Ann"}, "password": {password}},
			"display-name": {"name": {"ann"}, "display-name": {" "}, "password": {password}},
			"password":     {"name": {"ann"}, "display-name": {"Ann"}, "password": {"short"}},
		} {
			page := string(first.submits("/setup", typed).body)
			focused := regexp.MustCompile(`<input[^>]* autofocus[^>]*>`).FindAllString(page, -1)
			if len(focused) != 1 || !strings.Contains(focused[0], `name="`+input+`"`) || !strings.Contains(focused[0], `aria-invalid="true"`) {
				t.Errorf("when %s is refused, the focus is on %s", input, focused)
			}
		}
		good := first.submits("/setup", url.Values{"name": {"ann"}, "display-name": {"Ann"}, "password": {password}})
		if good.status != 303 || good.header.Get("Location") != "/signed-in" {
			t.Fatalf("got %s", good)
		}
		if account := into[shared.Account](first, first.sends("GET", shared.PathAccount, nil), 200); account.User.Role != shared.RoleAdministrator {
			t.Errorf("account %+v", account)
		}
		if a := first.sends("GET", "/setup?token="+link.Token, nil); a.status != 404 {
			t.Errorf("the link again: %s", a)
		}
	})
}
