package account_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// cheap is a cost for tests, which hash often.
var cheap = account.Cost{MemoryKiB: 64, Time: 1, Threads: 1}

const password = "correct horse battery"

type world struct {
	*testing.T
	clock time.Time
	store *memstore.Store
	*account.Service
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, clock: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	w.store = memstore.New(w.now)
	w.Service = w.service(cheap)
	return w
}

func (w *world) now() time.Time { return w.clock }

func (w *world) service(cost account.Cost) *account.Service {
	return account.New(account.Config{Store: w.store, Now: w.now, PasswordCost: cost, Hashing: 4})
}

func (w *world) passes(d time.Duration) { w.clock = w.clock.Add(d) }

func (w *world) add(name string) store.User {
	w.Helper()
	user, err := w.AddUser(w.Context(), session.Actor{}, account.NewUser{Name: name, DisplayName: name, Password: password})
	if err != nil {
		w.Fatal(err)
	}
	return user
}

func (w *world) signIn(name, password string) (session.Issued, error) {
	return w.SignInWithPassword(w.Context(), session.Actor{}, account.PasswordSignIn{Name: name, Password: password})
}

func (w *world) signedIn(name string) session.Issued {
	w.Helper()
	opened, err := w.signIn(name, password)
	if err != nil {
		w.Fatalf("signing in as %s: %v", name, err)
	}
	return opened
}

// it acts for the user of this name at the command line.
func (w *world) it(name string) session.Actor {
	w.Helper()
	return it(w.T, w.Service, name)
}

// acts is a user who is signed in.
func (w *world) acts(user store.User, at session.Issued) session.Actor {
	who := w.Actor(user)
	who.Session = at.Session
	return who
}

func (w *world) wants(err error, code shared.Code) {
	w.Helper()
	if got := shared.CodeOf(err); got != code || (code == "" && err != nil) {
		w.Errorf("got code %q (%v), want %q", got, err, code)
	}
}

func (w *world) lives(token string, code shared.Code) {
	w.Helper()
	_, _, err := w.Sessions().Find(w.Context(), token)
	w.wants(err, code)
}

func (w *world) signsOut(token string) {
	w.Helper()
	_, err := w.Sessions().SignOut(w.Context(), session.Actor{}, token)
	w.wants(err, "")
}

func (w *world) newestEvent(userID string) shared.EventKind {
	w.Helper()
	events, err := w.store.Events(w.Context(), userID, store.EventID{}, 1)
	if err != nil || len(events) == 0 {
		w.Fatalf("no event (%v)", err)
	}
	return events[0].Kind
}

