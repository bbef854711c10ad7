package session

import (
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// SignIn says by which method a session begins or is confirmed.
type SignIn struct {
	Method      store.Method
	PasskeyID   string
	PasskeyName string
	// Provider is the name of an OpenID provider in the configuration, and ProviderName is
	// the name that people read.
	Provider     string
	ProviderName string
	UserVerified bool // by the authenticator of the passkey, in this ceremony
}

func (how SignIn) proof() store.Proof {
	return store.Proof{Method: how.Method, PasskeyID: how.PasskeyID, UserVerified: how.UserVerified}
}

// Issued is a session with its new token. The token goes into the browser's cookie and
// nowhere else.
type Issued struct {
	Token   string
	Session store.Session
	User    store.User
}

// Open makes a new session for the actor's user. It returns the operations that store it,
// record the event, and end the session that the browser had before. It writes nothing: the
// operations belong in the batch that proves the sign-in. A user with very many sessions
// loses the one that was used least recently.
//
// The time of the sign-in is LastSignIn of the user, which the same batch stores: the event with
// that time is the user's last sign-in.
func (s *Service) Open(who Actor, how SignIn) (Issued, store.Batch) {
	now, before := who.User.LastSignIn, who.Session
	token := store.NewSessionToken(who.User.ID)
	session := store.Session{
		ID: store.SessionID(token), UserID: who.User.ID,
		Method: how.Method, PasskeyID: how.PasskeyID, Provider: how.Provider, Client: who.Client,
		Created: now, Seen: now, Authenticated: now, Proof: how.proof(),
	}
	session.Expires = s.ends(session, now)

	batch := store.Batch{store.AddSession{Session: session, Most: most}, s.event(who, shared.EventSignedIn, how, now)}
	if before.ID != (store.Hash{}) {
		batch = append(batch, store.EndSession{ID: before.ID})
		if before.UserID != who.User.ID {
			// Open pages of that user get notice of the event, and go to the sign-in page.
			batch = append(batch, store.AddEvent{Event: store.NewEvent(now, before.UserID, shared.EventSignedOut, who.Client)})
		}
	}
	return Issued{token, session, who.User}, batch
}

// ends returns when a session ends if it is used now.
func (s *Service) ends(session store.Session, now time.Time) time.Time {
	idle, last := now.Add(s.c.Idle), session.Created.Add(s.c.Lifetime)
	if last.Before(idle) {
		return last
	}
	return idle
}

func (s *Service) event(who Actor, kind shared.EventKind, how SignIn, now time.Time) store.AddEvent {
	event := who.Event(kind, now)
	event.Method, event.PasskeyID, event.Passkey, event.Provider = how.Method, how.PasskeyID, how.PasskeyName, how.ProviderName
	return store.AddEvent{Event: event}
}
