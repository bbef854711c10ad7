package sso

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/keypeg/keypeg/server/store"
)

// The ID token (OpenID Connect Core 1.0, 2 and 3.1.3.7): strict about the claims that
// decide who somebody is, and deaf to all others.

// decisive are the claims that decide.
var decisive = []string{"iss", "sub", "aud", "azp", "exp", "iat", "nonce"}

// tokenKeys gives the library the claims that decide, and keeps all of them. The
// library reads a token as a whole: one other claim of an odd type would fail it.
type tokenKeys struct {
	keys   *keySet
	all    members
	failed error // why there were no keys
}

// VerifySignature implements [oidc.KeySet].
func (k *tokenKeys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.keys.verify(ctx, token)
	if err != nil {
		if !errors.Is(err, errSignature) {
			k.failed = err
		}
		return nil, err
	}
	if err := json.Unmarshal(payload, &k.all); err != nil {
		return nil, err
	}
	for _, name := range []string{"exp", "iat"} { // the library would take a string
		if _, is := k.all.instant(name); !is || k.all[name][0] == '"' {
			return nil, fmt.Errorf("its %s isn't a time", name)
		}
	}
	decides := members{}
	for _, name := range decisive {
		if k.all.has(name) {
			decides[name] = k.all[name]
		}
	}
	return json.Marshal(decides)
}

// identify checks an ID token.
func (p *Provider) identify(ctx context.Context, issuer *discovered, tokens members, pending Pending) (Identity, error) {
	raw := tokens.text("id_token")
	if raw == "" {
		return Identity{}, p.failed(mend(errors.New("the provider answered without an ID token"), "it must be an OpenID provider, and let this client have the scope openid"))
	}
	if err := checkForm(raw); err != nil {
		return Identity{}, p.failed(err)
	}
	keys := &tokenKeys{keys: issuer.keys}
	token, err := oidc.NewVerifier(p.Issuer, keys, &oidc.Config{
		ClientID: p.ClientID, SupportedSigningAlgs: issuer.algorithms,
		SkipExpiryCheck: true, // checkTimes does
	}).Verify(ctx, raw)
	switch {
	case keys.failed != nil:
		return Identity{}, p.failed(keys.failed)
	case err != nil:
		return Identity{}, p.refused(fmt.Errorf("the ID token fails: %w", err))
	}
	if err := p.check(token, keys.all, pending); err != nil {
		return Identity{}, p.refused(fmt.Errorf("the ID token fails: %w", err))
	}
	if err := p.checkTimes(token, keys.all); err != nil {
		return Identity{}, err
	}
	if !pending.Fresh.IsZero() {
		if err := p.checkFresh(keys.all, pending.Fresh); err != nil {
			return Identity{}, err
		}
	}
	return Identity{
		Issuer: p.Issuer, Subject: token.Subject, Description: p.describe(keys.all), Claims: keys.all.values(),
		Describe: func(ctx context.Context) (Description, error) {
			return p.describeMore(ctx, issuer, tokens, token.Subject, keys.all)
		},
	}, nil
}

// checkForm refuses a token of a form that the provider gives to every client that is
// registered as we are: with the next one it would be the same.
func checkForm(token string) error {
	parts := strings.Split(token, ".")
	if len(parts) == 5 { // RFC 7516, 3.1
		return mend(errors.New("the ID token is encrypted"), "let the provider sign ID tokens for this client, and not encrypt them")
	}
	var header members
	if decoded, err := base64.RawURLEncoding.DecodeString(parts[0]); err != nil || json.Unmarshal(decoded, &header) != nil {
		return nil // the library says so
	}
	if a := header.text("alg"); strings.HasPrefix(a, "HS") { // RFC 7518, 3.2
		return mend(fmt.Errorf("the ID token is signed with %s, for which anybody who checks it needs the secret", limited(a)), "let the provider sign ID tokens for this client with RS256 or ES256")
	}
	return nil
}

// check holds what the library leaves to us.
func (p *Provider) check(token *oidc.IDToken, all members, pending Pending) error {
	party := all.text("azp")
	switch {
	case token.Nonce != pending.Nonce || pending.Nonce == "":
		return errors.New("its nonce is another")
	case party != p.ClientID && (all.has("azp") || len(token.Audience) > 1):
		return fmt.Errorf("it is for the party %q", party)
	case !store.IsSubject(token.Subject):
		return errors.New("its subject isn't one")
	}
	return nil
}

// oldest is the age of a token that nobody has just signed for us.
const oldest = 24 * time.Hour

// checkTimes holds that the token counts now. It was made for this very sign-in, so
// one that was made at another time tells that the clocks differ.
func (p *Provider) checkTimes(token *oidc.IDToken, all members) error {
	now := p.now()
	var wrong error
	switch begins, is := all.instant("nbf"); {
	case token.IssuedAt.After(now.Add(store.ClockSkew)):
		wrong = errors.New("it was issued in the future")
	case token.IssuedAt.Before(now.Add(-oldest)):
		wrong = errors.New("it was issued long ago")
	case !token.Expiry.After(now.Add(-store.ClockSkew)):
		wrong = errors.New("it has expired")
	case is && begins.After(now.Add(store.ClockSkew)):
		wrong = errors.New("it doesn't count yet")
	default:
		return nil
	}
	cause := fmt.Errorf("the ID token fails: %w, at %s, when it was %s here", wrong, utc(token.IssuedAt), utc(now))
	if token.IssuedAt.Sub(now).Abs() > store.ClockSkew {
		return p.failed(clockError(cause))
	}
	return p.refused(cause)
}

// checkFresh holds that the person signed in at the provider since a moment.
func (p *Provider) checkFresh(all members, since time.Time) error {
	at, is := all.instant("auth_time")
	switch {
	case !is:
		return p.cannotConfirm(errors.New("the ID token has no auth_time"))
	case at.Before(since.Add(-store.ClockSkew)):
		return p.cannotConfirm(fmt.Errorf("the person wasn't asked again at the provider, but at %s", utc(at)))
	case at.After(p.now().Add(store.ClockSkew)):
		return p.failed(clockError(fmt.Errorf("the person signed in at the provider in the future, at %s", utc(at))))
	}
	return nil
}

func clockError(cause error) error {
	return mend(cause, "let a time service (NTP) set the clock of this machine, or the provider's: they may be %s apart", store.ClockSkew)
}

func utc(at time.Time) string { return at.UTC().Format(time.RFC3339) }
