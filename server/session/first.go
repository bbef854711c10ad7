package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keypeg/keypeg/server/store"
)

// Of returns a session by the id with which it began, and its user. It doesn't count as use of the session,
// because a program that works by itself must not keep anybody signed in.
//
// Refusal: [shared.CodeUnauthenticated] if the session has ended or its user is disabled.
func (s *Service) Of(ctx context.Context, first store.Hash) (store.Session, store.User, error) {
	session, user, err := s.c.Store.SessionUser(ctx, first)
	if errors.Is(err, store.ErrNotFound) {
		session, user, err = s.confirmed(ctx, first)
	}
	switch {
	case errors.Is(err, store.ErrNotFound) || err == nil && user.Disabled:
		return store.Session{}, store.User{}, ErrEnded
	case err != nil:
		return store.Session{}, store.User{}, fmt.Errorf("looking up a session by its first id: %w", err)
	}
	return session, user, nil
}

// confirmed finds a session that has another id by now. It fails with [store.ErrNotFound].
func (s *Service) confirmed(ctx context.Context, first store.Hash) (session store.Session, user store.User, err error) {
	for {
		sessions, err := s.c.Store.Sessions(ctx, store.UserOfSession(first), store.Hash{}, most)
		if err != nil {
			return session, user, err
		}
		at := slices.IndexFunc(sessions, func(other store.Session) bool { return other.First == first })
		if at < 0 {
			return session, user, store.ErrNotFound
		}
		session, user, err = s.c.Store.SessionUser(ctx, sessions[at].ID)
		if !errors.Is(err, store.ErrNotFound) { // otherwise it was confirmed once more, or has ended
			return session, user, err
		}
	}
}
