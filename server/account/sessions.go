package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// SignIn tells how a session begins, or how it was confirmed.
type SignIn struct {
	Method      store.Method
	PasskeyID   string
	PasskeyName string
	// Provider and ProviderName are of an OpenID provider: its name in the
	// configuration, and what people call it.
	Provider     string
	ProviderName string
	Client       store.Client
}

// Opened is a session that has a new token. The token goes into the browser's
// cookie and nowhere else.
type Opened struct {
	Token   string
	Session store.Session
	User    store.User
}

// Open makes a session for user and the operations that store it, with its event
// and the end of the session that the browser had before (replaces; zero for
// none). It writes nothing: the operations belong into the batch that proves the
// sign-in. Who has very many sessions loses the one that was used least recently.
func (s *Service) Open(user store.User, how SignIn, replaces store.Session) (Opened, store.Batch) {
	now := s.Now()
	token := store.NewSessionToken(now)
	session := store.Session{
		ID: store.SessionID(token), UserID: user.ID,
		Method: how.Method, PasskeyID: how.PasskeyID, Provider: how.Provider, Client: how.Client,
		Created: now, Seen: now, Authenticated: now,
	}
	session.Expires = s.ends(session, now)

	batch := store.Batch{store.AddSession{Session: session, Most: mostSessions}, s.tells(shared.EventSignedIn, user.ID, how)}
	if replaces.ID != (store.Hash{}) {
		batch = append(batch, store.EndSession{ID: replaces.ID})
		if replaces.UserID != user.ID {
			// So their pages that are open hear of it, and leave.
			batch = append(batch, store.AddEvent{Event: store.NewEvent(now, replaces.UserID, shared.EventSignedOut, how.Client)})
		}
	}
	return Opened{token, session, user}, batch
}

// ends is when a session ends that is used now.
func (s *Service) ends(session store.Session, now time.Time) time.Time {
	idle, last := now.Add(s.Idle), session.Created.Add(s.Config.Lifetime)
	if last.Before(idle) {
		return last
	}
	return idle
}

func (s *Service) tells(kind shared.EventKind, userID string, how SignIn) store.AddEvent {
	event := store.NewEvent(s.Now(), userID, kind, how.Client)
	event.Method, event.PasskeyID, event.Passkey, event.Provider = how.Method, how.PasskeyID, how.PasskeyName, how.ProviderName
	return store.AddEvent{Event: event}
}

var errSignInAgain = shared.Errorf(shared.CodeUnauthenticated, "Your session has ended. Please sign in again.")

// Session returns the session of a token, and its user, and moves its idle end
// on. It fails with [shared.CodeUnauthenticated] when there is none, it has
// ended, or its user was disabled.
func (s *Service) Session(ctx context.Context, token string) (store.Session, store.User, error) {
	if len(token) != store.SessionTokenLength {
		return store.Session{}, store.User{}, errSignInAgain
	}
	session, user, moved, err := s.sessionOf(ctx, store.SessionID(token))
	if errors.Is(err, store.ErrNotFound) || (err == nil && user.Disabled) {
		return store.Session{}, store.User{}, errSignInAgain
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
		session, user, err = s.Store.SessionUser(ctx, id)
		if !errors.Is(err, store.ErrNotFound) {
			return session, user, moved, err
		}
		link, linkErr := s.Store.Link(ctx, movedKey(id))
		if linkErr != nil {
			return session, user, moved, linkErr
		}
		if link.Expires.Add(onTheWayFor - movedFor).Before(s.Now()) {
			return session, user, moved, err
		}
		id, moved = link.Hash, true
	}
}

// seen notes that a session is used: often enough for its idle end to be right to
// a few percent, and rarely enough for it not to be a write with every request.
func (s *Service) seen(ctx context.Context, session store.Session) (store.Session, error) {
	now := s.Now()
	if now.Sub(session.Seen) < max(time.Minute, s.Idle/24) {
		return session, nil
	}

	before := session
	session.Seen, session.Expires = now, s.ends(session, now)
	switch err := s.Store.Apply(ctx, store.Batch{store.ReplaceSession{Old: session.ID, Session: session}}); {
	case errors.Is(err, store.ErrNotFound):
		return store.Session{}, errSignInAgain // it ended just now
	case err != nil:
		s.Log.Warn("a session's use was not stored", "cause", err)
		return before, nil
	}
	return session, nil
}

// SignOut ends the session of a token, and returns it. One that has none is no
// error.
func (s *Service) SignOut(ctx context.Context, token string, client store.Client) (store.Session, error) {
	return s.end(ctx, store.SessionID(token), shared.EventSignedOut, client)
}

// end ends a session, and the one that took its place if its user confirmed at the
// same moment: with the session gone, no confirmation of it can succeed any more,
// so one look afterwards finds it. What also happens is done with it.
func (s *Service) end(ctx context.Context, id store.Hash, kind shared.EventKind, client store.Client, also ...store.Op) (ended store.Session, err error) {
	for {
		session, err := s.Store.Session(ctx, id)
		if err == nil {
			ended = session
			event := store.NewEvent(s.Now(), session.UserID, kind, client)
			err = s.Store.Apply(ctx, append(store.Batch{store.EndSession{ID: id}, store.AddEvent{Event: event}}, also...))
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return ended, fmt.Errorf("ending a session: %w", err)
		}

		moved, err := s.Store.Link(ctx, movedKey(id))
		if errors.Is(err, store.ErrNotFound) {
			return ended, nil
		}
		if err != nil {
			return ended, fmt.Errorf("looking for the session that took its place: %w", err)
		}
		id = moved.Hash
	}
}
