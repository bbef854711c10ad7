package activity_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/activity"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// ann and carl are ids of users.
var ann, carl = storetest.UserID(1), storetest.UserID(3)

var began = time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)

// newStore is a store with ann, bob and carl.
func newStore(t *testing.T, now store.Clock) store.Store {
	t.Helper()
	s := memstore.New(now)
	for i, name := range []string{"ann", "bob", "carl"} {
		id := storetest.UserID(i + 1)
		user := store.User{ID: id, Name: name, DisplayName: strings.ToUpper(name[:1]) + name[1:], Handle: []byte(id)}
		if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// moody is a store that refuses batches while it is ill.
type moody struct {
	store.Store
	ill bool
}

func (m *moody) Apply(ctx context.Context, batch store.Batch) error {
	if m.ill {
		return errors.New("no space left on device")
	}
	return m.Store.Apply(ctx, batch)
}

func TestBounded(t *testing.T) {
	bounded := func(t *testing.T) (*moody, func(after time.Duration, kind shared.EventKind) error) {
		m := &moody{Store: newStore(t, func() time.Time { return began })}
		b := activity.New(m, 0, slog.New(slog.DiscardHandler)).Store()
		return m, func(after time.Duration, kind shared.EventKind) error {
			event := store.NewEvent(began.Add(after), ann, kind, store.Client{Address: "192.0.2.1"})
			event.Passkey = after.String()
			return b.Apply(t.Context(), store.Batch{store.AddEvent{Event: event}})
		}
	}
	lines := func(t *testing.T, s store.Store) []store.Event {
		t.Helper()
		events, err := s.Events(t.Context(), ann, store.EventID{}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		return events
	}

	t.Run("fifty have a line each, and the others one with a count", func(t *testing.T) {
		m, adds := bounded(t)
		for i := range 1000 {
			if err := adds(time.Duration(i)*time.Second, shared.EventSignedIn); err != nil {
				t.Fatal(err)
			}
		}
		got := lines(t, m)
		if len(got) != 51 {
			t.Fatalf("%d lines", len(got))
		}
		if l := got[0]; l.Count != 950 || !l.Time.Equal(began.Add(50*time.Second)) || !l.Last.Equal(began.Add(999*time.Second)) || l.Passkey != "16m39s" {
			t.Errorf("the line of the others says %+v", l)
		}
		if l := got[50]; l.Count != 0 || l.Passkey != "0s" {
			t.Errorf("the first says %+v", l)
		}
	})
	t.Run("an event of somebody else among them keeps a line of its own", func(t *testing.T) {
		m := &moody{Store: newStore(t, func() time.Time { return began })}
		b := activity.New(m, 0, slog.New(slog.DiscardHandler)).Store()
		signsIn := func(i int, client store.Client, by string) {
			event := store.NewEvent(began.Add(time.Duration(i)*time.Second), ann, shared.EventSignedIn, client)
			event.By = by
			if err := b.Apply(t.Context(), store.Batch{store.AddEvent{Event: event}}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 300 {
			signsIn(i, store.Client{Address: "192.0.2.1"}, "")
			switch i {
			case 100:
				signsIn(i, store.Client{Address: "203.0.113.7"}, "") // a thief
			case 200:
				signsIn(i, store.Client{Address: "192.0.2.1"}, carl) // an administrator
			}
		}
		for i := range 1000 { // addresses are cheap
			signsIn(300+i, store.Client{Address: fmt.Sprint("2001:db8::", i)}, "")
		}
		got := lines(t, m)
		has := func(address, by string, count uint64) {
			t.Helper()
			for _, l := range got {
				if l.Client.Address == address && l.By == by && l.Count == count {
					return
				}
			}
			t.Errorf("no line of %s %s that counts %d", address, by, count)
		}
		has("192.0.2.1", "", 250)
		has("203.0.113.7", "", 0)
		has("192.0.2.1", carl, 0)
		counted := uint64(0)
		for _, l := range got {
			counted += max(l.Count, 1)
		}
		if len(got) != 61 || counted != 1302 {
			t.Errorf("%d lines count %d, want 61 that count 1302", len(got), counted)
		}
	})
	t.Run("kinds and days are apart", func(t *testing.T) {
		m, adds := bounded(t)
		for i := range 60 {
			adds(time.Duration(i)*time.Second, shared.EventSignedIn)
			adds(time.Duration(i)*time.Second, shared.EventPasskeyRenamed)
			adds(24*time.Hour+time.Duration(i)*time.Second, shared.EventPasskeyRemoved)
		}
		for i := range 60 {
			adds(24*time.Hour+time.Duration(i)*time.Second, shared.EventSignedIn)
		}
		if got := lines(t, m); len(got) != 4*51 {
			t.Errorf("%d lines", len(got))
		}
	})
	t.Run("an event that wasn't written isn't counted", func(t *testing.T) {
		m, adds := bounded(t)
		for i := range 200 {
			m.ill = i%2 == 1
			if err := adds(time.Duration(i)*time.Second, shared.EventSignedIn); (err != nil) != m.ill {
				t.Fatal(err)
			}
		}
		if got := lines(t, m); len(got) != 51 || got[0].Count != 50 {
			t.Errorf("%d lines, the newest counts %d", len(got), got[0].Count)
		}
	})
	t.Run("at once, none is lost", func(t *testing.T) {
		m, adds := bounded(t)
		var all sync.WaitGroup
		for i := range 500 {
			all.Go(func() { adds(time.Duration(i)*time.Second, shared.EventSignedIn) })
		}
		all.Wait()
		counted := uint64(0)
		got := lines(t, m)
		for _, l := range got {
			counted += max(l.Count, 1)
		}
		if len(got) != 51 || counted != 500 {
			t.Errorf("%d lines count %d", len(got), counted)
		}
	})
	t.Run("two of a kind in one batch, and the batch stays the caller's", func(t *testing.T) {
		m := newStore(t, func() time.Time { return began })
		b := activity.New(m, 0, slog.New(slog.DiscardHandler)).Store()
		for i := range 60 {
			batch := store.Batch{}
			for range 2 {
				batch = append(batch, store.AddEvent{Event: store.NewEvent(began.Add(time.Duration(i)*time.Second), ann, shared.EventSignedOut, store.Client{})})
			}
			want := batch[0]
			if err := b.Apply(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			if batch[0] != want {
				t.Error("the batch has changed")
			}
		}
		counted := uint64(0)
		for _, l := range lines(t, m) {
			counted += max(l.Count, 1)
		}
		if counted != 120 {
			t.Errorf("the lines count %d", counted)
		}
	})
}

// TestWhomActsAreAbout: no line hides to whom an administrator did something.
func TestWhomActsAreAbout(t *testing.T) {
	m := &moody{Store: newStore(t, func() time.Time { return began })}
	b := activity.New(m, 0, slog.New(slog.DiscardHandler)).Store()
	removed := func(i int) {
		for _, userID := range []string{store.Organisation, ann} {
			event := store.NewEvent(began.Add(time.Duration(i)*time.Second), userID, shared.EventAccountRemoved, store.Client{})
			event.About = storetest.UserID(1000 + i)
			if err := b.Apply(t.Context(), store.Batch{store.AddEvent{Event: event}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range 90 {
		removed(i)
	}
	for _, userID := range []string{store.Organisation, ann} {
		about := map[string]bool{}
		events, err := m.Events(t.Context(), userID, store.EventID{}, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range events {
			about[event.About] = true
		}
		if len(about) != 90 {
			t.Errorf("the events of %q are about %d users, want 90", userID, len(about))
		}
	}
}

// TestBoundedKeepsPrograms: a program that signs a user in all day hides no other.
func TestBoundedKeepsPrograms(t *testing.T) {
	m := newStore(t, func() time.Time { return began })
	b := activity.New(m, 0, slog.New(slog.DiscardHandler)).Store()
	signsInTo := func(i int, program string) {
		event := store.NewEvent(began.Add(time.Duration(i)*time.Second), ann, shared.EventSignedInTo, store.Client{})
		event.Program = program
		if err := b.Apply(t.Context(), store.Batch{store.AddEvent{Event: event}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 200 {
		signsInTo(i, "Grafana")
	}
	signsInTo(200, "Gitea")
	signsInTo(201, "Grafana")
	events, err := m.Events(t.Context(), ann, store.EventID{}, 100)
	if err != nil || len(events) != 52 {
		t.Fatalf("%d lines (%v), want 50 with a program's sign-ins, one with the others, and one of the other program", len(events), err)
	}
	if e := events[0]; e.Program != "Gitea" || e.Count != 0 {
		t.Errorf("the newest line is %+v", e)
	}
	if e := events[1]; e.Program != "Grafana" || e.Count != 151 {
		t.Errorf("the line of the others is %+v", e)
	}
}
