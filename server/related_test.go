package server_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/shared"
)

// The addresses of these tests: old is that of every other test.
const (
	oldRPID   = "localhost"
	newOrigin = "http://new.localhost:8080"
	newRPID   = "new.localhost"
)

// isAt lets the organisation have other addresses from now on, the main one first.
func (s *site) isAt(main string, related ...server.Related) {
	s.Helper()
	address, err := server.ParseAddress(main, "", true)
	if err != nil {
		s.Fatal(err)
	}
	s.changesRules(func(c *account.Config) {
		c.Policy = policy.Policy{RPID: address.RPID}
		for _, r := range related {
			if r.Former {
				c.Policy.Former = append(c.Policy.Former, r.RPID)
			} else {
				c.Policy.Others = append(c.Policy.Others, r.RPID)
			}
		}
	})
	s.restarts(func(c *server.Config) { c.Address, c.Related = address, related })
}

func (s *site) related(at string, former bool) server.Related {
	s.Helper()
	one, err := server.ParseRelated(at, s.config.Address, former)
	if err != nil {
		s.Fatal(err)
	}
	return one
}

// goesTo is the same person with the same device in another tab, at another address. The browser knows related
// origins, if it is able to.
func (v *visitor) goesTo(at string, related ...string) *visitor {
	other := v.visitor()
	other.name, other.device = v.name, v.device
	other.device.Origin, other.device.RelatedTo = at, related
	return other
}

func (v *visitor) account() shared.Account {
	v.Helper()
	return into[shared.Account](v, v.sends("GET", shared.PathAccount, nil), 200)
}

// TestMove moves an organisation to another host: with a browser that knows related origins, and one that
// doesn't; and it gives the move up again. Nobody is locked out at any step.
func TestMove(t *testing.T) {
	for browser, related := range map[string][]string{"related origins": {oldRPID, newRPID}, "no related origins": nil} {
		t.Run(browser, func(t *testing.T) {
			onEveryStore(t, func(s *site) {
				able := related != nil
				ann := s.user("ann")
				ann.registers("old")
				if a := ann.sends("DELETE", shared.PathPassword, nil); a.status != 204 { // from now on she has passkeys alone
					t.Fatalf("removing the password: %s", a)
				}
				s.isAt(newOrigin, s.related(origin, true))

				if !able { // at the former address all is as before, and leads to the new one
					ann = ann.goesTo(origin, related...)
					into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
					link := ann.movesOn()
					ann = ann.goesTo(newOrigin, related...)
					ann.opensLink(strings.TrimPrefix(link, newOrigin))
					into[shared.Passkey](ann, ann.enrols(""), 201)
				}
				ann = ann.goesTo(newOrigin, related...)
				into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
				if able {
					if from := ann.account().MovingFrom; from != oldRPID {
						t.Errorf("a user with an old passkey alone moves from %q", from)
					}
					ann.registers("new")
				}
				if from := ann.account().MovingFrom; from != "" {
					t.Errorf("a user with a new passkey moves from %q", from)
				}
				rows := ann.lists().Passkeys
				if len(rows) != 2 || rows[0].FormerRPID != oldRPID || rows[1].FormerRPID != "" || rows[0].OtherAddress || rows[0].OnlyMethod {
					t.Errorf("the passkeys are %+v", rows)
				}
				into[shared.Confirmed](ann, ann.confirmsWithPasskey(), 200)

				// Given up half-way: the old address is the main one again.
				s.isAt(origin, s.related(newOrigin, true))
				ann = ann.goesTo(origin, related...)
				into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
				ann = ann.goesTo(newOrigin, related...)
				into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)

				// Ended: the old passkey is known, and isn't accepted.
				s.isAt(newOrigin)
				ann = ann.goesTo(newOrigin, related...)
				into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
				if rows := ann.lists().Passkeys; !rows[0].OtherAddress || rows[0].FormerRPID != "" || !rows[1].OnlyMethod {
					t.Errorf("after the end the passkeys are %+v", rows)
				}
				ann.refused(ann.goesTo(origin).sends("GET", shared.PathAccount, nil), 421, shared.CodeWrongHost)
			})
		})
	}
}

// movesOn is a browser that has signed in at a former address, and gets a link to the new one.
func (v *visitor) movesOn() string {
	v.Helper()
	if to := v.sends("GET", shared.PageSignedIn, nil); to.status != 303 || to.header.Get("Location") != shared.PageMoved {
		v.Errorf("after signing in at the former address: %s to %s", to, to.header.Get("Location"))
	}
	if page := v.sends("GET", shared.PageMoved, nil); page.status != 200 || !strings.Contains(string(page.body), "make-passkey") || !strings.Contains(string(page.body), newOrigin) {
		v.Errorf("the page of the move: %s", page)
	}
	made := v.submits(shared.PageMoved, url.Values{"next": {"/passkeys"}})
	wait, link, _ := strings.Cut(made.header.Get("Refresh"), "url=")
	if made.status != 200 || wait != "0; " || !strings.HasPrefix(link, newOrigin+shared.PageEnrol+"?token=") {
		v.Errorf("the link to the new address: %s %s", made, made.header.Get("Refresh"))
	}
	return link
}

