package server_test

import (
	"testing"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// TestThisBrowser signs in from browsers that look the same from outside: one kind, one
// system, one address.
func TestThisBrowser(t *testing.T) {
	onEveryStore(t, func(s *site) {
		s.user("ann")
		opens := func() *visitor {
			s.passes(time.Second) // events of one moment have no order
			browser := s.visitor()
			browser.sends("GET", shared.PageSignIn, nil)
			into[shared.SignedIn](browser, browser.guesses("ann", password), 200)
			return browser
		}
		newest := func(v *visitor) []shared.Event {
			return into[shared.Activity](v, v.sends("GET", shared.PathActivity, nil), 200).Events
		}
		hers, colleagues := opens(), opens()
		s.Run("a browser knows its own sign-in, and no other's", func(t *testing.T) {
			if events := newest(colleagues); !events[0].Here || events[1].Here {
				t.Errorf("in the colleague's: %+v", events[:2])
			}
			if events := newest(hers); events[0].Here || !events[1].Here {
				t.Errorf("in hers: %+v", events[:2])
			}
		})
		s.Run("it still does after signing out and in again", func(t *testing.T) {
			s.passes(time.Second)
			hers.sends("POST", shared.PathSignOut, nil)
			s.passes(time.Second)
			into[shared.SignedIn](hers, hers.guesses("ann", password), 200)
			if events := newest(hers); !events[0].Here || !events[1].Here || events[2].Here || !events[3].Here {
				t.Errorf("%+v", events[:4])
			}
		})
	})
}
