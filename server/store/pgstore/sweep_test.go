package pgstore

import (
	"fmt"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// TestSweep removes what has expired of the organisations that are open, and leaves
// the rest: another process may have another clock.
func TestSweep(t *testing.T) {
	now := time.Now()
	db, err := OpenDatabase(t.Context(), pgtest.Empty(t), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for i := range 3 {
		s := db.Organisation(fmt.Sprint("org-", i))
		for n, life := range []time.Duration{time.Minute, time.Minute, time.Hour} {
			session := store.Session{ID: store.HashOf(fmt.Sprint(n)), UserID: "1", Expires: now.Add(life)}
			if err := s.Apply(t.Context(), store.Batch{store.AddSession{Session: session}}); err != nil {
				t.Fatal(err)
			}
		}
		if i == 2 {
			s.Close()
		}
	}
	for _, want := range []int64{0, 4, 0} {
		if removed, err := db.sweep(sweepable[0]); err != nil || removed != want {
			t.Errorf("removed %d rows (%v), want %d", removed, err, want)
		}
		now = now.Add(2 * time.Minute)
	}
}

// TestSweepOfAWrongClock lets the clock of a node be wrong: nothing is deleted for it.
func TestSweepOfAWrongClock(t *testing.T) {
	begin := time.Now()
	clock := begin
	db, err := OpenDatabase(t.Context(), pgtest.Empty(t), func() time.Time { return clock })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := db.Organisation("acme")
	t.Cleanup(func() { s.Close() })
	for id, life := range map[string]time.Duration{"ended": -time.Minute, "ends later": time.Hour} {
		session := store.Session{ID: store.HashOf(id), UserID: "1", Expires: begin.Add(life)}
		if err := s.Apply(t.Context(), store.Batch{store.AddSession{Session: session}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		when   string
		clock  time.Time
		steady bool
		left   int
	}{
		{"just after the start", begin, false, 2},
		{"while the database's clock says otherwise", begin.Add(24 * time.Hour), true, 2},
		{"with a clock that is right, and has been for long", begin, true, 1},
	} {
		clock = row.clock
		var watch store.ClockWatch
		if row.steady {
			watch.Look(begin.Add(-2*store.SteadyFor), clock.Add(-2*store.SteadyFor))
		}
		db.sweepIfSteady(&watch, begin)
		var left int
		if err := db.pool.QueryRow(t.Context(), `SELECT count(*) FROM sessions`).Scan(&left); err != nil {
			t.Fatal(err)
		}
		if left != row.left {
			t.Errorf("%s: %d sessions are left, want %d", row.when, left, row.left)
		}
	}
}
