package account

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// FreshUntil is how long a session may do what needs a recent confirmation.
func (s *Service) FreshUntil(session store.Session) time.Time {
	return session.Authenticated.Add(s.ConfirmFor)
}

// Fresh refuses with [shared.CodeConfirmRequired] when the user proved who they
// are too long ago, or in a future that a clock which was set back has before it.
func (s *Service) Fresh(session store.Session) error {
	now := s.Now()
	if now.Before(s.FreshUntil(session)) && !session.Authenticated.After(now.Add(store.ClockSkew)) {
		return nil
	}
	return shared.Errorf(shared.CodeConfirmRequired, "Please confirm that it's you.")
}

// Confirm gives a session a new token and makes it fresh. Like [Service.Open] it
// writes nothing: the operations belong into the batch that proves the
// confirmation, which fails with [store.ErrNotFound] if the session has ended.
func (s *Service) Confirm(session store.Session, user store.User, how SignIn) (Opened, store.Batch) {
	now := s.Now()
	token, old := store.NewSessionToken(now), session.ID
	session.ID, session.Authenticated, session.Seen = store.SessionID(token), now, now
	session.Expires = s.ends(session, now)
	return Opened{token, session, user}, store.Batch{
		store.ReplaceSession{Old: old, Session: session},
		store.PutLink{Link: store.Link{Key: movedKey(old), Hash: session.ID, Expires: now.Add(movedFor)}},
		s.tells(shared.EventConfirmed, user.ID, how),
	}
}

// movedFor is how long it is known which session took the place of which. Who
// signs out while a confirmation is on its way has the old token in hand.
const movedFor = 5 * time.Minute

// onTheWayFor is how long a token from before a confirmation is taken.
const onTheWayFor = 10 * time.Second

func movedKey(old store.Hash) string { return "moved/" + hex.EncodeToString(old[:]) }

// ConfirmPassword confirms with the user's password. A wrong one is refused with
// [shared.CodeSignInRefused], too many with [shared.CodeTooManyAttempts], and any where
// the policy takes none of the user with [shared.CodePasswordsOff]; the session goes on
// as it was.
func (s *Service) ConfirmPassword(ctx context.Context, session store.Session, user store.User, password string, client store.Client) (Opened, error) {
	end, err := s.mayGuess(s.guesses.ofConfirmation(user))
	if err != nil {
		return Opened{}, err
	}
	opened, err := s.confirm(ctx, session, user, password, client)
	end(shared.CodeOf(err) == shared.CodeSignInRefused)
	return opened, err
}

func (s *Service) confirm(ctx context.Context, session store.Session, user store.User, password string, client store.Client) (Opened, error) {
	if err := s.passwordAllowed(user); err != nil {
		return Opened{}, err
	}
	hash := user.Password
	if hash == "" {
		hash = s.Hasher.nobody
	}
	right, _, err := s.verify(ctx, password, hash, false)
	if err != nil {
		return Opened{}, err
	}
	if !right || user.Password == "" {
		s.tellFailed(user, store.MethodPassword, client)
		return Opened{}, shared.Errorf(shared.CodeSignInRefused, "This password is not right.")
	}

	opened, batch := s.Confirm(session, user, SignIn{Method: store.MethodPassword, Client: client})
	err = s.Store.Apply(ctx, batch)
	if errors.Is(err, store.ErrNotFound) {
		return Opened{}, errSignInAgain
	}
	if err != nil {
		return Opened{}, fmt.Errorf("storing a confirmation: %w", err)
	}
	return opened, nil
}
