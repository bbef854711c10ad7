package boltstore

import (
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// TestRareKinds looks for a few events among very many of other kinds. It reads a small part of the
// order.
func TestRareKinds(t *testing.T) {
	const all, apart = 40_000, 8000
	clock := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	s := open(t, filepath.Join(t.TempDir(), "keypeg.db"), func() time.Time { return clock })
	write := func(often, seldom shared.EventKind) (rare []store.EventID) {
		t.Helper()
		var batch store.Batch
		for i := range all {
			clock = clock.Add(6 * time.Second)
			kind := often
			if i%apart == apart/2 {
				kind = seldom
			}
			v := store.NewEvent(clock, storetest.UserID(i%100), kind, store.Client{})
			if kind == seldom {
				rare = append(rare, v.ID)
			}
			if batch = append(batch, store.AddEvent{Event: v}); len(batch) == 1000 {
				if err := s.Apply(t.Context(), batch); err != nil {
					t.Fatal(err)
				}
				batch = nil
			}
		}
		slices.Reverse(rare)
		return rare
	}
	finds := func(kinds []shared.EventKind, want []store.EventID) {
		t.Helper()
		var got []store.EventID
		events, err := s.AllEvents(t.Context(), store.EventQuery{Kinds: kinds}, 100)
		for _, v := range events {
			got = append(got, v.ID)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v (%v)", kinds, got, want, err)
		}
		read := 0
		s.read(func(tx *bbolt.Tx) error {
			for range entriesOf(tx, kinds, store.EventID{}) {
				read++
			}
			return nil
		})
		if most := (len(want) + 1) * 300; read > most {
			t.Errorf("%s: %d entries are read for %d events, want at most %d", kinds, read, len(want), most)
		}
	}
	disabled := write(shared.EventSignedIn, shared.EventDisabled)
	finds([]shared.EventKind{shared.EventDisabled}, disabled)
	enabled := write(shared.EventSignInFailed, shared.EventEnabled)
	finds([]shared.EventKind{shared.EventDisabled, shared.EventEnabled}, slices.Concat(enabled, disabled))
	finds([]shared.EventKind{shared.EventRoleChanged}, nil)

	v := store.NewEvent(clock.Add(-time.Hour), storetest.UserID(1), shared.EventRoleChanged, store.Client{}) // as in a copy
	if err := s.Apply(t.Context(), store.Batch{store.AddEvent{Event: v}}); err != nil {
		t.Fatal(err)
	}
	finds([]shared.EventKind{shared.EventRoleChanged}, []store.EventID{v.ID})

	// The marks go when the order has gone. A sweep removes some at a time.
	s.passed.Store(math.MaxInt64)
	clock = clock.Add(2 * store.EventsKept)
	left := 1
	for range 1000 {
		if left == 0 {
			break
		}
		if _, err := s.sweep(); err != nil {
			t.Fatal(err)
		}
		s.read(func(tx *bbolt.Tx) error { left = tx.Bucket(bucketKinds).Stats().KeyN; return nil })
	}
	if left != 0 {
		t.Errorf("%d marks are left", left)
	}
}
