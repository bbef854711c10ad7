package server_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

// TestHostUsersApart checks that a user of a host gets nothing of another.
func TestHostUsersApart(t *testing.T) {
	t.Run("a user reaches their own passkeys only", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann, bob := s.hostUser(host, "1"), s.hostUser(host, "12")
			hers := ann.registers("hers")
			bob.registers("his")
			if list := bob.lists(); len(list.Passkeys) != 1 || list.Passkeys[0].Name != "his" || list.UserHandle == ann.lists().UserHandle {
				t.Errorf("his list: %+v", list)
			}
			bob.refused(bob.sends("PATCH", shared.PathPasskey+hers.ID, shared.RenamePasskey{Name: "mine"}), 404, shared.CodeNotFound)
			bob.refused(bob.sends("DELETE", shared.PathPasskey+hers.ID, nil), 404, shared.CodeNotFound)
			begun := into[shared.Ceremony](bob, bob.sends("POST", shared.PathConfirmBegin, nil), 200)
			bob.device = ann.device
			if _, err := bob.device.Get(begun.PublicKey); !errors.Is(err, passkeytest.ErrNotAllowed) {
				t.Errorf("her device answers for him: %v", err)
			}
			// A ceremony belongs to the session in which it began.
			begun = into[shared.Ceremony](ann, ann.sends("POST", shared.PathRegisterBegin, nil), 200)
			made, err := s.visitor().device.Create(begun.PublicKey)
			if err != nil {
				t.Fatal(err)
			}
			answer := shared.FinishRegistration{FinishCeremony: shared.FinishCeremony{Ticket: begun.Ticket, Credential: made}}
			bob.refused(bob.sends("POST", shared.PathRegisterFinish, answer), 400, shared.CodeCeremonyRefused)
		})
	})
	t.Run("nobody confirms with another user's passkey", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann, bob := s.hostUser(host, "1"), s.hostUser(host, "12")
			ann.registers("hers")
			bob.registers("his")
			handle := s.handleOf(bob)
			s.passes(11 * time.Minute)
			for _, lies := range [][]passkeytest.Lie{nil, {passkeytest.WithUserHandle(handle)}} {
				begun := into[shared.Ceremony](bob, bob.sends("POST", shared.PathConfirmBegin, nil), 200)
				// Where his passkeys aren't named, her device answers.
				credential, err := ann.device.Get(without(t, begun.PublicKey, "allowCredentials"), lies...)
				if err != nil {
					t.Fatal(err)
				}
				s.changesNothing(func() {
					bob.refused(bob.sends("POST", shared.PathConfirmFinish, shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}), 400, shared.CodeCeremonyRefused)
				})
			}
			bob.refused(bob.sends("POST", shared.PathRegisterBegin, nil), 403, shared.CodeConfirmRequired)
		})
	})
	t.Run("nobody signs in over somebody else's session", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann, bob := s.hostUser(host, "1"), s.hostUser(host, "12")
			ann.registers("hers")
			bob.registers("his")
			hers := ann.device
			s.passes(time.Hour)
			for _, host.careless = range []bool{true, false} {
				ann.device = bob.device // Bob, at her unlocked computer
				begun := into[shared.Ceremony](ann, ann.sends("POST", shared.PathSignInBegin, nil), 200)
				s.changesNothing(func() {
					a := ann.sends("POST", shared.PathSignInFinish, ann.proves(begun))
					ann.refused(a, 409, shared.CodeConflict)
					if !bytes.Contains(a.body, []byte("Sign out first.")) {
						t.Errorf("he doesn't read what to do: %s", a)
					}
				})
				ann.refused(ann.sends("POST", shared.PathRegisterBegin, nil), 403, shared.CodeConfirmRequired)
			}

			// Her own passkey is a confirmation, and his lets him in once she is out, or
			// shut out.
			ann.device = hers
			into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
			into[shared.Ceremony](ann, ann.sends("POST", shared.PathRegisterBegin, nil), 200)
			host.changes("1", func(u *server.HostUser) { u.Disabled = true })
			ann.device = bob.device
			if signed := into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200); signed.User.ID != "12" {
				t.Errorf("signed in is %+v", signed.User)
			}
		})
	})
}

