// Package sso lets people sign in at OpenID providers (OpenID Connect Core 1.0,
// authorization code flow with PKCE). It knows the protocol and nothing else: who a
// person of a provider is here, and what they may do, is decided in account.
//
// A [Provider] finds out about its issuer at the first use and keeps that for a
// day; keys are fetched again when an unknown one signs. One that is away fails by
// itself, and nothing else does.
package sso

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

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

const (
	// defaultPatience is short, since somebody is looking at an empty page meanwhile.
	defaultPatience = 10 * time.Second
	// discoveredFor is how long we believe what an issuer said about itself.
	discoveredFor = 24 * time.Hour
	// AnswerLife is how long somebody may take at the provider.
	AnswerLife = 15 * time.Minute
	// maxAnswer bounds what we read of a provider's answer, in bytes.
	maxAnswer = 1 << 20
)

// Config describes a provider. [Config.Check] says what is wrong with it.
type Config struct {
	ID       string // names it in addresses: lower-case letters, digits and hyphens
	Name     string // what people call it, "Google"
	Issuer   string // its issuer identifier, a URL without query
	ClientID string
	Secret   string     // the client secret, or else
	Key      *ClientKey // signs in its place (private_key_jwt)
	Scopes   []string   // besides openid; unset: profile and email
	Button   string     // of the sign-in page; unset: "Sign in with" and the name

	// SignOut ends the session at the provider too (OpenID Connect RP-Initiated
	// Logout 1.0).
	SignOut bool

	Patience time.Duration // how long we wait for a provider's answer; 0 means 10 seconds
}

// Provider is one OpenID provider. It is safe for concurrent use.
type Provider struct {
	Config
	callback string
	now      store.Clock
	client   *http.Client

	mu      sync.Mutex
	found   *discovered
	foundAt time.Time
}

// discovered is what the issuer says about itself (OpenID Connect Discovery 1.0, 3).
type discovered struct {
	*oidc.Provider
	EndSession string `json:"end_session_endpoint"`
	NamesIss   bool   `json:"authorization_response_iss_parameter_supported"` // RFC 9207, 3
}

// New returns a Provider. Callback is our address that it sends people back to.
func New(c Config, callback string, now store.Clock) *Provider {
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"profile", "email"}
	}
	if c.Patience == 0 {
		c.Patience = defaultPatience
	}
	return &Provider{Config: c, callback: callback, now: now, client: &http.Client{
		Timeout: c.Patience, Transport: bounded{http.DefaultTransport},
	}}
}

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

// Identity is whom a provider says that it signed in.
type Identity struct {
	Issuer, Subject string
	Name            string // as people write it, "Ann Admin"; may be empty
	Email           string // may be empty
	EmailVerified   bool
}

// Begin returns the provider's address that the browser is to go to. If it has to be
// fresh, the provider asks the person again even if they are signed in there.
func (p *Provider) Begin(ctx context.Context, fresh bool) (address string, pending Pending, err error) {
	issuer, err := p.discover(ctx)
	if err != nil {
		return "", Pending{}, p.unavailable(err)
	}
	pending = Pending{
		Provider: p.ID, State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(),
		Expires: p.now().Add(AnswerLife),
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(pending.Nonce), oauth2.S256ChallengeOption(pending.Verifier)}
	if fresh {
		pending.Fresh = p.now()
		options = append(options, oauth2.SetAuthURLParam("max_age", "0"))
	}
	return p.oauth2(issuer).AuthCodeURL(pending.State, options...), pending, nil
}

