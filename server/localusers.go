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
}

func (u localUsers) signedIn(session store.Session, user store.User, client store.Client) httpapi.Caller {
	who := u.accounts.Actor(user)
	who.Session, who.Client = session, client
	return httpapi.Caller{Actor: who, Shown: httpapi.PublicUser(user)}
}

func (u localUsers) authenticate(r *http.Request) (httpapi.Caller, error) {
	token := u.cookies.Value(r, httpapi.CookieSession)
	if token == "" {
		return httpapi.Caller{}, errSignIn
	}
	session, user, err := u.accounts.Sessions.Find(r.Context(), token)
	if err != nil {
		return httpapi.Caller{}, err
	}
	return u.signedIn(session, user, u.clients.Of(r)), nil
}

// visitor has the session that the browser has, or none. A store in trouble refuses what
// comes next.
func (u localUsers) visitor(r *http.Request) session.Actor {
	who := session.Actor{Client: u.clients.Of(r)}
	if token := u.cookies.Value(r, httpapi.CookieSession); token != "" {
		who.Session, _ = u.store.Session(r.Context(), store.SessionID(token))
	}
	return who
}

func (u localUsers) goesOn(r *http.Request, who httpapi.Caller) bool {
	_, err := u.store.Session(r.Context(), who.Session.ID)
	return err == nil
}

func (u localUsers) signIn(_ *http.Request, who session.Actor, with store.Passkey) (admission, store.Batch, error) {
	issued, batch := u.accounts.Sessions.Open(who, signInWith(with))
	return u.admission(issued), batch, nil
}

func (u localUsers) confirm(_ *http.Request, who session.Actor, with store.Passkey) (admission, store.Batch, error) {
	issued, batch := u.accounts.Sessions.Confirm(who, signInWith(with))
	return u.admission(issued), batch, nil
}

func (u localUsers) added(context.Context, httpapi.Caller) error { return nil } // none of ours is removed

func (u localUsers) endsSessions() bool                                    { return true }
func (u localUsers) removed(context.Context, httpapi.Caller, string) error { return nil } // the store knows all

// admission gives the browser its new session, and marks it as one that its user
// signed in with. The cookie lives as long as a session can; the server decides
// when it ends.
func (u localUsers) admission(issued session.Issued) admission {
	return func(w http.ResponseWriter, r *http.Request) (httpapi.Caller, error) {
		u.admit(w, r, issued)
		return u.signedIn(issued.Session, issued.User, u.clients.Of(r)), nil
	}
}

func (u localUsers) admit(w http.ResponseWriter, r *http.Request, issued session.Issued) {
	u.cookies.Set(w, httpapi.CookieSession, issued.Token, u.accounts.Sessions.Lifetime())
	u.device.Give(w, r, issued.User.Name)
}

func signInWith(p store.Passkey) session.SignIn {
	return session.SignIn{Method: store.MethodPasskey, PasskeyID: p.ID, PasskeyName: p.Name}
}
