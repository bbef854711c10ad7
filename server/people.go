package server

import (
	"context"
	"net/http"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// people finds and signs in the users who send requests: those of Keypeg's own accounts
// ([localUsers]) or those of a host program ([hostUsers]).
type people interface {
	// authenticate finds the user who sends a request.
	authenticate(r *http.Request) (*httpapi.Caller, error)
	// visitor is the actor of a request to sign in. It has no user yet.
	visitor(r *http.Request) session.Actor
	// sessionExists reports whether the session of an open stream still exists. It doesn't
	// count as use of the session, because an open page must not keep anybody signed in.
	sessionExists(r *http.Request, who httpapi.Caller) bool
	// signIn prepares a new session for the actor's user, who has proved the passkey. It
	// returns the operations that belong in the batch of the sign-in, and the function to
	// call when that batch is stored.
	signIn(r *http.Request, who session.Actor, with store.Passkey) (sessionSetter, store.Batch, error)
	// confirm does the same where a signed-in user has proved the passkey again.
	confirm(r *http.Request, who session.Actor, with store.Passkey) (sessionSetter, store.Batch, error)
	// added is called when the new passkey of a user is stored. If the user was removed
	// meanwhile, it removes the passkey again and returns the refusal.
	added(ctx context.Context, who httpapi.Caller) error
	// endsSessions reports whether the sessions that began with a passkey can end when it
	// is removed.
	endsSessions() bool
	// removing returns the operations that belong in the batch of the removal, so that removed can be called again.
	removing(who httpapi.Caller, passkeyID string) store.Batch
	// removed ends those of them that aren't in the store. For a passkey that wasn't removed from this user a moment ago,
	// and for one whose sessions have ended, it does nothing.
	removed(ctx context.Context, who httpapi.Caller, passkeyID string) error
}

// sessionSetter sets the cookie of an issued session in the answer to a browser, and returns
// who is signed in from now on. A failure of a host program's sign-in is its error.
type sessionSetter func(w http.ResponseWriter, r *http.Request) (httpapi.Caller, error)

var errSignIn = shared.Errorf(shared.CodeUnauthenticated, "Please sign in.")