// Finish checks what the provider's answer brought back, redeems its code, and
// returns who has signed in. It may succeed twice for one answer, if the provider
// allows that: whoever uses the result must spend [Pending.Ticket] with it.
//
// Refusals: [shared.CodeSSORefused] for an answer that is wrong, late or somebody
// else's, or where the person said no; [shared.CodeProviderUnavailable].
func (p *Provider) Finish(ctx context.Context, pending Pending, answer url.Values) (Identity, error) {
	if err := p.belongs(pending, answer); err != nil {
		return Identity{}, err
	}
	issuer, err := p.discover(ctx)
	if err != nil {
		return Identity{}, p.unavailable(err)
	}
	if iss := answer.Get("iss"); iss != p.Issuer && (iss != "" || issuer.NamesIss) {
		return Identity{}, p.refused(fmt.Errorf("the answer is of the issuer %q", iss))
	}
	if code := answer.Get("error"); code != "" {
		return Identity{}, p.declined(code, answer.Get("error_description"))
	}

	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), p.Patience)
	defer cancel()
	options := []oauth2.AuthCodeOption{oauth2.VerifierOption(pending.Verifier)}
	if p.Key != nil {
		assertion, err := p.Key.assertion(p.ClientID, p.Issuer, issuer.Endpoint().TokenURL, p.now())
		if err != nil {
			return Identity{}, err
		}
		options = append(options, assertion...)
	}
	tokens, err := p.oauth2(issuer).Exchange(ctx, answer.Get("code"), options...)
	if refusal, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refusal.Response.StatusCode < 500 {
		return Identity{}, p.refused(fmt.Errorf("the code wasn't redeemed: %s %s", refusal.ErrorCode, refusal.ErrorDescription))
	}
	if err != nil {
		return Identity{}, p.unavailable(err)
	}
	return p.identify(ctx, issuer, tokens, pending)
}

// belongs checks that an answer is the one that this browser waits for.
func (p *Provider) belongs(pending Pending, answer url.Values) error {
	switch {
	case pending.Provider != p.ID:
		return p.refused(fmt.Errorf("it was begun at the provider %q", pending.Provider))
	case answer.Get("state") != pending.State || pending.State == "":
		return p.refused(errors.New("the state is another"))
	case !p.now().Before(pending.Expires), pending.Expires.After(p.now().Add(AnswerLife + store.ClockSkew)):
		return shared.Errorf(shared.CodeSSORefused, "That took longer than %d minutes. Please try again.", int(AnswerLife.Minutes()))
	}
	return nil
}

// identify checks an ID token (OpenID Connect Core 1.0, 3.1.3.7). It reads name and
// e-mail address from the token, and what isn't there at the userinfo endpoint.
func (p *Provider) identify(ctx context.Context, issuer *discovered, tokens *oauth2.Token, pending Pending) (Identity, error) {
	raw, _ := tokens.Extra("id_token").(string)
	verifier := issuer.Verifier(&oidc.Config{
		ClientID: p.ClientID,
		// Its clock may be behind ours.
		Now: func() time.Time { return p.now().Add(-store.ClockSkew) },
	})
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		if ctx.Err() != nil {
			return Identity{}, p.unavailable(err)
		}
		return Identity{}, p.refused(fmt.Errorf("the ID token fails: %w", err))
	}
	var said claims
	if err := token.Claims(&said); err != nil {
		return Identity{}, p.refused(fmt.Errorf("the ID token's claims: %w", err))
	}
	switch {
	case token.Nonce != pending.Nonce:
		return Identity{}, p.refused(errors.New("the ID token's nonce is another"))
	case len(token.Audience) > 1 && said.AuthorizedParty != p.ClientID, said.AuthorizedParty != "" && said.AuthorizedParty != p.ClientID:
		return Identity{}, p.refused(fmt.Errorf("the ID token is for the party %q", said.AuthorizedParty))
	case token.IssuedAt.After(p.now().Add(store.ClockSkew)):
		return Identity{}, p.refused(fmt.Errorf("the ID token was issued in the future, at %s", token.IssuedAt.UTC().Format(time.RFC3339)))
	case !pending.Fresh.IsZero() && time.Unix(said.AuthTime, 0).Before(pending.Fresh.Add(-store.ClockSkew)):
		return Identity{}, p.refused(errors.New("the person wasn't asked again at the provider"))
	case !store.IsSubject(token.Subject):
		return Identity{}, p.refused(errors.New("the ID token's subject isn't one"))
	}

	if said.Email == "" && issuer.UserInfoEndpoint() != "" {
		info, err := issuer.UserInfo(oidc.ClientContext(ctx, p.client), oauth2.StaticTokenSource(tokens))
		if err != nil {
			return Identity{}, p.unavailable(err)
		}
		if info.Subject != token.Subject { // Core 1.0, 5.3.2
			return Identity{}, p.refused(errors.New("the userinfo is of another subject"))
		}
		if err := info.Claims(&said); err != nil {
			return Identity{}, p.refused(fmt.Errorf("the userinfo's claims: %w", err))
		}
	}
	return Identity{
		Issuer: p.Issuer, Subject: token.Subject,
		Name: said.Name, Email: said.Email, EmailVerified: bool(said.EmailVerified),
	}, nil
}

