package account

import (
	"context"
	"errors"
	"time"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// *This wasn't me* in a notice holds an account: for a week, nobody can add a way to sign in, so that
// an intruder who is in it can't make it theirs. It needs no sign-in, only the mail. It never keeps
// anybody from signing in, from removing methods, or from ending sessions.
//
// What an intruder may have begun ends with it: links that add a method. An intruder may be able to
// confirm who they are, with a password that was caught or a passkey that they added. So users end a
// hold only if they show besides that they read the mails: in the browser that set it, or by the link
// of the mail about it, which goes to the address that set it alone. There they may also change a
// password that the intruder knows, while the hold goes on. Else an administrator or IT ends it. That is also the way for somebody who has no way to sign in any more: first the hold ends, then
// a recovery link is made. So nobody gets such a link without anybody knowing of the alarm.

const heldFor = 7 * 24 * time.Hour

// HoldToken returns the token of the link in a notice with which whoever reads it holds the account.
func (s *Service) HoldToken(ctx context.Context, userID, address, mail string) (token string, expires time.Time, err error) {
	return s.mailToken(ctx, linkHolds, userID, address, mail)
}

// ReleaseToken returns the token of the link in the mail about a hold, with which the user ends it.
func (s *Service) ReleaseToken(ctx context.Context, userID, address, mail string) (token string, expires time.Time, err error) {
	return s.mailToken(ctx, linkReleases, userID, address, mail)
}

// HoldLink describes the link of a notice, without using it.
//
// Refusal: [shared.CodeNotFound] for a link that can't be used.
func (s *Service) HoldLink(ctx context.Context, token string) (MailLink, error) {
	return s.addressed(ctx, token, linkHolds)
}

// addressed is openMailLink for a link that works while mails about the user go to its address.
func (s *Service) addressed(ctx context.Context, token string, purpose linkPurpose) (MailLink, error) {
	open, err := s.openMailLink(ctx, token, purpose)
	if err != nil {
		return MailLink{}, err
	}
	if s.c.Mails == nil {
		return MailLink{}, goneLink(errors.New("no mails are sent any more"))
	}
	addresses, err := s.c.Mails.Addresses(ctx, open.User)
	if err != nil {
		return MailLink{}, err
	}
	for _, address := range addresses {
		if open.link.wentTo(address) {
			open.Address = address
			return open, nil
		}
	}
	return MailLink{}, goneLink(errors.New("the user has another address"))
}

// Hold uses the link of a notice. The actor is its bearer. It returns the token with which the same
// browser can end the hold, together with a confirmation.
//
// Refusal: [shared.CodeNotFound] if the link can't be used any more.
func (s *Service) Hold(ctx context.Context, who session.Actor, open MailLink) (release string, until time.Time, err error) {
	release, _, err = s.ReleaseToken(ctx, open.User.ID, open.Address, "the browser of "+open.link.key())
	if err != nil {
		return "", time.Time{}, err
	}
	who.User, until = open.User, s.c.Now().Add(heldFor)
	err = s.change(ctx, open.User, func(user store.User) (store.Batch, error) {
		user.HeldUntil = until
		event := s.event(who, shared.EventHeld)
		mails, err := s.c.Mails.Held(ctx, user, event.Event, open.Address)
		if err != nil {
			return nil, err
		}
		return append(mails, store.PutUser{User: user}, open.link.use(), endLink(store.MethodInvitation, user.ID), endLink(store.MethodRecoveryLink, user.ID), endPhoneLink(user.ID), event), nil
	})
	if usedLinks.Changed(err) || errors.Is(err, store.ErrNotFound) {
		err = goneLink(err)
	}
	return release, until, err
}

// ReleaseLink describes the link of the mail about a hold, without using it.
//
// Refusal: [shared.CodeNotFound] for a link that can't be used.
func (s *Service) ReleaseLink(ctx context.Context, token string) (MailLink, error) {
	return s.addressed(ctx, token, linkReleases)
}

// MayRelease reports whether the actor's user can end a hold with a release token.
func (s *Service) MayRelease(ctx context.Context, who session.Actor, token string) (bool, error) {
	if token == "" {
		return false, nil
	}
	open, err := s.ReleaseLink(ctx, token)
	if shared.CodeOf(err) == shared.CodeNotFound {
		return false, nil
	}
	return err == nil && open.User.ID == who.User.ID, err
}

// mayChangePassword is [session.Actor.MayAddMethod] for a password. Whoever may end the hold may also
// replace a password, which an intruder may know, and leave the hold as it is.
func (s *Service) mayChangePassword(ctx context.Context, who session.Actor, user store.User, release string) error {
	held := who.MayAddMethod(user, s.c.Now())
	if held == nil || user.Password == "" {
		return held
	}
	switch may, err := s.MayRelease(ctx, who, release); {
	case err != nil:
		return err
	case may:
		return nil
	}
	return held
}

// Release ends the hold of the signed-in user, who has a release token. Without a hold it does nothing.
//
// Refusal: [shared.CodeHeld] without a token of the user.
func (s *Service) Release(ctx context.Context, who session.Actor, token string) error {
	open, refusal := s.ReleaseLink(ctx, token)
	if refusal != nil && shared.CodeOf(refusal) == "" {
		return refusal
	}
	err := s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		held := who.MayAddMethod(user, s.c.Now())
		switch {
		case held == nil:
			return nil, nil
		case refusal != nil:
			return nil, because(held, refusal)
		case open.User.ID != user.ID:
			return nil, because(held, errors.New("the link is another user's"))
		}
		user.HeldUntil = time.Time{}
		return store.Batch{store.PutUser{User: user}, open.link.use(), s.event(who, shared.EventReleased)}, nil
	})
	if usedLinks.Changed(err) {
		return who.MayAddMethod(who.User, s.c.Now())
	}
	return err
}

func because(refusal, cause error) error {
	if e, is := errors.AsType[*shared.Error](refusal); is {
		return e.Because(cause)
	}
	return refusal
}

// ReleaseFor ends the hold of the actor's user, for an administrator or IT. Without a hold it does
// nothing.
//
// Refusals: [shared.CodeNotAllowed], and [shared.CodeConflict] for one's own account.
func (s *Service) ReleaseFor(ctx context.Context, who session.Actor) error {
	return s.changeFor(ctx, who, RightManage, func(user store.User) (store.Batch, error) {
		if who.By.ID == user.ID {
			return nil, errYourself
		}
		if who.MayAddMethod(user, s.c.Now()) == nil {
			return nil, nil
		}
		user.HeldUntil = time.Time{}
		return append(store.Batch{store.PutUser{User: user}}, s.recorded(who, shared.EventReleased)...), nil
	})
}
