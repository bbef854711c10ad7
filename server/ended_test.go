package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// TestSessionEnded checks that the sign-in page says why a session has ended: once, in
// the browser that had it, and nowhere else.
func TestSessionEnded(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		tells := func(v *visitor, sentence string) bool { return strings.Contains(v.atSignIn(), sentence) }
		page := map[string]string{"page": shared.PageHome, "API": shared.PathAccount}
		for what, path := range page {
			carl := s.user("carl-" + strings.ToLower(what))
			elsewhere := s.elsewhere(carl)
			into[shared.SessionList](carl, carl.sends("POST", shared.PathEndOthers, nil), 200)
			elsewhere.sends("GET", path, nil)
			if !tells(elsewhere, saysElse) {
				s.Errorf("%s: the sign-in page doesn't say that the session was ended elsewhere", what)
			}
			if tells(elsewhere, saysElse) {
				s.Errorf("%s: the notice is there again", what)
			}

			s.passes(23 * time.Hour)
			s.succeeds(carl.sends("GET", path, nil), http.StatusOK) // lasts longer now
			s.passes(23 * time.Hour)
			into[shared.SessionList](s.elsewhere(carl), s.elsewhere(carl).sends("POST", shared.PathEndOthers, nil), 200)
			carl.sends("GET", path, nil)
			if !tells(carl, saysElse) {
				s.Errorf("%s: the session of a browser that was used again ended elsewhere, and the page doesn't say so", what)
			}

			carl.signsInWithPassword()
			s.passes(25 * time.Hour)
			carl.sends("GET", path, nil)
			if !tells(carl, saysExpired) {
				s.Errorf("%s: the sign-in page doesn't say that the session has ended by itself", what)
			}

			carl.signsInWithPassword()
			carl.sends("POST", shared.PathSignOut, nil)
			carl.sends("GET", path, nil)
			if page := carl.atSignIn(); strings.Contains(page, saysElse) || strings.Contains(page, saysExpired) {
				s.Errorf("%s: a user who signed out reads that the session has ended", what)
			}

			carl.signsInWithPassword()
			if err := s.accounts.Disable(s.Context(), it(s, s.accounts, carl.name)); err != nil {
				s.Fatal(err)
			}
			carl.sends("GET", path, nil)
			if !tells(carl, saysOff) {
				s.Errorf("%s: the sign-in page doesn't say that the user is disabled", what)
			}
		}
		newcomer := s.visitor()
		newcomer.sends("GET", shared.PageHome, nil)
		if page := newcomer.atSignIn(); strings.Contains(page, `id="reason"`) {
			s.Errorf("somebody who never signed in reads a reason:\n%s", page)
		}
	})
}

// TestReasonLeadsBack checks that the reason says where a sign-in leads, if it leads back.
func TestReasonLeadsBack(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann := s.user("ann")
	s.passes(25 * time.Hour)
	const leadsBack = "Sign in, and you are back on the same page."
	for path, want := range map[string]bool{"/passkeys": true, "/": false} {
		to := ann.sends("GET", path, nil).header.Get("Location")
		page := string(ann.sends("GET", to, nil).body)
		if !strings.Contains(page, saysExpired) || strings.Contains(page, leadsBack) != want {
			t.Errorf("%s leads to\n%s", path, page)
		}
	}
}
