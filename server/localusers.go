package server

import (
	"context"
	"net/http"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
)

// localUsers are the users of Keypeg's own accounts.
type localUsers struct {
	cookies  httpapi.Cookies
	clients  httpapi.Clients
	store    store.Store
	accounts *account.Service
	device   httpapi.DeviceCookies
	now      store.Clock
}

func (u localUsers) signedIn(session store.Session, user store.User, client store.Client) *httpapi.Caller {
	who := &httpapi.Caller{Actor: u.accounts.Actor(user), Shown: account.PublicUser(user)}
	who.Session, who.Client = session, client
	return who
}

func (u localUsers) authenticate(r *http.Request) (*httpapi.Caller, error) {
	token := u.cookies.Value(r, httpapi.CookieSession)
	if token == "" {
		return nil, errSignIn
	}
	session, user, err := u.accounts.Sessions().Find(r.Context(), token)
	if err != nil {
		return nil, err
	}
	return u.signedIn(session, user, u.clients.Of(r)), nil
}

// visitor has the session that the browser has already, if any. An error of the store is
// left out here, because the sign-in that follows fails with the same.
func (u localUsers) visitor(r *http.Request) session.Actor {
	who := session.Actor{Client: u.clients.Of(r)}
	if token := u.cookies.Value(r, httpapi.CookieSession); token != "" {
		who.Session, _ = u.store.Session(r.Context(), store.SessionID(token))
	}
	return who
}

func (u localUsers) sessionExists(r *http.Request, who httpapi.Caller) bool {
	_, err := u.store.Session(r.Context(), who.Session.ID)
	return err == nil
}

func (u localUsers) signIn(_ *http.Request, who session.Actor, with store.Passkey) (sessionSetter, store.Batch, error) {
	issued, batch := u.accounts.Sessions().Open(who, signInWith(with))
	return u.setter(issued, who.Client), batch, nil
}

func (u localUsers) confirm(_ *http.Request, who session.Actor, with store.Passkey) (sessionSetter, store.Batch, error) {
	issued, batch := u.accounts.Sessions().Confirm(who, signInWith(with))
	return u.setter(issued, who.Client), batch, nil
}

func (u localUsers) added(context.Context, httpapi.Caller) error { return nil } // local users are never removed

func (u localUsers) endsSessions() bool                                    { return true }
func (u localUsers) removing(httpapi.Caller, string) store.Batch           { return nil }
func (u localUsers) removed(context.Context, httpapi.Caller, string) error { return nil } // all sessions are in the store

func (u localUsers) setter(issued session.Issued, client store.Client) sessionSetter {
	return func(w http.ResponseWriter, r *http.Request) (httpapi.Caller, error) {
		u.setSession(w, r, issued)
		return *u.signedIn(issued.Session, issued.User, client), nil
	}
}

// setSession sets the cookie of an issued session, and those that say more of it. The session's
// cookie lives as long as a session can live; the server decides when the session ends.
func (u localUsers) setSession(w http.ResponseWriter, r *http.Request, issued session.Issued) {
	u.cookies.Set(w, httpapi.CookieSession, issued.Token, u.accounts.Sessions().Lifetime())
	u.device.Give(w, r, issued.User)
	keepUntil(w, r, u.cookies, issued.Session, u.now())
}

// known returns the user whom the browser's device cookie names. It is zero if that names nobody, or
// somebody who was removed. It looks a user up only for a cookie that we made, so
// strangers learn nothing. An error of the store is left out here too.
func (u localUsers) known(r *http.Request) store.User {
	id := u.device.Known(r)
	if id == "" {
		return store.User{}
	}
	user, err := u.store.User(r.Context(), id)
	if err != nil {
		return store.User{}
	}
	return user
}

func signInWith(p store.Passkey) session.SignIn {
	return session.SignIn{Method: store.MethodPasskey, PasskeyID: p.ID, PasskeyName: p.Name, UserVerified: p.UserVerified()}
}
