package openid_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
)

// counting is a store that counts writes.
type counting struct {
	store.Store
	writes atomic.Int64
}

// Apply implements [store.Store].
func (c *counting) Apply(ctx context.Context, batch store.Batch) error {
	c.writes.Add(1)
	return c.Store.Apply(ctx, batch)
}

// TestKeysAreMadeOnce: while many tokens wait for the first keys, a node makes one of each. An RSA key takes a
// processor for a good part of a second.
// TestKeysOfANodeWhoseClockIsBehind: the keys that another node has made a moment ago sign there too.
func TestKeysOfANodeWhoseClockIsBehind(t *testing.T) {
	now := time.Now()
	s := memstore.New(time.Now)
	for _, behind := range []time.Duration{0, 2 * time.Second} {
		keys, err := openid.NewKeys(t.Context(), s, func() time.Time { return now.Add(-behind) })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keys.Sign(t.Context(), openid.RS256, "", "x"); err != nil {
			t.Errorf("%s behind: %v", behind, err)
		}
	}
}

func TestKeysAreMadeOnce(t *testing.T) {
	records := &counting{Store: memstore.New(time.Now)}
	keys, err := openid.NewKeys(t.Context(), records, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	records.writes.Store(0)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if _, err := keys.Sign(t.Context(), openid.ES256, "", map[string]string{"sub": "ann"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := records.writes.Load(); n != 1 {
		t.Errorf("keys were made %d times, want once", n)
	}
}
