package account

import (
	"context"
	"fmt"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// If no administrator can sign in, nobody can help the people of an organisation. So the last one
// stays, even under concurrent changes: a batch after which one administrator can't sign in stands
// on the record of another one who can, in the revision that was read. If two administrators
// disable each other at the same time, only one batch succeeds.

// Enable lets the actor's user sign in again.
//
// Refusal: [shared.CodeNotAllowed].
func (s *Service) Enable(ctx context.Context, who session.Actor) error {
	return s.changeFor(ctx, who, RightHelp, func(user store.User) (store.Batch, error) {
		if !user.Disabled {
			return nil, nil // nothing happens, so nothing is recorded
		}
		user.Disabled = false
		return append(store.Batch{store.PutUser{User: user}}, s.recorded(who, shared.EventEnabled)...), nil
	})
}

// Disable ends all sessions of the actor's user, and they can't sign in any more. Links
// that lead into their account stay dead, even after [Service.Enable].
//
// Refusals: [shared.CodeNotAllowed], [shared.CodeConflict] for one's own account, and
// [shared.CodeLastAdministrator] for the last administrator who can sign in.
func (s *Service) Disable(ctx context.Context, who session.Actor) error {
	return s.disable(ctx, who, false)
}

// DisableEvenTheLast disables the last administrator too. It is for IT, who still has the
// command line.
func (s *Service) DisableEvenTheLast(ctx context.Context, who session.Actor) error {
	return s.disable(ctx, who, true)
}

func (s *Service) disable(ctx context.Context, who session.Actor, evenTheLast bool) error {
	return s.changeFor(ctx, who, RightHelp, func(user store.User) (store.Batch, error) {
		if who.By.ID == user.ID {
			return nil, errYourself
		}
		if user.Disabled {
			return nil, nil // nothing happens, so nothing is recorded
		}
		before := user
		user.Disabled = true
		stays, err := s.keepsAdministrator(ctx, before, user, evenTheLast)
		if err != nil {
			return nil, err
		}
		batch := append(stays, store.PutUser{User: user}, store.EndSessions{UserID: user.ID})
		for _, kind := range linksIntoAccounts {
			batch = append(batch, endLink(kind, user.ID))
		}
		return append(batch, s.recorded(who, shared.EventDisabled)...), nil
	})
}

// keepsAdministrator refuses a change after which no administrator can sign in. It returns the
// operations that make the batch stand on another one. The zero after is a removal.
func (s *Service) keepsAdministrator(ctx context.Context, before, after store.User, evenTheLast bool) (store.Batch, error) {
	if evenTheLast || !s.administrates(before) || s.administrates(after) {
		return nil, nil
	}
	other, err := s.anotherAdministrator(ctx, before.ID)
	if err != nil {
		return nil, err
	}
	return store.Batch{store.HasUser{ID: other.ID, Revision: other.Revision}}, nil
}

// administrates reports whether the user is an administrator who can sign in.
func (s *Service) administrates(user store.User) bool {
	return user.IsAdministrator() && !user.Disabled && s.c.Policy.Methods().Count(user) > 0
}

// IsLastAdministrator reports whether nobody could administer without the user, as things are.
func (s *Service) IsLastAdministrator(ctx context.Context, user store.User) (bool, error) {
	if !s.administrates(user) {
		return false, nil
	}
	_, err := s.anotherAdministrator(ctx, user.ID)
	if shared.CodeOf(err) == shared.CodeLastAdministrator {
		return true, nil
	}
	return false, err
}

// anotherAdministrator finds an administrator who can sign in, other than the user with
// this id.
func (s *Service) anotherAdministrator(ctx context.Context, id string) (store.User, error) {
	for user, err := range store.EachUser(ctx, s.c.Store, store.UserQuery{In: store.CountAdministrators}) {
		if err != nil {
			return store.User{}, fmt.Errorf("looking for another administrator: %w", err)
		}
		if user.ID != id && s.administrates(user) {
			return user, nil
		}
	}
	return store.User{}, shared.Errorf(shared.CodeLastAdministrator, "This is the only administrator who can sign in. Make another one first.")
}