// TestMoveLater puts the page of the move away for a day.
func TestMoveLater(t *testing.T) {
	onEveryStore(t, func(s *site) {
		s.user("ann").registers("old")
		s.isAt(newOrigin, s.related(origin, true))
		ann := s.visitor()
		ann.name = "ann"
		ann.signsInWithPassword()
		if to := ann.sends("GET", shared.PageSignedIn+"?next=/passkeys", nil).header.Get("Location"); to != shared.PageMoved+"?next=%2Fpasskeys" {
			t.Errorf("it leads to %s", to)
		}
		if to := ann.submits(shared.PageMoved, url.Values{"later": {"yes"}, "next": {"/passkeys"}}).header.Get("Location"); to != "/passkeys" {
			t.Errorf("later leads to %s", to)
		}
		if to := ann.sends("GET", shared.PageSignedIn+"?next=/passkeys", nil).header.Get("Location"); to != "/passkeys" {
			t.Errorf("after that it leads to %s", to)
		}
		s.passes(11 * time.Minute) // no confirmation any more
		if a := ann.submits(shared.PageMoved, url.Values{}); a.status != 303 || a.header.Get("Location") != shared.PageSignIn || a.header.Get("Refresh") != "" || ann.token() != "" {
			t.Errorf("without a recent sign-in: %s to %s", a, a.header.Get("Location"))
		}
		if to := s.visitor().sends("GET", shared.PageMoved, nil).header.Get("Location"); to != shared.PageSignIn {
			t.Errorf("a stranger is led to %s", to)
		}
	})
}

// TestRelatedOrigins reads the list of origins as a browser does: at the host of each relying party id.
func TestRelatedOrigins(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	if a := s.visitor().sends("GET", shared.PathRelatedOrigins, nil); a.status != 404 {
		t.Errorf("with one address: %s", a)
	}
	s.isAt("http://id.new.localhost:8080", s.related("http://id.old.localhost:8080 old.localhost", true), s.related("http://third.localhost:8080", false))
	for _, at := range []string{"http://id.new.localhost:8080", "http://old.localhost:8080", "http://id.old.localhost:8080", "http://third.localhost:8080"} {
		v := s.visitor()
		v.device.Origin = at
		list := into[struct{ Origins []string }](v, v.sends("GET", shared.PathRelatedOrigins, nil), 200)
		if want := []string{"http://id.new.localhost:8080", "http://id.old.localhost:8080", "http://third.localhost:8080"}; !slices.Equal(list.Origins, want) {
			t.Errorf("%s lists %q, want %q", at, list.Origins, want)
		}
	}
	v := s.visitor()
	v.device.Origin = "http://old.localhost:8080" // has the list alone
	v.refused(v.sends("GET", shared.PathAccount, nil), 421, shared.CodeWrongHost)
}

// TestOtherAddresses uses one passkey at several addresses for ever. Where the browser can't, a passkey is made for
// each.
func TestOtherAddresses(t *testing.T) {
	onEveryStore(t, func(s *site) {
		s.isAt(origin, s.related(newOrigin, false))
		ann := s.user("ann")
		ann = ann.goesTo(newOrigin, oldRPID)
		ann.signsInWithPassword()
		ann.registers("one")
		if made := ann.device.Credentials(); len(made) != 1 || made[0].RPID != oldRPID {
			t.Errorf("the device has %+v", made)
		}
		for _, at := range []string{origin, newOrigin} {
			into[shared.SignedIn](ann, ann.goesTo(at, oldRPID).signsInWithPasskey(), 200)
		}

		other := ann.goesTo(newOrigin)
		other.device = passkeytest.New(newOrigin)
		other.signsInWithPassword()
		other.registers("two")
		if made := other.device.Credentials(); len(made) != 1 || made[0].RPID != newRPID {
			t.Errorf("the other device has %+v", made)
		}
		into[shared.SignedIn](ann, other.signsInWithPasskey(), 200)
		if page := other.sends("GET", shared.PageSignedIn, nil).header.Get("Location"); page != "/" {
			t.Errorf("after signing in it leads to %s", page)
		}
	})
}

