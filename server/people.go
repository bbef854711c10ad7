package server

import (
	"context"
	"net/http"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// people are those whom requests come from: users of Keypeg's own accounts
// ([residents]) or of a host program ([guests]).
type people interface {
	// authenticate finds who sends a request.
	authenticate(r *http.Request) (signedInUser, error)
	// goesOn tells whether the session of an open stream still exists. It doesn't count
	// as use: a page that is merely open doesn't keep anybody signed in.
	goesOn(r *http.Request, who signedInUser) bool
	// signIn returns what belongs into the batch of a sign-in with a passkey, and what
	// lets the browser in once that is stored. From is what the request says of itself.
	signIn(r *http.Request, from store.Client, user store.User, with store.Passkey) (admission, store.Batch, error)
	// confirm is the same for who proves again that they are there.
	confirm(r *http.Request, from store.Client, who signedInUser, user store.User, with store.Passkey) (admission, store.Batch, error)
	// added looks after a user whose new passkey is stored. If they were removed
	// meanwhile, it goes again, and they are told so.
	added(ctx context.Context, who signedInUser) error
	// endsSessions tells whether sessions can be ended with the passkey that they began
	// with, and removed ends those that the store doesn't know of.
	endsSessions() bool
	removed(ctx context.Context, who signedInUser, passkeyID string) error
}

// admission gives a browser its session.
type admission func(w http.ResponseWriter, r *http.Request) (signedInUser, error)

// signedInUser is what a request knows about who sent it.
type signedInUser struct {
	session store.Session
	user    store.User    // the record that their passkeys are in
	shown   shared.User   // what they are called
	policy  policy.Policy // which of their ways in count
	atHost  string        // the host's id of the session
}

// residents are the users of Keypeg's own accounts.
type residents struct{ *Server }

func (s residents) resident(session store.Session, user store.User) signedInUser {
	return signedInUser{session: session, user: user, shown: publicUser(user), policy: s.Accounts.Policy}
}

func (s residents) authenticate(r *http.Request) (signedInUser, error) {
	token := s.cookieValue(r, cookieSession)
	if token == "" {
		return signedInUser{}, errSignIn
	}
	session, user, err := s.Accounts.Session(r.Context(), token)
	return s.resident(session, user), err
}

func (s residents) goesOn(r *http.Request, who signedInUser) bool {
	_, err := s.Store.Session(r.Context(), who.session.ID)
	return err == nil
}

func (s residents) signIn(r *http.Request, from store.Client, user store.User, with store.Passkey) (admission, store.Batch, error) {
	opened, batch := s.Accounts.Open(user, signInWith(from, with), s.current(r))
	return s.admission(opened), batch, nil
}

func (s residents) confirm(_ *http.Request, from store.Client, who signedInUser, user store.User, with store.Passkey) (admission, store.Batch, error) {
	opened, batch := s.Accounts.Confirm(who.session, user, signInWith(from, with))
	return s.admission(opened), batch, nil
}

func (s residents) added(context.Context, signedInUser) error { return nil } // none of ours is removed

func (s residents) endsSessions() bool                                  { return true }
func (s residents) removed(context.Context, signedInUser, string) error { return nil } // the store knows all

func (s residents) admission(opened account.Opened) admission {
	return func(w http.ResponseWriter, r *http.Request) (signedInUser, error) {
		s.admit(w, r, opened)
		return s.resident(opened.Session, opened.User), nil
	}
}

func signInWith(from store.Client, p store.Passkey) account.SignIn {
	return account.SignIn{Method: store.MethodPasskey, PasskeyID: p.ID, PasskeyName: p.Name, Client: from}
}

var errSignIn = shared.Errorf(shared.CodeUnauthenticated, "Please sign in.")
