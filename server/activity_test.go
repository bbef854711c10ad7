package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
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

// TestWhoDidIt reads who made a recovery link, before and after that administrator's account
// changes.
func TestWhoDidIt(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		s.promotes(s.ann)
		s.passes(time.Second)
		s.recovers(s.bob)
		bobReads := func(by string, removed bool) {
			t.Helper()
			e := into[shared.Activity](s.bob, s.bob.sends("GET", shared.PathActivity, nil), 200).Events[0]
			if e.Kind != shared.EventRecoveryLinkMade || e.By != by || e.ByRemoved != removed {
				s.Errorf("his activity tells %+v, want by %q, removed %t", e, by, removed)
			}
		}
		applies := func(op store.Op) {
			t.Helper()
			if err := s.store.Apply(s.Context(), store.Batch{op}); err != nil {
				s.Fatal(err)
			}
		}
		bobReads("ANN", false)

		renamed := s.record(s.ann)
		renamed.DisplayName = "Ann Miller"
		applies(store.PutUser{User: renamed})
		bobReads("Ann Miller", false)

		applies(store.RemoveUser{ID: renamed.ID, Revision: s.record(s.ann).Revision})
		bobReads("", true)
		for key, value := range s.everything() {
			if strings.Contains(value, renamed.DisplayName) {
				s.Errorf("%s holds the name of the administrator who was removed: %q", key, value)
			}
		}
	})
}