// TestHostRefusesUsers checks that the host decides who gets in.
func TestHostRefusesUsers(t *testing.T) {
	t.Run("a user who is removed or disabled at the host is nobody here", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			for id, leaves := range map[string]func(){
				"1":  func() { host.changes("1", func(u *server.HostUser) { u.Disabled = true }) },
				"12": func() { host.loses("12") },
			} {
				v := s.hostUser(host, id)
				v.registers("Laptop")
				begun := into[shared.Ceremony](v, v.sends("POST", shared.PathSignInBegin, "{}"), 200)
				leaves()
				v.refused(v.sends("GET", shared.PathPasskeys, nil), 401, shared.CodeUnauthenticated)
				before := len(host.sessions)
				v.refused(v.sends("POST", shared.PathSignInFinish, v.proves(begun)), 403, shared.CodeAccountDisabled)
				if len(host.sessions) != before {
					t.Errorf("%s has a session", id)
				}
			}
		})
	})
	t.Run("a host in trouble lets nobody in", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann := s.hostUser(host, "1")
			ann.registers("Laptop")
			begun := into[shared.Ceremony](ann, ann.sends("POST", shared.PathSignInBegin, "{}"), 200)
			host.broken = errors.New("the host's database is away")
			ann.refused(ann.sends("GET", shared.PathPasskeys, nil), 500, shared.CodeInternal)
			ann.refused(ann.sends("POST", shared.PathSignInFinish, ann.proves(begun)), 500, shared.CodeInternal)
			if !strings.Contains(s.log.String(), "the host's database is away") {
				t.Error("the log doesn't tell")
			}
			host.broken = nil
			ann.lists()
		})
	})
	t.Run("a user whom the host refuses hasn't signed in", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann := s.hostUser(host, "1")
			ann.registers("Laptop")
			for _, test := range []struct {
				refuses error
				status  int
				code    shared.Code
				says    string
			}{
				{errors.New("the host's disk is full"), 500, shared.CodeInternal, "Something went wrong"},
				{shared.Errorf(shared.CodeConflict, "Pay your %s first.", "fees"), 409, shared.CodeConflict, "Pay your fees first."},
				{&shared.Error{Code: shared.CodeConflict, Message: "Closed at 100%."}, 409, shared.CodeConflict, "Closed at 100%."},
				{&shared.Error{Code: "made_up", Message: "No."}, 500, shared.CodeInternal, "Something went wrong"},
			} {
				for what, tries := range map[string]func() answer{
					"signing in": ann.signsInWithPasskey,
					"confirming": func() answer {
						begun := into[shared.Ceremony](ann, ann.sends("POST", shared.PathConfirmBegin, nil), 200)
						return ann.sends("POST", shared.PathConfirmFinish, ann.proves(begun))
					},
				} {
					host.refuses = test.refuses
					a := tries()
					host.refuses = nil
					ann.refused(a, test.status, test.code)
					if !bytes.Contains(a.body, []byte(test.says)) {
						t.Errorf("%s: she reads %s, want %q", what, a, test.says)
					}
				}
			}
			if events := into[shared.Activity](ann, ann.sends("GET", shared.PathActivity, nil), 200).Events; len(events) != 1 || events[0].Kind != shared.EventPasskeyAdded {
				t.Errorf("her activity is %+v", events)
			}
			if !strings.Contains(s.log.String(), "the host's disk is full") {
				t.Error("the log doesn't tell why")
			}
		})
	})
}

// TestHostFaults checks what happens where a host breaks its contract, or a store fails.
func TestHostFaults(t *testing.T) {
	t.Run("an event that can't be written is a line of the log", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			late := &interrupted{Store: s.config.Store}
			s.restarts(func(c *server.Config) { c.Store = late })
			ann := s.hostUser(host, "1")
			ann.registers("Laptop")
			ann.leavesHost()
			host.admits = func() { late.first = func() error { return errors.New("our disk is full") } }
			into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
			ann.lists()
			if lines := s.log.String(); !strings.Contains(lines, "a line is missing in the activity of a user") || !strings.Contains(lines, "our disk is full") {
				t.Errorf("the log doesn't tell: %s", lines)
			}
		})
	})
	t.Run("an id that nobody can have is a fault of the host", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			for _, id := range []string{"", strings.Repeat("x", 256)} {
				host.users[id] = server.HostUser{ID: id}
				v := s.hostUser(host, id)
				v.refused(v.sends("GET", shared.PathPasskeys, nil), 500, shared.CodeInternal)
			}
		})
	})
	t.Run("a user with two ids is a fault of the host, before anything is kept of them", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			host.changes("1", func(u *server.HostUser) { u.ID = "one" })
			ann := s.hostUser(host, "1")
			s.changesNothing(func() { ann.refused(ann.sends("POST", shared.PathRegisterBegin, nil), 500, shared.CodeInternal) })
			if !strings.Contains(s.log.String(), `asked for the user \"1\" and returned \"one\"`) {
				t.Errorf("the log doesn't tell: %s", s.log)
			}
		})
	})
	t.Run("a session without an id is a fault of the host: ceremonies are bound to it", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann := s.hostUser(host, "1")
			for cookie, session := range host.sessions {
				session.ID = ""
				host.sessions[cookie] = session
			}
			ann.refused(ann.sends("POST", shared.PathRegisterBegin, nil), 500, shared.CodeInternal)
		})
	})
	t.Run("a user who is refused at the host's own routes can give IT a number", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann := s.hostUser(host, "1")
			protected := s.handler.Protect(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
			asks := func() answer {
				w := httptest.NewRecorder()
				protected.ServeHTTP(w, ann.asks("/tools"))
				return answer{w.Code, w.Header(), w.Body.Bytes()}
			}
			if a := asks(); a.status != 204 {
				t.Errorf("she got %s", a)
			}
			host.broken = errors.New("the host's database is away")
			a := asks()
			ann.refused(a, 500, shared.CodeInternal)
			id := a.header.Get("X-Request-Id")
			if len(id) != 16 || !bytes.Contains(a.body, []byte("tell IT this number: "+id)) || !strings.Contains(s.log.String(), "request="+id) {
				t.Errorf("the id is %q, she reads %s, and IT\n%s", id, a, s.log)
			}
		})
	})
}
