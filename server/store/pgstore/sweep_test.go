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
