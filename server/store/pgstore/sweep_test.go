package pgstore

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
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
			session := store.Session{ID: storetest.SessionID(storetest.UserID(1), fmt.Sprint(n)), UserID: storetest.UserID(1), Expires: now.Add(life)}
			if err := s.Apply(t.Context(), store.Batch{store.AddSession{Session: session}}); err != nil {
				t.Fatal(err)
			}
		}
		if i == 2 {
			s.Close()
		}
	}
	for _, want := range []int64{0, 4, 0} {
		if removed, err := db.sweep(sweeps[0]); err != nil || removed != want {
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
		session := store.Session{ID: storetest.SessionID(storetest.UserID(1), id), UserID: storetest.UserID(1), Expires: begin.Add(life)}
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

// TestSweepOfAll sweeps each table, and counts as before what has not expired.
func TestSweepOfAll(t *testing.T) {
	now := time.Now()
	db, err := OpenDatabase(t.Context(), pgtest.Empty(t), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := db.Organisation("acme")
	t.Cleanup(func() { s.Close() })
	user := store.User{ID: storetest.UserID(1), Name: "ann"}
	if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
		t.Fatal(err)
	}
	item := func(key string, expires time.Time) store.Op {
		return store.PutItem{Item: store.Item{Collection: "note", Key: key, Value: []byte("1"), Expires: expires}}
	}
	for _, ago := range []time.Duration{0, 24 * time.Hour} {
		at := now.Add(-ago)
		event := store.NewEvent(at, user.ID, shared.EventSignedIn, store.Client{})
		repeated := store.NewEvent(at, user.ID, shared.EventSignInFailed, store.Client{})
		repeated.Count, repeated.Last, repeated.Expires = 2, at.Add(12*time.Hour), at.Add(12*time.Hour+store.EventsKept)
		session := store.Session{ID: storetest.SessionID(user.ID, fmt.Sprint(ago)), UserID: user.ID, Expires: at.Add(48 * time.Hour)}
		if err := s.Apply(t.Context(), store.Batch{
			store.AddEvent{Event: event}, store.AddEvent{Event: repeated}, store.AddSession{Session: session}, item(fmt.Sprint(ago), at.Add(48*time.Hour)),
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Apply(t.Context(), store.Batch{item("never", time.Time{})}); err != nil {
		t.Fatal(err)
	}
	begin := now
	left := func(table string) (n int) {
		t.Helper()
		what := "*"
		if table == "counts" { // each connection counts in a row of its own
			what = "DISTINCT category"
		}
		if err := db.pool.QueryRow(t.Context(), `SELECT count(`+what+`) FROM `+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, row := range []struct {
		after                           time.Duration
		sessions, items, events, counts int
	}{
		{0, 2, 3, 4, 3}, // one user, and sign-ins of two days
		{24 * time.Hour, 1, 2, 4, 3},
		{48 * time.Hour, 0, 1, 4, 3},
		{store.EventsKept - 12*time.Hour - time.Second, 0, 1, 3, 3}, // the older sign-in
		{store.EventsKept + time.Second, 0, 1, 1, 3},
		{store.EventsKept + 12*time.Hour, 0, 1, 0, 3},
		{store.EventsKept + 72*time.Hour, 0, 1, 0, 1}, // the days are left out long before
	} {
		now = begin.Add(row.after)
		for _, what := range sweeps {
			if _, err := db.sweep(what); err != nil {
				t.Fatal(err)
			}
		}
		got := []int{left("sessions"), left("items"), left("events"), left("counts")}
		if want := []int{row.sessions, row.items, row.events, row.counts}; !slices.Equal(got, want) {
			t.Errorf("after %s: sessions, items, events and counts %v, want %v", row.after, got, want)
		}
		if err := storetest.Consistent(t.Context(), s, now); err != nil {
			t.Errorf("after %s: %v", row.after, err)
		}
	}
}
