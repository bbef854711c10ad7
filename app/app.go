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

// What the server tells the app before it runs. Both are public.
const (
	EnvProduct = "KEYPEG_APP_PRODUCT"
	EnvIcon    = "KEYPEG_APP_ICON"
)

// Routes registers every page with go-app.
func Routes(d Deps) {
	self := newSelf(d)
	newPage := func() goapp.Composer { return &page{self: self, deps: d} }
	for _, path := range append([]string{shared.PageShell}, shared.AppPages...) {
		goapp.Route(path, newPage)
	}
	goapp.RouteWithRegexp(".", func() goapp.Composer { return &lostPage{deps: d} })
}

// self is the signed-in user's own account: the client and the ceremonies, as
// the components ask for them.
type self struct {
	*client.Client
	ceremonies ceremony.Ceremonies
}

func newSelf(d Deps) *self {
	c := client.New(d.Transport)
	return &self{c, ceremony.Ceremonies{API: c, Authenticator: d.Authenticator}}
}

func (s *self) Register(ctx context.Context, name string) (shared.Passkey, error) {
	return s.ceremonies.Register(ctx, name)
}

func (s *self) Rename(ctx context.Context, id, name string) (shared.Passkey, error) {
	return s.RenamePasskey(ctx, id, name)
}

func (s *self) Remove(ctx context.Context, id string) (shared.PasskeyList, error) {
	return s.RemovePasskey(ctx, id)
}

func (s *self) Accepted(ctx context.Context, list shared.PasskeyList) {
	browser.SignalAccepted(ctx, list)
}

func (s *self) ConfirmWithPasskey(ctx context.Context) error {
	_, err := s.ceremonies.Confirm(ctx)
	return err
}

func (s *self) ConfirmWithPassword(ctx context.Context, password string) error {
	_, err := s.Client.ConfirmWithPassword(ctx, password)
	return err
}
