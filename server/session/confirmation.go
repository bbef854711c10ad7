package session

import (
	"encoding/hex"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// FreshUntil is how long a session may do what needs a recent confirmation.
func (s *Service) FreshUntil(session store.Session) time.Time {
	return session.Authenticated.Add(s.c.ConfirmFor)
}

// Fresh refuses with [shared.CodeConfirmRequired] when the user proved who they
// are too long ago, or in a future that a clock which was set back has before it.
func (s *Service) Fresh(session store.Session) error {
	now := s.c.Now()
	if now.Before(s.FreshUntil(session)) && !session.Authenticated.After(now.Add(store.ClockSkew)) {
		return nil
	}
	return shared.Errorf(shared.CodeConfirmRequired, "Please confirm that it's you.")
}

// Confirm gives the actor's session a new token and makes it fresh. Like [Service.Open] it
// writes nothing: the operations belong into the batch that proves the
// confirmation, which fails with [store.ErrNotFound] if the session has ended.
func (s *Service) Confirm(who Actor, how SignIn) (Issued, store.Batch) {
	now, session := s.c.Now(), who.Session
	token, old := store.NewSessionToken(now), session.ID
	session.ID, session.Authenticated, session.Seen = store.SessionID(token), now, now
	session.Expires = s.ends(session, now)
	return Issued{token, session, who.User}, store.Batch{
		store.ReplaceSession{Old: old, Session: session},
		store.PutLink{Link: store.Link{Key: movedKey(old), Hash: session.ID, Expires: now.Add(movedFor)}},
		s.tells(who, shared.EventConfirmed, how),
	}
}

// A confirmation moves a session to another key, because its token is new. A link from the
// old key to the new one stays for a while.
const (
	// movedFor is how long it is known which session took the place of which. Who
	// signs out while a confirmation is on its way has the old token in hand.
	movedFor = 5 * time.Minute
	// onTheWayFor is how long a token from before a confirmation is taken.
	onTheWayFor = 10 * time.Second
)

func movedKey(old store.Hash) string { return "moved/" + hex.EncodeToString(old[:]) }
