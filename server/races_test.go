package server_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// rounds is how often each race is run: long in make soak.
func rounds() int {
	if os.Getenv("KEYPEG_SOAK") != "" {
		return 5000
	}
	return 20
}

// TestRaces lets two things happen at the same moment, again and again. Whichever comes
// first, the result is right.
func TestRaces(t *testing.T) {
	for name, race := range map[string]func(*scene, int){
		"of two finishes of one ticket exactly one succeeds": func(s *scene, _ int) {
			before := s.writes.count()
			finish := s.ann.finishes(shared.PathSignInFinish, s.proof(s.ann.device, s.beginsSignIn(s.ann)))
			a, b := both(finish, finish)
			s.oneOf(a, b, 200, 400)
			sessions := 0
			for _, op := range s.writes.since(before) {
				if _, is := op.(store.AddSession); is {
					sessions++
				}
			}
			if sessions != 1 {
				s.Errorf("%d sessions began", sessions)
			}
		},
		"of the last two methods one stays": func(s *scene, round int) {
			carol := s.user(fmt.Sprintf("carol%d", round))
			id := carol.registers("the only one").ID
			removes := func() answer { return carol.sends("DELETE", shared.PathPasskey+id, nil) }
			removesPassword := func() answer {
				return answer{status: code(s.accounts.RemovePassword(s.Context(), it(s, s.accounts, carol.name)))}
			}
			both(removes, removesPassword)
			if n := s.accounts.Policy().Methods().Count(s.record(carol)); n != 1 {
				s.Fatalf("%d methods are left", n)
			}

			dave := s.user(fmt.Sprintf("dave%d", round))
			dave.registers("one")
			s.succeeds(s.adds(dave), 201)
			s.succeeds(answer{status: code(s.accounts.RemovePassword(s.Context(), it(s, s.accounts, dave.name)))}, 200)
			s.succeeds(s.signsIn(dave), 200)
			rows := dave.lists().Passkeys
			a, b := both(
				func() answer { return dave.sends("DELETE", shared.PathPasskey+rows[0].ID, nil) },
				func() answer { return dave.sends("DELETE", shared.PathPasskey+rows[1].ID, nil) },
			)
			s.oneOf(a, b, 200, 409)
			if n := s.accounts.Policy().Methods().Count(s.record(dave)); n != 1 {
				s.Fatalf("%d methods are left", n)
			}
		},
		"one credential id has one owner": func(s *scene, round int) {
			id := []byte(fmt.Sprintf("credential %d", round))
			carol, dave := s.user(fmt.Sprintf("carol%d", round)), s.user(fmt.Sprintf("dave%d", round))
			hers, his := s.made(s.beginsAdding(carol), passkeytest.WithCredentialID(id)), s.made(s.beginsAdding(dave), passkeytest.WithCredentialID(id))
			a, b := both(carol.finishes(shared.PathRegisterFinish, hers), dave.finishes(shared.PathRegisterFinish, his))
			s.oneOf(a, b, 201, 400)
			owner, err := s.store.UserByCredential(s.Context(), id)
			if err != nil {
				s.Fatal(err)
			}
			if winner := map[bool]string{true: carol.name, false: dave.name}[a.status == 201]; owner.Name != winner {
				s.Errorf("it is %s's, and %s got a good answer", owner.Name, winner)
			}
			if n, m := len(s.record(carol).Passkeys), len(s.record(dave).Passkeys); n+m != 1 {
				s.Errorf("%d and %d passkeys", n, m)
			}
		},
		"a user who is disabled while signing in is out": func(s *scene, round int) {
			s.succeeds(answer{status: code(s.accounts.Enable(s.Context(), it(s, s.accounts, "ann")))}, 200)
			shutsOut := func() answer {
				return answer{status: code(s.accounts.Disable(s.Context(), it(s, s.accounts, "ann")))}
			}
			other := s.visitor()
			other.name, other.device = s.ann.name, s.ann.device
			signsIn := other.finishes(shared.PathSignInFinish, s.proof(other.device, s.beginsSignIn(other)))
			if round%2 == 1 {
				signsIn = other.finishes(shared.PathSignInPassword, shared.PasswordSignIn{Name: "ann", Password: password})
				s.passes(time.Minute) // or it is one guess too many
			}
			both(signsIn, shutsOut)
			other.refused(other.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
		},
		"a phone link that a session makes while it ends is dead": func(s *scene, _ int) {
			other := s.elsewhere(s.ann)
			makes := func() answer { return other.sends("POST", shared.PathPhoneLink, nil) }
			a, b := both(makes, s.ann.finishes(shared.PathEndOthers, nil))
			s.succeeds(b, 200)
			if a.status != 200 {
				other.refused(a, 401, shared.CodeUnauthenticated)
				return
			}
			s.isDead(s.watches(into[shared.EnrolmentLink](other, a, 200)), s.visitor())
		},
		"a recovery link that is made while its user is disabled is dead": func(s *scene, _ int) {
			var link account.Link
			var refused error
			user := s.record(s.bob)
			both(func() answer {
				link, refused = s.accounts.NewRecoveryLink(s.Context(), s.accounts.Actor(user))
				return answer{}
			}, func() answer {
				return answer{status: code(s.accounts.Disable(s.Context(), it(s, s.accounts, "bob")))}
			})
			s.succeeds(answer{status: code(s.accounts.Enable(s.Context(), it(s, s.accounts, "bob")))}, 200)
			if refused != nil {
				if shared.CodeOf(refused) != shared.CodeConflict {
					s.Errorf("making a link: %v", refused)
				}
				return
			}
			if _, err := s.accounts.Enrolment(s.Context(), link.Token); shared.CodeOf(err) != shared.CodeNotFound {
				s.Errorf("a dead link opens: %v", err)
			}
		},
		"a user who signs out while confirming is out": func(s *scene, round int) {
			other := s.elsewhere(s.ann)
			begun := s.beginsConfirmation(other)
			confirms := other.finishes(shared.PathConfirmFinish, s.proof(other.device, begun))
			if round%2 == 1 {
				confirms = other.finishes(shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password})
			}
			signsOut := other.copy() // its own cookie jar, so that each answer's token is seen
			a, b := both(confirms, func() answer { return signsOut.sends("POST", shared.PathSignOut, nil) })
			if b.status != 204 {
				s.Errorf("signing out: %s", b)
			}
			for _, v := range []*visitor{other, signsOut} {
				if got := v.sends("GET", shared.PathAccount, nil); got.status != 401 {
					s.Fatalf("confirming: %s; still signed in: %s", a, got)
				}
			}
		},
	} {
		for backend, open := range stores {
			t.Run(name+"/"+backend, func(t *testing.T) {
				t.Parallel() // they wait for the disk half of their time
				s := newScene(t, open)
				for round := range rounds() {
					if race(s, round); t.Failed() {
						t.Fatalf("in round %d", round)
					}
				}
				s.keepsSecrets()
			})
		}
	}
}

// code is the status that an error of IT's command would have.
func code(err error) int {
	if err != nil {
		return 409
	}
	return 200
}

// copy is the same browser with cookies of its own from now on.
func (v *visitor) copy() *visitor {
	v.Helper()
	other := v.visitor()
	other.name, other.device = v.name, v.device
	other.jar.SetCookies(siteURL, v.jar.Cookies(siteURL))
	return other
}
