package openid

import (
	"crypto/subtle"
	"encoding/json"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// Client is a program that signs users in here: a relying party (OpenID Connect Core 1.0, 1.2). IT
// registers it; see [Client.Check] for what can be registered.
type Client struct {
	ID   string `json:"-"`    // client_id
	Name string `json:"name"` // that people read
	// Home is the address of the program's own start page, or "".
	Home string `json:"home,omitempty"`

	// Redirects are the redirect URIs, which are compared byte by byte (RFC 9700, 2.1). The port of a
	// loopback address is free (RFC 8252, 7.3). A bare origin stands for each address of that origin.
	Redirects []string `json:"redirects,omitempty"`
	// SignedOut are the addresses to which a sign-out that the program began may lead
	// (post_logout_redirect_uris of OpenID Connect RP-Initiated Logout 1.0, 3.1).
	SignedOut []string `json:"signedOut,omitempty"`
	// BackChannel is the address that gets logout tokens (OpenID Connect Back-Channel Logout 1.0, 2.2), or "".
	BackChannel string `json:"backChannel,omitempty"`

	Authentication Authentication `json:"authentication,omitempty"`
	Secrets        []Secret       `json:"secrets,omitempty"`
	// Keys are the public keys of a client that authenticates with a key, as a JSON Web Key Set.
	Keys json.RawMessage `json:"keys,omitempty"`

	// WithoutPKCE accepts authorization requests without PKCE (RFC 7636) of a client that authenticates itself.
	WithoutPKCE bool      `json:"withoutPKCE,omitempty"`
	Algorithm   Algorithm `json:"algorithm,omitempty"` // of ID tokens; "" means RS256
	Pairwise    bool      `json:"pairwise,omitempty"`  // each program gets another sub for a user (OpenID Connect Core 1.0, 8)
	// FirstParty means that the program is the organisation's own: nobody is asked for consent.
	FirstParty bool     `json:"firstParty,omitempty"`
	Groups     []string `json:"groups,omitempty"` // whose users may use the program; none means everybody
	Scopes     []string `json:"scopes,omitempty"` // that it may ask for, besides openid; none means profile, email and groups
	Device     bool     `json:"device,omitempty"` // may use the device flow (RFC 8628)

	Created time.Time `json:"created,omitzero"`
	Changed time.Time `json:"changed,omitzero"` // last, also its secret
	// Configured means that the client is from the configuration file, and can be changed there alone.
	Configured bool `json:"-"`
}

// Authentication is how a client authenticates at the token endpoint (OpenID Connect Core 1.0, 9).
type Authentication string

// The values of [Authentication].
const (
	AuthenticatesBasic Authentication = "client_secret_basic" // the default; the secret may be sent in the body too
	AuthenticatesPost  Authentication = "client_secret_post"
	AuthenticatesKey   Authentication = "private_key_jwt"
	AuthenticatesNever Authentication = "none" // a public client
)

// Algorithm signs ID tokens.
type Algorithm string

// The values of [Algorithm].
const (
	RS256 Algorithm = "RS256"
	ES256 Algorithm = "ES256"
)

// Secret is one that a client presents. It has 256 random bits, so a hash of it needs no salt and no work.
type Secret struct {
	Hash  store.Hash `json:"hash"`
	Since time.Time  `json:"since"`
	// Until is when it ends because another one has taken its place; zero for never.
	Until time.Time `json:"until,omitzero"`
}

// IsPublic reports whether the client can't keep a secret, so that PKCE alone protects its codes.
func (c Client) IsPublic() bool { return c.Authentication == AuthenticatesNever }

// UsesSecret reports whether the client authenticates with a secret.
func (c Client) UsesSecret() bool {
	return c.Authentication == "" || c.Authentication == AuthenticatesBasic || c.Authentication == AuthenticatesPost
}

// HasSecret reports whether a text is one of the client's secrets at this time.
func (c Client) HasSecret(text string, now time.Time) bool {
	hash, has := store.HashOf(text), false
	for _, s := range c.Secrets {
		same := subtle.ConstantTimeCompare(hash[:], s.Hash[:]) == 1
		has = has || same && (s.Until.IsZero() || now.Before(s.Until))
	}
	return has
}

// Admits reports whether a user may use the program, by the groups that may.
func (c Client) Admits(user store.User) bool { return user.IsAmong(c.Groups) }
