package server_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/shared"
)

func (v *visitor) guesses(name, password string, change ...func(*http.Request)) answer {
	v.Helper()
	return v.sends("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: name, Password: password}, change...)
}

func from(address string, forwarded ...string) func(*http.Request) {
	return func(r *http.Request) {
		r.RemoteAddr = address + ":4711"
		for _, line := range forwarded {
			r.Header.Add("X-Forwarded-For", line)
		}
	}
}

// waits checks a refusal that tells when to come back, and returns when.
func (v *visitor) waits(a answer) time.Duration {
	v.Helper()
	v.refused(a, 429, shared.CodeTooManyAttempts)
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil || seconds < 1 || !strings.Contains(string(a.body), fmt.Sprintf("in %d seconds", seconds)) {
		v.Errorf("Retry-After %q with %s", a.header.Get("Retry-After"), a)
	}
	return time.Duration(seconds) * time.Second
}

func TestGuessing(t *testing.T) {
	onEveryStore(t, func(s *site) {
		ann := s.user("ann")
		ann.registers("x")
		attacker := s.visitor()

		s.Run("ten wrong passwords are refused, the next one has to wait, whether or not there is such a user", func(t *testing.T) {
			for _, name := range []string{"ann", "nobody"} {
				for i := range 10 {
					attacker.refused(attacker.guesses(name, fmt.Sprint("wrong", i)), 401, shared.CodeSignInRefused)
				}
				wait := attacker.waits(attacker.guesses(name, "wrong"))
				if wait != time.Minute {
					t.Errorf("%s: %s", name, wait)
				}
			}
			attacker.waits(attacker.guesses("ANN", password)) // the right one too, in any spelling of the name
		})
		s.Run("meanwhile the user gets in where they did before, and anywhere with a passkey", func(t *testing.T) {
			into[shared.SignedIn](ann, ann.guesses("ann", password), 200)
			ann.sends("POST", shared.PathSignOut, nil)
			into[shared.SignedIn](ann, ann.guesses("Ann", password), 200)

			elsewhere := s.visitor()
			elsewhere.device = ann.device
			into[shared.SignedIn](elsewhere, elsewhere.signsInWithPasskey(), 200)
			elsewhere.sends("POST", shared.PathSignOut, nil)
			into[shared.SignedIn](elsewhere, elsewhere.guesses("ann", password), 200) // it is known from now on
		})
		s.Run("a browser is known for its own user only, and has a limit too", func(t *testing.T) {
			bob := s.user("bob")
			bob.waits(bob.guesses("ann", password))
			for range 10 {
				bob.refused(bob.guesses("bob", "wrong"), 401, shared.CodeSignInRefused)
			}
			bob.waits(bob.guesses("bob", password))
			for _, cookie := range []string{"x", ".", strings.Repeat("A", 26) + ".x"} {
				attacker.waits(attacker.guesses("ann", password, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "keypeg-known", Value: cookie}) }))
			}
		})
		s.Run("signed in, guessing has a limit of its own", func(t *testing.T) {
			confirm := func(password string) answer {
				return ann.sends("POST", shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password})
			}
			into[shared.Confirmed](ann, confirm(password), 200)
			for range 10 {
				ann.refused(confirm("wrong"), 401, shared.CodeSignInRefused)
			}
			ann.waits(confirm(password))
			begun := into[shared.Ceremony](ann, ann.sends("POST", shared.PathConfirmBegin, nil), 200)
			into[shared.Confirmed](ann, ann.sends("POST", shared.PathConfirmFinish, ann.proves(begun)), 200)
		})
		s.Run("after the wait there is one more try, and the form says so in the reader's language", func(t *testing.T) {
			s.passes(time.Minute)
			attacker.refused(attacker.guesses("ann", "wrong"), 401, shared.CodeSignInRefused)
			a := attacker.sends("POST", "/sign-in", url.Values{"name": {"ann"}, "password": {password}}.Encode(), func(r *http.Request) {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set("Accept-Language", "de")
			})
			if a.status != 429 || a.header.Get("Retry-After") != "60" || !strings.Contains(string(a.body), "Zu viele Versuche. Bitte versuchen Sie es in 60 Sekunden noch einmal.") {
				t.Errorf("got %s", a)
			}
			s.passes(time.Minute)
			into[shared.SignedIn](attacker, attacker.guesses("ann", password), 200)
		})
	})
}

func TestGuessingFromOneAddress(t *testing.T) {
	proxied := func(c *server.Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	}
	// tries guesses at many names, as fits one address, until it must wait.
	tries := func(s *site, at func(i int) func(*http.Request)) (guesses int) {
		v := s.visitor()
		for i := range 200 {
			if a := v.guesses(fmt.Sprintf("user%d", i), "wrong", at(i)); a.status != 401 {
				v.waits(a)
				return i
			}
		}
		return 200
	}

	t.Run("many names from one address have to wait too, others don't", func(t *testing.T) {
		s := newSite(t, stores["memstore"], nil)
		s.user("ann")
		if n := tries(s, func(int) func(*http.Request) { return from("203.0.113.7") }); n != 50 {
			t.Errorf("%d guesses", n)
		}
		other := s.visitor()
		into[shared.SignedIn](other, other.guesses("ann", password, from("203.0.113.8")), 200)
	})
	t.Run("an IPv6 network is one address", func(t *testing.T) {
		s := newSite(t, stores["memstore"], nil)
		if n := tries(s, func(i int) func(*http.Request) { return from(fmt.Sprintf("[2001:db8:0:7::%x]", i)) }); n != 50 {
			t.Errorf("%d guesses", n)
		}
	})
	t.Run("nobody but our proxy can say where a request came from", func(t *testing.T) {
		s := newSite(t, stores["memstore"], proxied)
		if n := tries(s, func(i int) func(*http.Request) { return from("203.0.113.7", fmt.Sprintf("198.51.100.%d", i)) }); n != 50 {
			t.Errorf("%d guesses", n)
		}
	})
	t.Run("behind our proxy it's what the proxy says, not what came to it", func(t *testing.T) {
		s := newSite(t, stores["memstore"], proxied)
		lie := func(i int) func(*http.Request) {
			return from("10.1.2.3", fmt.Sprintf("198.51.100.%d", i), "203.0.113.7, 10.9.9.9")
		}
		if n := tries(s, lie); n != 50 {
			t.Errorf("%d guesses", n)
		}
		if n := tries(s, func(i int) func(*http.Request) { return from("[fd00::1]", fmt.Sprintf("198.51.%d.7", i)) }); n != 200 {
			t.Errorf("clients of one proxy share a limit: %d guesses", n)
		}
	})
	t.Run("the activity has the address that a proxy forwards", func(t *testing.T) {
		s := newSite(t, stores["memstore"], proxied)
		ann := s.user("ann")
		s.passes(time.Second)
		into[shared.SignedIn](ann, ann.guesses("ann", password, from("10.1.2.3", "unknown, 203.0.113.9")), 200)
		events := into[shared.Activity](ann, ann.sends("GET", shared.PathActivity, nil), 200).Events
		if events[0].Address != "203.0.113.9" {
			t.Errorf("address %q", events[0].Address)
		}
	})
}
