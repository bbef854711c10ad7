package pages

import (
	"context"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/client"
	"github.com/keypeg/keypeg/app/selfservice"
	"github.com/keypeg/keypeg/shared"
)

// self is the service of all components of the pages. It joins the service that any program
// has, of package selfservice, and the API of Keypeg's own accounts.
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

// ConfirmWithPassword is that of the Service, since the Client has one too.
func (s *self) ConfirmWithPassword(ctx context.Context, password string) error {
	return s.Service.ConfirmWithPassword(ctx, password)
}

// Account is that of the Service, since the Client has one too.
func (s *self) Account(ctx context.Context) (shared.Account, error) { return s.Service.Account(ctx) }

// Passkeys returns the list, and adds it to the copy in this browser. While the server is away it
// returns the copy.
func (s *self) Passkeys(ctx context.Context) (shared.PasskeyList, error) {
	list, err := s.Service.Passkeys(ctx)
	if err == nil {
		keepPasskeys(s.User().ID, list)
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

// ConfirmAtProvider goes to an OpenID provider, which sends the browser back to this page. It
// returns only if it fails.
func (s *self) ConfirmAtProvider(ctx context.Context, providerID string) error {
	s.EndSilent()
	to, err := s.BeginSSOConfirmation(ctx, providerID, browser.Path())
	return goToProvider(ctx, to, err)
}

// Link goes to an OpenID provider. It returns only if it fails.
func (s *self) Link(ctx context.Context, providerID string) error {
	s.EndSilent()
	to, err := s.BeginLink(ctx, providerID)
	return goToProvider(ctx, to, err)
}

// goToProvider goes to a provider's address, and waits until the page ends.
func goToProvider(ctx context.Context, to shared.AtProvider, err error) error {
	if err != nil {
		return err
	}
	browser.Leave(to.URL)
	<-ctx.Done()
	return ctx.Err()
}
