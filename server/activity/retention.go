package activity

import (
	"context"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// retaining is a store that keeps each event for so long after it happened for the last time. An
// event that was written earlier stays as long as was said then. The organisation's events say who was
// removed, without a name. They stay as long as any event of that user could: else the audit would
// take the user's lines for removed ones.
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
			kept := r.kept
			if added.Event.UserID == store.Organisation {
				kept = store.EventsKept
			}
			added.Event.Expires = added.Event.LastTime().Add(kept)
			batch[at] = added
		}
	}
	return r.Store.Apply(ctx, batch)
}
