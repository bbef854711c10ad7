package passkey

import (
	"context"
	"errors"
	"fmt"

	"github.com/keypeg/keypeg/server/store"
)

// What the server knows of passkeys that nobody has.

// owner returns who has the passkey of this credential id. Where nobody has, that is a
// refusal; it says UnknownCredential only with the proof that the passkey was removed
// here. Nobody has one that was made at another server of the same relying party id
// either, or that is newer than a database which was set back.
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
	// Its credential id is random, so a stranger learns nothing by this.
	refusal := Removed(errors.New("the passkey was removed here"))
	refusal.UnknownCredential = s.MaySignal(ctx)
	return store.User{}, refusal
}

// MaySignal reports whether password managers may be told what this database says; see
// [store.HoldSignals]. It asks the store each time, since IT may say so on any node.
func (s *Service) MaySignal(ctx context.Context) bool {
	held, err := store.AreSignalsHeld(ctx, s.store)
	return err == nil && !held
}
