package server_test

import (
	"crypto/x509"
	"net/http"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/shared"
)

func TestAboutPasskeys(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		about := func(v *visitor, change ...func(*http.Request)) answer {
			return v.sends("GET", shared.PageAbout, nil, change...)
		}
		s.Run("people who aren't signed in read it, and it writes nothing", func(t *testing.T) {
			s.changesOnly(nil, func() {
				a := about(s.visitor())
				if a.status != 200 || !strings.Contains(string(a.body), `href="/sign-in"`) || strings.Contains(string(a.body), `href="/"`) {
					t.Errorf("got %s", a)
				}
				if cookies := a.header.Values("Set-Cookie"); len(cookies) > 0 {
					t.Errorf("it sets %v", cookies)
				}
				signIn := s.visitor().sends("GET", shared.PageSignIn, nil)
				for _, name := range []string{"Content-Security-Policy", "Cache-Control", "Vary"} {
					if got, want := a.header.Get(name), signIn.header.Get(name); got != want {
						t.Errorf("%s: %s, and of the sign-in page %s", name, got, want)
					}
				}
			})
		})
		s.Run("the signed-in find the way back to the app", func(t *testing.T) {
			if a := about(s.ann); a.status != 200 || !strings.Contains(string(a.body), `href="/"`) {
				t.Errorf("got %s", a)
			}
		})
		s.Run("in the reader's language", func(t *testing.T) {
			german := func(r *http.Request) { r.Header.Set("Accept-Language", "de-CH, en;q=0.5") }
			if a := about(s.visitor(), german); !strings.Contains(string(a.body), `<html lang="de">`) || !strings.Contains(string(a.body), "Über Passkeys") || !strings.Contains(string(a.body), `href="/passkeys"`) {
				t.Errorf("got %s", a)
			}
		})
		s.Run("the sign-in page links to it", func(t *testing.T) {
			if a := s.visitor().sends("GET", shared.PageSignIn, nil); !strings.Contains(string(a.body), `href="`+shared.PageAbout+`"`) {
				t.Errorf("got %s", a)
			}
		})
		s.Run("it follows IT's settings", func(t *testing.T) {
			s.takesPasswords(policy.PasswordsAdministrators)
			if a := about(s.visitor()); !strings.Contains(string(a.body), "A password, for administrators only") {
				t.Errorf("got %s", a)
			}
		})
		s.Run("who may read the manual is led to it", func(t *testing.T) {
			manual := `href="` + shared.PageManual + `"`
			s.restarts(func(c *server.Config) {
				c.MaxPasskeys, c.AttestationRoots = 3, x509.NewCertPool()
				c.App.Files = map[string]http.Handler{shared.PageManual: http.NotFoundHandler()}
			})
			if a := about(s.visitor()); strings.Contains(string(a.body), manual) || !strings.Contains(string(a.body), "up to 3 passkeys") || !strings.Contains(string(a.body), "makers that IT has chosen") {
				t.Errorf("got %s", a)
			}
			if a := about(s.ann); !strings.Contains(string(a.body), manual) {
				t.Errorf("got %s", a)
			}
			s.restarts(func(c *server.Config) { c.ManualPublic = true })
			if a := about(s.visitor()); !strings.Contains(string(a.body), manual) {
				t.Errorf("got %s", a)
			}
		})
		s.Run("where passkeys are off, there is no such page and no link", func(t *testing.T) {
			s.changesRules(func(c *account.Config) { c.Policy.Passwords, c.Policy.PasskeysOff = policy.PasswordsOn, true })
			if a := about(s.visitor()); a.status != 404 {
				t.Errorf("got %s", a)
			}
			if a := s.visitor().sends("GET", shared.PageSignIn, nil); a.status != 200 || strings.Contains(string(a.body), shared.PageAbout) {
				t.Errorf("got %s", a)
			}
		})
	})
}
