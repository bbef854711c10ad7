package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// An invitation can go to its user by mail. Whoever made it doesn't see the link then: so using it
// shows that its bearer reads what is sent to the address, and verifies that. The token is made when
// the mail is sent. Each copy of the mail has one of its own, and all of them together work once, as
// long as the user has the address: if it was mistyped, a stranger has the mail, and correcting the
// address ends it.

// mostCopies is how many copies of a mailed invitation have a link that works. A mail is tried again
// only if it isn't known to have arrived.
const mostCopies = 4

// isOf reports whether a link has this token.
func (l linkHash) isOf(token string) bool {
	hash := store.HashOf(token)
	is := l.Hash == hash
	for _, copied := range l.Copies {
		is = is || copied == hash
	}
	return is
}

// isElsewhere reports whether a link went by mail to an address that isn't the user's.
func (l linkHash) isElsewhere(user store.User) bool {
	return l.Mailed != "" && store.EmailKey(l.Mailed) != store.EmailKey(user.Email)
}

var errElsewhere = errors.New("the link went to another address than the user's")

func newLinkToken(kind store.Method, userID string) string {
	return string(kind) + "." + userID + "." + rand.Text()
}

// invitation returns a new invitation, and the operations that store it.
func (s *Service) invitation(user store.User, by string, mailed bool) (Link, store.Batch) {
	if !mailed {
		link, put := s.newLink(store.MethodInvitation, user.ID, by)
		return link, store.Batch{put}
	}
	link := Link{MailedTo: user.Email, Expires: s.c.Now().Add(enrolmentLife[store.MethodInvitation])}
	put := enrolmentLinks.Put(store.Entry[linkHash]{
		Owner: user.ID, Key: string(store.MethodInvitation), Value: linkHash{Mailed: user.Email},
		Version: store.AnyVersion, Expires: link.Expires,
	})
	return link, append(s.c.Mails.Invitation(user), put)
}

// mayInvite is mayMail for an invitation by the actor, if it goes by mail.
//
// Refusals: [shared.CodeMailOff], [shared.CodeInvalidEmail] for a user without an address, and
// [shared.CodeTooManyAttempts].
func (s *Service) mayInvite(who session.Actor, user store.User, mailed bool) (end func(made bool), err error) {
	switch {
	case !mailed:
		return func(bool) {}, nil
	case s.c.Mails == nil:
		return nil, errMailOff
	case user.Email == "":
		return nil, shared.Errorf(shared.CodeInvalidEmail, "An invitation by mail needs an e-mail address.")
	}
	return s.mayMail(s.mailsBy(who.By.ID, user.ID))
}

// InvitationToken returns the token for one more copy of a mailed invitation. It fails with
// [store.ErrNotFound] if the mail isn't needed any more: the invitation was used, withdrawn or
// replaced, or the user has another address.
func (s *Service) InvitationToken(ctx context.Context, userID, address string) (token string, expires time.Time, err error) {
	for range store.Attempts {
		link, err := enrolmentLinks.Get(ctx, s.c.Store, userID, string(store.MethodInvitation))
		if err != nil {
			return "", time.Time{}, fmt.Errorf("looking up an invitation: %w", err)
		}
		if link.Value.Mailed == "" || link.Value.Mailed != address {
			return "", time.Time{}, fmt.Errorf("the invitation wasn't for this mail: %w", store.ErrNotFound)
		}
		user, err := s.c.Store.User(ctx, userID)
		if err != nil {
			return "", time.Time{}, fmt.Errorf("looking for who is invited: %w", err)
		}
		if link.Value.isElsewhere(user) {
			return "", time.Time{}, fmt.Errorf("%w: %w", errElsewhere, store.ErrNotFound)
		}
		token := newLinkToken(store.MethodInvitation, userID)
		copies := append(link.Value.Copies, store.HashOf(token))
		link.Value.Copies = copies[max(0, len(copies)-mostCopies):]
		err = s.c.Store.Apply(ctx, store.Batch{enrolmentLinks.Put(link), store.HasUser{ID: userID, Revision: user.Revision}})
		if !enrolmentLinks.Changed(err) && !errors.Is(err, store.ErrStale) { // by another copy, or with the user
			return token, link.Expires, err
		}
	}
	return "", time.Time{}, errors.New("an invitation is changed all the time")
}

// verifiedByMail verifies the address of a user who uses a link that came by mail to it, if no other
// user has it. It returns the operation that records that.
func (s *Service) verifiedByMail(ctx context.Context, link linkHash, user *store.User, who session.Actor) (store.Batch, error) {
	if user.EmailVerified || link.Mailed == "" || link.isElsewhere(*user) {
		return nil, nil
	}
	free, err := s.isFreeEmail(ctx, *user)
	if err != nil || !free {
		return nil, err
	}
	user.EmailVerified = true
	return store.Batch{s.event(who, shared.EventEmailVerified)}, nil
}
