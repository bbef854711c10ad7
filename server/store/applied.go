package store

import "context"

// Applied returns s, and has then get each batch that was applied. Then must be quick, because it runs before
// Apply returns.
func Applied(s Store, then func(Batch)) Store { return &applied{s, then} }

type applied struct {
	Store
	then func(Batch)
}

// Unwrap implements [Wrapper].
func (a *applied) Unwrap() Store { return a.Store }

// Apply implements [Store].
func (a *applied) Apply(ctx context.Context, batch Batch) error {
	if err := a.Store.Apply(ctx, batch); err != nil {
		return err
	}
	a.then(batch)
	return nil
}