// TestRelatedRefused refuses what doesn't belong to one of the addresses.
func TestRelatedRefused(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann := s.user("ann")
	ann.registers("old")
	s.isAt(newOrigin, s.related(origin, true))
	ann = ann.goesTo(newOrigin, oldRPID)
	for name, lie := range map[string]passkeytest.Lie{
		"another origin":                passkeytest.WithOrigin("http://evil.localhost:8080"),
		"another relying party":         passkeytest.WithRPID("evil.localhost"),
		"another relying party of ours": passkeytest.WithRPID(newRPID),
		"a frame":                       passkeytest.WithTopOrigin(origin),
	} {
		begun := into[shared.Ceremony](ann, ann.sends("POST", shared.PathSignInBegin, nil), 200)
		credential, err := ann.device.Get(begun.PublicKey, lie)
		if err != nil {
			t.Fatal(err)
		}
		a := ann.sends("POST", shared.PathSignInFinish, shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential})
		if problem := into[shared.Problem](ann, a, 400); problem.Code != shared.CodeCeremonyRefused {
			t.Errorf("%s: %s", name, a)
		}
	}
	for main, related := range map[string][]string{
		"https://new.example": {"http://localhost:8080"},
		newOrigin:             {"http://new.localhost:8080"},
		origin:                {"http://a.localhost", "http://b.localhost", "http://c.localhost", "http://d.localhost", "http://e.localhost"},
	} {
		address, err := server.ParseAddress(main, "", true)
		if err != nil {
			t.Fatal(err)
		}
		var list []server.Related
		for _, one := range related {
			list = append(list, s.related(one, false))
		}
		if err := server.CheckRelated(address, list); err == nil {
			t.Errorf("%s goes with %s", main, related)
		}
	}
}

func (v *visitor) confirmsWithPasskey() answer {
	v.Helper()
	begun := into[shared.Ceremony](v, v.sends("POST", shared.PathConfirmBegin, nil), 200)
	return v.sends("POST", shared.PathConfirmFinish, v.proves(begun))
}

// TestFormerURL writes former addresses so that they are read back.
func TestFormerURL(t *testing.T) {
	for _, row := range []struct{ main, rpID, former, want string }{
		{"https://new.example", "", "old.example", "https://old.example"},
		{"https://id.example.com", "example.com", "id.example.com", "https://id.example.com id.example.com"}, // the same host
		{"https://example.com", "", "id.example.com", "https://id.example.com id.example.com"},               // below the new one
		{"https://login.example.com", "example.com", "id.example.com", "https://id.example.com id.example.com"},
		{"https://id.example.com", "", "example.com", "https://id.example.com example.com"}, // above it
	} {
		main, err := server.ParseAddress(row.main, row.rpID, true)
		if err != nil {
			t.Fatal(err)
		}
		got := main.FormerURL(row.former)
		read, err := server.ParseRelated(got, main, true)
		if got != row.want || err != nil || read.RPID != row.former || server.CheckRelated(main, []server.Related{read}) != nil {
			t.Errorf("at %s with the RP ID %q, for %s: got %q, read as %+v (%v), want %q", row.main, row.rpID, row.former, got, read, err, row.want)
		}
	}
}

// TestParseMove reads the address to which an organisation moves, with the relying party id that asks least of people.
func TestParseMove(t *testing.T) {
	for _, row := range []struct{ at, atRPID, further, to, toRPID, want string }{
		{"https://id.example.com", "", "", "https://login.example.org", "", "login.example.org"},
		{"https://id.example.com", "example.com", "", "https://login.example.com", "", "example.com"}, // the same, so the passkeys go on working
		{"https://example.com", "", "", "https://www.example.com", "", "example.com"},
		{"https://www.example.com", "", "", "https://example.com", "", "example.com"},
		{"https://id.example.com", "", "", "https://id.example.com:8443", "", "id.example.com"},
		{"https://login.example.org", "", "https://id.example.com example.com", "https://id.example.com", "", "example.com"}, // given up
		{"https://example.com", "", "https://id.example.com id.example.com", "https://id.example.com", "", "id.example.com"},
		{"https://id.example.com", "example.com", "", "https://login.example.com", "login.example.com", "login.example.com"}, // as IT wants it
	} {
		now, err := server.ParseAddress(row.at, row.atRPID, true)
		if err != nil {
			t.Fatal(err)
		}
		var related []server.Related
		if row.further != "" {
			one, err := server.ParseRelated(row.further, now, true)
			if err != nil {
				t.Fatal(err)
			}
			related = append(related, one)
		}
		if got, err := server.ParseMove(row.to, row.toRPID, now, related); err != nil || got.RPID != row.want || got.Origin != row.to {
			t.Errorf("from %s to %s: got %+v (%v), want the RP ID %s", row.at, row.to, got, err, row.want)
		}
	}
}

// TestProviderAtAnotherAddress leads to the main address, to which a provider leads back.
func TestProviderAtAnotherAddress(t *testing.T) {
	a := newFederated(t, stores["memstore"])
	other, err := server.ParseRelated(newOrigin, a.config.Address, false)
	if err != nil {
		t.Fatal(err)
	}
	a.restarts(func(c *server.Config) { c.Related = []server.Related{other} })
	ann := a.ann.goesTo(newOrigin)
	if to := ann.sends("GET", shared.PageSSO+"one?next=%2Fpasskeys", nil); to.status != 303 || to.header.Get("Location") != origin+shared.PageSSO+"one?next=%2Fpasskeys" {
		t.Errorf("sign-in at a provider: %s to %s", to, to.header.Get("Location"))
	}
	ann.signsInWithPassword()
	for _, path := range []string{shared.PathConfirmSSO + "one", shared.PathIdentity + "one"} {
		ann.refused(ann.sends("POST", path, struct{}{}), 421, shared.CodeWrongHost)
	}
}
