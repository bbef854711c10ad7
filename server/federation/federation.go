// Package federation lets people sign in at OpenID providers (OpenID Connect Core 1.0,
// authorization code flow with PKCE). It is a feature that package server mounts: [Handlers]
// are its routes, and a [Provider] speaks the protocol. Who a
// person of a provider is here, and what they may do, is decided in package account.
//
// A [Provider] finds out about its issuer at the first use and keeps that for a
// day; keys are fetched again when an unknown one signs. One that is away fails by
// itself, and nothing else does.
//
// It is strict about what decides who somebody is, and reads everything else member
// by member: no optional claim, and no key that can't be read, keeps a person out.
// [Provider.Check] tells IT in time what will fail, and what to write instead.
package federation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

const (
	// defaultPatience is short, since somebody is looking at an empty page meanwhile.
	defaultPatience = 10 * time.Second
	// AnswerLife is how long somebody may take at the provider.
	AnswerLife = 15 * time.Minute
)

// Provider is one OpenID provider. It is safe for concurrent use.
type Provider struct {
	c        Config
	callback string
	now      store.Clock
	client   *http.Client

	asking  singleflight.Group
	mu      sync.Mutex
	found   *discovered
	foundAt time.Time
}

// New returns a Provider. Callback is our address that it sends people back to.
func New(c Config, callback string, now store.Clock) *Provider {
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"profile", "email"}
	}
	c.Scopes = slices.DeleteFunc(slices.Clone(c.Scopes), func(s string) bool { return s == oidc.ScopeOpenID }) // it is asked for anyway
	if c.Patience == 0 {
		c.Patience = defaultPatience
	}
	return &Provider{c: c, callback: callback, now: now, client: newClient(c.Patience)}
}

// Config is what the provider was made of, with what was unset filled in.
func (p *Provider) Config() Config { return p.c }

// Pending is a sign-in between the two times that we see the browser. It must come
// back unread and unchanged, from the same browser.
type Pending struct {
	Provider string    `json:"p"`
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"` // PKCE's (RFC 7636, 4.1)
	Expires  time.Time `json:"e"`
	// Fresh: the person must have signed in at the provider since this moment.
	Fresh time.Time `json:"f,omitzero"`
}

// Identity is what a checked ID token says of the person who signed in at the provider.
type Identity struct {
	Issuer, Subject string

	account.Profile                     // as far as the ID token has it
	Claims          map[string][]string // of the ID token: the texts, numbers and booleans of each, as text
	// UserInfo returns the whole profile. It asks the userinfo endpoint if the ID token
	// leaves anything out. Its errors are those of [Provider.Finish].
	UserInfo func(context.Context) (account.Profile, error)
}

// How the provider is to treat somebody who is signed in there.
type How int

// The values of [How].
const (
	Silently How = iota // it need not ask
	Afresh              // it must ask them to sign in again
	Choosing            // it must ask which of their accounts they mean
)

// Begin returns the provider's address that the browser is to go to.
func (p *Provider) Begin(ctx context.Context, how How) (address string, pending Pending, err error) {
	issuer, err := p.discover(ctx)
	if err != nil {
		return "", Pending{}, p.failed(err)
	}
	pending = Pending{
		Provider: p.c.ID, State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(),
		Expires: p.now().Add(AnswerLife),
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(pending.Nonce), oauth2.S256ChallengeOption(pending.Verifier)}
	switch how {
	case Afresh:
		pending.Fresh = p.now()
		options = append(options, oauth2.SetAuthURLParam("max_age", "0"))
	case Choosing:
		options = append(options, oauth2.SetAuthURLParam("prompt", "select_account"))
	}
	return p.request(issuer).AuthCodeURL(pending.State, options...), pending, nil
}

// request is an authorization request, but for what is new in each.
func (p *Provider) request(issuer *discovered) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.c.ClientID, RedirectURL: p.callback, Endpoint: oauth2.Endpoint{AuthURL: issuer.authorization},
		Scopes: append([]string{oidc.ScopeOpenID}, p.c.Scopes...),
	}
}

// Finish checks what the provider's answer brought back, redeems its code, and
// returns who has signed in. It may succeed twice for one answer, if the provider
// allows that: whoever uses the result must spend [Pending.Ticket] with it.
//
// Refusals: [shared.CodeSSORefused] for an answer that is late or somebody else's, or
// where the person said no; [shared.CodeProviderUnavailable] and
// [shared.CodeProviderMisconfigured], for the causes of which see [MendOf].
func (p *Provider) Finish(ctx context.Context, pending Pending, answer url.Values) (Identity, error) {
	if err := p.belongs(pending, answer); err != nil {
		return Identity{}, err
	}
	issuer, err := p.discover(ctx)
	if err != nil {
		return Identity{}, p.failed(err)
	}
	iss, code := answer.Get("iss"), answer.Get("error")
	switch {
	case code != "" && (iss == p.c.Issuer || iss == ""): // an error lets nobody in, so it needs no name
		return Identity{}, p.Declined(code, answer.Get("error_description"))
	case iss != p.c.Issuer && (iss != "" || issuer.namesIss):
		cause := &browserError{fmt.Sprintf("the answer is of the issuer %q", limited(iss)), "a browser brought an answer that doesn't name this issuer"}
		return Identity{}, p.failed(mend(cause, "the provider itself must be mended: the iss of its answers must be the issuer that its discovery has, %s, to the last slash; and no other provider may send people to %s", p.c.Issuer, p.callback))
	case answer.Get("code") == "":
		return Identity{}, p.refused(errors.New("the answer has neither a code nor an error"))
	}
	ctx, cancel := context.WithTimeout(ctx, p.c.Patience)
	defer cancel()
	tokens, err := p.redeem(ctx, issuer, answer.Get("code"), pending.Verifier)
	if err != nil {
		return Identity{}, err
	}
	return p.identify(ctx, issuer, tokens, pending)
}

// belongs checks that an answer is the one that this browser waits for.
func (p *Provider) belongs(pending Pending, answer url.Values) error {
	switch {
	case pending.Provider != p.c.ID:
		return p.refused(fmt.Errorf("it was begun at the provider %q", pending.Provider))
	case answer.Get("state") != pending.State || pending.State == "":
		return p.refused(errors.New("the state is another"))
	case !p.now().Before(pending.Expires), pending.Expires.After(p.now().Add(AnswerLife + store.ClockSkew)):
		return shared.Errorf(shared.CodeSSORefused, "That took longer than %d minutes. Please try again.", int(AnswerLife.Minutes()))
	}
	return nil
}

// signOutPatience is short: whoever signs out is out here already.
const signOutPatience = 2 * time.Second

// SignOutURL is where the browser goes to end the session at the provider, and
// comes back to back; "" if there is no such place, it isn't known soon, or it isn't
// wanted.
func (p *Provider) SignOutURL(ctx context.Context, back string) string {
	if !p.c.SignOut {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, signOutPatience)
	defer cancel()
	issuer, err := p.discover(ctx)
	if err != nil || issuer.endSession == "" {
		return ""
	}
	end, err := url.Parse(issuer.endSession)
	if err != nil {
		return ""
	}
	query := end.Query()
	query.Set("client_id", p.c.ClientID)
	query.Set("post_logout_redirect_uri", back)
	end.RawQuery = query.Encode()
	return end.String()
}

// Ticket is what must be spent with the identity, so that of an answer that is sent
// twice one succeeds.
func (d Pending) Ticket() store.SpendTicket {
	sum := store.HashOf("sso " + d.State)
	return store.SpendTicket{Ticket: store.SpentTicket{ID: [16]byte(sum[:16]), Expires: d.Expires}}
}
