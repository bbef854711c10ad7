package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// wellKnown is the path of an issuer's metadata (OpenID Connect Discovery 1.0, 4).
const wellKnown = "/.well-known/openid-configuration"

// discoveredFor is how long the metadata of an issuer are used.
const discoveredFor = 24 * time.Hour

// discovered is the metadata of an issuer (OpenID Connect Discovery 1.0, 3).
type discovered struct {
	authorization, token string
	userinfo, endSession string   // may be empty
	algorithms           []string // for the signature of ID tokens
	tokenMethods         []string // methods of client authentication; may be empty
	namesIss             bool     // each authorization response has iss (RFC 9207, 3)
	keys                 *keySet
}

// discover returns the metadata of the issuer, fetched or remembered. Of several callers at
// the same time one fetches them.
func (p *Provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	found, fresh := p.found, p.now().Sub(p.foundAt) < discoveredFor
	p.mu.Unlock()
	if found != nil && fresh {
		return found, nil
	}
	answer := p.asking.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.c.Patience) // other callers wait for it too
		defer cancel()
		return p.ask(ctx)
	})
	select {
	case a := <-answer:
		switch {
		case a.Err == nil:
			return a.Val.(*discovered), nil
		case found != nil:
			return found, nil // older metadata still work
		default:
			return nil, fmt.Errorf("discovery: %w", a.Err)
		}
	case <-ctx.Done():
		return nil, fmt.Errorf("discovery: %w", ctx.Err())
	}
}

// ask fetches the metadata of the issuer, and remembers them.
func (p *Provider) ask(ctx context.Context) (*discovered, error) {
	address := strings.TrimSuffix(p.c.Issuer, "/") + wellKnown
	document, err := p.get(ctx, address, "")
	if e, is := errors.AsType[*statusError](err); is && !e.passes() {
		return nil, mend(err, "issuer must be the address before %s: ask the provider for its issuer", wellKnown)
	}
	if err != nil {
		return nil, err
	}
	var metadata members
	if err := json.Unmarshal(document.body, &metadata); err != nil {
		return nil, mend(fmt.Errorf("%s isn't JSON: %w", address, err), "issuer must be the address before %s: ask the provider for its issuer", wellKnown)
	}
	fetched, err := p.read(metadata)
	if err != nil {
		return nil, err
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	p.found, p.foundAt = fetched, p.now()
	return fetched, nil
}

// read checks the metadata of an issuer. It ignores optional members that are wrong.
func (p *Provider) read(metadata members) (*discovered, error) {
	if issuer := metadata.text("issuer"); issuer != p.c.Issuer {
		return nil, p.otherIssuer(issuer)
	}
	d := &discovered{
		tokenMethods: metadata.texts("token_endpoint_auth_methods_supported"),
		namesIss:     metadata.says("authorization_response_iss_parameter_supported"),
	}
	var keys string
	for _, endpoint := range []struct {
		name string
		to   *string
	}{{"authorization_endpoint", &d.authorization}, {"token_endpoint", &d.token}, {"jwks_uri", &keys}} {
		if err := p.checkEndpoint(metadata.text(endpoint.name)); err != nil {
			return nil, mend(fmt.Errorf("its %s %w", endpoint.name, err), "the provider itself must be mended: tell those who run it")
		}
		*endpoint.to = metadata.text(endpoint.name)
	}
	for name, to := range map[string]*string{"userinfo_endpoint": &d.userinfo, "end_session_endpoint": &d.endSession} {
		if p.checkEndpoint(metadata.text(name)) == nil {
			*to = metadata.text(name)
		}
	}
	d.keys = &keySet{fetch: func(ctx context.Context) (document, error) { return p.get(ctx, keys, "") }}

	signs := metadata.texts("id_token_signing_alg_values_supported")
	d.algorithms = slices.DeleteFunc(slices.Clone(signs), func(a string) bool { return !slices.Contains(algorithms, a) })
	switch {
	case len(signs) == 0:
		d.algorithms = algorithms
	case len(d.algorithms) == 0:
		return nil, mend(fmt.Errorf("it signs ID tokens with %s only", strings.Join(signs, ", ")), "let the provider sign ID tokens with RS256 or ES256")
	}
	return d, nil
}

// algorithms are the signature algorithms with a public key. Only with them a signature
// proves who made it.
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

// otherIssuer tells IT what to write instead, if the metadata name another issuer.
func (p *Provider) otherIssuer(issuer string) error {
	cause := fmt.Errorf("the provider at %s calls itself %q", p.c.Issuer, issuer)
	other := p.c
	other.Issuer = issuer
	switch {
	case IsEntra(p.c.Issuer):
		return mend(cause, `write issuer = "https://login.microsoftonline.com/TENANT-ID/v2.0", with the directory (tenant) ID of your organisation`)
	case other.Check() == nil:
		return mend(cause, "write issuer = %q, if that is your provider", issuer)
	default:
		return mend(cause, "ask the provider for its issuer")
	}
}

// checkEndpoint refuses an address to which neither people nor secrets may be sent. It must
// be https, or on this machine like the issuer, and it must not be ambiguous (RFC 6749, 3.1
// and 3.2).
func (p *Provider) checkEndpoint(address string) error {
	issuer, err := url.Parse(p.c.Issuer)
	if err != nil {
		return err
	}
	u, err := url.Parse(address)
	switch {
	case address == "":
		return errors.New("is missing")
	case err != nil || u.Host == "" || u.Opaque != "":
		return errors.New("isn't an address")
	case u.User != nil || strings.Contains(address, "#"):
		return errors.New("has a user name or a fragment")
	case u.Scheme != "https" && !(isLocal(u) && isLocal(issuer)):
		return errors.New("isn't https")
	}
	return nil
}
