package activity

import (
	"context"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// retaining is a store that keeps each event for so long after it happened for the last time. An
// event that was written earlier stays as long as was said then.
type retaining struct {
	store.Store
	kept time.Duration
}

// Unwrap implements [store.Wrapper].
func (r retaining) Unwrap() store.Store { return r.Store }

// Apply implements [store.Store].
func (r retaining) Apply(ctx context.Context, batch store.Batch) error {
	batch = slices.Clone(batch) // don't change the caller's batch
	for at, op := range batch {
		if added, is := op.(store.AddEvent); is {
			added.Event.Expires = added.Event.LastTime().Add(r.kept)
			batch[at] = added
		}
	}
	return r.Store.Apply(ctx, batch)
}
