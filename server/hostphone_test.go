package server_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

// onEveryStoreOfAPhoneHost is onEveryStoreOfAHost for a host that has set Asset.
func onEveryStoreOfAPhoneHost(t *testing.T, test func(*site, *crib)) {
	onEveryStoreOfAHost(t, func(s *site, host *crib) {
		s.restarts(func(c *server.Config) {
			c.Host, c.Contact, c.Asset = &endingCrib{crib: host}, "desk 12", func(name string) string { return "/files/" + name }
			c.StyleSheet = "/own.css"
		})
		test(s, host)
	})
}

// makesPhoneLink returns the address of a new link, without its origin.
func (v *visitor) makesPhoneLink() string {
	v.Helper()
	link := into[shared.EnrolmentLink](v, v.sends("POST", shared.PathPhoneLink, nil), 200)
	at, is := strings.CutPrefix(link.URL, origin+shared.PageHostEnrol+"?token=")
	if !is || link.QR.Size == 0 {
		v.Fatalf("got %+v", link)
	}
	for name, value := range v.everything() {
		if strings.Contains(value, at) {
			v.Errorf("%s holds a link's token", name)
		}
	}
	return shared.PageHostEnrol + "?token=" + at
}

// opensPhoneLink is a phone that follows a link to its page.
func (s *site) opensPhoneLink(at string) *visitor {
	s.Helper()
	v := s.visitor()
	if a := v.sends("GET", at, nil); a.status != 303 || a.header.Get("Location") != shared.PageHostEnrol+"?opened" {
		s.Fatalf("opening the link: %s", a)
	}
	return v
}

// phoneLinkIsDead checks that a link does nothing any more, for who opens it and for who has it open.
func (s *site) phoneLinkIsDead(at string, open *visitor) {
	s.Helper()
	s.changesNothing(func() {
		if a := s.visitor().sends("GET", at, nil); a.status != 404 || !strings.Contains(string(a.body), "Show a new one") {
			s.Errorf("a dead link opens: %s", a)
		}
		open.refused(open.sends("POST", shared.PathEnrolBegin, nil), 404, shared.CodeNotFound)
	})
}

// TestHostPhoneLink checks that a host's users add passkeys on their phones.
func TestHostPhoneLink(t *testing.T) {
	t.Run("a phone gets the first passkey of a user, and later ones", func(t *testing.T) {
		onEveryStoreOfAPhoneHost(t, func(s *site, host *crib) {
			ann := s.hostUser(host, "1")
			if !into[shared.Account](ann, ann.sends("GET", shared.PathAccount, nil), 200).PhoneLinks {
				t.Error("her page doesn't learn that there are links")
			}
			for n := range 2 {
				at := ann.makesPhoneLink()
				if n == 1 {
					s.restarts(func(*server.Config) {}) // another node
				}
				phone := s.opensPhoneLink(at)
				page := phone.sends("GET", shared.PageHostEnrol+"?opened", nil)
				if page.status != 200 || !strings.Contains(page.header.Get("Content-Security-Policy"), "script-src 'self'") || page.header.Get("X-Frame-Options") != "DENY" {
					t.Errorf("the page is %s %v", page, page.header)
				}
				for _, has := range []string{"ann@example.com", "desk 12", "/files/signinpages.css", "/own.css"} {
					if !strings.Contains(string(page.body), has) {
						t.Errorf("the page has no %q:\n%s", has, page.body)
					}
				}
				for _, not := range []string{`type="password"`, shared.PageAbout, shared.PageLanguage, "app.wasm", strings.TrimPrefix(at, shared.PageHostEnrol)} {
					if strings.Contains(string(page.body), not) {
						t.Errorf("the page has %q:\n%s", not, page.body)
					}
				}
				s.changesNothing(func() { phone.refused(phone.enrols(password), 400, shared.CodeInvalidRequest) })
				phone.device = passkeytest.New(origin)
				into[shared.Passkey](phone, phone.enrols(""), 201)
				if list := ann.lists(); len(list.Passkeys) != n+1 {
					t.Errorf("she has %+v", list)
				}
				phone.refused(phone.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated) // it is signed in by nothing
				if done := phone.sends("GET", shared.PageHostEnrolled, nil); done.status != 200 || !strings.Contains(string(done.body), `href="/"`) {
					t.Errorf("at the end it reads %s", done)
				}
				s.phoneLinkIsDead(at, phone)
				if signed := into[shared.SignedIn](phone, phone.signsInWithPasskey(), 200); signed.User.ID != "1" {
					t.Errorf("signed in is %+v", signed.User)
				}
			}
			if events := into[shared.Activity](ann, ann.sends("GET", shared.PathActivity, nil), 200).Events; events[1].Kind != shared.EventPasskeyAdded && events[2].Kind != shared.EventLinkUsed {
				t.Errorf("her activity is %+v", events)
			}
		})
	})
	t.Run("of many phones with the same link, one gets a passkey", func(t *testing.T) {
		onEveryStoreOfAPhoneHost(t, func(s *site, host *crib) {
			ann := s.hostUser(host, "1")
			at := ann.makesPhoneLink()
			finish := make([]func() answer, 8)
			for i := range finish {
				phone := s.opensPhoneLink(at)
				begun := into[shared.Ceremony](phone, phone.sends("POST", shared.PathEnrolBegin, nil), 200)
				finish[i] = func() answer { return phone.finishesEnrolment(begun, "") }
			}
			got := map[int]int{}
			for _, status := range allAtOnce(finish) {
				got[status]++
			}
			if list := ann.lists(); got[201] != 1 || got[201]+got[404] != len(finish) || len(list.Passkeys) != 1 {
				t.Errorf("the answers are %v, and she has %+v", got, list.Passkeys)
			}
		})
	})
	t.Run("it needs a recent confirmation, and nobody else makes one", func(t *testing.T) {
		onEveryStoreOfAPhoneHost(t, func(s *site, host *crib) {
			ann, nobody := s.hostUser(host, "1"), s.visitor()
			s.passes(11 * time.Minute)
			s.changesNothing(func() {
				ann.refused(ann.sends("POST", shared.PathPhoneLink, nil), 403, shared.CodeConfirmRequired)
				nobody.refused(nobody.sends("POST", shared.PathPhoneLink, nil), 401, shared.CodeUnauthenticated)
				nobody.refused(nobody.sends("POST", shared.PathEnrolBegin, nil), 404, shared.CodeNotFound)
				for _, token := range []string{"x", ".", strings.Repeat("0", 32) + ".x", "'\"<b>", strings.Repeat("9", 5000)} {
					if a := nobody.sends("GET", shared.PageHostEnrol+"?token="+token, nil); a.status != 404 || strings.Contains(string(a.body), "<b>") {
						t.Errorf("%q opens %s", token, a)
					}
				}
			})
		})
	})
	t.Run("without Asset there are none", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann := s.hostUser(host, "1")
			if into[shared.Account](ann, ann.sends("GET", shared.PathAccount, nil), 200).PhoneLinks {
				t.Error("her page offers one")
			}
			for method, path := range map[string]string{"POST": shared.PathPhoneLink, "GET": shared.PageHostEnrol} {
				ann.refused(ann.sends(method, path, nil), http.StatusNotFound, shared.CodeNotFound)
			}
		})
	})
}

