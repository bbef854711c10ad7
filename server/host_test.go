package server_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// crib is a program with users and sessions of its own.
type crib struct {
	mu       sync.Mutex
	users    map[string]server.HostUser
	sessions map[string]server.HostSession // by cookie
	now      func() time.Time
	broken   error
	refuses  error  // whom it would let in
	admits   func() // is called before somebody is let in
	// literal: who signs in is taken for whoever the request's session is of.
	literal bool
}

func (c *crib) User(_ context.Context, id string) (server.HostUser, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return server.HostUser{}, c.broken
	}
	if user, found := c.users[id]; found {
		return user, nil
	}
	return server.HostUser{}, server.ErrNoUser
}

func (c *crib) SignedIn(r *http.Request) (server.HostSession, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cookie, err := r.Cookie("crib")
	if err != nil {
		return server.HostSession{}, server.ErrNobody
	}
	if session, found := c.sessions[cookie.Value]; found {
		return session, nil
	}
	return server.HostSession{}, server.ErrNobody
}

func (c *crib) SignIn(w http.ResponseWriter, r *http.Request, userID, passkeyID string) error {
	if c.admits != nil {
		c.admits()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuses != nil {
		return c.refuses
	}
	if r != nil {
		if cookie, err := r.Cookie("crib"); err == nil {
			session, found := c.sessions[cookie.Value]
			if found && c.literal {
				session.Proved = c.now()
				c.sessions[cookie.Value] = session
				return nil
			}
			delete(c.sessions, cookie.Value)
		}
	}
	id := "session " + userID + " " + c.now().String()
	c.sessions[strings.ReplaceAll(id, " ", "-")] = server.HostSession{ID: id, UserID: userID, Proved: c.now(), PasskeyID: passkeyID}
	http.SetCookie(w, &http.Cookie{Name: "crib", Value: strings.ReplaceAll(id, " ", "-"), Path: "/"})
	return nil
}

// endingCrib ends sessions too, unless it fails to.
type endingCrib struct {
	*crib
	fails error
}

func (c *endingCrib) EndSessions(_ context.Context, userID, passkeyID, except string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fails != nil {
		return c.fails
	}
	maps.DeleteFunc(c.sessions, func(_ string, s server.HostSession) bool {
		return s.UserID == userID && s.PasskeyID == passkeyID && s.ID != except
	})
	return nil
}

// changes changes a user of the host.
func (c *crib) changes(id string, change func(*server.HostUser)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	user := c.users[id]
	change(&user)
	c.users[id] = user
}

func (c *crib) loses(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.users, id)
}

func onEveryStoreOfAHost(t *testing.T, test func(*site, *crib)) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			s := &site{T: t, clock: time.Now(), log: &proxytest.Output{}}
			hub := live.NewHub()
			s.store = hub.Store(open(t, s.now))
			host := &crib{users: map[string]server.HostUser{
				"1":  {ID: "1", Name: "ann@example.com", DisplayName: "Ann", OtherMethods: 1},
				"12": {ID: "12", Name: "bob@example.com", DisplayName: "Bob", OtherMethods: 1},
			}, sessions: map[string]server.HostSession{}, now: s.now}
			address, err := server.ParseAddress(origin, "", true)
			if err != nil {
				t.Fatal(err)
			}
			s.config = server.Config{
				Store: s.store, Host: host, Live: hub, Now: s.now, Log: slog.New(slog.NewTextHandler(s.log, nil)),
				Address: address, Product: "Crib",
			}
			s.restarts(func(*server.Config) {})
			test(s, host)
		})
	}
}

// interrupted is a store where something happens just before the next write of a user.
type interrupted struct {
	store.Store
	first func() error // once; its error is the write's
}

func (i *interrupted) Apply(ctx context.Context, batch store.Batch) error {
	writes := slices.ContainsFunc(batch, func(op store.Op) bool {
		switch op.(type) {
		case store.PutUser, store.RemoveUser:
			return true
		}
		return false
	})
	if first := i.first; writes && first != nil {
		i.first = nil
		if err := first(); err != nil {
			return err
		}
	}
	return i.Store.Apply(ctx, batch)
}

