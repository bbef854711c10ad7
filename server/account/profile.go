package account

import (
	"context"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// What users change of their own account, besides their sign-in methods.

// ChangeProfile changes what is set in the request, for the signed-in user.
//
// Refusals: [shared.CodeInvalidName], [shared.CodeInvalidEmail], [shared.CodeTooManyAttempts] for
// too many other addresses of one's own, and [shared.CodeEmailTaken]. The last one tells a signed-in user that
// somebody of the organisation has an address, which the list of users tells whoever may read it.
func (s *Service) ChangeProfile(ctx context.Context, who session.Actor, in shared.ChangeProfile) error {
	clean, err := (&cleaner{s: s}).cleaned(ctx, shared.ChangeMember{DisplayName: in.DisplayName, Email: in.Email, Language: in.Language})
	if err != nil {
		return err
	}
	mails, end, err := s.mayVerify(who.User.ID, who.User, clean.email)
	if err != nil {
		return err
	}
	err = s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		before := user
		clean.apply(&user)
		changes := changesOf(before, user)
		if len(changes) == 0 {
			return nil, nil
		}
		if err := s.checkEmail(ctx, user, before.Email); err != nil {
			return nil, err
		}
		if user.Email != before.Email {
			user.EmailReserved = s.c.Mails == nil
		}
		batch := store.Batch{store.PutUser{User: user}}
		if mails {
			batch = append(batch, s.verification(user, before.Email)...)
		}
		for _, change := range changes {
			batch = append(batch, s.recorded(who, change.kind, change.says)...)
		}
		return batch, nil
	})
	end(err == nil)
	return taken(err, clean)
}

// RemoveOwnPassword removes the password of the signed-in user, and ends their other sessions.
//
// Refusals: [shared.CodeNotFound] for a user without one, and [shared.CodeLastMethod].
func (s *Service) RemoveOwnPassword(ctx context.Context, who session.Actor) error {
	return s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		if user.Password == "" {
			return nil, shared.Errorf(shared.CodeNotFound, "You have no password.")
		}
		removePassword(&user)
		if who.Methods.Count(user) == 0 {
			return nil, shared.Errorf(shared.CodeLastMethod, "The password is your only way to sign in. Add a passkey first.")
		}
		return store.Batch{
			store.PutUser{User: user}, store.EndSessions{UserID: user.ID, Except: who.Session.ID},
			endPhoneLink(user.ID), s.event(who, shared.EventPasswordRemoved),
		}, nil
	})
}
