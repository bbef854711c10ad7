package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// accountClaims are about accounts: who can learn of one, who makes one, and what its user
// must prove.
var accountClaims = []claim{
	{"a known and an unknown name get the same answer", func(s *scene) {
		problem := func(name string, allowed ...shared.EventKind) (p shared.Problem) {
			a := s.refusesAs(401, shared.CodeSignInRefused, "", func() answer { return s.visitor().guesses(name, "wrong") }, allowed...)
			if err := json.Unmarshal(a.body, &p); err != nil {
				s.Fatal(err)
			}
			p.RequestID = ""
			return p
		}
		known := problem("ann", shared.EventSignInFailed)
		for _, name := range []string{"nobody", "", "a b", "\u202enna", strings.Repeat("x", 5000)} {
			if unknown := problem(name); !reflect.DeepEqual(unknown, known) {
				s.Errorf("%q: %+v\nann: %+v", name, unknown, known)
			}
		}
	}},
	{"only IT makes users, and learns which names are taken", func(s *scene) {
		taken := url.Values{"name": {"ann"}, "display-name": {"Ann"}, "password": {"another long password"}}
		before := s.everything()
		for _, v := range []*visitor{s.visitor(), s.bob} {
			for _, path := range []string{"/api/v1/users", "/api/v1/account", "/setup", "/commands/user/add", "/"} {
				if a := v.submits(path, taken); a.status < 400 || strings.Contains(string(a.body), "ann") {
					s.Errorf("%s: %s", path, a)
				}
			}
		}
		if after := s.everything(); len(after) != len(before) {
			s.Error("something was made")
		}
		_, err := s.accounts.AddUser(s.Context(), session.Actor{}, account.NewUser{Name: "ANN", DisplayName: "x", Password: password})
		if shared.CodeOf(err) != shared.CodeNameTaken {
			s.Errorf("IT gets %v", err)
		}
	}},
	{"adding, removing and changing the password need a recent confirmation", func(s *scene) {
		// That the app asks in place is shown in app/e2e.
		made := s.made(s.beginsAdding(s.ann))
		id := s.ann.lists().Passkeys[0].ID
		stale := func() {
			s.Helper()
			s.refusesAs(403, shared.CodeConfirmRequired, "", s.ann.finishes(shared.PathRegisterBegin, nil))
			s.refusesAs(403, shared.CodeConfirmRequired, "", s.ann.finishes(shared.PathRegisterFinish, made))
			s.refusesAs(403, shared.CodeConfirmRequired, "", func() answer { return s.ann.sends("DELETE", shared.PathPasskey+id, nil) })
			s.refusesAs(403, shared.CodeConfirmRequired, "", func() answer {
				return s.ann.sends("DELETE", shared.PathPasskey+id+"?"+shared.QueryEndSessions, nil)
			})
			s.refusesAs(403, shared.CodeConfirmRequired, "", s.ann.finishes(shared.PathPassword, shared.ChangePassword{Password: "another long password"}))
		}
		s.passes(10 * time.Minute)
		stale()
		into[shared.Confirmed](s.ann, s.ann.sends("POST", shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password}), 200)
		s.begins(s.ann, shared.PathRegisterBegin, nil)

		// A clock that was set back confirms nobody for longer.
		s.passes(-time.Hour)
		stale()
		into[shared.Confirmed](s.ann, s.ann.sends("POST", shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password}), 200)
		s.begins(s.ann, shared.PathRegisterBegin, nil)
	}},
	{"the last sign-in method stays, whatever happens at once", func(s *scene) {
		row := into[shared.Passkey](s.ann, s.adds(s.ann), 201)
		if err := s.accounts.RemovePassword(s.Context(), it(s, s.accounts, "ann")); err != nil {
			s.Fatal(err)
		}
		s.succeeds(s.signsIn(s.ann), 200)
		rows := s.ann.lists().Passkeys
		removes := func(id string) func() answer {
			return func() answer { return s.ann.sends("DELETE", shared.PathPasskey+id, nil) }
		}
		a, b := both(removes(rows[0].ID), removes(row.ID))
		s.oneOf(a, b, 200, 409)
		last := s.ann.lists().Passkeys
		if len(last) != 1 || !last[0].OnlyMethod {
			s.Fatalf("left are %+v", last)
		}
		s.refusesAs(409, shared.CodeLastMethod, "", removes(last[0].ID))
	}},
	{"a set-up link works once, until it expires or is replaced", func(s *scene) {
		// TestEnrolmentLinks says the same of every other link.
		first := func() (string, *visitor) {
			link, err := s.accounts.NewSetupLink(s.Context())
			if err != nil {
				s.Fatal(err)
			}
			s.secret("link", link.Token)
			v := s.visitor()
			v.sends("GET", "/setup?token="+link.Token, nil)
			return link.Token, v
		}
		form := url.Values{"name": {"root"}, "display-name": {"Root"}, "password": {password}}
		gone := func(a answer) {
			s.Helper()
			if a.status != 404 || strings.Contains(string(a.body), "<form") {
				s.Errorf("got %s", a)
			}
		}
		token, late := first()
		s.passes(30 * time.Minute)
		gone(late.submits("/setup", form))
		gone(late.sends("GET", "/setup?token="+token, nil))

		token, replaced := first()
		_, one := first()
		gone(replaced.submits("/setup", form))
		gone(replaced.sends("GET", "/setup?token="+token, nil))

		two := s.visitor()
		two.jar = one.jar
		other := url.Values{"name": {"toor"}, "display-name": {"Toor"}, "password": {password}}
		a, b := both(func() answer { return one.submits("/setup", form) }, func() answer { return two.submits("/setup", other) })
		s.oneOf(a, b, 303, 404)
		gone(one.submits("/setup", other))
		users, _, err := s.store.Users(s.Context(), store.UserQuery{}, 10)
		if err != nil || len(users) != 3 {
			s.Errorf("%d users (%v), want Ann, Bob and one administrator", len(users), err)
		}
	}},
	{"each proof gives a new token, and other sessions can be ended", func(s *scene) {
		seen := map[string]bool{}
		changed := func(how string) {
			s.Helper()
			if seen[s.ann.token()] || s.ann.token() == "" {
				s.Errorf("after %s the token is an old one", how)
			}
			seen[s.ann.token()] = true
		}
		changed("signing in")
		old := s.ann.token()
		s.succeeds(s.signsIn(s.ann), 200)
		changed("a passkey")
		s.succeeds(s.ann.finishes(shared.PathConfirmFinish, s.proof(s.ann.device, s.beginsConfirmation(s.ann)))(), 200)
		changed("confirming with it")
		s.succeeds(s.ann.finishes(shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password})(), 200)
		changed("confirming with the password")
		s.ann.signsInWithPassword()
		changed("the password")
		s.refusesAs(401, shared.CodeUnauthenticated, "", func() answer {
			return s.visitor().sends("GET", shared.PathAccount, nil, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "keypeg", Value: old}) })
		})
		// A cookie that somebody planted is replaced at sign-in, not taken over.
		fixed := s.visitor()
		fixed.name, fixed.device = "ann", s.ann.device
		planted := strings.Repeat("A", 43)
		a := fixed.sends("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: "ann", Password: password}, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "keypeg", Value: planted}) })
		if s.succeeds(a, 200); fixed.token() == planted {
			s.Error("the planted token is a session")
		}

		other := s.elsewhere(s.ann)
		s.succeeds(s.signsIn(other), 200) // with the passkey
		id := s.ann.lists().Passkeys[0].ID
		into[shared.PasskeyList](s.ann, s.ann.sends("DELETE", shared.PathPasskey+id+"?"+shared.QueryEndSessions, nil), 200)
		s.refusesAs(401, shared.CodeUnauthenticated, "", func() answer { return other.sends("GET", shared.PathAccount, nil) })
		s.succeeds(fixed.sends("GET", shared.PathAccount, nil), 200)
		s.succeeds(s.ann.finishes(shared.PathPassword, shared.ChangePassword{Password: "another long password"})(), 204)
		s.refusesAs(401, shared.CodeUnauthenticated, "", func() answer { return fixed.sends("GET", shared.PathAccount, nil) })
		s.ann.lists()
	}},
}

// TestSameWork compares the memory that argon2id takes, which is its work. Here a
// password costs a hundred times as much as all the rest of a request.
func TestSameWork(t *testing.T) {
	const cost = 4 << 10 // KiB
	db := memstore.New(time.Now)
	accounts := account.New(account.Config{Store: db, Now: time.Now, PasswordCost: account.Cost{MemoryKiB: cost, Time: 1, Threads: 1}})
	for _, name := range []string{"ann", "disabled"} {
		if _, err := accounts.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: name, DisplayName: name, Password: password}); err != nil {
			t.Fatal(err)
		}
	}
	if err := accounts.Disable(t.Context(), it(t, accounts, "disabled")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ann", "disabled", "nobody", "a b", ""} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		accounts.SignInWithPassword(t.Context(), session.Actor{}, account.PasswordSignIn{Name: name, Password: "wrong"})
		runtime.ReadMemStats(&after)
		if worked := (after.TotalAlloc - before.TotalAlloc) >> 10; worked < cost || worked > cost+cost/10 {
			t.Errorf("a wrong password for %q takes %d KiB, want %d", name, worked, cost)
		}
	}
}
