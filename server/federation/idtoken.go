package federation

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/store"
)

// The ID token (OpenID Connect Core 1.0, 2 and 3.1.3.7). This file is strict about the
// claims that decide who a person is. Other claims may have any type, or be missing.

// decisive are the claims that decide who a person is.
var decisive = []string{"iss", "sub", "aud", "azp", "exp", "iat", "nonce"}

// tokenKeys gives the library only the decisive claims, and keeps all of them. The library
// decodes a token as a whole, so another claim of a wrong type would make it fail.
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
	if err := checkTypes(k.all); err != nil {
		k.failed = err
		return nil, err
	}
	decides := members{}
	for _, name := range decisive {
		if k.all.has(name) {
			decides[name] = k.all[name]
		}
	}
	return json.Marshal(decides)
}

// checkTypes refuses decisive claims of a wrong type (OpenID Connect Core 1.0, 2). A
// provider that sends the subject 7 today might send "7.0" or "007" tomorrow, which would
// be another person.
func checkTypes(all members) error {
	for _, name := range []string{"exp", "iat"} { // the library would take a string
		if _, is := all.instant(name); !is || all[name][0] == '"' {
			return mend(fmt.Errorf("the ID token fails: its %s isn't a time", name), "let the provider write exp and iat into ID tokens, as numbers, in seconds since 1970")
		}
	}
	if !store.IsSubject(all.text("sub")) {
		return mend(errors.New("the ID token fails: its subject isn't one"), "let the provider give each person a sub that is a text of 1 to 255 ASCII characters")
	}
	if all.text("nonce") == "" {
		return mend(errors.New("the ID token fails: it has no nonce"), "let the provider put the nonce of the request into ID tokens as it came: see whether a proxy or a rule there removes it")
	}
	return nil
}

// identify checks an ID token. The token comes directly from the provider and is new, so
// nearly everything that is wrong with it will be wrong with the next one too.
func (p *Provider) identify(ctx context.Context, issuer *discovered, tokens members, pending pendingRequest) (person, error) {
	raw := tokens.text("id_token")
	if raw == "" {
		return person{}, p.failed(mend(errors.New("the provider answered without an ID token"), "it must be an OpenID provider, and let this client have the scope openid"))
	}
	if err := checkForm(raw); err != nil {
		return person{}, p.failed(err)
	}
	keys := &tokenKeys{keys: issuer.keys}
	token, err := oidc.NewVerifier(p.c.Issuer, keys, &oidc.Config{
		ClientID: p.c.ClientID, SupportedSigningAlgs: issuer.algorithms,
		SkipExpiryCheck: true, // checkTimes does
	}).Verify(ctx, raw)
	switch {
	case keys.failed != nil:
		return person{}, p.failed(keys.failed)
	case err != nil:
		return person{}, p.failed(p.explainedToken(fmt.Errorf("the ID token fails: %w", err), issuer, keys.all))
	case token.Nonce != pending.Nonce: // for instance with the code of another person
		return person{}, p.refused(errors.New("the ID token fails: its nonce is another"))
	}
	if err := p.checkParty(token, keys.all); err != nil {
		return person{}, p.failed(err)
	}
	if err := p.checkTimes(token, keys.all); err != nil {
		return person{}, err
	}
	if !pending.Fresh.IsZero() {
		if err := p.checkFresh(keys.all, pending.Fresh); err != nil {
			return person{}, err
		}
	}
	return person{
		Subject: token.Subject, Profile: p.profile(keys.all), Claims: keys.all.values(),
		UserInfo: func(ctx context.Context) (account.Profile, error) {
			return p.wholeProfile(ctx, issuer, tokens, token.Subject, keys.all)
		},
	}, nil
}

// checkForm refuses a token in a form that the client's registration determines, so that
// the next token would have it too.
func checkForm(token string) error {
	parts := strings.Split(token, ".")
	if len(parts) == 5 { // RFC 7516, 3.1
		return mend(errors.New("the ID token is encrypted"), "let the provider sign ID tokens for this client, and not encrypt them")
	}
	var header members
	if decoded, err := base64.RawURLEncoding.DecodeString(parts[0]); err != nil || json.Unmarshal(decoded, &header) != nil {
		return nil // the library refuses it with the cause
	}
	if a := header.text("alg"); strings.HasPrefix(a, "HS") { // RFC 7518, 3.2
		return mend(fmt.Errorf("the ID token is signed with %s, for which anybody who checks it needs the secret", limited(a)), "let the provider sign ID tokens for this client with RS256 or ES256")
	}
	return nil
}

