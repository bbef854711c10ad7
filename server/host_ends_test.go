package server_test

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// TestHostEndsSessions checks which sessions of a host end with a passkey.
func TestHostEndsSessions(t *testing.T) {
	t.Run("sessions end with the passkey that they began with", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ender := &endingCrib{crib: host}
			s.restarts(func(c *server.Config) { c.Host = ender })
			ann, bob := s.hostUser(host, "1"), s.hostUser(host, "12")
			bob.registers("his")
			lost := ann.registers("Phone").ID
			if !ann.lists().EndsSessions {
				t.Error("her list doesn't say that they can")
			}
			// A minute apart, for the crib names sessions by the time.
			signsIn := func() *visitor {
				v := s.visitor()
				v.name, v.device = "1", ann.device
				s.passes(time.Minute)
				into[shared.SignedIn](v, v.signsInWithPasskey(), 200)
				return v
			}
			isOut := func(v *visitor) {
				t.Helper()
				v.refused(v.sends("GET", shared.PathPasskeys, nil), 401, shared.CodeUnauthenticated)
			}
			here, thief := signsIn(), signsIn()

			ender.fails = errors.New("the host's sessions can't be reached")
			here.refused(here.sends("DELETE", shared.PathPasskey+lost+"?end-sessions", nil), 500, shared.CodeInternal)
			ender.fails = nil
			thief.lists()
			here.refused(here.sends("DELETE", shared.PathPasskey+lost+"?end-sessions", nil), 404, shared.CodeNotFound)
			isOut(thief)
			here.lists() // the one that asked stays, and others' too, and what began otherwise
			ann.lists()
			bob.lists()

			// Without the wish they go on, and with it they end in the first answer.
			second := ann.registers("Phone").ID
			stays := signsIn()
			if left := into[shared.PasskeyList](ann, ann.sends("DELETE", shared.PathPasskey+second, nil), 200); !left.EndsSessions {
				t.Error("what is left doesn't say that they can")
			}
			stays.lists()
			third := ann.registers("Phone").ID
			ends := signsIn()
			into[shared.PasskeyList](ann, ann.sends("DELETE", shared.PathPasskey+third+"?end-sessions", nil), 200)
			isOut(ends)

			// Nor does one escape that is just beginning.
			fourth := ann.registers("Phone").ID
			thief = s.visitor()
			thief.device = ann.device
			begun := into[shared.Ceremony](thief, thief.sends("POST", shared.PathSignInBegin, nil), 200)
			proof := thief.proves(begun)
			host.admits = func() {
				host.admits = nil
				into[shared.PasskeyList](ann, ann.sends("DELETE", shared.PathPasskey+fourth+"?end-sessions", nil), 200)
			}
			thief.refused(thief.sends("POST", shared.PathSignInFinish, proof), 400, shared.CodePasskeyRemoved)
			isOut(thief)
		})
	})
	t.Run("where the host can't end sessions, nothing pretends to", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann := s.hostUser(host, "1")
			id := ann.registers("Phone").ID
			if ann.lists().EndsSessions {
				t.Error("her list says that they can")
			}
			s.changesNothing(func() {
				ann.refused(ann.sends("DELETE", shared.PathPasskey+id+"?end-sessions", nil), 409, shared.CodeConflict)
			})
			if left := into[shared.PasskeyList](ann, ann.sends("DELETE", shared.PathPasskey+id, nil), 200); left.EndsSessions {
				t.Error("what is left says that they can")
			}
		})
	})
}

