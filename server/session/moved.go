package session

import (
	"context"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// moved has the new id of each session that was confirmed a while ago. A confirmation gives a
// session a new token, and so a new id. The owner is the user, and the key is the old id.
var moved = store.Collection[store.Hash]{Name: "moved-session"}

const (
	// movedFor is how long an entry stays. A request to sign out that is under way during a
	// confirmation has the old token.
	movedFor = 5 * time.Minute
	// onTheWayFor is how long the token from before a confirmation is accepted.
	onTheWayFor = 10 * time.Second
)

// movedFrom returns the entry of the session that had this id before a confirmation. It fails
// with [store.ErrNotFound].
func (s *Service) movedFrom(ctx context.Context, old store.Hash) (store.Entry[store.Hash], error) {
	return moved.Get(ctx, s.c.Store, store.UserOfSession(old), old.String())
}
