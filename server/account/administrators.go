package account

import (
	"context"
	"fmt"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// An organisation without an administrator who can sign in has nobody to help its people.
// So the last one stays, whatever happens at once: what shuts one out names another in the
// same batch, as they were read. Of two administrators who shut each other out at the same
// time one stays so.

// SetDisabled shuts a user out and ends all their sessions, or lets them in again.
//
// Refusal: [shared.CodeLastAdministrator] for the last administrator who can sign in.
// EvenTheLast, which is for IT, disables that one too: the command line stays.
func (s *Service) SetDisabled(ctx context.Context, name string, disabled, evenTheLast bool, by Actor) error {
	return s.update(ctx, name, func(user store.User) (store.Batch, error) {
		if !disabled {
			user.Disabled = false
			return store.Batch{store.PutUser{User: user}, s.tellsOf(by, shared.EventEnabled, user.ID)}, nil
		}
		var stays store.Batch
		if !evenTheLast && s.administrates(user) {
			other, err := s.anotherAdministrator(ctx, user.ID)
			if err != nil {
				return nil, err
			}
			stays = store.Batch{store.PutUser{User: other}} // stale if they were shut out meanwhile
		}
		user.Disabled = true
		return append(stays,
			store.PutUser{User: user}, store.EndSessions{UserID: user.ID}, s.tellsOf(by, shared.EventDisabled, user.ID)), nil
	})
}

// administrates reports whether somebody is an administrator who can sign in.
func (s *Service) administrates(user store.User) bool {
	return user.Admin && !user.Disabled && s.Policy.WaysIn(user) > 0
}

// anotherAdministrator finds one who can sign in, beside the one with this id.
func (s *Service) anotherAdministrator(ctx context.Context, id string) (store.User, error) {
	for after := ""; ; {
		page, err := s.Store.Users(ctx, after, 1000)
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
