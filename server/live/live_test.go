package live

import (
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now store.Clock) store.Store { return NewHub().Store(memstore.New(now)) })
}

func TestHub(t *testing.T) {
	hub := NewHub()
	db := hub.Store(memstore.New(time.Now))
	apply := func(ops ...store.Op) {
		t.Helper()
		if err := db.Apply(t.Context(), ops); err != nil {
			t.Fatal(err)
		}
	}
	heard := func(l *Listener) (yes bool) {
		select {
		case <-l.C:
			return true
		default:
			return false
		}
	}
	ann, again, bob := hub.Listen("ann", "1"), hub.Listen("ann", "1"), hub.Listen("bob", "2")

	t.Run("everybody who listens to a user hears of a change, and nobody else", func(t *testing.T) {
		apply(store.PutUser{User: store.User{ID: "ann", Name: "ann"}})
		if !heard(ann) || !heard(again) || heard(bob) {
			t.Error("the wrong ones heard")
		}
	})
	t.Run("many changes are one to who was busy", func(t *testing.T) {
		for range 3 {
			apply(store.AddEvent{Event: store.NewEvent(time.Now(), "ann", shared.EventSignedIn, store.Client{})})
		}
		if !heard(ann) || heard(ann) {
			t.Error("want one message")
		}
	})
	t.Run("what was refused is no news, nor is a session that is seen again", func(t *testing.T) {
		heard(ann)
		session := store.Session{ID: store.Hash{1}, UserID: "ann", Expires: time.Now().Add(time.Hour)}
		apply(store.AddSession{Session: session})
		if !heard(ann) {
			t.Error("a new session wasn't told")
		}
		apply(store.ReplaceSession{Old: session.ID, Session: session})
		if err := db.Apply(t.Context(), store.Batch{store.PutUser{User: store.User{ID: "ann", Name: "ann"}}}); err == nil {
			t.Fatal("the user exists")
		}
		if heard(ann) {
			t.Error("told of nothing")
		}
	})
	t.Run("that a user was removed is", func(t *testing.T) {
		apply(store.RemoveUser{ID: "ann"})
		if !heard(ann) || heard(bob) {
			t.Error("the wrong ones heard")
		}
	})
	t.Run("who has closed hears nothing, and leaves nothing behind", func(t *testing.T) {
		for _, l := range []*Listener{ann, again, bob} {
			l.Close()
		}
		hub.Tell("ann")
		if n := hub.streams.Open(); n != 0 || len(hub.streams.open) != 0 {
			t.Errorf("%d listeners of %d users are left", n, len(hub.streams.open))
		}
	})
}
