package passkey

import (
	"context"
	"errors"
	"fmt"

	"github.com/keypeg/keypeg/server/store"
)

// Passkeys that no user has: unknown ones and removed ones.

// owner returns the user who has the passkey with this credential id. If nobody has it, it
// refuses. The refusal has UnknownCredential only if a tombstone proves that the passkey
// was removed here. Otherwise the passkey may be of another server with the same relying
// party id, or newer than a database that was restored.
func (s *Service) owner(ctx context.Context, credentialID []byte) (store.User, error) {
	user, err := s.store.UserByCredential(ctx, credentialID)
	if err == nil {
		return user, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return store.User{}, fmt.Errorf("looking up a passkey: %w", err)
	}
	removed, err := store.HasTombstone(ctx, s.store, credentialID)
	switch {
	case err != nil:
		return store.User{}, fmt.Errorf("looking up a removed passkey: %w", err)
	case !removed:
		return store.User{}, refused(errors.New("nobody has this passkey"))
	}
	// A credential id is random, so a stranger can't use this to learn anything.
	refusal := Removed(errors.New("the passkey was removed here"))
	refusal.UnknownCredential = s.MaySignal(ctx)
	return store.User{}, refusal
}

// MaySignal reports whether password managers may be told what this database says; see
// [store.HoldSignals]. It reads the store each time, because IT may change this on any
// node.
func (s *Service) MaySignal(ctx context.Context) bool {
	held, err := store.AreSignalsHeld(ctx, s.store)
	return err == nil && !held
}
