package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// world is an installation with its clock, in which ann and bob have an account.
type world struct {
	*testing.T
	*session.Service
	clock    time.Time
	store    *memstore.Store
	ann, bob store.User
}

// links are what must not outlive a user's sessions when they are ended.
var links = store.Collection[bool]{Name: "link"}

func newWorld(t *testing.T) *world {
	w := &world{T: t, clock: time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return w.clock }
	w.store = memstore.New(now)
	w.Service = session.New(session.Config{Store: w.store, Now: now, AlsoEnds: func(userID string) store.Batch {
		return store.Batch{links.Remove(store.Entry[bool]{Owner: userID, Version: store.AnyVersion})}
	}})
	for i, user := range []*store.User{&w.ann, &w.bob} {
		*user = store.User{ID: store.NewUserID(), Name: fmt.Sprint("user", i), Handle: []byte{byte(i)}, Password: "a hash"}
		w.applies(store.Batch{store.PutUser{User: *user}})
	}
	return w
}

func (w *world) applies(batch store.Batch) {
	w.Helper()
	if err := w.store.Apply(w.Context(), batch); err != nil {
		w.Fatal(err)
	}
}

// passes lets the clock run.
func (w *world) passes(d time.Duration) { w.clock = w.clock.Add(d) }

// signsIn begins a session of a user in a browser.
func (w *world) signsIn(user store.User, browser string) session.Actor {
	w.Helper()
	who, _ := w.signsInWithToken(user, browser)
	return who
}

func (w *world) signsInWithToken(user store.User, browser string) (session.Actor, string) {
	w.Helper()
	w.passes(time.Second) // sessions of one moment have no order
	who := session.Actor{User: user, Client: store.Client{Browser: browser, System: "Linux", Address: "::1"}}
	who.User.LastSignIn = w.clock
	issued, batch := w.Open(who, session.SignIn{Method: store.MethodPassword})
	w.applies(batch)
	who.Session = issued.Session
	return who, issued.Token
}

func (w *world) wants(err error, code shared.Code) {
	w.Helper()
	if got := shared.CodeOf(err); got != code || (code == "" && err != nil) {
		w.Errorf("got code %q (%v), want %q", got, err, code)
	}
}

// lives looks whether a token is taken.
func (w *world) lives(token string, code shared.Code) {
	w.Helper()
	_, _, err := w.Find(w.Context(), token)
	w.wants(err, code)
}

func TestFind(t *testing.T) {
	t.Run("a session that is used goes on, and another ends after 24 hours", func(t *testing.T) {
		w := newWorld(t)
		_, used := w.signsInWithToken(w.ann, "Chrome")
		_, idle := w.signsInWithToken(w.ann, "Chrome")
		for range 3 {
			w.passes(23 * time.Hour)
			w.lives(used, "")
		}
		w.lives(idle, shared.CodeUnauthenticated)
	})
	t.Run("none outlives 30 days", func(t *testing.T) {
		w := newWorld(t)
		_, token := w.signsInWithToken(w.ann, "Chrome")
		for range 30 * 24 / 20 {
			w.lives(token, "")
			w.passes(20 * time.Hour)
		}
		w.lives(token, shared.CodeUnauthenticated)
	})
	t.Run("a token of another form is nobody's", func(t *testing.T) {
		w := newWorld(t)
		for _, token := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("A", 10_000)} {
			w.lives(token, shared.CodeUnauthenticated)
		}
	})
	t.Run("a disabled user has none", func(t *testing.T) {
		w := newWorld(t)
		_, token := w.signsInWithToken(w.ann, "Chrome")
		err := store.Update(t.Context(), w.store, w.ann.ID, func(user store.User) (store.Batch, error) {
			user.Disabled = true
			return store.Batch{store.PutUser{User: user}}, nil
		})
		w.wants(err, "")
		w.lives(token, shared.CodeUnauthenticated)
	})
}

func TestOpen(t *testing.T) {
	t.Run("a new session writes nothing before its batch", func(t *testing.T) {
		w := newWorld(t)
		issued, _ := w.Open(session.Actor{User: w.ann}, session.SignIn{Method: store.MethodPassword})
		w.lives(issued.Token, shared.CodeUnauthenticated)
	})
	t.Run("a new session takes the place of the one that the browser had", func(t *testing.T) {
		w := newWorld(t)
		before, old := w.signsInWithToken(w.bob, "Chrome")
		w.ann.LastSignIn = w.clock
		issued, batch := w.Open(session.Actor{User: w.ann, Session: before.Session}, session.SignIn{Method: store.MethodPassword})
		w.applies(batch)
		w.lives(old, shared.CodeUnauthenticated)
		w.lives(issued.Token, "")
		events, err := w.store.Events(t.Context(), w.bob.ID, store.EventID{}, 9)
		if err != nil || len(events) != 2 {
			t.Errorf("bob reads %d events (%v), want that he was signed in, and out", len(events), err)
		}
	})
}

