package activity_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/activity"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// TestRetention has an event of each kind of writing: one with its own line, lines that more events
// share, and failed attempts. Then IT changes how long events are kept.
func TestRetention(t *testing.T) {
	const month = store.ShortestKept
	now := began
	db := newStore(t, func() time.Time { return now })
	who := session.Actor{User: store.User{ID: ann}}
	open := func(kept time.Duration) *activity.Service {
		return activity.New(db, kept, slog.New(slog.DiscardHandler))
	}
	happens := func(s *activity.Service, kind shared.EventKind, times int) {
		t.Helper()
		for range times {
			if err := s.Store().Apply(t.Context(), store.Batch{store.AddEvent{Event: who.Event(kind, now)}}); err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Minute)
		}
	}
	are := func(when string, want int) {
		t.Helper()
		events, err := db.Events(t.Context(), ann, store.EventID{}, 100)
		if err != nil || len(events) != want {
			t.Errorf("%s: %d events (%v), want %d", when, len(events), err, want)
		}
	}
	short := open(month)
	happens(short, shared.EventSignedIn, 52) // 51 lines
	short.Failed(who.Event(shared.EventSignInFailed, now))
	short.Flush(t.Context())
	removal := store.NewEvent(now, store.Organisation, shared.EventAccountRemoved, store.Client{})
	client := store.NewEvent(now, store.Organisation, shared.EventClientAdded, store.Client{}) // it goes with the others
	if err := short.Store().Apply(t.Context(), store.Batch{store.AddEvent{Event: removal}, store.AddEvent{Event: client}}); err != nil {
		t.Fatal(err)
	}
	year := open(0)
	happens(year, shared.EventPasskeyAdded, 1)
	are("at once", 53)

	now = began.Add(month)
	are("after 30 days", 52)
	now = began.Add(month + 50*time.Minute)
	are("after 50 minutes more", 3) // the line of two is as old as the second one
	now = began.Add(month + time.Hour)
	are("after an hour more", 1)
	if kept, err := db.Events(t.Context(), store.Organisation, store.EventID{}, 9); err != nil || len(kept) != 1 {
		t.Errorf("%d removals (%v), want the one by which the audit knows that lines are missing", len(kept), err)
	}
	now = began.Add(store.EventsKept)
	are("after a year", 1)
	now = now.Add(time.Hour)
	are("after a year and an hour", 0)
}
