package store

import (
	"context"
	"errors"
)

// Attempts is how often [Update] tries before it gives up. Of all writers that change one
// record at the same time, at least one succeeds in each try. So this limits only how many
// writers may change one record at the same time.
const Attempts = 64

// Update reads a user, and then does what [UpdateFrom] does.
func Update(ctx context.Context, s Store, userID string, change func(User) (Batch, error)) error {
	user, err := s.User(ctx, userID)
	if err != nil {
		return err
	}
	return UpdateFrom(ctx, s, user, change)
}

// UpdateFrom calls change with a user who was read just before, and applies the batch that
// change returns. On [ErrStale] it reads the user and starts again. It also does so on
// [ErrUserExists] if the user was a new one. An error of change ends it and is returned as it
// is.
func UpdateFrom(ctx context.Context, s Store, user User, change func(User) (Batch, error)) error {
	for attempt := 1; ; attempt++ {
		batch, err := change(user.clone())
		if err != nil {
			return err
		}
		err = s.Apply(ctx, batch)
		changed := errors.Is(err, ErrStale) || user.Revision == 0 && errors.Is(err, ErrUserExists)
		if !changed || attempt == Attempts {
			return err
		}
		if user, err = s.User(ctx, user.ID); err != nil {
			return err
		}
	}
}