// guest is a browser in which a user of the host is signed in by the host's own means.
func (s *site) guest(host *crib, id string) *visitor {
	s.Helper()
	v := s.visitor()
	v.name = id
	v.signsInAtHost(host)
	return v
}

func (v *visitor) signsInAtHost(host *crib) {
	v.Helper()
	answer := httptest.NewRecorder()
	if err := host.SignIn(answer, nil, v.name, ""); err != nil {
		v.Fatal(err)
	}
	v.jar.SetCookies(siteURL, answer.Result().Cookies())
}

// leavesHost forgets the host's session, as its own sign-out does.
func (v *visitor) leavesHost() {
	v.Helper()
	v.jar.SetCookies(siteURL, []*http.Cookie{{Name: "crib", Path: "/", MaxAge: -1}})
	v.refused(v.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
}

// count is how many records of a kind there are.
func (s *site) count(kind store.Kind) int {
	s.Helper()
	records, err := s.store.Records(s.Context(), kind, nil, 1000)
	if err != nil {
		s.Fatal(err)
	}
	return len(records)
}

// changesNothing compares the whole store before and after.
func (s *site) changesNothing(do func()) {
	s.Helper()
	before := s.everything()
	do()
	if after := s.everything(); !maps.Equal(before, after) {
		s.Errorf("the store was\n%v\nand is\n%v", before, after)
	}
}

// handleOf is a guest's user handle.
func (s *site) handleOf(v *visitor) []byte {
	s.Helper()
	handle, err := base64.RawURLEncoding.DecodeString(v.lists().UserHandle)
	if err != nil {
		s.Fatal(err)
	}
	return handle
}

func TestHost(t *testing.T) {
	t.Run("its users add passkeys, sign in with them, and confirm", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann := s.guest(host, "1")
			var handle string
			for range 2 { // nothing is stored before a passkey is
				begun := into[shared.Ceremony](ann, ann.sends("POST", shared.PathRegisterBegin, nil), 200)
				var options struct {
					User struct{ ID, Name, DisplayName string }
				}
				if err := json.Unmarshal(begun.PublicKey, &options); err != nil {
					t.Fatal(err)
				}
				if options.User.Name != "ann@example.com" || options.User.DisplayName != "Ann" || len(options.User.ID) != 86 {
					t.Errorf("the browser is told %+v", options.User)
				}
				if handle != "" && handle != options.User.ID {
					t.Error("the user handle is another the second time")
				}
				handle = options.User.ID
			}
			if n := s.count(store.KindUser); n != 0 {
				t.Errorf("%d records of users were stored", n)
			}
			added := ann.registers("Laptop")
			if list := ann.lists(); len(list.Passkeys) != 1 || list.HasPassword || list.Passkeys[0].OnlyMethod || list.UserHandle != handle {
				t.Errorf("got %+v", list)
			}

			ann.leavesHost()
			s.passes(time.Second)
			if signed := into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200); signed.User != (shared.User{ID: "1", Name: "ann@example.com", DisplayName: "Ann"}) {
				t.Errorf("signed in is %+v", signed.User)
			}
			account := into[shared.Account](ann, ann.sends("GET", shared.PathAccount, nil), 200)
			if account.User.Name != "ann@example.com" || account.Passkeys != 1 || account.Product != "Crib" || !account.PasskeysOn {
				t.Errorf("got %+v", account)
			}
			if list := ann.lists(); !list.Passkeys[0].Current {
				t.Errorf("it isn't the passkey of this session: %+v", list.Passkeys[0])
			}

			s.passes(11 * time.Minute)
			ann.refused(ann.sends("POST", shared.PathRegisterBegin, nil), 403, shared.CodeConfirmRequired)
			begun := into[shared.Ceremony](ann, ann.sends("POST", shared.PathConfirmBegin, nil), 200)
			confirmed := into[shared.Confirmed](ann, ann.sends("POST", shared.PathConfirmFinish, ann.proves(begun)), 200)
			if want := s.now().Add(10 * time.Minute); !confirmed.Until.Equal(want) {
				t.Errorf("confirmed until %v, want %v", confirmed.Until, want)
			}
			into[shared.Ceremony](ann, ann.sends("POST", shared.PathRegisterBegin, nil), 200)
			events := into[shared.Activity](ann, ann.sends("GET", shared.PathActivity, nil), 200).Events
			if kinds := []shared.EventKind{events[0].Kind, events[1].Kind, events[2].Kind}; len(events) != 3 || !slices.Equal(kinds, []shared.EventKind{shared.EventConfirmed, shared.EventSignedIn, shared.EventPasskeyAdded}) {
				t.Errorf("her activity is %+v", events)
			}
			left := into[shared.PasskeyList](ann, ann.sends("DELETE", shared.PathPasskey+added.ID, nil), 200)
			if len(left.Passkeys) != 0 {
				t.Errorf("left is %+v", left)
			}
		})
	})
	t.Run("the last way in stays", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann := s.guest(host, "1")
			added := ann.registers("Laptop")
			host.changes("1", func(u *server.HostUser) { u.OtherMethods = 0 })
			if !ann.lists().Passkeys[0].OnlyMethod {
				t.Error("the row doesn't tell")
			}
			ann.refused(ann.sends("DELETE", shared.PathPasskey+added.ID, nil), 409, shared.CodeLastMethod)
			into[shared.Passkey](ann, ann.sends("PATCH", shared.PathPasskey+added.ID, shared.RenamePasskey{Name: "Other"}), 200)
		})
	})
	t.Run("a password of the host is a way in, and can be asked for", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			host.changes("1", func(u *server.HostUser) { u.HasPassword, u.OtherMethods = true, 0 })
			ann := s.guest(host, "1")
			added := ann.registers("Laptop")
			if list := ann.lists(); !list.HasPassword || list.Passkeys[0].OnlyMethod {
				t.Errorf("her list is %+v", list)
			}
			if account := into[shared.Account](ann, ann.sends("GET", shared.PathAccount, nil), 200); !account.HasPassword {
				t.Error("her account doesn't tell")
			}
			into[shared.PasskeyList](ann, ann.sends("DELETE", shared.PathPasskey+added.ID, nil), 200)
		})
	})
	t.Run("one's own only", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann, bob := s.guest(host, "1"), s.guest(host, "12")
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
			ann, bob := s.guest(host, "1"), s.guest(host, "12")
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
			ann, bob := s.guest(host, "1"), s.guest(host, "12")
			ann.registers("hers")
			bob.registers("his")
			hers := ann.device
			s.passes(time.Hour)
			for _, host.literal = range []bool{true, false} {
				ann.device = bob.device // Bob, at her unlocked computer
				begun := into[shared.Ceremony](ann, ann.sends("POST", shared.PathSignInBegin, nil), 200)
				s.changesNothing(func() {
					a := ann.sends("POST", shared.PathSignInFinish, ann.proves(begun))
					ann.refused(a, 409, shared.CodeConflict)
					if !bytes.Contains(a.body, []byte("Sign out first.")) {
						t.Errorf("he isn't told what to do: %s", a)
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
	t.Run("who is gone or disabled at the host is nobody here", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			for id, leaves := range map[string]func(){
				"1":  func() { host.changes("1", func(u *server.HostUser) { u.Disabled = true }) },
				"12": func() { host.loses("12") },
			} {
				v := s.guest(host, id)
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
			ann := s.guest(host, "1")
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
	t.Run("whom the host doesn't let in hasn't signed in", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann := s.guest(host, "1")
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
	t.Run("a line of activity that can't be written is one for the log", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			late := &interrupted{Store: s.config.Store}
			s.restarts(func(c *server.Config) { c.Store = late })
			ann := s.guest(host, "1")
			ann.registers("Laptop")
			ann.leavesHost()
			host.admits = func() { late.first = func() error { return errors.New("our disk is full") } }
			into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
			ann.lists()
			if said := s.log.String(); !strings.Contains(said, "activity lacks a line") || !strings.Contains(said, "our disk is full") {
				t.Errorf("the log doesn't tell: %s", said)
			}
		})
	})
	t.Run("an id that nobody can have is a fault of the host", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			for _, id := range []string{"", strings.Repeat("x", 256)} {
				host.users[id] = server.HostUser{ID: id}
				v := s.guest(host, id)
				v.refused(v.sends("GET", shared.PathPasskeys, nil), 500, shared.CodeInternal)
			}
		})
	})
	t.Run("a user with two ids is a fault of the host, before anything is kept of them", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			host.changes("1", func(u *server.HostUser) { u.ID = "one" })
			ann := s.guest(host, "1")
			s.changesNothing(func() { ann.refused(ann.sends("POST", shared.PathRegisterBegin, nil), 500, shared.CodeInternal) })
			if !strings.Contains(s.log.String(), `asked for the user \"1\" and returned \"one\"`) {
				t.Errorf("the log doesn't tell: %s", s.log)
			}
		})
	})
	t.Run("a session without an id would tie ceremonies to nothing", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann := s.guest(host, "1")
			for cookie, session := range host.sessions {
				session.ID = ""
				host.sessions[cookie] = session
			}
			ann.refused(ann.sends("POST", shared.PathRegisterBegin, nil), 500, shared.CodeInternal)
		})
	})
	t.Run("sessions end with the passkey that they began with", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ender := &endingCrib{crib: host}
			s.restarts(func(c *server.Config) { c.Host = ender })
			ann, bob := s.guest(host, "1"), s.guest(host, "12")
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
	t.Run("where sessions can't be ended nothing pretends to", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann := s.guest(host, "1")
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
	t.Run("of who was removed nothing is left", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			bob := s.guest(host, "12")
			bob.registers("his")
			his := s.everything()
			ann := s.guest(host, "1")
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
			maps.DeleteFunc(left, func(key, _ string) bool { return strings.HasPrefix(key, string(store.KindTicket)) })
			maps.DeleteFunc(his, func(key, _ string) bool { return strings.HasPrefix(key, string(store.KindTicket)) })
			s.hasTombstone(ann.device.Credentials()[0].ID)
			maps.DeleteFunc(left, func(key, _ string) bool {
				return strings.HasPrefix(key, "link "+hex.EncodeToString([]byte("removed-passkey/")))
			})
			if !maps.Equal(left, his) {
				t.Errorf("left is\n%v, want what is Bob's:\n%v", left, his)
			}
			a := ann.signsInWithPasskey()
			ann.refused(a, 400, shared.CodePasskeyRemoved)
			s.saysUnknown(true, a)

			// A host shouldn't give an id twice. One that does tells nobody of the first.
			host.changes("1", func(u *server.HostUser) { u.ID, u.Name, u.OtherMethods = "1", "carol@example.com", 1 })
			carol := s.guest(host, "1")
			if list := carol.lists(); len(list.Passkeys) != 0 {
				t.Errorf("she has %+v", list.Passkeys)
			}
			if page := into[shared.Activity](carol, carol.sends("GET", shared.PathActivity, nil), 200); len(page.Events) != 0 {
				t.Errorf("she did %+v", page.Events)
			}
		})
	})
	t.Run("two first passkeys at once are two passkeys", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			late := &interrupted{Store: s.config.Store}
			s.restarts(func(c *server.Config) { c.Store = late })
			laptop, phone := s.guest(host, "1"), s.guest(host, "1")
			late.first = func() error {
				phone.registers("Phone")
				return nil
			}
			laptop.registers("Laptop")
			if list := laptop.lists(); len(list.Passkeys) != 2 {
				t.Errorf("she has %+v", list.Passkeys)
			}
		})
	})
	t.Run("what is on its way when somebody is removed leaves nothing either", func(t *testing.T) {
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
				v, id := s.guest(host, "1"), ""
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
			v := s.guest(host, "1")
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
	t.Run("what belongs to our own accounts isn't there", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann := s.guest(host, "1")
			for _, path := range []string{shared.PathSignInPassword, shared.PathSignOut, shared.PathUsers, shared.PathRecoveryCodes, shared.PathPhoneLink, shared.PathEnrolBegin, shared.PageSignIn, shared.PageSetup, "/"} {
				ann.refused(ann.sends("POST", path, "{}"), 404, shared.CodeNotFound)
				ann.refused(ann.sends("GET", path, nil), 404, shared.CodeNotFound)
			}
		})
	})
	t.Run("who is refused at its own routes can tell IT a number", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann := s.guest(host, "1")
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
	t.Run("an equal host is served, however it is written", func(t *testing.T) {
		config := newSite(t, stores["memstore"], atExample).config
		s, err := server.New(t.Context(), server.Config{Store: config.Store, Host: &crib{}, Log: config.Log, Address: config.Address})
		if err != nil {
			t.Fatal(err)
		}
		asks := func(host string) int {
			r := httptest.NewRequest("POST", "https://id.example.com"+shared.PathSignInBegin, nil)
			r.Host = host
			r.Header.Set("Origin", "https://id.example.com")
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			return w.Code
		}
		for _, host := range equalHosts {
			if status := asks(host); status != 200 {
				t.Errorf("%s: got %d", host, status)
			}
		}
		for _, host := range []string{"example.com", "id.example.com:80", "id.example.com:8443", "id.example.com.evil.test"} {
			if status := asks(host); status != 421 {
				t.Errorf("%s: got %d, want 421", host, status)
			}
		}
	})
	t.Run("for its domain it decides itself whether https is enough", func(t *testing.T) {
		address, err := server.ParseAddress("https://crib.example", "", true)
		if err != nil {
			t.Fatal(err)
		}
		config := newSite(t, stores["memstore"], nil).config
		of := func(config server.Config) (said string) {
			config.Address = address
			s, err := server.New(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest("POST", "https://crib.example"+shared.PathSignInBegin, nil))
			if cookie := w.Header().Get("Set-Cookie"); w.Code != 200 || !strings.Contains(cookie, "; Secure") {
				t.Errorf("got %d with %q", w.Code, cookie)
			}
			return w.Header().Get("Strict-Transport-Security")
		}
		if own, hosts := of(config), of(server.Config{Store: config.Store, Host: &crib{}, Log: config.Log}); own == "" || hosts != "" {
			t.Errorf("our own server says %q, and a host's %q", own, hosts)
		}
	})
}