// claims are what we look at besides what the library does.
type claims struct {
	AuthorizedParty string   `json:"azp"`
	AuthTime        int64    `json:"auth_time"` // in seconds since 1970
	Name            string   `json:"name"`
	Email           string   `json:"email"`
	EmailVerified   verified `json:"email_verified"`
}

// verified is true for true, and for the "true" that some providers write. Anything
// else is false.
type verified bool

// UnmarshalJSON implements json.Unmarshaler.
func (v *verified) UnmarshalJSON(b []byte) error {
	*v = string(b) == "true" || string(b) == `"true"`
	return nil
}

// signOutPatience is short: whoever signs out is out here already.
const signOutPatience = 2 * time.Second

// SignOutURL is where the browser goes to end the session at the provider, and
// comes back to back; "" if there is no such place, it isn't known soon, or it isn't
// wanted.
func (p *Provider) SignOutURL(ctx context.Context, back string) string {
	if !p.SignOut {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, signOutPatience)
	defer cancel()
	issuer, err := p.discover(ctx)
	if err != nil || issuer.EndSession == "" {
		return ""
	}
	end, err := url.Parse(issuer.EndSession)
	if err != nil || end.Scheme != "https" && !isLocal(end) {
		return ""
	}
	query := end.Query()
	query.Set("client_id", p.ClientID)
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

// discover asks the issuer about itself, or remembers.
func (p *Provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	found, fresh := p.found, p.now().Sub(p.foundAt) < discoveredFor
	p.mu.Unlock()
	if found != nil && fresh {
		return found, nil
	}

	asking, cancel := context.WithTimeout(ctx, p.Patience)
	defer cancel()
	provider, err := oidc.NewProvider(oidc.ClientContext(asking, p.client), p.Issuer)
	if err != nil {
		if found != nil {
			return found, nil // yesterday's will do
		}
		return nil, fmt.Errorf("discovery: %w", err)
	}
	fetched := &discovered{Provider: provider}
	if err := provider.Claims(fetched); err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.found, p.foundAt = fetched, p.now()
	return fetched, nil
}

func (p *Provider) oauth2(issuer *discovered) *oauth2.Config {
	endpoint := issuer.Endpoint()
	if p.Key != nil {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.Secret, Endpoint: endpoint, RedirectURL: p.callback,
		Scopes: append([]string{oidc.ScopeOpenID}, p.Scopes...),
	}
}

func (p *Provider) refused(cause error) error {
	return shared.Errorf(shared.CodeSSORefused, "Signing in with %s didn't work. Please try again.", p.Name).Because(cause)
}

func (p *Provider) unavailable(cause error) error {
	return shared.Errorf(shared.CodeProviderUnavailable, "%s can't be reached at this moment. Please try again later, or sign in another way.", p.Name).Because(cause)
}

// declined is for a person who said no, or was told no, at the provider.
func (p *Provider) declined(code, description string) error {
	cause := fmt.Errorf("the provider answered %s: %s", limited(code), limited(description))
	switch code {
	case "access_denied":
		return shared.Errorf(shared.CodeSSORefused, "You weren't signed in at %s. Please try again, or sign in another way.", p.Name).Because(cause)
	case "temporarily_unavailable", "server_error":
		return p.unavailable(cause)
	default:
		return p.refused(cause)
	}
}

// limited cuts what a stranger may have written into the address, for the log.
func limited(text string) string { return text[:min(len(text), 200)] }

// bounded reads at most maxAnswer bytes of each answer.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = http.MaxBytesReader(nil, response.Body, maxAnswer)
	}
	return response, err
}

// isLocal tells whether an address never leaves this machine.
func isLocal(u *url.URL) bool {
	return u.Scheme == "http" && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
}