func TestUsers(t *testing.T) {
	t.Run("a name is one, however it is typed", func(t *testing.T) {
		w := newWorld(t)
		w.add("Ann")
		for _, typed := range []string{"ann", "ANN", "ａnn"} { // the last with a full-width letter
			if opened := w.signedIn(typed); opened.User.Name != "ann" {
				t.Errorf("signed in as %q", opened.User.Name)
			}
			_, err := w.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: typed, DisplayName: "x", Password: password})
			w.wants(err, shared.CodeNameTaken)
		}
	})
	t.Run("names and passwords that break the rules are refused", func(t *testing.T) {
		w := newWorld(t)
		for _, name := range []string{"", " ", "a b", "a\x00", "a\u202eb", "a\u200bb", strings.Repeat("x", 65), strings.Repeat("x", 10_000), "\xff"} {
			_, err := w.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: name, DisplayName: "x", Password: password})
			w.wants(err, shared.CodeInvalidName)
		}
		for _, bad := range []string{"", "short", strings.Repeat("x", 11), strings.Repeat("x", 257), "correct\x00horse battery"} {
			_, err := w.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: "ann", DisplayName: "Ann", Password: bad})
			w.wants(err, shared.CodeInvalidPassword)
		}
		_, err := w.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: "ann", DisplayName: " ", Password: password})
		w.wants(err, shared.CodeInvalidName)
		if users, _, _ := w.List(t.Context(), account.ListQuery{}); len(users) != 0 {
			t.Errorf("%d users, want none", len(users))
		}
	})
	t.Run("handles are 64 bytes and differ", func(t *testing.T) {
		w := newWorld(t)
		ann, bob := w.add("ann"), w.add("bob")
		if len(ann.Handle) != 64 || len(bob.Handle) != 64 || string(ann.Handle) == string(bob.Handle) || ann.ID == bob.ID {
			t.Errorf("handles %x and %x", ann.Handle, bob.Handle)
		}
	})
	t.Run("a new password ends all sessions, and only it signs in", func(t *testing.T) {
		w := newWorld(t)
		ann := w.add("ann")
		opened := w.signedIn("ann")
		w.passes(time.Second)
		w.wants(w.SetPassword(t.Context(), w.it("ANN"), "another battery staple"), "")
		w.lives(opened.Token, shared.CodeUnauthenticated)
		if kind := w.newestEvent(ann.ID); kind != shared.EventPasswordChanged {
			t.Errorf("newest event %s", kind)
		}
		_, err := w.signIn("ann", password)
		w.wants(err, shared.CodeSignInRefused)
		_, err = w.signIn("ann", "another battery staple")
		w.wants(err, "")
		_, err = w.IT(t.Context(), "nobody")
		w.wants(err, shared.CodeNotFound)
	})
	t.Run("a password goes when a passkey is left, and not before", func(t *testing.T) {
		w := newWorld(t)
		ann := w.add("ann")
		opened := w.signedIn("ann")
		w.wants(w.RemovePassword(t.Context(), w.it("ann")), shared.CodeLastMethod)
		w.lives(opened.Token, "")
		err := store.Update(t.Context(), w.store, ann.ID, func(u store.User) (store.Batch, error) {
			u.Passkeys = []store.Passkey{{ID: "p", CredentialID: []byte("c"), Verified: true}}
			return store.Batch{store.PutUser{User: u}}, nil
		})
		w.wants(err, "")
		w.passes(time.Second)
		w.wants(w.RemovePassword(t.Context(), w.it("ann")), "")
		w.lives(opened.Token, shared.CodeUnauthenticated)
		if kind := w.newestEvent(ann.ID); kind != shared.EventPasswordRemoved {
			t.Errorf("newest event %s", kind)
		}
		_, err = w.signIn("ann", password)
		w.wants(err, shared.CodeSignInRefused)
	})
	t.Run("a disabled user is out at once, and in again when enabled", func(t *testing.T) {
		w := newWorld(t)
		w.add("ann")
		opened := w.signedIn("ann")
		w.wants(w.Disable(t.Context(), w.it("ann")), "")
		w.lives(opened.Token, shared.CodeUnauthenticated)
		_, err := w.signIn("ann", password)
		w.wants(err, shared.CodeSignInRefused)
		w.wants(w.Enable(t.Context(), w.it("ann")), "")
		w.lives(opened.Token, shared.CodeUnauthenticated)
		w.lives(w.signedIn("ann").Token, "")
	})
}

