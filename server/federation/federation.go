// Package federation lets people sign in at OpenID providers (OpenID Connect Core 1.0,
// authorization code flow with PKCE). It is a feature that package server mounts:
// [Handlers] has its routes, and a [Provider] speaks the protocol. Package account decides
// which user a person is, and what they may do.
//
// A [Provider] fetches the issuer's metadata at the first use, and keeps it for a day. It
// fetches the keys again when an unknown one signs. A provider that can't be reached
// affects nothing but the sign-ins there.
//
// This package is strict about the claims that decide who a person is. It reads everything
// else member by member, so an optional claim, or a key that can't be read, keeps nobody
// out. [Provider.Check] tells IT in advance what will fail, and what to write instead.
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
	// defaultPatience is short, because the person sees an empty page meanwhile.
	defaultPatience = 10 * time.Second
	// answerLife is how long a person may take at the provider.
	answerLife = 15 * time.Minute
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

// New returns a Provider. Callback is our redirect URI.
func New(c Config, callback string, now store.Clock) *Provider {
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"profile", "email"}
	}
	c.Scopes = slices.DeleteFunc(slices.Clone(c.Scopes), func(s string) bool { return s == oidc.ScopeOpenID }) // it is always added
	if c.Patience == 0 {
		c.Patience = defaultPatience
	}
	return &Provider{c: c, callback: callback, now: now, client: newClient(c.Patience)}
}

// Config is what the provider was made of, with what was unset filled in.
func (p *Provider) Config() Config { return p.c }

// pendingRequest is an authorization request that waits for its response. The same browser
// must bring it back, unread and unchanged.
type pendingRequest struct {
	Provider string    `json:"p"`
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"` // PKCE's (RFC 7636, 4.1)
	Expires  time.Time `json:"e"`
	// Fresh is set if the person must sign in at the provider after this time.
	Fresh time.Time `json:"f,omitzero"`
}

// person is what a checked ID token says of the person who signed in at the provider.
type person struct {
	Subject string

	account.Profile                     // as far as the ID token has it
	Claims          map[string][]string // of the ID token: the texts, numbers and booleans of each, as text
	// UserInfo returns the whole profile. It asks the userinfo endpoint if the ID token
	// leaves anything out. Its errors are those of [Provider.finish].
	UserInfo func(context.Context) (account.Profile, error)
}

// prompting says what the provider does with a person who is signed in there.
type prompting int

// The values of [prompting].
const (
	silently prompting = iota // it need not ask
	afresh                    // it must ask them to sign in again
	choosing                  // it must ask which of their accounts they mean
)

// begin makes an authorization request, and returns the address at the provider to which
// the browser is redirected.
func (p *Provider) begin(ctx context.Context, how prompting) (address string, pending pendingRequest, err error) {
	issuer, err := p.discover(ctx)
	if err != nil {
		return "", pendingRequest{}, p.failed(err)
	}
	pending = pendingRequest{
		Provider: p.c.ID, State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(),
		Expires: p.now().Add(answerLife),
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(pending.Nonce), oauth2.S256ChallengeOption(pending.Verifier)}
	switch how {
	case afresh:
		pending.Fresh = p.now()
		options = append(options, oauth2.SetAuthURLParam("max_age", "0"))
	case choosing:
		options = append(options, oauth2.SetAuthURLParam("prompt", "select_account"))
	}
	return p.request(issuer).AuthCodeURL(pending.State, options...), pending, nil
}

// request is an authorization request without what is new in each.
func (p *Provider) request(issuer *discovered) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.c.ClientID, RedirectURL: p.callback, Endpoint: oauth2.Endpoint{AuthURL: issuer.authorization},
		Scopes: append([]string{oidc.ScopeOpenID}, p.c.Scopes...),
	}
}

// finish checks an authorization response, redeems its code, and returns who has signed in.
// It may succeed twice for one response if the provider allows that, so the caller must
// apply pendingRequest.spend together with the result.
//
// Refusals: [shared.CodeSSORefused] for a response that is late, that belongs to another
// browser, or in which the person or the provider declined;
// [shared.CodeProviderUnavailable] and [shared.CodeProviderMisconfigured], for whose causes
// see [mendOf].
func (p *Provider) finish(ctx context.Context, pending pendingRequest, answer url.Values) (person, error) {
	if err := p.belongs(pending, answer); err != nil {
		return person{}, err
	}
	issuer, err := p.discover(ctx)
	if err != nil {
		return person{}, p.failed(err)
	}
	iss, code := answer.Get("iss"), answer.Get("error")
	switch {
	case code != "" && (iss == p.c.Issuer || iss == ""): // an error signs nobody in, so iss isn't required
		return person{}, p.declined(code, answer.Get("error_description"))
	case iss != p.c.Issuer && (iss != "" || issuer.namesIss):
		cause := &browserError{fmt.Sprintf("the answer is of the issuer %q", limited(iss)), "a browser brought an answer that doesn't name this issuer"}
		return person{}, p.failed(mend(cause, "the provider itself must be mended: the iss of its answers must be the issuer that its discovery has, %s, to the last slash; and no other provider may send people to %s", p.c.Issuer, p.callback))
	case answer.Get("code") == "":
		return person{}, p.refused(errors.New("the answer has neither a code nor an error"))
	}
	ctx, cancel := context.WithTimeout(ctx, p.c.Patience)
	defer cancel()
	tokens, err := p.redeem(ctx, issuer, answer.Get("code"), pending.Verifier)
	if err != nil {
		return person{}, err
	}
	return p.identify(ctx, issuer, tokens, pending)
}

// belongs checks that a response answers this authorization request.
func (p *Provider) belongs(pending pendingRequest, answer url.Values) error {
	switch {
	case pending.Provider != p.c.ID:
		return p.refused(fmt.Errorf("it was begun at the provider %q", pending.Provider))
	case answer.Get("state") != pending.State || pending.State == "":
		return p.refused(errors.New("the state is another"))
	case !p.now().Before(pending.Expires), pending.Expires.After(p.now().Add(answerLife + store.ClockSkew)):
		return shared.Errorf(shared.CodeSSORefused, "That took longer than %d minutes. Please try again.", int(answerLife.Minutes()))
	}
	return nil
}

// signOutPatience is short, because the person is signed out here already.
const signOutPatience = 2 * time.Second

// SignOutURL returns the address that ends the session at the provider and then leads to
// back. It returns "" if IT doesn't want that, or if the provider has no such address or
// doesn't answer soon.
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

// spend returns the operation that spends the request. It belongs in the batch that uses the
// identity: if a response is sent twice, only one of them succeeds.
func (d pendingRequest) spend() store.Op {
	return store.SpendTicket(store.TicketIDOf(d.Expires.Add(-answerLife), d.State), d.Expires)
}
