package server_test

import (
	"strings"
	"testing"

	"github.com/keypeg/keypeg/shared"
)

// TestSessionEnded checks that the sign-in page says that a session has ended: once, in
// the browser that had it, and nowhere else.
func TestSessionEnded(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		tells := func(v *visitor) bool {
			page := v.sends("GET", shared.PageSignIn, nil)
			if page.status != 200 {
				s.Errorf("the sign-in page: %s", page)
			}
			return strings.Contains(string(page.body), "Your session has ended.")
		}
		page := map[string]string{"page": shared.PageHome, "API": shared.PathAccount}
		for what, path := range page {
			carl := s.user("carl-" + strings.ToLower(what))
			carl.signsInWithPassword()
			elsewhere := s.visitor()
			elsewhere.name = carl.name
			elsewhere.signsInWithPassword()
			into[shared.SessionList](carl, carl.sends("POST", shared.PathEndOthers, nil), 200)
			elsewhere.sends("GET", path, nil)
			if !tells(elsewhere) {
				s.Errorf("%s: the sign-in page doesn't say that the session has ended", what)
			}
			if tells(elsewhere) {
				s.Errorf("%s: the notice is there again", what)
			}
			carl.sends("POST", shared.PathSignOut, nil)
			carl.sends("GET", path, nil)
			if tells(carl) {
				s.Errorf("%s: a user who signed out reads the notice", what)
			}
		}
		newcomer := s.visitor()
		newcomer.sends("GET", shared.PageHome, nil)
		if tells(newcomer) {
			s.Error("somebody who never signed in reads the notice")
		}
	})
}
