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

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/app/client"
	"github.com/keypeg/keypeg/app/selfservice"
	"github.com/keypeg/keypeg/shared"
)

// Deps is what the pages need from outside.
type Deps struct {
	Transport     client.Transport
	Authenticator ceremony.Authenticator
	Product       string // what the installation calls itself, until the account tells
	Icon          string // address of its icon
	Contact       string // whom to ask, until the account tells
}

// InBrowser are the dependencies of the real app. Product and icon come from
// the environment that the server hands out with the page.
func InBrowser() Deps {
	return Deps{
		Transport: browser.Transport{}, Authenticator: browser.Authenticator{},
		Product: goapp.Getenv(EnvProduct), Icon: goapp.Getenv(EnvIcon), Contact: goapp.Getenv(EnvContact),
	}
}

// What the server tells the app before it runs. All of it is public.
const (
	EnvProduct = "KEYPEG_APP_PRODUCT"
	EnvIcon    = "KEYPEG_APP_ICON"
	// EnvContact is set by boot.js, from the page: one server may have several.
	EnvContact = "KEYPEG_APP_CONTACT"
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

// self is the signed-in user's own account, as the components ask for it: what
// package selfservice does anywhere, and what only Keypeg's own accounts have.
type self struct {
	*selfservice.Service
	*client.Client
}

func newSelf(d Deps) *self {
	c := client.New(d.Transport)
	return &self{selfservice.With(d.Transport, d.Authenticator, func(ctx context.Context, password string) error {
		_, err := c.ConfirmWithPassword(ctx, password)
		return err
	}), c}
}

// ConfirmWithPassword is the service's.
func (s *self) ConfirmWithPassword(ctx context.Context, password string) error {
	return s.Service.ConfirmWithPassword(ctx, password)
}

// Account keeps a copy of what the server says.
func (s *self) Account(ctx context.Context) (shared.Account, error) {
	account, err := s.Service.Account(ctx)
	if err == nil {
		keepCopy(account.User.ID, func(known *lastKnown) { known.Account = account })
	}
	return account, err
}

// Passkeys keeps a copy of the list, and returns that copy while the server is
// away.
func (s *self) Passkeys(ctx context.Context) (shared.PasskeyList, error) {
	list, err := s.Service.Passkeys(ctx)
	if user := s.User(); err == nil && user.ID != "" {
		keepCopy(user.ID, func(known *lastKnown) { known.Passkeys = &list })
	}
	if shared.IsUnreachable(err) {
		if known, ok := recallCopy(); ok && known.Passkeys != nil {
			return *known.Passkeys, nil
		}
	}
	return list, err
}

// SessionsByPasskey counts the user's other sessions by the passkey that they began with.
func (s *self) SessionsByPasskey(ctx context.Context) (map[string]int, error) {
	list, err := s.Sessions(ctx)
	began := map[string]int{}
	for _, session := range list.Sessions {
		if !session.Current {
			began[session.PasskeyID]++
		}
	}
	return began, err
}

// ConfirmAtProvider goes to an OpenID provider and comes back to this page. It
// returns only if that can't be done.
func (s *self) ConfirmAtProvider(ctx context.Context, providerID string) error {
	s.EndSilent()
	to, err := s.BeginSSOConfirmation(ctx, providerID, browser.Path())
	return leave(ctx, to, err)
}

// Link goes to an OpenID provider. It returns only if that can't be done.
func (s *self) Link(ctx context.Context, providerID string) error {
	s.EndSilent()
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
