package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/internal/probe"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// embedded is the [Host] of a program in any language, which speaks to us over HTTP: see package embed.
type embedded struct{ s *Server }

// embeddedEnding is one that is told what happens, and so can end sessions.
type embeddedEnding struct{ embedded }

// openEmbedded prepares for a program in any language, before the rules of passkeys are opened.
func (s *Server) openEmbedded() {
	s.hooks = embed.NewHooks(s.c.Store, embed.Hooks{Program: s.c.Embed, Now: s.c.Now, Log: s.c.Log})
	s.c.Store = s.hooks.Store()
	s.c.Host = embedded{s}
	if s.c.Embed().Hooks != "" {
		s.c.Host = embeddedEnding{embedded{s}}
	}
}

// openIntroductions prepares what the program and its pages ask, after the rules of passkeys are opened.
func (s *Server) openIntroductions(ctx context.Context) error {
	keys, err := openid.NewKeys(ctx, s.c.Store, s.c.Now)
	if err != nil {
		return err
	}
	if s.doctorKey, err = store.SecretOrNew(ctx, s.c.Store, probe.SecretName, probe.KeySize); err != nil {
		return err
	}
	s.embedded, err = embed.NewHandlers(ctx, embed.Handlers{
		Program: s.c.Embed, Origin: s.c.Address.Origin, Contact: s.c.Contact, Store: s.c.Store, Passkeys: passkeysOfProgram{s}, Keys: proofKeys{keys},
		RecordID: recordID, Authentication: authenticationWith, Notify: s.c.Live.Notify, Warn: s.warn,
		Cookies: s.cookies, Now: s.c.Now, Log: s.c.Log,
	})
	return err
}

// RunHooks tells the program that Keypeg is built into what its users do with their passkeys, until ctx ends.
func (s *Server) RunHooks(ctx context.Context) {
	if s.hooks != nil {
		s.hooks.Run(ctx)
	}
}

// User implements [Directory]. The program can't be asked: what it has said last is known for a day. Whoever was
// introduced before that may sign in all the same, and the program says whether they still may.
func (e embedded) User(ctx context.Context, id string) (HostUser, error) {
	i, is, err := e.s.embedded.User(ctx, id)
	switch {
	case errors.Is(err, embed.ErrRemoved):
		return HostUser{}, ErrNoUser
	case err != nil:
		return HostUser{}, err
	case !is:
		return HostUser{ID: id, Name: id, DisplayName: id}, nil
	}
	return userOf(i), nil
}

func userOf(i embed.Introduction) HostUser {
	return HostUser{ID: i.Subject, Name: i.Name, DisplayName: i.DisplayName, HasPassword: i.HasPassword, OtherMethods: i.OtherMethods}
}

// SignedIn implements [Sessions]. Whose panel was open last in a browser says nothing of who signs in there: they may have
// signed out of the program since.
func (e embedded) SignedIn(r *http.Request) (HostSession, error) {
	if r.URL.Path == shared.PathSignInFinish {
		return HostSession{}, ErrNobody
	}
	is, err := e.s.embedded.Introduced(r)
	if errors.Is(err, embed.ErrNobody) {
		return HostSession{}, ErrNobody
	}
	return HostSession{ID: is.Session, UserID: is.Subject, Proved: is.Proved, PasskeyID: is.PasskeyID}, err
}

// SignIn implements [Sessions]: a signed-in user has confirmed who they are, and any other gets a proof for the program.
func (e embedded) SignIn(w http.ResponseWriter, r *http.Request, userID, passkeyID string) error {
	if r.URL.Path == shared.PathSignInFinish {
		return e.s.embedded.Prove(w, r, userID, passkeyID)
	}
	is, err := e.s.embedded.Introduced(r)
	switch {
	case errors.Is(err, embed.ErrNobody):
		return errSignIn.Because(err)
	case err != nil:
		return err
	case is.Subject != userID:
		return fmt.Errorf("the user %q is introduced, and %q has confirmed", is.Subject, userID)
	}
	return e.s.embedded.Confirm(w, is)
}

// EndSessions implements [SessionEnder].
func (e embeddedEnding) EndSessions(ctx context.Context, userID, passkeyID, except string) error {
	return errors.Join(e.s.embedded.EndPasskey(ctx, userID, passkeyID, except), e.s.hooks.EndSessions(ctx, userID, passkeyID, except))
}

// authenticationWith returns acr and amr of a sign-in with a passkey. Each has proved that it was its user.
func authenticationWith(user store.User, passkeyID string) (acr string, amr []string) {
	return openid.ContextOf(store.Proof{Method: store.MethodPasskey, PasskeyID: passkeyID, UserVerified: true}, user)
}

// proofKeys sign by ES256.
type proofKeys struct{ *openid.Keys }

func (k proofKeys) Sign(ctx context.Context, kind string, claims any) (string, error) {
	return k.Keys.Sign(ctx, openid.ES256, kind, claims)
}

func (k proofKeys) Published(ctx context.Context) (any, error) {
	set, err := k.Keys.Published(ctx)
	set.Keys = slices.DeleteFunc(set.Keys, func(key jose.JSONWebKey) bool { return key.Algorithm != string(openid.ES256) })
	return set, err
}

// passkeysOfProgram are what the program may do with the passkeys of its users.
type passkeysOfProgram struct{ s *Server }

func (p passkeysOfProgram) List(user store.User) []shared.Passkey {
	return p.s.passkeys.List(session.Actor{User: user}).Passkeys
}

func (p passkeysOfProgram) Remove(ctx context.Context, userID, passkeyID string) error {
	user, err := p.s.c.Store.User(ctx, recordID(userID))
	if errors.Is(err, store.ErrNotFound) {
		return shared.Errorf(shared.CodeNotFound, "There is nothing at this address.").Because(err)
	}
	if err != nil {
		return fmt.Errorf("loading the passkeys of a user: %w", err)
	}
	// The program knows whether its user has another way to sign in.
	who := session.Actor{User: user, Methods: policy.Policy{}.AtHost(true, 0)}
	_, err = p.s.passkeys.Remove(ctx, who, passkeyID, false)
	return err
}

func (p passkeysOfProgram) Erase(ctx context.Context, userID string) error {
	return p.s.passkeys.Erase(ctx, recordID(userID))
}

func (p passkeysOfProgram) EndPhoneLink(ctx context.Context, userID string) error {
	return p.s.EndPhoneLink(ctx, userID)
}

// PasskeysOf returns the passkeys of a host's user, who may have none.
func (s *Server) PasskeysOf(ctx context.Context, hostID string) ([]shared.Passkey, error) {
	user, err := s.c.Store.User(ctx, recordID(hostID))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("loading the passkeys of a user: %w", err)
	}
	return passkeysOfProgram{s}.List(user), nil
}

// panelRoutes are those of the page in the frame. Who is introduced is asked by what it shows, so it is the same for
// everybody.
func (s *Server) panelRoutes(mux *http.ServeMux) {
	if s.c.App.Page != nil {
		mux.Handle("GET "+shared.PagePanel, s.answers.Page(func(w http.ResponseWriter, r *http.Request) error {
			s.c.App.Page.ServeHTTP(w, r)
			return nil
		}))
	}
	if s.c.App.Draw != nil {
		mux.Handle("GET "+shared.PathPanelDrawn, s.answers.API(s.gates.SignedIn(s.draw)))
	}
	for pattern, h := range s.c.App.Files {
		mux.Handle("GET "+pattern, h)
	}
}
