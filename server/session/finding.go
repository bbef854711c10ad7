package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// Find returns the session of a token, and its user, and moves its idle end
// on. It fails with [shared.CodeUnauthenticated] when there is none, it has
// ended, or its user was disabled.
func (s *Service) Find(ctx context.Context, token string) (store.Session, store.User, error) {
	if len(token) != store.SessionTokenLength {
		return store.Session{}, store.User{}, ErrEnded
	}
	session, user, moved, err := s.sessionOf(ctx, store.SessionID(token))
	if errors.Is(err, store.ErrNotFound) || (err == nil && user.Disabled) {
		return store.Session{}, store.User{}, ErrEnded
	}
	if err != nil {
		return store.Session{}, store.User{}, fmt.Errorf("looking up a session: %w", err)
	}
	if moved {
		session.Authenticated = time.Time{}
		return session, user, nil
	}

	session, err = s.seen(ctx, session)
	return session, user, err
}

// sessionOf finds a session and its user. A request that was on its way
// while its user confirmed, as of a page that heard of the confirmation before its own
// browser did, has the token from before: for a moment that finds the session too, but
// as one that nobody has confirmed.
func (s *Service) sessionOf(ctx context.Context, id store.Hash) (session store.Session, user store.User, moved bool, err error) {
	for {
		session, user, err = s.c.Store.SessionUser(ctx, id)
		if !errors.Is(err, store.ErrNotFound) {
			return session, user, moved, err
		}
		link, linkErr := s.c.Store.Link(ctx, movedKey(id))
		if linkErr != nil {
			return session, user, moved, linkErr
		}
		if link.Expires.Add(onTheWayFor - movedFor).Before(s.c.Now()) {
			return session, user, moved, err
		}
		id, moved = link.Hash, true
	}
}

// seen notes that a session is used: often enough for its idle end to be right to
// a few percent, and rarely enough for it not to be a write with every request.
func (s *Service) seen(ctx context.Context, session store.Session) (store.Session, error) {
	now := s.c.Now()
	if now.Sub(session.Seen) < max(time.Minute, s.c.Idle/24) {
		return session, nil
	}

	before := session
	session.Seen, session.Expires = now, s.ends(session, now)
	switch err := s.c.Store.Apply(ctx, store.Batch{store.ReplaceSession{Old: session.ID, Session: session}}); {
	case errors.Is(err, store.ErrNotFound):
		return store.Session{}, ErrEnded // it ended just now
	case err != nil:
		s.c.Log.Warn("a session's use was not stored", "cause", err)
		return before, nil
	}
	return session, nil
}
