package activity

import (
	"context"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// retaining is a store that keeps each event for so long after it happened for the last time. An
// event that was written earlier stays as long as was said then. An event of the organisation about an
// account that was removed says whose it was, without a name. It stays as long as any event of that user
// could: else the audit would take the user's lines for removed ones.
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
			if added.Event.UserID == store.Organisation && added.Event.Kind == shared.EventAccountRemoved {
				kept = store.EventsKept
			}
			added.Event.Expires = added.Event.LastTime().Add(kept)
			batch[at] = added
		}
	}
	return r.Store.Apply(ctx, batch)
}
