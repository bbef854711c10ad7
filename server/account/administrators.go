package account

import (
	"context"
	"fmt"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// If no administrator can sign in, nobody can help the people of an organisation. So the
// last one stays, even under concurrent changes: the batch that disables one administrator
// also writes the record of another one, in the version that was read. If two
// administrators disable each other at the same time, only one batch succeeds.

// Enable lets the actor's user sign in again.
func (s *Service) Enable(ctx context.Context, who session.Actor) error {
	return s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		user.Disabled = false
		return store.Batch{store.PutUser{User: user}, s.event(who, shared.EventEnabled)}, nil
	})
}

// Disable ends all sessions of the actor's user, and they can't sign in any more. Links
// that lead into their account stay dead, even after [Service.Enable].
//
// Refusal: [shared.CodeLastAdministrator] for the last administrator who can sign in.
func (s *Service) Disable(ctx context.Context, who session.Actor) error {
	return s.disable(ctx, who, func(user store.User) (stays store.Batch, err error) {
		if !s.administrates(user) {
			return nil, nil
		}
		other, err := s.anotherAdministrator(ctx, user.ID)
		return store.Batch{store.PutUser{User: other}}, err // stale if that one was disabled meanwhile
	})
}

// DisableEvenTheLast disables the last administrator too. It is for IT, who still has the
// command line.
func (s *Service) DisableEvenTheLast(ctx context.Context, who session.Actor) error {
	return s.disable(ctx, who, func(store.User) (store.Batch, error) { return nil, nil })
}

// disable adds the operations of stays to its batch. They fail if another administrator,
// who must stay, was changed.
func (s *Service) disable(ctx context.Context, who session.Actor, stays func(store.User) (store.Batch, error)) error {
	return s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		batch, err := stays(user)
		if err != nil {
			return nil, err
		}
		user.Disabled = true
		batch = append(batch, store.PutUser{User: user}, store.EndSessions{UserID: user.ID}, s.event(who, shared.EventDisabled))
		for _, kind := range linksIntoAccounts {
			batch = append(batch, endLink(kind, user.ID))
		}
		return batch, nil
	})
}

// administrates reports whether the user is an administrator who can sign in.
func (s *Service) administrates(user store.User) bool {
	return user.IsAdministrator() && !user.Disabled && s.c.Policy.Methods().Count(user) > 0
}

// errNoRole is the refusal of a role that is none of [shared.Roles].
var errNoRole = shared.Errorf(shared.CodeInvalidRequest, "There is no such role.")

// anotherAdministrator finds an administrator who can sign in, other than the user with
// this id.
func (s *Service) anotherAdministrator(ctx context.Context, id string) (store.User, error) {
	for after := ""; ; {
		page, err := s.c.Store.Users(ctx, store.UserQuery{In: store.CountAdministrators, After: after}, 100)
		if err != nil {
			return store.User{}, fmt.Errorf("looking for another administrator: %w", err)
		}
		if len(page) == 0 {
			return store.User{}, shared.Errorf(shared.CodeLastAdministrator, "This is the only administrator who can sign in. Make another one first.")
		}
		for _, user := range page {
			if user.ID != id && s.administrates(user) {
				return user, nil
			}
		}
		after = page[len(page)-1].Name
	}
}