// explainedToken adds what IT must do about a token that the library refuses. All is empty
// if the signature isn't verified.
func (p *Provider) explainedToken(err error, issuer *discovered, all members) error {
	switch {
	case all == nil:
		return mend(err, "let the provider sign ID tokens for this client with %s, and a key that is at its jwks_uri", strings.Join(issuer.algorithms, ", "))
	case all.text("iss") != p.c.Issuer:
		return mend(err, "the provider itself must be mended: the iss of its ID tokens must be the issuer that its discovery has, %s, to the last slash", p.c.Issuer)
	case !slices.Contains(all.texts("aud"), p.c.ClientID):
		return mend(err, "let the provider put the client-id %s into the aud of ID tokens, or write the client-id that it shows", p.c.ClientID)
	default:
		return mend(err, "the provider itself must be mended: tell those who run it")
	}
}

// checkParty checks that a token for several clients was made for us (OpenID Connect Core
// 1.0, 3.1.3.7).
func (p *Provider) checkParty(token *oidc.IDToken, all members) error {
	shared := slices.ContainsFunc(token.Audience, func(a string) bool { return a != p.c.ClientID })
	var wrong string
	switch party := all.text("azp"); {
	case party == p.c.ClientID, !all.has("azp") && !shared:
		return nil
	case party != "":
		wrong = fmt.Sprintf("its azp is %q, another client", limited(party))
	case all.has("azp"):
		wrong = "its azp isn't a text"
	default:
		wrong = fmt.Sprintf("it is for several clients, %q, and has no azp to say which of them asked", limited(strings.Join(token.Audience, ", ")))
	}
	return mend(fmt.Errorf("the ID token fails: %s", wrong), "let the provider make ID tokens for the client-id %s alone, or name it in azp", p.c.ClientID)
}

// oldest is an age that a token can't have if it was just made for us.
const oldest = 24 * time.Hour

// checkTimes checks that the token is valid now. It was made for this sign-in, so a token
// from another time means that the clocks differ.
func (p *Provider) checkTimes(token *oidc.IDToken, all members) error {
	now, at := p.now(), token.IssuedAt
	var wrong string
	switch begins, is := all.instant("nbf"); {
	case token.IssuedAt.After(now.Add(store.ClockSkew)):
		wrong = "it was issued in the future, at"
	case token.IssuedAt.Before(now.Add(-oldest)):
		wrong = "it was issued long ago, at"
	case !token.Expiry.After(now.Add(-store.ClockSkew)):
		wrong, at = "it has expired, at", token.Expiry
	case is && begins.After(now.Add(store.ClockSkew)):
		wrong, at = "it doesn't count until", begins
	default:
		return nil
	}
	cause := fmt.Errorf("the ID token fails: %s %s, when it was %s here", wrong, utc(at), utc(now))
	if token.IssuedAt.Sub(now).Abs() > store.ClockSkew {
		apart := token.IssuedAt.Sub(now.Truncate(time.Second)).Abs() // in whole seconds, as the log has both
		return p.failed(clockError(fmt.Errorf("%w, and its iat differs by %s", cause, apart.Truncate(time.Second))))
	}
	return p.failed(mend(cause, "let the provider make ID tokens that count at once, and for a minute at least"))
}

// checkFresh checks that the person has signed in at the provider since a time.
func (p *Provider) checkFresh(all members, since time.Time) error {
	at, is := all.instant("auth_time")
	switch {
	case !is:
		return p.cannotConfirm(mend(errors.New("the ID token has no auth_time, though max_age was asked for"),
			"let the provider write auth_time into ID tokens of this client, as a number, in seconds since 1970; without it nobody can confirm at this provider that it's them"))
	case at.Before(since.Add(-store.ClockSkew)):
		return p.cannotConfirm(mend(fmt.Errorf("the person wasn't asked again at the provider, but at %s", utc(at)),
			"let the provider ask people again when max_age=0 is asked for; and let a time service (NTP) set its clock, and this machine's"))
	case at.After(p.now().Add(store.ClockSkew)):
		return p.failed(clockError(fmt.Errorf("the person signed in at the provider in the future, at %s, when it was %s here", utc(at), utc(p.now()))))
	}
	return nil
}

// clockError is the error for clocks that differ. Its cause says by how much. The advice
// doesn't, so that IT reads it once.
func clockError(cause error) error {
	return mend(cause, "let a time service (NTP) set the clock of this machine, or the provider's: Keypeg allows a difference of %d seconds", int(store.ClockSkew.Seconds()))
}

func utc(at time.Time) string { return at.UTC().Format(time.RFC3339) }
