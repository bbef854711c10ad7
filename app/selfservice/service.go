// Package selfservice lets the signed-in user manage their own passkeys, in any go-app
// program whose server answers Keypeg's API.
//
// [Menu] is the user's name at the top right, with the menu and the passkeys panel that it
// opens. [Service] does the work for Menu and for the other components of package ui. It
// calls the API (package client), runs the ceremonies (package ceremony), and sends signals
// to password managers (package browser). Keypeg's own pages use the same Service.
package selfservice

import (
	"context"
	"sync"
	"time"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/app/client"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Service is a [ui.PasskeyService], a [ui.ConfirmService] and a [ui.SignInService]. Make one
// with [New], for all pages together.
//
// Its errors are a *[shared.Error] if the server refuses or can't be reached, and a
// *[ceremony.Failure] if the browser has no passkey to give. Components show both.
type Service struct {
	password   Password
	client     *client.Client
	ceremonies ceremony.Ceremonies

	mu   sync.Mutex
	user shared.User // of the last answer of the server

	told told // what a [Menu] knows, for an [Offer]

	cancelSilent context.CancelFunc // ends the silent registration; nil before there was one
	silentEnded  <-chan struct{}
}

// Password confirms the user by their password. A program with accounts of its own asks its
// own server, which counts the session as fresh from then on. An error that is a
// *[shared.Error] is shown. Its code for a wrong password is [shared.CodeSignInRefused], since
// [shared.CodeUnauthenticated] says that the session has ended.
type Password func(ctx context.Context, password string) error

// New returns a Service for the page's own server and the browser's authenticators. Password
// may be nil if no user has a password: if HostUser.HasPassword is always false on the server.
func New(password Password) *Service {
	return With(browser.Transport{}, browser.Authenticator{}, password)
}

// With returns a Service for another server or other authenticators, as in tests.
func With(transport client.Transport, authenticator ceremony.Authenticator, password Password) *Service {
	c := client.New(transport)
	return &Service{password: password, client: c, ceremonies: ceremony.Ceremonies{API: c, Authenticator: authenticator}}
}

// Context returns the context of the interface, which components need: facts about the
// browser, and about the account that [Service.Account] has returned. The account is empty
// while nobody is signed in. Text is required; [message.English] is one.
func Context(text *message.Catalogue, account shared.Account) ui.Context {
	blocked := ""
	switch browser.PasskeySupport() {
	case browser.NotSupported:
		blocked = text.Panel.NotSupported
	case browser.NotSecure:
		blocked = text.Panel.NotSecure
	}
	return ui.Context{
		Text: text, Formats: browser.Regional(text.Lang), Host: browser.Host(),
		RPID: account.RPID, Contact: account.Contact, Blocked: blocked,
	}
}

// Account returns the account of the signed-in user. If nobody is signed in, its error is one
// for which [shared.IsSignedOut] is true.
func (s *Service) Account(ctx context.Context) (shared.Account, error) {
	account, err := s.client.Account(ctx)
	if err == nil {
		s.mu.Lock()
		s.user = account.User
		s.mu.Unlock()
	}
	return account, err
}

// User returns the user of the last account that [Service.Account] returned, or the zero User.
func (s *Service) User() shared.User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.user
}

// Passkeys returns the user's passkeys. HasPassword is false if there is no function to ask
// for the password with.
func (s *Service) Passkeys(ctx context.Context) (shared.PasskeyList, error) {
	list, err := s.client.Passkeys(ctx)
	list.HasPassword = list.HasPassword && s.password != nil
	return list, err
}

// Register adds a passkey under a name, which may be blank, where the user wants to keep it. If it fails, nothing was added.
// Before that it ends a silent registration; see [Service.RegisterSilently].
func (s *Service) Register(ctx context.Context, name string, where shared.Hint) (shared.Passkey, error) {
	s.EndSilent()
	added, err := s.ceremonies.Register(ctx, name, where)
	browser.Signal(ctx, added.Signals)
	return added, err
}

// silentFor is how long the browser may take to make a passkey silently.
const silentFor = 30 * time.Second

// EndSilent ends a silent registration. A browser runs one ceremony at a time, and the silent
// one may wait for ever.
func (s *Service) EndSilent() {
	s.mu.Lock()
	cancel, ended := s.cancelSilent, s.silentEnded
	s.mu.Unlock()
	if cancel != nil {
		cancel()
		<-ended
	}
}

// RegisterSilently adds a passkey if the browser makes one without asking the user. It
// reports whether it did. The user hasn't asked for it, so it returns no error to show.
func (s *Service) RegisterSilently(ctx context.Context) (shared.Passkey, bool) {
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

	made, err := s.ceremonies.RegisterSilently(ctx)
	browser.Signal(ctx, made.Signals)
	return made, err == nil
}

// Try finds out whether a passkey works, and returns it as it is then.
func (s *Service) Try(ctx context.Context, id string) (shared.Passkey, error) {
	s.EndSilent()
	return s.ceremonies.Try(ctx, id)
}

// Rename gives a passkey another name, and returns the changed passkey.
func (s *Service) Rename(ctx context.Context, id, name string) (shared.Passkey, error) {
	return s.client.RenamePasskey(ctx, id, name)
}

// Remove removes a passkey and returns those that are left. It signals that to the password
// manager where the server allows it. EndSessions also ends the user's other sessions that
// began with the passkey, where the server can end them.
func (s *Service) Remove(ctx context.Context, id string, endSessions bool) (shared.PasskeyList, error) {
	left, err := s.client.RemovePasskey(ctx, id, endSessions)
	browser.Signal(ctx, left.Signals)
	return left, err
}

// phoneLinking is a Service whose server makes links for phones: the panel offers them.
type phoneLinking struct{ *Service }

// passkeys returns the service of the passkeys panel of an account.
func (s *Service) passkeys(account shared.Account) ui.PasskeyService {
	if account.PhoneLinks {
		return phoneLinking{s}
	}
	return s
}

// MakePhoneLink implements [ui.PhoneLinker].
func (s phoneLinking) MakePhoneLink(ctx context.Context) (shared.EnrolmentLink, error) {
	return s.client.MakePhoneLink(ctx)
}

// ConfirmWithPasskey proves again who the user is. The session counts as fresh from then on.
func (s *Service) ConfirmWithPasskey(ctx context.Context) error {
	s.EndSilent()
	_, err := s.ceremonies.Confirm(ctx)
	return err
}

// ConfirmWithPassword calls the [Password] that [New] got, and fails as it does.
func (s *Service) ConfirmWithPassword(ctx context.Context, password string) error {
	return s.password(ctx, password)
}

// SignInWithPasskey begins a session with the passkey that the user picks.
func (s *Service) SignInWithPasskey(ctx context.Context) error {
	_, err := s.ceremonies.SignIn(ctx)
	return err
}

// SignInByAutofill begins a session when the user picks a passkey in the text box for their
// name; see [ceremony.Ceremonies.SignInByAutofill]. It fails at once in a browser without
// autofill for passkeys.
func (s *Service) SignInByAutofill(ctx context.Context) error {
	if !browser.OffersAutofill(ctx) {
		return &ceremony.Failure{Reason: ceremony.NotSupported, Exception: "NotSupportedError"}
	}
	_, err := s.ceremonies.SignInByAutofill(ctx)
	return err
}