// TestHostPhoneLinkEnds checks what ends a link, while a phone has it open and has made a passkey.
func TestHostPhoneLinkEnds(t *testing.T) {
	for name, ends := range map[string]func(s *site, host *crib, ann *visitor){
		"after five minutes": func(s *site, _ *crib, _ *visitor) { s.passes(5 * time.Minute) },
		"with a newer one":   func(_ *site, _ *crib, ann *visitor) { ann.makesPhoneLink() },
		"when the host says so": func(s *site, _ *crib, _ *visitor) {
			for range 2 {
				if err := s.handler.EndPhoneLink(s.Context(), "1"); err != nil {
					s.Fatal(err)
				}
			}
		},
		"with the sessions of a passkey": func(_ *site, _ *crib, ann *visitor) {
			id := ann.lists().Passkeys[0].ID
			into[shared.PasskeyList](ann, ann.sends("DELETE", shared.PathPasskey+id+"?end-sessions", nil), 200)
		},
		"when the host disables the user": func(_ *site, host *crib, _ *visitor) {
			host.changes("1", func(u *server.HostUser) { u.Disabled = true })
		},
		"when the host removes the user": func(_ *site, host *crib, _ *visitor) { host.loses("1") },
		"and with all that is kept": func(s *site, _ *crib, _ *visitor) {
			if err := s.handler.RemovePasskeys(s.Context(), "1"); err != nil {
				s.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEveryStoreOfAPhoneHost(t, func(s *site, host *crib) {
				ann := s.hostUser(host, "1")
				ann.registers("Laptop")
				at := ann.makesPhoneLink()
				phone := s.opensPhoneLink(at)
				begun := into[shared.Ceremony](phone, phone.sends("POST", shared.PathEnrolBegin, nil), 200)
				ends(s, host, ann)
				s.phoneLinkIsDead(at, phone)
				s.changesNothing(func() { phone.refused(phone.finishesEnrolment(begun, ""), 404, shared.CodeNotFound) })
			})
		})
	}
}

// allAtOnce calls all at once, and returns the status of each answer.
func allAtOnce(calls []func() answer) []int {
	statuses := make([]int, len(calls))
	var all sync.WaitGroup
	for i, call := range calls {
		all.Go(func() { statuses[i] = call().status })
	}
	all.Wait()
	return statuses
}