func TestConfig(t *testing.T) {
	ofAccounts := newSite(t, stores["memstore"], nil).config
	ofHost := server.Config{Store: ofAccounts.Store, Host: &crib{}, Address: ofAccounts.Address}
	if _, err := server.New(t.Context(), ofHost); err != nil {
		t.Errorf("these are all that a host must set: %v", err)
	}
	for _, test := range []struct {
		what   string
		config server.Config
		change func(*server.Config)
		says   string
	}{
		{"both", ofAccounts, func(c *server.Config) { c.Host = &crib{} }, "either Accounts or Host"},
		{"neither", ofAccounts, func(c *server.Config) { c.Accounts = nil }, "either Accounts or Host"},
		{"no store", ofHost, func(c *server.Config) { c.Store = nil }, "there must be a Store"},
		{"accounts without an address", ofAccounts, func(c *server.Config) { c.Address = server.Address{} }, "ParseAddress"},
		{"a host without an address", ofHost, func(c *server.Config) { c.Address = server.Address{} }, "ParseAddress"},
		{"half an address", ofHost, func(c *server.Config) { c.Address.RPID = "" }, "ParseAddress"},
		{"accounts without files", ofAccounts, func(c *server.Config) { c.Asset = nil }, "Asset must be set"},
		{"accounts that confirm as a host does", ofAccounts, func(c *server.Config) { c.ConfirmFor = time.Hour }, "account.Config"},
		{"a host with our pages", ofHost, func(c *server.Config) { c.App = server.App{Pages: ofAccounts.App.Pages, Page: ofAccounts.App.Page} }, "mean nothing"},
		{"a host with our files", ofHost, func(c *server.Config) { c.App = server.App{Files: ofAccounts.App.Files} }, "mean nothing"},
		{"a host with our files' addresses", ofHost, func(c *server.Config) { c.Asset = ofAccounts.Asset }, "mean nothing"},
		{"pages without the app", ofAccounts, func(c *server.Config) { c.App.Page = nil }, "App.Page draws App.Pages"},
		{"a host with our providers", ofHost, func(c *server.Config) { c.SSO = []*federation.Provider{{}} }, "mean nothing"},
	} {
		config := test.config
		test.change(&config)
		if _, err := server.New(t.Context(), config); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want a sentence with %q", test.what, err, test.says)
		}
	}
}
