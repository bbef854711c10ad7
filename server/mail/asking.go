package mail

import (
	"context"
	"errors"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Mails that ask for something. Each has a link with a token. The token is made when the mail is
// sent, so that neither the queue nor a backup of it has one.

// Links makes the tokens of links. It fails with [store.ErrNotFound] if a link isn't needed any
// more; then its mail isn't sent. Package account has them.
type Links interface {
	// VerificationToken is for the link with which a user verifies an address. Mail names the
	// mail, in all its copies.
	VerificationToken(ctx context.Context, userID, address, mail string) (token string, expires time.Time, err error)
	// InvitationToken is for the link with which a new user chooses how to sign in.
	InvitationToken(ctx context.Context, userID, address string) (token string, expires time.Time, err error)
	// HoldToken is for the link *This wasn't me* of a notice, and ReleaseToken for the link that ends
	// a hold.
	HoldToken(ctx context.Context, userID, address, mail string) (token string, expires time.Time, err error)
	ReleaseToken(ctx context.Context, userID, address, mail string) (token string, expires time.Time, err error)
}

// asked has at most one entry for each user, with the key "": the address that they were asked to
// verify.
var asked = store.Collection[address]{Name: "mail-asked"}

// asksAgain is how long nobody is asked at a sign-in for an address that they were asked for before.
const asksAgain = 30 * 24 * time.Hour

// The kinds of mails that have a link of their own, but notices.
const (
	kindHeld         shared.EventKind = shared.EventHeld
	kindVerification shared.EventKind = "email_verification"
	kindInvitation   shared.EventKind = "invitation"
)

// link is the link of one copy of a mail.
type link struct {
	target  string // "" for none
	expires time.Time
}

// linkOf makes the link of a mail that is about to be sent.
func (q *Queue) linkOf(ctx context.Context, userID, key string, n news) (link, error) {
	var page, token string
	var expires time.Time
	var err error
	switch n.Kind {
	case kindVerification:
		page = shared.PageVerify
		token, expires, err = q.Links.VerificationToken(ctx, userID, n.To, key)
	case kindInvitation:
		page = shared.PageEnrol
		token, expires, err = q.Links.InvitationToken(ctx, userID, n.To)
	case kindHeld:
		if !n.Releases {
			return link{}, nil
		}
		page = shared.PageRelease
		token, expires, err = q.Links.ReleaseToken(ctx, userID, n.To, key)
	default:
		if row, is := noticeOf(n.Kind, n.Method); !is || row.shutOut {
			return link{}, nil
		}
		page = shared.PageNotMe
		token, expires, err = q.Links.HoldToken(ctx, userID, n.To, key)
	}
	if err != nil {
		return link{}, err
	}
	return link{q.Origin + page + "?token=" + token, expires}, nil
}

// Verification returns the operations that queue the mail with which a user verifies their address.
func (q *Queue) Verification(user store.User) store.Batch {
	note := store.Entry[address]{Owner: user.ID, Value: address{user.Email}, Version: store.AnyVersion, Expires: q.Now().Add(asksAgain)}
	return append(q.put(user.ID, q.asking(user, kindVerification)), asked.Put(note))
}

// Invitation returns the operations that queue the mail with which a new user chooses how to sign in.
func (q *Queue) Invitation(user store.User) store.Batch {
	return q.put(user.ID, q.asking(user, kindInvitation))
}

// Held returns the operations that queue the mails about a hold, to all addresses that get notices. That
// to the address that set it has a link to end it.
func (q *Queue) Held(ctx context.Context, user store.User, event store.Event, address string) (ops store.Batch, err error) {
	addresses, err := q.Addresses(ctx, user)
	for _, to := range addresses {
		n := newsOf(event, user, to)
		n.UserName, n.Until, n.Releases = user.Name, user.HeldUntil, to == address
		ops = append(ops, q.put(user.ID, n)...)
	}
	return ops, err
}

func (q *Queue) asking(user store.User, kind shared.EventKind) news {
	return news{To: user.Email, Language: user.Language, Name: user.DisplayName, UserName: user.Name, Kind: kind, Time: q.Now()}
}

// asks returns the operations that ask a user who signs in to verify their address, if they weren't
// asked lately: the address may be older than the mails, or than the user's first sign-in.
func (m *mailing) asks(ctx context.Context, user store.User) (store.Batch, error) {
	if user.Email == "" || user.EmailVerified {
		return nil, nil
	}
	last, err := asked.Get(ctx, m.Store, user.ID, "")
	if err != nil && !errors.Is(err, store.ErrNotFound) || err == nil && last.Value.Address == user.Email {
		return nil, err
	}
	return m.queue.Verification(user), nil
}
