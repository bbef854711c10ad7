package openid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/keypeg/keypeg/server/internal/strictjson"
	"github.com/keypeg/keypeg/server/store"
)

// errClient is the refusal of a client that hasn't proved who it is. It doesn't say why: the log does.
func errClient(format string, values ...any) error {
	return &oauthError{code: "invalid_client", detail: "the client isn't known, or has not authenticated", cause: fmt.Errorf(format, values...)}
}

// assertionType is that of a JWT (RFC 7523, 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// authenticated returns the client that sends a request to an endpoint (OpenID Connect Core 1.0, 9).
func (h *Handlers) authenticated(r *http.Request, sent url.Values) (Client, error) {
	id, sentBasic, basic := r.BasicAuth()
	secrets := []string{sent.Get("client_secret")}
	assertion := sent.Get("client_assertion")
	ways := 0
	for _, is := range []bool{basic, sent.Has("client_secret"), assertion != ""} {
		if is {
			ways++
		}
	}
	switch {
	case ways > 1: // RFC 6749, 2.3
		return Client{}, oauth("invalid_request", "the client authenticates in more than one way")
	case assertion != "":
		return h.authenticatedByKey(r.Context(), sent, assertion)
	case basic:
		id, secrets = unescaped(id), []string{unescaped(sentBasic), sentBasic}
		if named := sent.Get("client_id"); named != "" && named != id {
			return Client{}, oauth("invalid_request", "client_id is another one than in Authorization")
		}
	default:
		id = sent.Get("client_id")
	}
	c, err := h.client(r.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		return c, errClient("client_id is %.140q", id)
	}
	if err != nil {
		return c, err
	}
	return c, h.checkSecret(c, secrets, basic)
}

// unescaped decodes a part of Basic authentication, which is form-encoded first (RFC 6749, 2.3.1). Many programs
// don't encode. Ids and the secrets that we make are the same in both forms; one that IT has made may have a +.
func unescaped(part string) string {
	if plain, err := url.QueryUnescape(part); err == nil {
		return plain
	}
	return part
}

// checkSecret refuses a client that has sent none of its secrets. Secrets are the forms in which one may have been sent.
func (h *Handlers) checkSecret(c Client, secrets []string, basic bool) error {
	switch c.Authentication {
	case AuthenticatesNever:
		if secrets[0] != "" {
			return errClient("the client %s is public, and has sent a secret", c.ID)
		}
		return nil
	case AuthenticatesKey:
		return errClient("the client %s must authenticate with its key", c.ID)
	case AuthenticatesPost:
		if basic {
			return errClient("the client %s must send its secret in the body", c.ID)
		}
	}
	if !slices.ContainsFunc(secrets, func(secret string) bool { return secret != "" && c.HasSecret(secret, h.Now()) }) {
		return errClient("the client %s has sent a wrong secret, or none", c.ID)
	}
	return nil
}

// Limits of a client's assertion.
const (
	mostAssertion = 8 << 10   // bytes
	longestLived  = time.Hour // from now to its exp; Authlib signs for so long, and its jti is remembered until then
)

// assertionClaims are the claims of an assertion (RFC 7523, 3).
type assertionClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Expires  int64    `json:"exp"`
	Begins   int64    `json:"nbf"`
	ID       string   `json:"jti"`
}

// authenticatedByKey checks a JWT that a client has signed. Each is taken once.
func (h *Handlers) authenticatedByKey(ctx context.Context, sent url.Values, assertion string) (Client, error) {
	if sent.Get("client_assertion_type") != assertionType || len(assertion) > mostAssertion {
		return Client{}, oauth("invalid_request", "client_assertion must be a JWT, and client_assertion_type say so")
	}
	signed, err := jose.ParseSignedCompact(assertion, []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256})
	if err != nil {
		return Client{}, errClient("the assertion can't be read: %w", err)
	}
	var claims assertionClaims
	if err := strictjson.Unmarshal(signed.UnsafePayloadWithoutVerification(), &claims); err != nil {
		return Client{}, errClient("the assertion can't be read: %w", err)
	}
	c, err := h.client(ctx, claims.Subject)
	if errors.Is(err, store.ErrNotFound) {
		return c, errClient("the assertion is of %.140q", claims.Subject)
	}
	if err != nil {
		return c, err
	}
	if named := sent.Get("client_id"); c.Authentication != AuthenticatesKey || claims.Issuer != c.ID || named != "" && named != c.ID {
		return c, errClient("the assertion of %s is of another client too, or the client has no key", c.ID)
	}
	if err := c.hasSigned(signed); err != nil {
		return c, err
	}
	return c, h.spend(ctx, c, claims)
}

// spend checks what a client has signed, and takes it once.
func (h *Handlers) spend(ctx context.Context, c Client, claims assertionClaims) error {
	expires := time.Unix(claims.Expires, 0)
	left := expires.Sub(h.Now())
	switch {
	case !slices.ContainsFunc(claims.Audience, h.isUs):
		return errClient("the assertion of %s is for another server", c.ID)
	case claims.Expires == 0:
		return errClient("the assertion of %s has no exp", c.ID)
	case left <= -store.ClockSkew:
		return errClient("the assertion of %s has ended %s ago: the clocks may differ", c.ID, (-left).Round(time.Minute))
	case left > longestLived+store.ClockSkew:
		return errClient("the assertion of %s ends in %s, and may last for %s: let the program sign shorter ones", c.ID, left.Round(time.Minute), longestLived)
	case time.Unix(claims.Begins, 0).After(h.Now().Add(store.ClockSkew)):
		return errClient("the assertion of %s counts later: the clocks may differ", c.ID)
	case claims.ID == "" || len(claims.ID) > mostNonce:
		return errClient("the assertion of %s has no jti", c.ID)
	}
	// The ticket's id begins with a time, which is the same whenever the same assertion comes.
	err := h.Store.Apply(ctx, store.Batch{store.SpendTicket(store.TicketIDOf(expires, "assertion "+c.ID+" "+claims.ID), expires.Add(2*store.ClockSkew))})
	if store.IsSpent(err) {
		return errClient("the assertion of %s was used before", c.ID)
	}
	return err
}

// isUs reports whether an audience of an assertion is this provider, by the names that it has there (OpenID Connect Core
// 1.0, 9; RFC 9126, 2).
func (h *Handlers) isUs(audience string) bool {
	return audience == h.Issuer || audience == h.Issuer+PathToken || audience == h.Issuer+PathPush
}

// hasSigned refuses a signature that none of the client's keys has made.
func (c Client) hasSigned(signed *jose.JSONWebSignature) error {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(c.Keys, &set); err != nil {
		return errClient("the keys of the client %s can't be read: %w", c.ID, err)
	}
	header := signed.Signatures[0].Protected
	for _, key := range set.Keys {
		if key.KeyID != "" && header.KeyID != "" && key.KeyID != header.KeyID || key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		if _, err := signed.Verify(key.Key); err == nil {
			return nil
		}
	}
	return errClient("no key of the client %s has signed its assertion", c.ID)
}

// audience is the claim aud: a text or a list of texts (RFC 7519, 4.1.3).
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*a = make(audience, 1)
		return json.Unmarshal(b, &(*a)[0])
	}
	return json.Unmarshal(b, (*[]string)(a))
}