// TestHostRemovesUsers checks what is left of a user whom a host has removed.
func TestHostRemovesUsers(t *testing.T) {
	t.Run("of a removed user nothing is left", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			bob := s.hostUser(host, "12")
			bob.registers("his")
			his := s.everything()
			ann := s.hostUser(host, "1")
			ann.registers("Laptop")
			ann.leavesHost()
			into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
			host.loses("1")
			for range 2 {
				if err := s.handler.RemovePasskeys(t.Context(), "1"); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.handler.RemovePasskeys(t.Context(), "nobody"); err != nil {
				t.Fatal(err)
			}
			left := s.everything()
			isOf := func(collection string) func(key, _ string) bool {
				return func(key, _ string) bool { return strings.HasPrefix(key, "item of "+collection+": ") }
			}
			maps.DeleteFunc(left, isOf(store.Tickets.Name))
			maps.DeleteFunc(his, isOf(store.Tickets.Name))
			s.hasTombstone(ann.device.Credentials()[0].ID)
			maps.DeleteFunc(left, isOf("removed-passkey"))
			if !maps.Equal(left, his) {
				t.Errorf("left is\n%v, want what is Bob's:\n%v", left, his)
			}
			a := ann.signsInWithPasskey()
			ann.refused(a, 400, shared.CodePasskeyRemoved)
			s.saysUnknown(true, a)

			// A host shouldn't give an id twice. One that does tells nobody of the first.
			host.changes("1", func(u *server.HostUser) { u.ID, u.Name, u.OtherMethods = "1", "carol@example.com", 1 })
			carol := s.hostUser(host, "1")
			if list := carol.lists(); len(list.Passkeys) != 0 {
				t.Errorf("she has %+v", list.Passkeys)
			}
			if page := into[shared.Activity](carol, carol.sends("GET", shared.PathActivity, nil), 200); len(page.Events) != 0 {
				t.Errorf("she did %+v", page.Events)
			}
		})
	})
	t.Run("a request that is on its way during the removal leaves nothing either", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			late := &interrupted{Store: s.config.Store}
			s.restarts(func(c *server.Config) { c.Store = late })
			ann := host.users["1"]
			for what, finish := range map[string]func(v *visitor, id string) answer{
				"a rename": func(v *visitor, id string) answer {
					return v.sends("PATCH", shared.PathPasskey+id, shared.RenamePasskey{Name: "x"})
				},
				"the removal of a passkey": func(v *visitor, id string) answer { return v.sends("DELETE", shared.PathPasskey+id, nil) },
				"a second passkey": func(v *visitor, _ string) answer {
					v.device = passkeytest.New(origin)
					return v.finishesRegistration("x")
				},
				"a confirmation": func(v *visitor, _ string) answer {
					begun := into[shared.Ceremony](v, v.sends("POST", shared.PathConfirmBegin, nil), 200)
					return v.sends("POST", shared.PathConfirmFinish, v.proves(begun))
				},
				"a sign-in":       func(v *visitor, _ string) answer { return v.signsInWithPasskey() },
				"a first passkey": func(v *visitor, _ string) answer { return v.finishesRegistration("x") },
			} {
				host.changes("1", func(u *server.HostUser) { *u = ann })
				v, id := s.hostUser(host, "1"), ""
				if what != "a first passkey" {
					id = v.registers("Laptop").ID
				}
				late.first = func() error {
					host.loses("1")
					return s.handler.RemovePasskeys(t.Context(), "1")
				}
				if a := finish(v, id); a.status < 400 || a.status >= 500 {
					t.Errorf("%s was answered with %s", what, a)
				}
				if late.first != nil {
					t.Errorf("%s wrote nothing", what)
				}
				if users, events := s.count(store.KindUser), s.count(store.KindEvent); users+events != 0 {
					t.Errorf("%s left %d records and %d events", what, users, events)
				}
			}

			host.changes("1", func(u *server.HostUser) { *u = ann })
			v := s.hostUser(host, "1")
			v.registers("Laptop")
			host.admits = func() {
				if err := s.handler.RemovePasskeys(t.Context(), "1"); err != nil {
					t.Error(err)
				}
			}
			v.signsInWithPasskey()
			if users, events := s.count(store.KindUser), s.count(store.KindEvent); users+events != 0 {
				t.Errorf("who was just let in left %d records and %d events", users, events)
			}
		})
	})
}