func TestSignIn(t *testing.T) {
	t.Run("an unknown name, a wrong password, a disabled user and one without a password look the same", func(t *testing.T) {
		w := newWorld(t)
		w.add("ann")
		w.add("off")
		w.wants(w.Disable(t.Context(), w.it("off")), "")
		none := store.User{ID: store.NewUserID(), Name: "none"}
		if err := w.store.Apply(t.Context(), store.Batch{store.PutUser{User: none}}); err != nil {
			t.Fatal(err)
		}
		sentences := map[string]bool{}
		for _, try := range [][2]string{{"nobody", password}, {"ann", "wrong"}, {"off", password}, {"none", password}, {"none", ""}, {"", ""}, {"a b", "x"}, {"ann", "\x00"}, {"ann", strings.Repeat("x", 5000)}} {
			_, err := w.signIn(try[0], try[1])
			w.wants(err, shared.CodeSignInRefused)
			refusal, _ := errors.AsType[*shared.Error](err)
			sentences[refusal.Message] = true
		}
		if len(sentences) != 1 {
			t.Errorf("sentences %v, want one", sentences)
		}
	})
	t.Run("the activity has a failed sign-in", func(t *testing.T) {
		w := newWorld(t)
		ann := w.add("ann")
		w.passes(time.Second)
		w.signIn("ann", "wrong")
		w.Activity().Flush(t.Context())
		if kind := w.newestEvent(ann.ID); kind != shared.EventSignInFailed {
			t.Errorf("newest event %s", kind)
		}
	})
	t.Run("the hash is a PHC string with its cost, and is renewed when the cost changes", func(t *testing.T) {
		w := newWorld(t)
		before := w.add("ann")
		if !strings.HasPrefix(before.Password, "$argon2id$v=19$m=64,t=1,p=1$") {
			t.Errorf("hash %q", before.Password)
		}
		dearer := w.service(account.Cost{MemoryKiB: 128, Time: 2, Threads: 1})
		if _, err := dearer.SignInWithPassword(t.Context(), session.Actor{}, account.PasswordSignIn{Name: "ann", Password: password}); err != nil {
			t.Fatal(err)
		}
		after, _ := w.store.UserByName(t.Context(), "ann")
		if !strings.HasPrefix(after.Password, "$argon2id$v=19$m=128,t=2,p=1$") {
			t.Errorf("hash after sign-in %q", after.Password)
		}
		w.signedIn("ann")
	})
	t.Run("a composed and a decomposed accent are the same password", func(t *testing.T) {
		w := newWorld(t)
		w.add("ann")
		w.wants(w.SetPassword(t.Context(), w.it("ann"), "caf\u00e9 au lait noir"), "")
		_, err := w.signIn("ann", "cafe\u0301 au lait noir")
		w.wants(err, "")
	})
	t.Run("a sign-in ends the session that the browser had, and has a new token", func(t *testing.T) {
		w := newWorld(t)
		w.add("ann")
		first := w.signedIn("ann")
		second, err := w.SignInWithPassword(t.Context(), session.Actor{Session: first.Session}, account.PasswordSignIn{Name: "ann", Password: password})
		if err != nil || second.Token == first.Token || len(second.Token) != 43 {
			t.Errorf("tokens %q and %q (%v)", first.Token, second.Token, err)
		}
		w.lives(first.Token, shared.CodeUnauthenticated)
		w.lives(second.Token, "")
	})
	t.Run("the token itself is never stored", func(t *testing.T) {
		w := newWorld(t)
		opened := w.signedIn(w.add("ann").Name)
		sessions, err := w.store.Sessions(t.Context(), opened.User.ID, store.Hash{}, 9)
		if err != nil || len(sessions) != 1 || strings.Contains(fmt.Sprintf("%v %+v", sessions, sessions), opened.Token) {
			t.Errorf("sessions %+v (%v)", sessions, err)
		}
	})
	t.Run("no session of the old password outlives its change, however they race", func(t *testing.T) {
		for round := range 30 {
			w := newWorld(t)
			ann := w.add("ann")
			var both sync.WaitGroup
			both.Go(func() { w.signIn("ann", password) })
			both.Go(func() {
				if round%2 == 0 {
					w.SetPassword(t.Context(), w.it("ann"), "another battery staple")
				} else {
					w.Disable(t.Context(), w.it("ann"))
				}
			})
			both.Wait()
			if sessions, _ := w.store.Sessions(t.Context(), ann.ID, store.Hash{}, 9); len(sessions) != 0 {
				t.Fatalf("round %d: %d sessions are left", round, len(sessions))
			}
		}
	})
}

func TestConfirmation(t *testing.T) {
	t.Run("the right password makes it fresh again, under a new token", func(t *testing.T) {
		w := newWorld(t)
		ann := w.add("ann")
		opened := w.signedIn("ann")
		w.passes(time.Hour)
		confirmed, err := w.ConfirmPassword(t.Context(), w.acts(ann, opened), password)
		w.wants(err, "")
		w.wants(w.Sessions().Fresh(confirmed.Session), "")
		w.lives(confirmed.Token, "")
		w.lives(opened.Token, "") // of a request that was on its way
		w.passes(11 * time.Second)
		w.lives(opened.Token, shared.CodeUnauthenticated)
		w.lives(confirmed.Token, "")
		if !confirmed.Session.Created.Equal(opened.Session.Created) {
			t.Error("it counts as a new session")
		}
	})
	t.Run("a wrong password is refused and the session goes on as it was", func(t *testing.T) {
		w := newWorld(t)
		ann := w.add("ann")
		opened := w.signedIn("ann")
		w.passes(time.Hour)
		_, err := w.ConfirmPassword(t.Context(), w.acts(ann, opened), "wrong")
		w.wants(err, shared.CodeSignInRefused)
		goesOn, _, err := w.Sessions().Find(t.Context(), opened.Token)
		w.wants(err, "")
		w.wants(w.Sessions().Fresh(goesOn), shared.CodeConfirmRequired)
	})
	t.Run("a session that was ended meanwhile isn't brought back", func(t *testing.T) {
		w := newWorld(t)
		ann := w.add("ann")
		opened := w.signedIn("ann")
		w.signsOut(opened.Token)
		_, err := w.ConfirmPassword(t.Context(), w.acts(ann, opened), password)
		w.wants(err, shared.CodeUnauthenticated)
		if sessions, _ := w.store.Sessions(t.Context(), ann.ID, store.Hash{}, 9); len(sessions) != 0 {
			t.Errorf("%d sessions are left", len(sessions))
		}
	})
}

