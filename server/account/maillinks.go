package account

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/internal/seal"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// A link in a mail shows that whoever opens it reads what is sent to an address. Its token has
// everything, sealed: so the store holds no token, and nothing is written before a link is used.
// It works once, and only while the user has the address. No such link signs anybody in, or adds
// a way to sign in. The link of an invitation is another one: see enrolment.go.

// mailLink is what a token says. All fields have a fixed length, so that a token has too.
type mailLink struct {
	Purpose linkPurpose
	User    [16]byte
	Mail    [16]byte // the same in each copy of a mail: one use is for all of them
	Address [16]byte // where the mail went
	Expires int64    // Unix time
}

// linkPurpose is the only use of a link.
type linkPurpose byte

// The values of linkPurpose.
const (
	linkVerifies linkPurpose = iota + 1
	linkHolds
	linkReleases
)

// linkLife is how long a link of each purpose is valid, from the moment when its mail is sent.
var linkLife = map[linkPurpose]time.Duration{
	linkVerifies: 24 * time.Hour,
	linkHolds:    7 * 24 * time.Hour,
	linkReleases: heldFor,
}

// linkFormat is authenticated with every token. Change it together with mailLink.
const linkFormat = "keypeg link in a mail 1"

const secretMailLinks = "mail-link-key"

// usedLinks are the links of a user that were used, until they would have expired.
var usedLinks = store.Collection[struct{}]{Name: "used-mail-link"}

func shortHash(text string) (short [16]byte) {
	hash := store.HashOf(text)
	copy(short[:], hash[:])
	return short
}

// VerificationToken returns the token with which whoever reads a mail to an address verifies it
// for a user. Mail names the mail; each copy of it has a token of the same link. It fails with
// [store.ErrNotFound] if the mail isn't needed any more: the address is verified or another one, or
// the user is disabled or removed.
func (s *Service) VerificationToken(ctx context.Context, userID, address, mail string) (token string, expires time.Time, err error) {
	user, err := s.c.Store.User(ctx, userID)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("looking for who verifies an address: %w", err)
	}
	if gone := (mailLink{Address: shortHash(store.EmailKey(address))}).mayVerify(user); gone != nil {
		return "", time.Time{}, fmt.Errorf("%w: %w", gone, store.ErrNotFound)
	}
	return s.mailToken(ctx, linkVerifies, userID, address, mail)
}

func (s *Service) mailToken(ctx context.Context, purpose linkPurpose, userID, address, mail string) (token string, expires time.Time, err error) {
	key, err := store.SecretOrNew(ctx, s.c.Store, secretMailLinks, seal.KeySize)
	if err != nil {
		return "", time.Time{}, err
	}
	sealer, err := seal.New(key, linkFormat)
	if err != nil {
		return "", time.Time{}, err
	}
	expires = s.c.Now().Add(linkLife[purpose])
	link := mailLink{Purpose: purpose, Mail: shortHash(mail), Address: shortHash(store.EmailKey(address)), Expires: expires.Unix()}
	if _, err := hex.Decode(link.User[:], []byte(userID)); err != nil {
		return "", time.Time{}, fmt.Errorf("making a link for %q: %w", userID, err)
	}
	plain, err := binary.Append(nil, binary.BigEndian, link)
	return sealer.Seal(plain), expires, err
}

// MailLink describes a link of a mail that can be used.
type MailLink struct {
	User    store.User
	Address string // of the mail, for a link of a notice
	Expires time.Time

	link mailLink
}

// openMailLink reads a token, and finds its user. It writes nothing.
//
// Refusal: [shared.CodeNotFound] for a link that can't be used.
func (s *Service) openMailLink(ctx context.Context, token string, purposes ...linkPurpose) (open MailLink, err error) {
	open.link, err = s.readMailLink(ctx, token)
	if err != nil {
		return MailLink{}, err
	}
	link := open.link
	open.Expires = time.Unix(link.Expires, 0)
	switch now := s.c.Now(); {
	case !slices.Contains(purposes, link.Purpose):
		return MailLink{}, goneLink(errors.New("the link is for something else"))
	case !now.Before(open.Expires), open.Expires.After(now.Add(linkLife[link.Purpose] + store.ClockSkew)):
		return MailLink{}, goneLink(errors.New("the link has expired"))
	}
	used, err := usedLinks.Has(ctx, s.c.Store, link.userID(), link.key())
	if used {
		return MailLink{}, goneLink(errors.New("the link was used"))
	}
	if err == nil {
		open.User, err = s.c.Store.User(ctx, link.userID())
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return MailLink{}, goneLink(errors.New("the user was removed"))
	case err != nil:
		return MailLink{}, fmt.Errorf("looking up the link of a mail: %w", err)
	}
	return open, nil
}

func (s *Service) readMailLink(ctx context.Context, token string) (link mailLink, err error) {
	// The key is made together with the first link. Without it no token is ours, and a
	// stranger's request must write nothing.
	key, err := store.Secret(ctx, s.c.Store, secretMailLinks)
	if errors.Is(err, store.ErrNotFound) {
		return link, goneLink(errors.New("no mail had a link yet"))
	}
	if err != nil {
		return link, fmt.Errorf("looking up the key of links: %w", err)
	}
	sealer, err := seal.New(key, linkFormat)
	if err != nil {
		return link, err
	}
	plain, err := sealer.Open(token)
	if err != nil {
		return link, goneLink(fmt.Errorf("the token %w", err))
	}
	if n, err := binary.Decode(plain, binary.BigEndian, &link); err != nil || n != len(plain) {
		return link, goneLink(errors.New("the token can't be decoded"))
	}
	return link, nil
}

func (l mailLink) userID() string { return hex.EncodeToString(l.User[:]) }

func (l mailLink) key() string { return hex.EncodeToString(l.Mail[:]) }

// wentTo reports whether the mail with the link went to an address.
func (l mailLink) wentTo(address string) bool {
	return address != "" && l.Address == shortHash(store.EmailKey(address))
}

// use returns the operation that uses the link. Of any number of requests, on any number of
// nodes, it succeeds for one.
func (l mailLink) use() store.Op {
	return usedLinks.Put(store.Entry[struct{}]{Owner: l.userID(), Key: l.key(), Expires: time.Unix(l.Expires, 0)})
}

// goneLink is the refusal of a link that can't be used. It doesn't say why.
func goneLink(cause error) error {
	return shared.Errorf(shared.CodeNotFound, "This link was used already, or is too old. Take the one in the newest mail.").Because(cause)
}
