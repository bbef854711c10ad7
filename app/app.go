// Package app is Keypeg's program in the browser: the pages behind the front
// door.
//
// [Routes] registers every page. Both mains call it: the browser's, to run them,
// and the server's, which renders the same pages without a user, so that what is
// seen first has the shape of what comes. A page lays components of app/ui out,
// owns navigation and title, and decides nothing about passkeys.
package app

import (
	"context"
	"sync"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/app/client"
	"github.com/keypeg/keypeg/shared"
)

// Deps is what the pages need from outside.
type Deps struct {
	Transport     client.Transport
	Authenticator ceremony.Authenticator
	Product       string // what the installation calls itself, until the account tells
	Icon          string // address of its icon
}

// InBrowser are the dependencies of the real app. Product and icon come from
// the environment that the server hands out with the page.
func InBrowser() Deps {
	return Deps{
		Transport: browser.Transport{}, Authenticator: browser.Authenticator{},
		Product: goapp.Getenv(EnvProduct), Icon: goapp.Getenv(EnvIcon),
	}
}

// What the server tells the app before it runs. All of it is public.
const (
	EnvProduct = "KEYPEG_APP_PRODUCT"
	EnvIcon    = "KEYPEG_APP_ICON"
	// EnvLanguages is a list of [Language] in JSON.
	EnvLanguages = "KEYPEG_APP_LANGUAGES"
)

// Routes registers every page with go-app.
func Routes(d Deps) {
	self := newSelf(d)
	languages := newLanguages(d.Transport)
	newPage := func() goapp.Composer { return &page{self: self, deps: d, speech: languages.speech()} }
	for _, path := range append([]string{shared.PageShell}, shared.AppPages...) {
		goapp.Route(path, newPage)
	}
	goapp.RouteWithRegexp(".", func() goapp.Composer { return &lostPage{deps: d, speech: languages.speech()} })
}

// self is the signed-in user's own account: the client and the ceremonies, as
// the components ask for them.
type self struct {
	*client.Client
	ceremonies ceremony.Ceremonies

	mu   sync.Mutex
	user shared.User // whose copy is kept

	cancelSilent context.CancelFunc // the silent registration's, once there was one
	silentEnded  <-chan struct{}
}

func newSelf(d Deps) *self {
	c := client.New(d.Transport)
	return &self{Client: c, ceremonies: ceremony.Ceremonies{API: c, Authenticator: d.Authenticator}}
}

// Account keeps a copy of what the server says.
func (s *self) Account(ctx context.Context) (shared.Account, error) {
	account, err := s.Client.Account(ctx)
	if err == nil {
		s.mu.Lock()
		s.user = account.User
		s.mu.Unlock()
		keepCopy(account.User.ID, func(known *lastKnown) { known.Account = account })
	}
	return account, err
}

// Passkeys keeps a copy of the list, and returns that copy while the server is
// away.
func (s *self) Passkeys(ctx context.Context) (shared.PasskeyList, error) {
	list, err := s.Client.Passkeys(ctx)
	if user := s.known(); err == nil && user.ID != "" {
		keepCopy(user.ID, func(known *lastKnown) { known.Passkeys = list })
	}
	if shared.CodeOf(err) == shared.CodeOffline {
		if known, ok := recallCopy(); ok {
			return known.Passkeys, nil
		}
	}
	return list, err
}

func (s *self) known() shared.User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.user
}

// passkeysLock is held together by pages that register, and alone by one that
// tells password managers which passkeys work. Between the two halves of a
// registration there is a passkey that the server doesn't know yet: a list made
// then would have it hidden, or deleted.
const passkeysLock = "keypeg-passkeys"

// signalFor is how long password managers are told at most. A new passkey waits
// for that.
const signalFor = 5 * time.Second

func (s *self) Register(ctx context.Context, name string) (added shared.Passkey, err error) {
	s.endSilent()
	browser.Together(ctx, passkeysLock, func() { added, err = s.ceremonies.Register(ctx, name) })
	return added, err
}

// silentFor is how long the browser may take to make a passkey silently.
const silentFor = 30 * time.Second

// endSilent makes room for a ceremony that the user wants: a browser runs one at
// a time, and the silent one may wait for ever.
func (s *self) endSilent() {
	s.mu.Lock()
	cancel, ended := s.cancelSilent, s.silentEnded
	s.mu.Unlock()
	if cancel != nil {
		cancel()
		<-ended
	}
}

// RegisterSilently adds a passkey if the browser offers to without asking. Nobody
// asked for it, so nobody is told why there is none.
func (s *self) RegisterSilently(ctx context.Context) (added shared.Passkey, ok bool) {
	if !browser.CreatesSilently(ctx) {
		return shared.Passkey{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, silentFor)
	defer cancel()
	ended := make(chan struct{})
	defer close(ended)
	s.mu.Lock()
	s.cancelSilent, s.silentEnded = cancel, ended
	s.mu.Unlock()

	browser.Together(ctx, passkeysLock, func() {
		var err error
		added, err = s.ceremonies.RegisterSilently(ctx)
		ok = err == nil
	})
	return added, ok
}

// SignalAccepted asks for the list again, under the lock: whatever was known
// before may have been overtaken.
func (s *self) SignalAccepted(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, signalFor)
	defer cancel()
	browser.AloneNow(ctx, passkeysLock, func() {
		list, err := s.Client.Passkeys(ctx)
		if err != nil {
			return
		}
		browser.SignalAccepted(ctx, list)
		browser.SignalUser(ctx, list, s.known())
	})
}

func (s *self) Rename(ctx context.Context, id, name string) (shared.Passkey, error) {
	return s.RenamePasskey(ctx, id, name)
}

func (s *self) Remove(ctx context.Context, id string, endSessions bool) (shared.PasskeyList, error) {
	return s.RemovePasskey(ctx, id, endSessions)
}

func (s *self) SessionsWith(ctx context.Context, id string) (int, error) {
	list, err := s.Sessions(ctx)
	n := 0
	for _, session := range list.Sessions {
		if session.PasskeyID == id && !session.Current {
			n++
		}
	}
	return n, err
}

func (s *self) ConfirmWithPasskey(ctx context.Context) error {
	s.endSilent()
	_, err := s.ceremonies.Confirm(ctx)
	return err
}

func (s *self) ConfirmWithPassword(ctx context.Context, password string) error {
	_, err := s.Client.ConfirmWithPassword(ctx, password)
	return err
}

// ConfirmAtProvider goes to an OpenID provider and comes back to this page. It
// returns only if that can't be done.
func (s *self) ConfirmAtProvider(ctx context.Context, providerID string) error {
	s.endSilent()
	to, err := s.BeginSSOConfirmation(ctx, providerID, browser.Path())
	return leave(ctx, to, err)
}

// Link goes to an OpenID provider. It returns only if that can't be done.
func (s *self) Link(ctx context.Context, providerID string) error {
	s.endSilent()
	to, err := s.BeginLink(ctx, providerID)
	return leave(ctx, to, err)
}

// leave goes to a provider's address, and waits for the page to end.
func leave(ctx context.Context, to shared.AtProvider, err error) error {
	if err != nil {
		return err
	}
	browser.Leave(to.URL)
	<-ctx.Done()
	return ctx.Err()
}
