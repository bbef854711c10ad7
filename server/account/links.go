package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/keypeg/keypeg/server/store"
)

// linkHash is what the store has of a link: the hash of its token.
type linkHash struct {
	Hash   store.Hash   `json:"hash"`
	By     string       `json:"by,omitempty"`     // the id of the administrator or helper who has seen the link: see stands
	Mailed string       `json:"mailed,omitempty"` // the address to which the link goes: see invitation.go
	Copies []store.Hash `json:"copies,omitempty"` // in place of Hash
}

var (
	// setupLinks has at most one entry, with the key "".
	setupLinks = store.Collection[linkHash]{Name: "setup-link"}
	// enrolmentLinks has at most one entry for each user and kind. The user is the owner, and
	// the kind is the key.
	enrolmentLinks = store.Collection[linkHash]{Name: "enrolment-link"}
)

var (
	errNoLink = errors.New("no such link")
	errFallen = errors.New("the link doesn't work at the moment") // see stands
)

// linkOf returns the entry under a key, if it is of the link with this token. Whoever removes
// the entry uses the link: of any number of requests, on any number of nodes, one can.
// Otherwise it fails with errNoLink.
func (s *Service) linkOf(ctx context.Context, links store.Collection[linkHash], owner, key, token string) (store.Entry[linkHash], error) {
	link, err := links.Get(ctx, s.c.Store, owner, key)
	if errors.Is(err, store.ErrNotFound) || (err == nil && !link.Value.isOf(token)) {
		return store.Entry[linkHash]{}, errNoLink
	}
	return link, err
}

// IsLinkOfAPerson reports whether an item is a link that was given to a person, to set up an
// account or an installation.
func IsLinkOfAPerson(item store.Item) bool {
	return setupLinks.Holds(item) || enrolmentLinks.Holds(item)
}

// stands returns the operations on which the use of a link stands. It fails with errFallen if its user is
// disabled or has another address than that to which it was mailed, or if whoever has seen it may not
// help its user: a helper who has lost that right may have kept the link, and the user of an invitation
// may have become an administrator, whom no helper may help. A link that went by mail was seen by nobody
// else, and one of IT needs no right.
func (s *Service) stands(ctx context.Context, link linkHash, user store.User) (store.Batch, error) {
	switch {
	case user.Disabled:
		return nil, fmt.Errorf("%w: %w", errFallen, errDisabled)
	case link.isElsewhere(user):
		return nil, fmt.Errorf("%w: %w", errFallen, errElsewhere)
	case link.By == "", link.By == user.ID:
		return nil, nil
	}
	by, err := s.c.Store.User(ctx, link.By)
	switch {
	case errors.Is(err, store.ErrNotFound) || err == nil && MayWith(by, user) < RightHelp:
		return nil, fmt.Errorf("%w: whoever made it may not help its user any more", errFallen)
	case err != nil:
		return nil, fmt.Errorf("looking who made a link: %w", err)
	}
	return store.Batch{store.HasUser{ID: by.ID, Revision: by.Revision}}, nil
}