func TestConfirm(t *testing.T) {
	t.Run("a sign-in is fresh for ten minutes", func(t *testing.T) {
		w := newWorld(t)
		who := w.signsIn(w.ann, "Chrome")
		w.passes(10*time.Minute - 1)
		w.wants(w.Fresh(who.Session), "")
		w.passes(1)
		w.wants(w.Fresh(who.Session), shared.CodeConfirmRequired)
	})
	t.Run("after a clock was set back no session is fresh", func(t *testing.T) {
		w := newWorld(t)
		who := w.signsIn(w.ann, "Chrome")
		w.passes(-store.ClockSkew - time.Second)
		w.wants(w.Fresh(who.Session), shared.CodeConfirmRequired)
	})
	t.Run("the old token is taken for a moment, and confirms nothing", func(t *testing.T) {
		w := newWorld(t)
		who, old := w.signsInWithToken(w.ann, "Chrome")
		w.passes(time.Hour)
		issued, batch := w.Confirm(who, session.SignIn{Method: store.MethodPassword})
		w.applies(batch)
		w.wants(w.Fresh(issued.Session), "")
		onTheWay, _, err := w.Find(t.Context(), old)
		w.wants(err, "")
		w.wants(w.Fresh(onTheWay), shared.CodeConfirmRequired)
		if onTheWay.Proof != (store.Proof{}) {
			t.Errorf("whoever has the old token has proved %+v", onTheWay.Proof)
		}
		w.passes(11 * time.Second)
		w.lives(old, shared.CodeUnauthenticated)
		w.lives(issued.Token, "")
	})
	t.Run("a sign-out with the old token ends the new session", func(t *testing.T) {
		w := newWorld(t)
		who, old := w.signsInWithToken(w.ann, "Chrome")
		issued, batch := w.Confirm(who, session.SignIn{Method: store.MethodPassword})
		w.applies(batch)
		ended, err := w.SignOut(t.Context(), who, old)
		w.wants(err, "")
		if ended.ID != issued.Session.ID {
			t.Error("the session that took its place isn't the one that ended")
		}
		w.lives(issued.Token, shared.CodeUnauthenticated)
	})
}

func TestOf(t *testing.T) {
	w := newWorld(t)
	who := w.signsIn(w.ann, "Chrome")
	first := who.Session.FirstID()
	for range 3 {
		w.passes(time.Hour)
		got, user, err := w.Of(t.Context(), first)
		w.wants(err, "")
		if got.ID != who.Session.ID || user.ID != w.ann.ID || got.FirstID() != first {
			t.Errorf("found %v of %s", got.ID, user.ID)
		}
		if got.Proof.Method != who.Session.Proof.Method || got.Authenticated != who.Session.Authenticated {
			t.Errorf("the last proof is %+v of %s", got.Proof, got.Authenticated)
		}
		issued, batch := w.Confirm(who, session.SignIn{Method: store.MethodPasskey, PasskeyID: "p1", UserVerified: true})
		w.applies(batch)
		who.Session = issued.Session
	}
	if want := (store.Proof{Method: store.MethodPasskey, PasskeyID: "p1", UserVerified: true}); who.Session.Proof != want {
		t.Errorf("got %+v, want %+v", who.Session.Proof, want)
	}
	_, _, err := w.Of(t.Context(), w.signsIn(w.bob, "Chrome").Session.ID)
	w.wants(err, "")
	_, err = w.EndOthers(t.Context(), w.signsIn(w.ann, "Firefox"))
	w.wants(err, "")
	_, _, err = w.Of(t.Context(), first)
	w.wants(err, shared.CodeUnauthenticated)
}

func TestEnd(t *testing.T) {
	browsers := func(list shared.SessionList) string {
		var names []string
		for _, s := range list.Sessions {
			names = append(names, s.Browser)
		}
		return fmt.Sprint(names)
	}
	// linked gives a user a link that must end with their sessions.
	linked := func(w *world, user store.User) (lives func() bool) {
		w.applies(store.Batch{links.Put(store.Entry[bool]{Owner: user.ID})})
		return func() bool {
			has, err := links.Has(w.Context(), w.store, user.ID, "")
			w.wants(err, "")
			return has
		}
	}
	t.Run("signing out ends it, and doing so again is nothing", func(t *testing.T) {
		w := newWorld(t)
		who, token := w.signsInWithToken(w.ann, "Chrome")
		for range 2 {
			_, err := w.SignOut(t.Context(), who, token)
			w.wants(err, "")
			w.lives(token, shared.CodeUnauthenticated)
		}
	})
	t.Run("sessions are listed, the actor's own first, and end one by one or together", func(t *testing.T) {
		w := newWorld(t)
		chrome, token := w.signsInWithToken(w.ann, "Chrome")
		firefox, inFirefox := w.signsInWithToken(w.ann, "Firefox")
		_, onPhone := w.signsInWithToken(w.ann, "Safari")
		list, err := w.List(t.Context(), chrome)
		w.wants(err, "")
		if got := browsers(list); got != "[Chrome Safari Firefox]" || !list.Sessions[0].Current || list.Sessions[1].Current {
			t.Errorf("listed %s: %+v", got, list)
		}

		lives := linked(w, w.ann)
		left, err := w.End(t.Context(), chrome, session.PublicID(firefox.Session))
		w.wants(err, "")
		if got := browsers(left); got != "[Chrome Safari]" {
			t.Errorf("left %s", got)
		}
		if lives() {
			t.Error("what was begun in a session that somebody ended outlives it")
		}
		w.lives(inFirefox, shared.CodeUnauthenticated)
		_, err = w.End(t.Context(), chrome, session.PublicID(firefox.Session))
		w.wants(err, shared.CodeNotFound)

		lives = linked(w, w.ann)
		left, err = w.EndOthers(t.Context(), chrome)
		w.wants(err, "")
		if got := browsers(left); got != "[Chrome]" || lives() {
			t.Errorf("left %s, and what was begun in them %t", got, lives())
		}
		w.lives(onPhone, shared.CodeUnauthenticated)
		w.lives(token, "")
	})
	t.Run("another user's session looks missing", func(t *testing.T) {
		w := newWorld(t)
		hers, token := w.signsInWithToken(w.ann, "Chrome")
		_, err := w.End(t.Context(), w.signsIn(w.bob, "Chrome"), session.PublicID(hers.Session))
		w.wants(err, shared.CodeNotFound)
		w.lives(token, "")
	})
}
