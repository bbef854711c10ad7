package account

import (
	"context"
	"errors"

	"github.com/keypeg/keypeg/server/store"
)

// linkHash is what the store has of a link: the hash of its token.
type linkHash struct {
	Hash   store.Hash   `json:"hash"`
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

var errNoLink = errors.New("no such link")

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
