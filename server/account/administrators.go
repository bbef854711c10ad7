package account

import (
	"context"
	"fmt"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// An organisation without an administrator who can sign in has nobody to help its people.
// So the last one stays, whatever happens at once: what shuts one out names another in the
// same batch, as they were read. Of two administrators who shut each other out at the same
// time one stays so.

// Enable lets the actor's user in again.
func (s *Service) Enable(ctx context.Context, who session.Actor) error {
	return s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		user.Disabled = false
		return store.Batch{store.PutUser{User: user}, s.event(who, shared.EventEnabled)}, nil
	})
}

// Disable shuts the actor's user out. All their sessions end, and links that lead into their account
// are dead, also once they are enabled again.
//
// Refusal: [shared.CodeLastAdministrator] for the last administrator who can sign in.
func (s *Service) Disable(ctx context.Context, who session.Actor) error {
	return s.disable(ctx, who, func(user store.User) (stays store.Batch, err error) {
		if !s.administrates(user) {
			return nil, nil
		}
		other, err := s.anotherAdministrator(ctx, user.ID)
		return store.Batch{store.PutUser{User: other}}, err // stale if they were shut out meanwhile
	})
}

// DisableEvenTheLast is for IT: it disables the last administrator too. The command line
// stays.
func (s *Service) DisableEvenTheLast(ctx context.Context, who session.Actor) error {
	return s.disable(ctx, who, func(store.User) (store.Batch, error) { return nil, nil })
}

// disable asks stays for what must stay as it is.
func (s *Service) disable(ctx context.Context, who session.Actor, stays func(store.User) (store.Batch, error)) error {
	return s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		batch, err := stays(user)
		if err != nil {
			return nil, err
		}
		user.Disabled = true
		batch = append(batch, store.PutUser{User: user}, store.EndSessions{UserID: user.ID}, s.event(who, shared.EventDisabled))
		for _, kind := range linksIntoAccounts {
			batch = append(batch, s.endLink(kind, user.ID))
		}
		return batch, nil
	})
}

// administrates reports whether somebody is an administrator who can sign in.
func (s *Service) administrates(user store.User) bool {
	return user.Admin && !user.Disabled && s.Policy.Methods().Count(user) > 0
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
