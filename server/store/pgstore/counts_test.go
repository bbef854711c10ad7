package pgstore_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// TestCountsOfNodes lets two nodes write 64 batches at the same time, one of them behind a pooler.
// The counts and the order of all events are those of a full scan then, and no batch has waited
// for another that waited for it.
func TestCountsOfNodes(t *testing.T) {
	direct := pgtest.Empty(t)
	pooled := pgtest.Pooler(t, direct, "transaction")
	const writers, batches = 32, 20
	var all sync.WaitGroup
	var nodes []*pgstore.Store
	for node, url := range []string{direct + "&pool_max_conns=32", pooled + "&pool_max_conns=32"} {
		s, err := pgstore.Open(t.Context(), url, "acme", time.Now)
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, s)
		for writer := range writers {
			all.Go(func() {
				dice := rand.New(rand.NewPCG(uint64(node), uint64(writer)))
				for range batches {
					if err := storetest.RandomBatch(t.Context(), s, dice, time.Now()); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		// The same event, written by all: it counts once, in the category of the last write.
		for writer := range 4 {
			all.Go(func() {
				event := store.NewEvent(time.Now(), storetest.UserID(1000), shared.EventSignedIn, store.Client{})
				event.ID = store.EventID{1}
				for i := range batches {
					event.Method = []store.Method{store.MethodPasskey, store.MethodPassword, store.MethodSSO}[(writer+i)%3]
					if err := s.Apply(t.Context(), store.Batch{store.AddEvent{Event: event}}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	all.Wait()
	for _, s := range nodes {
		s.Close() // their connections report what they counted then
	}

	s, err := pgstore.Open(t.Context(), direct, "acme", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := storetest.Consistent(t.Context(), s, time.Now()); err != nil {
		t.Error(err)
	}
	users, err := s.Records(t.Context(), store.KindUser, nil, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(users) < 30 {
		t.Errorf("there are %d users", len(users))
	}
	for _, record := range users {
		if err := s.Apply(t.Context(), store.Batch{store.RemoveUser{ID: record.Op.(store.PutUser).User.ID}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := storetest.Consistent(t.Context(), s, time.Now()); err != nil {
		t.Errorf("after all users were removed: %v", err)
	}
	if n := ask[int](t, direct, `SELECT sum(n)::int FROM counts WHERE category LIKE 'users/%'`); n != 0 {
		t.Errorf("%d users are counted", n)
	}
	if n := ask[int](t, direct, `SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()`); n != 0 {
		t.Errorf("%d deadlocks", n)
	}
}
