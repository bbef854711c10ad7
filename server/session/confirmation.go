package session

import (
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// FreshUntil returns until when a session may do what needs a recent confirmation.
func (s *Service) FreshUntil(session store.Session) time.Time {
	return session.Authenticated.Add(s.c.ConfirmFor)
}

// Fresh refuses with [shared.CodeConfirmRequired] if the user's last confirmation is too
// old. It also refuses one that lies in the future, because the clock may have been set
// back since.
func (s *Service) Fresh(session store.Session) error {
	now := s.c.Now()
	if now.Before(s.FreshUntil(session)) && !session.Authenticated.After(now.Add(store.ClockSkew)) {
		return nil
	}
	return shared.Errorf(shared.CodeConfirmRequired, "Please confirm that it's you.")
}

// Confirm gives the actor's session a new token and makes it fresh. Like [Service.Open] it
// writes nothing: the operations belong in the batch that proves the confirmation. That
// batch fails with [store.ErrNotFound] if the session has ended.
func (s *Service) Confirm(who Actor, how SignIn) (Issued, store.Batch) {
	now, session := s.c.Now(), who.Session
	token, old := store.NewSessionToken(session.UserID), session.ID
	session.First, session.Proof = session.FirstID(), how.proof()
	session.ID, session.Authenticated, session.Seen = store.SessionID(token), now, now
	session.Expires = s.ends(session, now)
	return Issued{token, session, who.User}, store.Batch{
		store.ReplaceSession{Old: old, Session: session},
		moved.Put(store.Entry[store.Hash]{
			Owner: session.UserID, Key: old.String(), Value: session.ID,
			Version: store.AnyVersion, Expires: now.Add(movedFor),
		}),
		s.event(who, shared.EventConfirmed, how, s.c.Now()),
	}
}
