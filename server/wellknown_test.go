package server_test

import (
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/shared"
)

// TestWellKnown asks as password managers and browsers do: without a session, and from no page of ours.
func TestWellKnown(t *testing.T) {
	onEveryStore(t, func(s *site) {
		asks := func(path string) answer { return s.visitor().sends("GET", path, nil) }
		mayBeKept := func(t *testing.T, a answer) {
			t.Helper()
			if got := a.header.Get("Cache-Control"); got != "public, max-age=3600, no-transform" || len(a.header.Values("Set-Cookie")) > 0 {
				t.Errorf("anybody may keep it: Cache-Control %q, Set-Cookie %q", got, a.header.Values("Set-Cookie"))
			}
		}
		s.Run("a password manager finds where passkeys are added and looked after", func(t *testing.T) {
			a := asks(shared.PathPasskeyEndpoints)
			want := `{"enroll":"` + origin + `/passkeys","manage":"` + origin + `/passkeys"}`
			if got := strings.TrimSpace(string(a.body)); a.status != 200 || got != want || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
				t.Errorf("got %s, want %s", a, want)
			}
			mayBeKept(t, a)
		})
		s.Run("a browser finds where the password is changed", func(t *testing.T) {
			a := asks(shared.PathChangePassword)
			if a.status != 302 || a.header.Get("Location") != shared.PageHome {
				t.Errorf("got %s", a)
			}
			mayBeKept(t, a)
			if ann := s.user("ann"); ann.sends("GET", a.header.Get("Location"), nil).status != 200 {
				t.Error("it leads to no page")
			}
		})
		s.Run("a browser that tries whether 404 can be believed gets it", func(t *testing.T) {
			for _, path := range []string{"/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200", "/.well-known/", "/.well-known/change-password/"} {
				if a := asks(path); a.status != 404 {
					t.Errorf("%s: %s", path, a)
				}
			}
		})
		s.Run("at each address people stay there, but for one that they move away from", func(t *testing.T) {
			s.isAt(origin, s.related(newOrigin, false))
			for at, want := range map[string]string{origin: origin, newOrigin: newOrigin} {
				if a := s.visitor().goesTo(at).sends("GET", shared.PathPasskeyEndpoints, nil); !strings.Contains(string(a.body), `"enroll":"`+want+`/passkeys"`) {
					t.Errorf("at %s: %s", at, a)
				}
			}
			s.isAt(newOrigin, s.related(origin, true))
			if a := s.visitor().goesTo(origin).sends("GET", shared.PathPasskeyEndpoints, nil); !strings.Contains(string(a.body), `"enroll":"`+newOrigin+`/passkeys"`) {
				t.Errorf("at the former address: %s", a)
			}
			s.isAt(origin)
		})
		s.Run("what is switched off isn't there", func(t *testing.T) {
			s.takesPasswords(policy.PasswordsOff)
			if a := asks(shared.PathChangePassword); a.status != 404 {
				t.Errorf("without passwords: %s", a)
			}
			s.changesRules(func(c *account.Config) { c.Policy = policy.Policy{PasskeysOff: true} })
			s.restarts(func(*server.Config) {})
			if a := asks(shared.PathPasskeyEndpoints); a.status != 404 {
				t.Errorf("without passkeys: %s", a)
			}
			if a := asks(shared.PathChangePassword); a.status != 302 {
				t.Errorf("without passkeys, with passwords: %s", a)
			}
		})
	})
}
