package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/shared"
)

func TestSessions(t *testing.T) {
	onEveryStore(t, func(s *site) {
		ann := s.user("ann")
		ann.registers("x")
		first := ann.token()

		s.Run("the token is another after every sign-in and confirmation", func(t *testing.T) {
			seen := map[string]bool{first: true}
			for what, do := range map[string]func(){
				"password": ann.signsInWithPassword,
				"passkey":  func() { into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200) },
				"confirmation": func() {
					into[shared.Confirmed](ann, ann.sends("POST", shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password}), 200)
				},
			} {
				do()
				if seen[ann.token()] {
					t.Errorf("after %s the token is the old one", what)
				}
				seen[ann.token()] = true
			}
		})
		s.Run("a request that is on its way during a confirmation is answered, and proves nothing", func(t *testing.T) {
			before := ann.token()
			late := func(method, path string) answer {
				return s.visitor().sends(method, path, nil, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "keypeg", Value: before}) })
			}
			for range 2 {
				into[shared.Confirmed](ann, ann.sends("POST", shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password}), 200)
				a := late("GET", shared.PathAccount)
				into[shared.Account](ann, a, 200)
				for _, cookie := range a.header.Values("Set-Cookie") {
					if strings.HasPrefix(cookie, "keypeg=") {
						t.Errorf("it would take the new token away: %s", cookie)
					}
				}
				ann.refused(late("POST", shared.PathRegisterBegin), 403, shared.CodeConfirmRequired)
			}
			s.passes(11 * time.Second)
			ann.refused(late("GET", shared.PathAccount), 401, shared.CodeUnauthenticated)
			into[shared.Ceremony](ann, ann.sends("POST", shared.PathRegisterBegin, nil), 200)
		})
		s.Run("an old token is nobody's", func(t *testing.T) {
			old := s.visitor()
			a := old.sends("GET", shared.PathAccount, nil, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "keypeg", Value: first}) })
			old.refused(a, 401, shared.CodeUnauthenticated)
		})
		s.Run("signing out ends it on the server", func(t *testing.T) {
			token := ann.token()
			ann.sends("POST", shared.PathSignOut, nil)
			if ann.token() != "" {
				t.Error("the browser still has the cookie")
			}
			a := ann.sends("GET", shared.PathAccount, nil, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "keypeg", Value: token}) })
			ann.refused(a, 401, shared.CodeUnauthenticated)
		})
	})
	t.Run("a clock that is set back signs nobody out, and lets everybody in", func(t *testing.T) {
		onEveryStore(t, func(s *site) {
			ann := s.user("ann")
			ann.registers("x")
			s.passes(-time.Hour)
			ann.lists()
			into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
			ann.signsInWithPassword()
			s.passes(2 * time.Hour)
			ann.lists()
			into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
		})
	})
	t.Run("over https the cookie has the prefix that browsers protect", func(t *testing.T) {
		s := newSite(t, stores["memstore"], func(c *server.Config) {
			address, err := server.ParseAddress("https://id.example.com", "", true)
			if err != nil {
				t.Fatal(err)
			}
			c.Address = address
		})
		if _, err := s.accounts.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: "ann", DisplayName: "Ann", Password: password}); err != nil {
			t.Fatal(err)
		}
		a := s.visitor().sends("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: "ann", Password: password}, func(r *http.Request) { r.Host = "id.example.com" })
		for i, name := range []string{"__Host-keypeg=", "__Host-keypeg-known="} {
			cookie := a.header.Values("Set-Cookie")[i]
			for _, part := range []string{name, "; Path=/;", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
				if !strings.Contains(cookie, part) {
					t.Errorf("cookie %q lacks %q", cookie, part)
				}
			}
		}
		if a.header.Get("Strict-Transport-Security") == "" {
			t.Error("no Strict-Transport-Security")
		}
	})
}

func TestConfirmation(t *testing.T) {
	onEveryStore(t, func(s *site) {
		ann := s.user("ann")
		id := ann.registers("x").ID
		s.passes(10 * time.Minute)

		s.Run("a wrong password doesn't confirm, and ends nothing", func(t *testing.T) {
			ann.refused(ann.sends("POST", shared.PathConfirmPassword, `{"password":"wrong"}`), 401, shared.CodeSignInRefused)
			ann.lists()
		})
		s.Run("a user's own passkey does", func(t *testing.T) {
			begun := into[shared.Ceremony](ann, ann.sends("POST", shared.PathConfirmBegin, nil), 200)
			into[shared.Confirmed](ann, ann.sends("POST", shared.PathConfirmFinish, ann.proves(begun)), 200)
			into[shared.PasskeyList](ann, ann.sends("DELETE", shared.PathPasskey+id, nil), 200)
		})
	})
}

func TestWithoutSession(t *testing.T) {
	onEveryStore(t, func(s *site) {
		hers := s.user("ann").registers("hers")
		s.Run("without a session there is nothing", func(t *testing.T) {
			nobody := s.visitor()
			for _, request := range [][2]string{
				{"GET", shared.PathAccount}, {"GET", shared.PathPasskeys}, {"GET", shared.PathSessions}, {"DELETE", shared.PathSession + "x"}, {"POST", shared.PathEndOthers}, {"GET", shared.PathActivity}, {"POST", shared.PathPassword}, {"PATCH", shared.PathPasskey + hers.ID}, {"DELETE", shared.PathPasskey + hers.ID},
				{"POST", shared.PathRegisterBegin}, {"POST", shared.PathRegisterFinish}, {"POST", shared.PathConfirmBegin}, {"POST", shared.PathConfirmFinish}, {"POST", shared.PathConfirmPassword},
			} {
				nobody.refused(nobody.sends(request[0], request[1], nil), 401, shared.CodeUnauthenticated)
			}
		})
	})
}

// TestTwoTabsSignIn lets an old page ask while another tab signs in. Its answer comes
// late, and takes nothing from the browser.
func TestTwoTabsSignIn(t *testing.T) {
	onEveryStore(t, func(s *site) {
		ann := s.user("ann")
		old := ann.copy()
		ann.signsInWithPassword() // in place of the session that the old page has
		for _, path := range []string{shared.PathAccount, shared.PathPasskeys, shared.PathLive} {
			late := old.sends("GET", path, nil)
			old.refused(late, 401, shared.CodeUnauthenticated)
			for _, line := range late.header.Values("Set-Cookie") {
				if cookie, err := http.ParseSetCookie(line); err != nil || cookie.Name == "keypeg" {
					t.Errorf("%s sets %q (%v)", path, line, err)
				}
			}
		}
		late := old.sends("GET", shared.PageHome, nil)
		if late.status != 303 {
			t.Errorf("the page answers %v", late)
		}
		for _, line := range late.header.Values("Set-Cookie") {
			if cookie, err := http.ParseSetCookie(line); err != nil || cookie.Name == "keypeg" {
				t.Errorf("the page sets %q (%v)", line, err)
			}
		}
	})
}
