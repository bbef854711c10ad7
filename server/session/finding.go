package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// Find returns the session of a token, and its user, and counts as use of the session.
//
// Refusal: [shared.CodeUnauthenticated] if there is no such session, it has ended, or its
// user is disabled.
func (s *Service) Find(ctx context.Context, token string) (store.Session, store.User, error) {
	if len(token) != store.SessionTokenLength {
		return store.Session{}, store.User{}, ErrEnded
	}
	session, user, onTheWay, err := s.sessionOf(ctx, store.SessionID(token))
	if errors.Is(err, store.ErrNotFound) || (err == nil && user.Disabled) {
		return store.Session{}, store.User{}, ErrEnded
	}
	if err != nil {
		return store.Session{}, store.User{}, fmt.Errorf("looking up a session: %w", err)
	}
	if onTheWay {
		session.Authenticated, session.Proof = time.Time{}, store.Proof{}
		return session, user, nil
	}

	session, err = s.Seen(ctx, session)
	return session, user, err
}

// sessionOf finds a session and its user. A request that was sent during a confirmation has
// the old token: a page may hear of the confirmation before its browser has the new cookie.
// For a short time the old token finds the session too. OnTheWay is true then, and the caller
// must treat the session as unconfirmed: whoever has the old token hasn't proved what the confirmation has.
func (s *Service) sessionOf(ctx context.Context, id store.Hash) (session store.Session, user store.User, onTheWay bool, err error) {
	for {
		session, user, err = s.c.Store.SessionUser(ctx, id)
		if !errors.Is(err, store.ErrNotFound) {
			return session, user, onTheWay, err
		}
		to, lookup := s.movedFrom(ctx, id)
		if lookup != nil {
			return session, user, onTheWay, lookup
		}
		if to.Expires.Add(onTheWayFor - movedFor).Before(s.c.Now()) {
			return session, user, onTheWay, err
		}
		id, onTheWay = to.Value, true
	}
}

// Used returns a session as it is after it was used now. The caller stores it.
func (s *Service) Used(session store.Session) store.Session {
	now := s.c.Now()
	session.Seen, session.Expires = now, s.ends(session, now)
	return session
}

// Seen stores that a session is used, by a request with a person behind. It does so often enough for the idle
// time to be right to a few percent, and rarely enough to avoid a write for every request. A failure of the
// store is no error: the session is used all the same.
//
// Refusal: [shared.CodeUnauthenticated] if the session ended just now.
func (s *Service) Seen(ctx context.Context, session store.Session) (store.Session, error) {
	now := s.c.Now()
	if now.Sub(session.Seen) < max(time.Minute, s.c.Idle/24) {
		return session, nil
	}

	before := session
	session = s.Used(session)
	switch err := s.c.Store.Apply(ctx, store.Batch{store.ReplaceSession{Old: session.ID, Session: session}}); {
	case errors.Is(err, store.ErrNotFound):
		return store.Session{}, ErrEnded // it ended just now
	case err != nil:
		s.c.Log.Warn("a session's use was not stored", "cause", err)
		return before, nil
	}
	return session, nil
}
