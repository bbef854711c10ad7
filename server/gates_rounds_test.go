package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// forgets drops the cookies of a browser at its host.
func (v *visitor) forgets() {
	gone := v.jar.Cookies(urlOf(v, v.device.Origin))
	for _, cookie := range gone {
		cookie.MaxAge, cookie.Path, cookie.Secure = -1, "/", true
	}
	v.jar.SetCookies(urlOf(v, v.device.Origin), gone)
}

// TestGateBeginsAnew: a sign-in whose cookie has gone begins once more by itself. Only a browser that keeps none reads that
// it must.
func TestGateBeginsAnew(t *testing.T) {
	onEveryStoreGated(t, func(s *site) {
		s.Run("a cookie that has gone", func(*testing.T) {
			ann := s.user("ann")
			at := ann.at(wiki)
			a := ann.goesOn(ann.goesOn(at.asksForward("/x")))
			at.forgets()
			for range 4 { // arrive; and enter, authorize, arrive once more
				a = ann.goesOn(a)
			}
			if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != wiki+"/" {
				s.Errorf("it led to %q: %s", got, a)
			}
			at.passesAs(at.asksForward("/x"), "ann")
		})
		s.Run("a browser that keeps no cookies there", func(*testing.T) {
			bob := s.user("bob")
			at := bob.at(wiki)
			a := at.asksForward("/x")
			for range 6 { // two rounds
				a = bob.goesOn(a)
				at.forgets()
			}
			if a.status != http.StatusBadRequest || !strings.Contains(string(a.body), "Your browser sends no cookies back") || !strings.Contains(string(a.body), "Allow cookies for wiki.example.com") {
				s.Errorf("the second round ends with %s", a)
			}
		})
		s.Run("whoever must sign in meanwhile", func(*testing.T) {
			dora := s.user("dora")
			a := dora.goesOn(dora.goesOn(dora.at(wiki).asksForward("/x")))
			s.passes(2 * time.Minute)
			dora.sends("POST", shared.PathSignOut, nil)
			for range 3 { // arrive; and enter, authorize once more
				a = dora.goesOn(a)
			}
			next := urlOf(s, a.header.Get("Location")).Query().Get("next")
			if at := urlOf(s, next); at.Path != shared.PageGate || at.Query().Get("gate") != "wiki" || at.Query().Get("second") != "1" {
				s.Errorf("after the sign-in it goes on at %q: %s", next, a)
			}
		})
		s.Run("a code that is too old", func(*testing.T) {
			eve := s.user("eve")
			a := eve.goesOn(eve.goesOn(eve.at(wiki).asksForward("/x")))
			s.passes(2 * time.Minute)
			for range 4 {
				a = eve.goesOn(a)
			}
			eve.at(wiki).passesAs(eve.at(wiki).asksForward("/x"), "eve")
		})
	})
}

// TestGateIdle: a page that stays open, and asks for news by itself, keeps nobody signed in.
func TestGateIdle(t *testing.T) {
	onEveryStoreGated(t, func(s *site) {
		ann := s.user("ann")
		ann.enters(wiki, "/")
		at := ann.at(wiki)
		asks := map[string]func(string, ...func(*http.Request)) answer{"forward": at.asksForward, "nginx": at.asksNginx, "envoy": at.asksEnvoy}
		s.passes(20 * time.Hour)
		for _, mode := range []string{"cors", "no-cors", "same-origin", "websocket"} {
			for dialect, ask := range asks {
				if a := ask("/news", with("Sec-Fetch-Mode", mode)); a.status != http.StatusOK {
					s.Errorf("%s, %s, after 20 hours: the check was answered %s", dialect, mode, a)
				}
			}
		}
		s.passes(5 * time.Hour)
		at.stops(at.asksForward("/news", with("Sec-Fetch-Mode", "cors")), http.StatusUnauthorized)
		at.stops(at.asksForward("/"), http.StatusFound)
	})
}

// TestGateUsedWithoutFetchMetadata: requests of clients that don't say what they are count as use.
func TestGateUsedWithoutFetchMetadata(t *testing.T) {
	onEveryStoreGated(t, func(s *site) {
		ann := s.user("ann")
		ann.enters(wiki, "/")
		at := ann.at(wiki)
		for range 3 {
			s.passes(20 * time.Hour)
			at.passesAs(at.asksForward("/", with("Sec-Fetch-Mode")), "ann")
		}
	})
}
