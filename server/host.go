package server

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Host is a program that has users and sessions of its own. Keypeg keeps their
// passkeys and knows nothing else of them: what they are called, whether they may
// sign in and how their sessions work stays with the program.
type Host interface {
	Directory
	Sessions
}

// Directory finds a host's users.
type Directory interface {
	// User returns the user with this id, in HostUser too, or [ErrNoUser].
	User(ctx context.Context, id string) (HostUser, error)
}

// Sessions are those that a host keeps.
type Sessions interface {
	// SignedIn tells who is signed in to a request. With nobody it is [ErrNobody].
	//
	// For each open page it is asked again every 25 seconds, and after each change, with
	// the request that its stream began with, of [shared.PathLive]. A session that ends
	// when it isn't used must not go on for that: no open page would ever be signed out.
	SignedIn(r *http.Request) (HostSession, error)
	// SignIn lets a user in who has just proved, with the passkey of this id, that they
	// are there. It begins a session for userID that is Proved now, with a new id, which
	// nobody can have planted before; ends the one that the request came with, if any;
	// and sets the cookie. It writes no body. For who is signed in already it is a
	// confirmation, and no different. While somebody else is signed in it isn't called.
	//
	// An error lets nobody in, and activity doesn't tell of a sign-in. It is answered as
	// a fault, or with its own sentence if it is a *[shared.Error]; [shared.Errorf] makes
	// one. The passkey counts as used by then, so that the person has to begin again.
	// Cookies that were set before are sent with the error.
	SignIn(w http.ResponseWriter, r *http.Request, userID, passkeyID string) error
}

// SessionEnder is for a [Host] that ends sessions when a passkey is removed: of a lost
// phone, or one that wasn't the user's. Without it, nobody is offered that.
type SessionEnder interface {
	// EndSessions ends the sessions of a user that began with the passkey of this id, but
	// for the one with the id except, which may be "". That there are none is no error:
	// it is asked again after one.
	EndSessions(ctx context.Context, userID, passkeyID, except string) error
}

// HostUser is a user of a [Host].
type HostUser struct {
	ID          string // never changes, is never another's; 1 to 255 bytes
	Name        string // what they type to sign in, or an e-mail address
	DisplayName string
	Disabled    bool // they may not sign in

	// HasPassword says that they can sign in with one of the host's. Where they have to
	// confirm, pages ask for it, and the host takes it: see selfservice.Service.
	HasPassword bool
	// OtherWays is how many ways in the host has for them besides, such as an OpenID
	// provider. Without a password and with none of these, their last passkey stays.
	OtherWays int
}

// HostSession is a session of a [Host].
type HostSession struct {
	ID     string    // tells it from others; a ceremony ends in the session it began in
	UserID string    // whose it is
	Proved time.Time // when they last proved that they are there, by whatever means
	// PasskeyID is the one that [Sessions] was told when the session began, or "".
	PasskeyID string
}

// The errors of a [Host] that aren't failures.
var (
	ErrNobody = errors.New("server: nobody is signed in")
	ErrNoUser = errors.New("server: there is no such user")
)
