package account

import (
	"context"
	"errors"
	"time"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// An e-mail address is verified when its user has shown that they read what is sent there: by the
// link of a mail, by an invitation that came by mail, or by the word of an OpenID provider that
// knows. Whoever writes an address down doesn't verify it, administrators and tables neither:
// a slip of the pen would send what happens to an account to a stranger.

// Mails queues the mails that are part of a rule's batch. Package mail has one.
type Mails interface {
	// Verification queues the mail with which a user verifies their address.
	Verification(store.User) store.Batch
	// Invitation queues the mail with the user's invitation.
	Invitation(store.User) store.Batch
	// Held queues the mails about a hold, of which that to the address that set it has a link to
	// end it.
	Held(ctx context.Context, user store.User, event store.Event, address string) (store.Batch, error)
	// Addresses returns where notices about a user go.
	Addresses(context.Context, store.User) ([]string, error)
}

// How many mails about a user somebody may cause at once, and after what time one more: the user, an
// administrator, or IT. Each has a bucket of their own for each user, so that nobody is refused because
// of others. Each node counts for itself.
const (
	mailsAtOnce  = 5
	mailsRecover = 12 * time.Minute
)

// How many mails with a link that verifies an address go to it, whoever has written it down: many
// users may. Where it is enough, a change is made nevertheless, and the mail waits for the user's next
// sign-in: so nobody can keep a user from their address.
const (
	mailsToAddress = 20
	mailsToRecover = 3 * time.Minute
)

// mailsBy is the bucket of who causes mails about a user: an id, or "" for IT.
func (s *Service) mailsBy(id, userID string) bucket {
	return bucket{s.mailed, "user " + userID + " by " + id}
}

// mailsTo is the bucket of an address.
func (s *Service) mailsTo(address string) bucket {
	return bucket{s.reached, store.EmailKey(address)}
}

// mayMail begins a mail. The caller ends it with end.
//
// Refusal: [shared.CodeTooManyAttempts].
func (s *Service) mayMail(buckets ...bucket) (end func(sent bool), err error) {
	end, err = s.mayGuess(buckets)
	if refusal, is := errors.AsType[*shared.Error](err); is {
		minutes := int((refusal.RetryAfter + time.Minute - 1) / time.Minute)
		if minutes == 1 {
			return nil, shared.Errorf(shared.CodeTooManyAttempts, "Too many mails went to this address. Please try again in a minute.").After(refusal.RetryAfter)
		}
		return nil, shared.Errorf(shared.CodeTooManyAttempts, "Too many mails went to this address. Please try again in %d minutes.", minutes).After(refusal.RetryAfter)
	}
	return end, err
}

// mayVerify begins a change that may give a user another address, by whoever has the id. It reports
// whether a mail may go to the address now. Without mails there is nothing to begin.
//
// Refusal: [shared.CodeTooManyAttempts] after too many changes by the same one.
func (s *Service) mayVerify(id string, user store.User, address *string) (mails bool, end func(changed bool), err error) {
	if s.c.Mails == nil || address == nil || *address == "" || *address == user.Email {
		return false, func(bool) {}, nil
	}
	change, err := s.mayMail(s.mailsBy(id, user.ID))
	if err != nil {
		return false, nil, err
	}
	mail, enough := s.mayMail(s.mailsTo(*address))
	if enough != nil {
		return false, change, nil
	}
	return true, func(changed bool) { change(changed); mail(changed) }, nil
}

// verification returns the operations that ask a user to verify an address that they didn't have
// before. Somebody who hasn't signed in yet is asked when they do: until then the account is a
// name on a list.
func (s *Service) verification(user store.User, before string) store.Batch {
	if user.Email == "" || user.Email == before || user.EmailVerified || user.LastSignIn.IsZero() {
		return nil
	}
	return s.c.Mails.Verification(user)
}

// SendsMails reports whether mails are sent at all.
func (s *Service) SendsMails() bool { return s.c.Mails != nil }

var errMailOff = shared.Errorf(shared.CodeMailOff, "This server sends no mails. Ask your IT.")

// SendVerification sends the signed-in user the mail with which they verify their address, once more.
//
// Refusals: [shared.CodeMailOff], [shared.CodeConflict] where there is nothing to verify, and
// [shared.CodeTooManyAttempts].
func (s *Service) SendVerification(ctx context.Context, who session.Actor) error {
	if s.c.Mails == nil {
		return errMailOff
	}
	end, err := s.mayMail(s.mailsBy(who.User.ID, who.User.ID), s.mailsTo(who.User.Email))
	if err != nil {
		return err
	}
	err = s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		if user.Email == "" || user.EmailVerified {
			return nil, shared.Errorf(shared.CodeConflict, "There is no e-mail address to verify.")
		}
		return append(s.c.Mails.Verification(user), store.HasUser{ID: user.ID}), nil
	})
	end(err == nil)
	return err
}

// verifiedBy verifies the address of a user if the provider of the claims knows that they read what
// is sent there, and no other user has it. It returns the operation that records that.
func (s *Service) verifiedBy(ctx context.Context, claims Claims, user *store.User, who session.Actor) (store.Batch, error) {
	if user.EmailVerified || user.Email == "" || store.EmailKey(user.Email) != store.EmailKey(claims.vouchedEmail()) {
		return nil, nil
	}
	free, err := s.isFreeEmail(ctx, *user)
	if err != nil || !free {
		return nil, err
	}
	user.EmailVerified, who.User = true, *user
	return store.Batch{s.identityEvent(claims.Provider, who, shared.EventEmailVerified)}, nil
}

// Verification describes the link with this token, without using it.
//
// Refusal: [shared.CodeNotFound] for a link that can't be used.
func (s *Service) Verification(ctx context.Context, token string) (MailLink, error) {
	open, err := s.openMailLink(ctx, token, linkVerifies)
	if err != nil {
		return MailLink{}, err
	}
	return open, open.link.mayVerify(open.User)
}

func (l mailLink) mayVerify(user store.User) error {
	switch {
	case user.Disabled:
		return goneLink(errDisabled)
	case !l.wentTo(user.Email):
		return goneLink(errors.New("the user has another address"))
	case user.EmailVerified:
		return goneLink(errors.New("the address is verified"))
	}
	return nil
}

// Verify uses a link that verifies the address of its user. The actor is the bearer of the link.
//
// Refusals: [shared.CodeNotFound] if the link can't be used any more, and [shared.CodeEmailTaken]
// if another user has verified the address first.
func (s *Service) Verify(ctx context.Context, who session.Actor, open MailLink) error {
	who.User = open.User
	err := s.change(ctx, open.User, func(user store.User) (store.Batch, error) {
		if err := open.link.mayVerify(user); err != nil {
			return nil, err
		}
		user.EmailVerified = true
		return store.Batch{store.PutUser{User: user}, open.link.use(), s.event(who, shared.EventEmailVerified)}, nil
	})
	switch {
	case errors.Is(err, store.ErrEmailExists):
		return emailTaken(open.User.Email)
	case usedLinks.Changed(err), errors.Is(err, store.ErrNotFound):
		return goneLink(err)
	}
	return err
}
