package server

import (
	"context"
	"net/http"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// people are those whom requests come from: users of Keypeg's own accounts
// ([localUsers]) or of a host program ([hostUsers]).
type people interface {
	// authenticate finds who sends a request.
	authenticate(r *http.Request) (httpapi.Caller, error)
	// visitor is who sends a request that somebody wants to sign in with.
	visitor(r *http.Request) session.Actor
	// goesOn reports whether the session of an open stream still exists. It doesn't count
	// as use: a page that is merely open doesn't keep anybody signed in.
	goesOn(r *http.Request, who httpapi.Caller) bool
	// signIn returns what belongs into the batch of a sign-in with a passkey, and what
	// lets the browser in once that is stored. The actor's user has proved the passkey; where
	// they come from, the request says.
	signIn(r *http.Request, who session.Actor, with store.Passkey) (admission, store.Batch, error)
	// confirm is the same for who proves again that they are there.
	confirm(r *http.Request, who session.Actor, with store.Passkey) (admission, store.Batch, error)
	// added looks after a user whose new passkey is stored. If they were removed
	// meanwhile, it goes again, and they are told so.
	added(ctx context.Context, who httpapi.Caller) error
	// endsSessions reports whether sessions can be ended with the passkey that they began
	// with, and removed ends those that the store doesn't know of.
	endsSessions() bool
	removed(ctx context.Context, who httpapi.Caller, passkeyID string) error
}

// admission gives a browser its session.
type admission func(w http.ResponseWriter, r *http.Request) (httpapi.Caller, error)

var errSignIn = shared.Errorf(shared.CodeUnauthenticated, "Please sign in.")
