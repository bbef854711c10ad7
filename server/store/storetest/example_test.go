package storetest_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/storetest"
)

// audited is a store of somebody's own: it leaves the records to another, and writes
// down every batch that was applied. One that keeps records itself has all methods of
// [store.Store]; memstore is the shortest to learn from.
type audited struct {
	store.Store
	log *slog.Logger
}

func newAudited(now store.Clock, log *slog.Logger) audited {
	return audited{memstore.New(now), log}
}

// Apply happens whole or not at all, so one line stands for all of a batch.
func (a audited) Apply(ctx context.Context, batch store.Batch) error {
	err := a.Store.Apply(ctx, batch)
	a.log.InfoContext(ctx, "batch", "operations", len(batch), "error", err)
	return err
}

// A backend's own test is this and nothing more. It says by name which promise is
// broken.
func ExampleRun() {
	test := func(t *testing.T) { // in its package: func TestContract(t *testing.T)
		storetest.Run(t, func(t *testing.T, now store.Clock) store.Store {
			return newAudited(now, slog.New(slog.DiscardHandler))
		})
	}
	_ = test
}
