// Package selfservice lets the signed-in user look after their own passkeys, in any
// go-app program whose server answers Keypeg's API.
//
// [Menu] is the user's name at the top right, with its menu and the passkeys panel behind
// it. [Service] does the work for it and for the other components of app/ui: it joins the
// API, the browser's authenticators and the password managers. Keypeg's own pages stand on
// the same Service.
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

// Service is a [ui.PasskeyService], a [ui.ConfirmService] and a [ui.SignInService]. Make
// one with [New], for all pages together.
//
// What the server refuses, or that it can't be reached, is a *[shared.Error]. Where a
// passkey is asked for, that may also be a *[ceremony.Failure]: the browser had no answer.
// Components show both.
type Service struct {
	password   Password
	client     *client.Client
	ceremonies ceremony.Ceremonies

	mu   sync.Mutex
	user shared.User // as the server told last

	cancelSilent context.CancelFunc // the silent registration's, once there was one
	silentEnded  <-chan struct{}
}

// Password confirms the user by their password. In a program with accounts of its own it
// asks the program's own server, which takes the session for fresh from then on. What it
// refuses with is shown if it is a *[shared.Error]: one of [shared.CodeSignInRefused] for a
// wrong password, as [shared.CodeUnauthenticated] says that the session has ended.
type Password func(ctx context.Context, password string) error

// New returns a Service of the page's own server and authenticators. Password may be nil
// where no user has one: where HostUser.HasPassword is false on the server.
func New(password Password) *Service {
	return With(browser.Transport{}, browser.Authenticator{}, password)
}

// With returns a Service over another server or authenticators, as in tests.
func With(transport client.Transport, authenticator ceremony.Authenticator, password Password) *Service {
	c := client.New(transport)
	return &Service{password: password, client: c, ceremonies: ceremony.Ceremonies{API: c, Authenticator: authenticator}}
}

// Context is what components need to know: of the browser that they run in, and of the
// account that [Service.Account] has returned, which is empty where nobody is signed in.
// Text is required; message.English is one.
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

// Account returns who is signed in. With nobody, [shared.IsSignedOut] says so of its error.
func (s *Service) Account(ctx context.Context) (shared.Account, error) {
	account, err := s.client.Account(ctx)
	if err == nil {
		s.mu.Lock()
		s.user = account.User
		s.mu.Unlock()
	}
	return account, err
}

// User is who was signed in when [Service.Account] returned last, or nobody.
func (s *Service) User() shared.User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.user
}

// Passkeys returns the user's own. A password that can't be asked for isn't told of.
func (s *Service) Passkeys(ctx context.Context) (shared.PasskeyList, error) {
	list, err := s.client.Passkeys(ctx)
	list.HasPassword = list.HasPassword && s.password != nil
	return list, err
}

// Register adds a passkey under a name, which may be blank. Where it fails, nothing was
// added. It ends a silent registration, for which see [Service.RegisterSilently].
func (s *Service) Register(ctx context.Context, name string) (shared.Passkey, error) {
	s.EndSilent()
	added, err := s.ceremonies.Register(ctx, name)
	browser.Signal(ctx, added.Signals)
	return added, err
}

// silentFor is how long the browser may take to make a passkey silently.
const silentFor = 30 * time.Second

// EndSilent makes room for a ceremony that the user wants: a browser runs one at
// a time, and the silent one may wait for ever.
func (s *Service) EndSilent() {
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

// Rename gives a passkey another name, and returns it as it is then.
func (s *Service) Rename(ctx context.Context, id, name string) (shared.Passkey, error) {
	return s.client.RenamePasskey(ctx, id, name)
}

// Remove takes a passkey away and returns those that are left; the password manager is told
// of it, where the server says that it may be. EndSessions ends the user's
// other sessions that began with it, where the server can end them.
func (s *Service) Remove(ctx context.Context, id string, endSessions bool) (shared.PasskeyList, error) {
	left, err := s.client.RemovePasskey(ctx, id, endSessions)
	browser.Signal(ctx, left.Signals)
	return left, err
}

// ConfirmWithPasskey proves again who the user is; the session is fresh from then on.
func (s *Service) ConfirmWithPasskey(ctx context.Context) error {
	s.EndSilent()
	_, err := s.ceremonies.Confirm(ctx)
	return err
}

// ConfirmWithPassword proves it by what [New] was given, and fails as that does.
func (s *Service) ConfirmWithPassword(ctx context.Context, password string) error {
	return s.password(ctx, password)
}

// SignInWithPasskey begins a session with whatever passkey the user picks.
func (s *Service) SignInWithPasskey(ctx context.Context) error {
	_, err := s.ceremonies.SignIn(ctx)
	return err
}

// SignInByAutofill begins a session when the user picks a passkey in the box for their
// name; see [ceremony.Ceremonies.SignInByAutofill]. In a browser that can't offer any
// there it fails at once.
func (s *Service) SignInByAutofill(ctx context.Context) error {
	if !browser.OffersAutofill(ctx) {
		return &ceremony.Failure{Reason: ceremony.NotSupported, Exception: "NotSupportedError"}
	}
	_, err := s.ceremonies.SignInByAutofill(ctx)
	return err
}
