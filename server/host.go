package server

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Host is a program that has users and sessions of its own. Keypeg stores the users'
// passkeys and activity, and nothing else. The program decides what users are called,
// whether they may sign in and how their sessions work.
type Host interface {
	Directory
	Sessions
}

// Directory finds the users of a host.
type Directory interface {
	// User returns the user with this id, or [ErrNoUser]. HostUser.ID is the same id.
	User(ctx context.Context, id string) (HostUser, error)
}

// Sessions are the sessions of a host.
type Sessions interface {
	// SignedIn returns the session of a request, or [ErrNobody] if nobody is signed in.
	//
	// It is called again for each open page every 25 seconds, and after each change, with
	// the request that the page's stream ([shared.PathLive]) began with. Don't count these
	// calls as use of the session. Otherwise a session that ends when it isn't used would
	// never end while a page is open.
	SignedIn(r *http.Request) (HostSession, error)
	// SignIn signs in a user who has just proved, with the passkey of this id, that they are
	// there. It begins a session for userID that is Proved now. It gives the session a new
	// id, so that nobody can have planted it in the browser before (session fixation). It
	// ends the session that the request came with, if any, and sets the cookie. It writes no
	// body. For a user who is signed in already, the same call is a confirmation. It isn't
	// called while another user is signed in.
	//
	// If it returns an error, nobody is signed in, and the activity shows no sign-in. The
	// answer is a fault, or the sentence of the error if it is a *[shared.Error];
	// [shared.Errorf] makes one. The ceremony is used up by then, so the person has to begin
	// again. Cookies that it has set are sent with the error.
	SignIn(w http.ResponseWriter, r *http.Request, userID, passkeyID string) error
}

// SessionEnder is for a [Host] that can end the sessions that began with a passkey, when
// the user removes it: of a lost phone, or because it wasn't theirs. For a Host without it,
// pages don't offer that.
type SessionEnder interface {
	// EndSessions ends the sessions of a user that began with the passkey of this id, except
	// the session with the id except, which may be "". If there are none, it returns no
	// error, because it is called again after a failure.
	EndSessions(ctx context.Context, userID, passkeyID, except string) error
}

// HostUser is a user of a [Host].
type HostUser struct {
	ID          string // never changes, is never another's; 1 to 255 bytes
	Name        string // what they type to sign in, or an e-mail address
	DisplayName string
	Disabled    bool // they may not sign in

	// HasPassword says that they can sign in with a password of the host. Where they have to
	// confirm, pages ask for it, and the host checks it: see selfservice.Service.
	HasPassword bool
	// OtherMethods is how many other sign-in methods the host has for them, such as an
	// identity at an OpenID provider. A user without a password and without any of these
	// can't remove their last passkey.
	OtherMethods int
}

// HostSession is a session of a [Host].
type HostSession struct {
	ID     string    // unique; a ceremony must end in the session that it began in
	UserID string    // of the user who is signed in
	Proved time.Time // when the user last proved that they are there, by any method
	// PasskeyID is what [Sessions].SignIn got when the session began, or "".
	PasskeyID string
}

// Errors that a [Host] returns where nothing has failed.
var (
	ErrNobody = errors.New("server: nobody is signed in")
	ErrNoUser = errors.New("server: there is no such user")
)