func TestChangePassword(t *testing.T) {
	t.Run("a changed password ends the other sessions, and not this one", func(t *testing.T) {
		w := newWorld(t)
		ann := w.add("ann")
		here, there := w.signedIn("ann"), w.signedIn("ann")
		w.wants(w.ChangePassword(t.Context(), w.acts(ann, here), "short", ""), shared.CodeInvalidPassword)
		w.lives(there.Token, "")
		w.wants(w.ChangePassword(t.Context(), w.acts(ann, here), "another battery staple", ""), "")
		w.lives(here.Token, "")
		w.lives(there.Token, shared.CodeUnauthenticated)
		_, err := w.signIn("ann", password)
		w.wants(err, shared.CodeSignInRefused)
		_, err = w.signIn("ann", "another battery staple")
		w.wants(err, "")
	})
}

func TestSetUp(t *testing.T) {
	first := account.NewUser{Name: "Ann", DisplayName: "Ann", Password: password}
	setUp := func(w *world, token string) error {
		_, err := w.SetUp(w.Context(), session.Actor{}, token, first)
		return err
	}
	link := func(w *world) string {
		w.Helper()
		made, err := w.NewSetupLink(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		return made.Token
	}
	t.Run("the link makes an administrator who is signed in", func(t *testing.T) {
		w := newWorld(t)
		token := link(w)
		w.wants(w.CheckSetupLink(t.Context(), token), "")
		opened, err := w.SetUp(t.Context(), session.Actor{}, token, first)
		w.wants(err, "")
		_, user, err := w.Sessions().Find(t.Context(), opened.Token)
		w.wants(err, "")
		if !user.IsAdministrator() || user.Name != "ann" {
			t.Errorf("user %+v", user)
		}
		events, err := w.store.Events(t.Context(), user.ID, store.EventID{}, 9)
		w.wants(err, "")
		if len(events) != 2 || events[0].Kind != shared.EventSignedIn || events[1].Kind != shared.EventAccountCreated {
			t.Errorf("events %+v: want the sign-in after the account, though the clock stands still", events)
		}
	})
	t.Run("the link works once, and no other is made", func(t *testing.T) {
		w := newWorld(t)
		token := link(w)
		w.wants(setUp(w, token), "")
		w.wants(setUp(w, token), shared.CodeNotFound)
		w.wants(w.CheckSetupLink(t.Context(), token), shared.CodeNotFound)
		_, err := w.NewSetupLink(t.Context())
		w.wants(err, shared.CodeNotFound)
	})
	t.Run("of many tries at once exactly one succeeds", func(t *testing.T) {
		w := newWorld(t)
		token := link(w)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				w.SetUp(t.Context(), session.Actor{}, token, account.NewUser{Name: fmt.Sprintf("ann%d", i), DisplayName: "Ann", Password: password})
			})
		}
		all.Wait()
		if users, _, _ := w.List(t.Context(), account.ListQuery{}); len(users) != 1 {
			t.Errorf("%d administrators, want 1", len(users))
		}
	})
	t.Run("the link works for 30 minutes", func(t *testing.T) {
		w := newWorld(t)
		token := link(w)
		w.passes(30 * time.Minute)
		w.wants(setUp(w, token), shared.CodeNotFound)
	})
	t.Run("a new link ends the one before", func(t *testing.T) {
		w := newWorld(t)
		old, fresh := link(w), link(w)
		w.wants(setUp(w, old), shared.CodeNotFound)
		w.wants(setUp(w, ""), shared.CodeNotFound)
		w.wants(setUp(w, fresh), "")
	})
	t.Run("a bad password leaves the link as it is", func(t *testing.T) {
		w := newWorld(t)
		token := link(w)
		_, err := w.SetUp(t.Context(), session.Actor{}, token, account.NewUser{Name: "ann", DisplayName: "Ann", Password: "short"})
		w.wants(err, shared.CodeInvalidPassword)
		w.wants(setUp(w, token), "")
	})
}
