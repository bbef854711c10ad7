package pgstore_test

import (
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// TestPooler keeps every promise behind PgBouncer, which gives each statement whatever
// connection is free.
func TestPooler(t *testing.T) {
	for _, mode := range []string{"transaction", "session"} {
		t.Run(mode, func(t *testing.T) {
			url := pgtest.Pooler(t, pgtest.Database(t), mode)
			storetest.Run(t, func(t *testing.T, now store.Clock) store.Store { return open(t, url, now) })
		})
	}
	t.Run("who waits for changes hears of them", func(t *testing.T) {
		url := pgtest.Pooler(t, pgtest.Empty(t), "transaction")
		a, err := pgstore.Open(t.Context(), url, "", time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		b, err := pgstore.Open(t.Context(), url, "", time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()

		heard := make(chan string, 16)
		go b.Changes(t.Context(), func(userID string) { heard <- userID })
		hears := func(event func() store.Event) {
			t.Helper()
			for range 60 {
				if err := a.Apply(t.Context(), store.Batch{store.AddEvent{Event: event()}}); err != nil {
					t.Fatal(err)
				}
				select {
				case id := <-heard:
					if id != "ann" {
						t.Errorf("heard of %q", id)
					}
					return
				case <-time.After(time.Second):
				}
			}
			t.Error("nothing was heard")
		}
		var line store.Event
		hears(func() store.Event { // before it listens nothing is news
			line = store.NewEvent(time.Now(), "ann", shared.EventSignedIn, store.Client{})
			return line
		})
		// One that stands for several is written again, and began long ago.
		line.Time, line.Count = time.Now().Add(-time.Hour), 1
		for range 3 {
			line.Count, line.Last = line.Count+1, time.Now()
			hears(func() store.Event { return line })
		}
	})
}
