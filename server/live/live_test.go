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
	notified := func(l *Listener) (yes bool) {
		select {
		case <-l.C:
			return true
		default:
			return false
		}
	}
	annID, bobID := storetest.UserID(1), storetest.UserID(2)
	ann, again, bob := hub.Listen(annID, "1"), hub.Listen(annID, "1"), hub.Listen(bobID, "2")

	t.Run("everybody who listens to a user is notified of a change, and nobody else", func(t *testing.T) {
		apply(store.PutUser{User: store.User{ID: annID, Name: "ann"}})
		if !notified(ann) || !notified(again) || notified(bob) {
			t.Error("the wrong listeners were notified")
		}
	})
	t.Run("many changes are one to a busy listener", func(t *testing.T) {
		for range 3 {
			apply(store.AddEvent{Event: store.NewEvent(time.Now(), annID, shared.EventSignedIn, store.Client{})})
		}
		if !notified(ann) || notified(ann) {
			t.Error("want one message")
		}
	})
	t.Run("a refused write notifies nobody, nor does a session that is seen again", func(t *testing.T) {
		notified(ann)
		session := store.Session{ID: storetest.SessionID(annID, "1"), UserID: annID, Expires: time.Now().Add(time.Hour)}
		apply(store.AddSession{Session: session})
		if !notified(ann) {
			t.Error("a new session wasn't notified")
		}
		apply(store.ReplaceSession{Old: session.ID, Session: session})
		if err := db.Apply(t.Context(), store.Batch{store.PutUser{User: store.User{ID: annID, Name: "ann"}}}); err == nil {
			t.Fatal("the user exists")
		}
		if notified(ann) {
			t.Error("notified of nothing")
		}
	})
	t.Run("that a user was removed is", func(t *testing.T) {
		apply(store.RemoveUser{ID: annID})
		if !notified(ann) || notified(bob) {
			t.Error("the wrong listeners were notified")
		}
	})
	t.Run("a closed listener is notified of nothing, and leaves nothing behind", func(t *testing.T) {
		for _, l := range []*Listener{ann, again, bob} {
			l.Close()
		}
		hub.Notify(annID)
		if n := hub.streams.Open(); n != 0 || len(hub.streams.open) != 0 {
			t.Errorf("%d listeners of %d users are left", n, len(hub.streams.open))
		}
	})
}

// TestMarks: a page that begins to listen hears whether something has changed since it was drawn.
func TestMarks(t *testing.T) {
	streams := NewStreams(8, nil)
	hub, other := streams.NewHub(), streams.NewHub()
	ann, helper := hub.Listen("ann", "1"), hub.Listen("helper", "2")
	helper.Others()
	same := func(l *Listener, mark string, want bool) {
		t.Helper()
		if got := l.Same(mark); got != want {
			t.Errorf("the same since %s: %t, want %t", mark, got, want)
		}
	}

	mark := hub.Mark()
	same(ann, mark, true)
	hub.Notify("bob")
	same(ann, mark, true)
	same(helper, mark, false) // who sees other users
	other.Notify("ann")
	same(ann, mark, true) // in another organisation
	hub.Notify("ann")
	same(ann, mark, false)
	same(ann, hub.Mark(), true)
	same(helper, hub.Mark(), true)

	t.Run("a mark doesn't tell how much happened to others", func(t *testing.T) {
		before := hub.Mark()
		other.Notify("bob")
		if after := hub.Mark(); after[:8] == before[:8] {
			t.Errorf("after one change in another organisation the mark %s is %s", before, after)
		}
	})
	t.Run("what isn't known for certain isn't the same", func(t *testing.T) {
		mark := hub.Mark()
		for _, unknown := range []string{"", "-", mark + "0", "x" + mark, mark[:len(mark)-1], NewHub().Mark()} {
			same(ann, unknown, false)
		}
		for range remembered - 1 {
			hub.Notify("bob")
		}
		same(ann, mark, true)
		hub.Notify("bob")
		same(ann, mark, false)
	})
}
