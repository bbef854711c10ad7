package server

import (
	"context"
	"net/http"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// localUsers are the users of Keypeg's own accounts.
type localUsers struct {
	clients
	store    store.Store
	accounts *account.Service
	device   deviceCookies
}

func (u localUsers) signedIn(session store.Session, user store.User, client store.Client) signedInUser {
	who := u.accounts.Actor(user)
	who.Session, who.Client = session, client
	return signedInUser{Actor: who, shown: publicUser(user)}
}

func (u localUsers) authenticate(r *http.Request) (signedInUser, error) {
	token := u.cookieValue(r, cookieSession)
	if token == "" {
		return signedInUser{}, errSignIn
	}
	session, user, err := u.accounts.Sessions.Find(r.Context(), token)
	if err != nil {
		return signedInUser{}, err
	}
	return u.signedIn(session, user, u.client(r)), nil
}

// visitor has the session that the browser has, or none. A store in trouble refuses what
// comes next.
func (u localUsers) visitor(r *http.Request) session.Actor {
	who := session.Actor{Client: u.client(r)}
	if token := u.cookieValue(r, cookieSession); token != "" {
		who.Session, _ = u.store.Session(r.Context(), store.SessionID(token))
	}
	return who
}

func (u localUsers) goesOn(r *http.Request, who signedInUser) bool {
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

func (u localUsers) added(context.Context, signedInUser) error { return nil } // none of ours is removed

func (u localUsers) endsSessions() bool                                  { return true }
func (u localUsers) removed(context.Context, signedInUser, string) error { return nil } // the store knows all

// admission gives the browser its new session, and marks it as one that its user
// signed in with. The cookie lives as long as a session can; the server decides
// when it ends.
func (u localUsers) admission(issued session.Issued) admission {
	return func(w http.ResponseWriter, r *http.Request) (signedInUser, error) {
		u.admit(w, r, issued)
		return u.signedIn(issued.Session, issued.User, u.client(r)), nil
	}
}

func (u localUsers) admit(w http.ResponseWriter, r *http.Request, issued session.Issued) {
	u.setCookie(w, cookieSession, issued.Token, u.accounts.Sessions.Lifetime())
	u.device.give(w, r, issued.User.Name)
}

func signInWith(p store.Passkey) session.SignIn {
	return session.SignIn{Method: store.MethodPasskey, PasskeyID: p.ID, PasskeyName: p.Name}
}

func publicUser(u store.User) shared.User {
	return shared.User{ID: u.ID, Name: u.Name, DisplayName: u.DisplayName, Admin: u.Admin, Disabled: u.Disabled}
}
