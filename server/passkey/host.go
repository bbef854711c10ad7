package passkey

import (
	"context"
	"errors"
	"fmt"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Rules for a host program, whose users and sessions aren't in the store.

// RecordUse records that the actor's user signed in or confirmed with a passkey, after a host
// has begun the session for it. It reports whether the passkey still exists. If the user was
// removed meanwhile, it records nothing.
func (s *Service) RecordUse(ctx context.Context, who session.Actor, kind shared.EventKind, with store.Passkey) (exists bool, err error) {
	user, err := s.store.User(ctx, who.User.ID)
	if err == nil {
		err = s.change(ctx, user, func(user store.User) (store.Batch, error) {
			_, err := find(user, with.ID)
			exists = err == nil
			// PutUser makes the batch fail if the user was removed meanwhile.
			return store.Batch{store.PutUser{User: user}, s.useEvent(who, kind, with)}, nil
		})
	}
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return exists, err
}

// Erase removes the record of a user with this id, and their activity. A tombstone of each
// passkey stays. If there is no record, it removes the activity that may be left. Nothing says
// afterwards who did it, so it takes no [session.Actor].
func (s *Service) Erase(ctx context.Context, userID string) error {
	user, err := s.store.User(ctx, userID)
	if err == nil {
		err = s.change(ctx, user, func(user store.User) (store.Batch, error) {
			batch := store.Batch{store.RemoveUser{ID: userID, Revision: user.Revision}}
			for _, p := range user.Passkeys {
				batch = append(batch, store.Tombstone(s.now(), p))
			}
			return batch, nil
		})
	}
	if errors.Is(err, store.ErrNotFound) {
		err = s.store.Apply(ctx, store.Batch{store.RemoveUser{ID: userID}})
	}
	if err != nil {
		return fmt.Errorf("removing what is stored of a user: %w", err)
	}
	return nil
}
