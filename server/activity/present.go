package activity

import (
	"context"
	"errors"
	"slices"

	"github.com/keypeg/keypeg/server/store"
)

// present is a store that writes no event of a user who doesn't exist. A rule may add an event for
// somebody whose record its batch doesn't write: for whoever acts for another user, or for the user who
// was signed in before; and the user of a failed attempt may be removed before it is written. If that user is removed at the same moment, the event would come back with their
// address. So the batch requires that the user is there, and is written without the event if not.
type present struct{ store.Store }

// Unwrap implements [store.Wrapper].
func (p present) Unwrap() store.Store { return p.Store }

// Apply implements [store.Store].
func (p present) Apply(ctx context.Context, batch store.Batch) error {
	for {
		users := unproven(batch)
		required := slices.Clip(batch)
		for _, id := range users {
			required = append(required, store.HasUser{ID: id})
		}
		err := p.Store.Apply(ctx, required)
		if len(users) == 0 || !errors.Is(err, store.ErrNotFound) {
			return err
		}
		gone, lookErr := p.gone(ctx, users)
		if lookErr != nil {
			return lookErr
		}
		if len(gone) == 0 {
			return err // something else isn't there
		}
		batch = slices.DeleteFunc(slices.Clone(batch), func(op store.Op) bool {
			added, is := op.(store.AddEvent)
			return is && slices.Contains(gone, added.Event.UserID)
		})
		if len(batch) == 0 {
			return nil
		}
	}
}

// unproven lists the users of the batch's events of whom nothing else in the batch fails if there is no
// such user.
func unproven(batch store.Batch) (users []string) {
	for _, op := range batch {
		added, is := op.(store.AddEvent)
		if !is {
			continue
		}
		if id := added.Event.UserID; id != store.Organisation && !slices.Contains(users, id) && !proves(batch, id) {
			users = append(users, id)
		}
	}
	return users
}

func proves(batch store.Batch, userID string) bool {
	return slices.ContainsFunc(batch, func(op store.Op) bool {
		switch op := op.(type) {
		case store.PutUser:
			return op.User.ID == userID
		case store.HasUser:
			return op.ID == userID
		case store.ReplaceSession:
			return op.Session.UserID == userID
		}
		return false
	})
}

// gone returns those of the users who don't exist.
func (p present) gone(ctx context.Context, users []string) (gone []string, err error) {
	for _, id := range users {
		_, err := p.Store.User(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			gone = append(gone, id)
		} else if err != nil {
			return nil, err
		}
	}
	return gone, nil
}
