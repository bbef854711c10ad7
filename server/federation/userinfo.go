package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
)

// Description is what a provider says of a person besides the subject. Nothing of it
// decides who they are.
type Description struct {
	Name          string // as people write it, "Ann Admin"; may be empty
	Email         string // may be empty
	EmailVerified bool   // said together with Email, by the same source
}

// describe reads a description, and drops what is odd.
func (p *Provider) describe(said members) Description {
	d := Description{Name: said.text("name"), Email: said.text("email")}
	d.EmailVerified = d.Email != "" && (said.says("email_verified") || p.ownerVerified(said))
	return d
}

// ownerVerified reports whether Microsoft Entra ID, which has no email_verified, says
// that the owner of the address's domain has verified it (its optional claim
// xms_edov). Without that a tenant's administrator may write any address into a
// profile.
func (p *Provider) ownerVerified(said members) bool {
	return IsEntra(p.Issuer) && !said.has("email_verified") && (said.says("xms_edov") || slices.Contains(said.values()["xms_edov"], "1"))
}

// isWhole reports whether a source says all that a new account is made of.
func (p *Provider) isWhole(said members) bool {
	return said.text("email") != "" && (said.has("email_verified") || p.ownerVerified(said))
}

// describeMore is the description of the ID token if that is whole, else of the
// userinfo endpoint (OpenID Connect Core 1.0, 5.3). It never puts an address of the
// one together with the other's word that it is verified.
func (p *Provider) describeMore(ctx context.Context, issuer *discovered, tokens members, subject string, inToken members) (Description, error) {
	if p.isWhole(inToken) || issuer.userinfo == "" {
		return p.describe(inToken), nil
	}
	said, err := p.userinfo(ctx, issuer, tokens)
	if err != nil {
		return Description{}, p.failed(fmt.Errorf("userinfo: %w", err))
	}
	if said.text("sub") != subject { // 5.3.2
		return Description{}, p.failed(mend(errors.New("the userinfo is of another subject"), "let the provider give the same sub in the ID token and at its userinfo endpoint, or put email and email_verified into the ID token"))
	}
	d := p.describe(said)
	if d.Email == "" {
		d = p.describe(inToken)
	}
	if d.Name == "" {
		d.Name = inToken.text("name")
	}
	return d, nil
}

// userinfo asks with the access token.
func (p *Provider) userinfo(ctx context.Context, issuer *discovered, tokens members) (said members, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.Patience)
	defer cancel()
	document, err := p.get(ctx, issuer.userinfo, tokens.text("access_token"))
	if e, is := errors.AsType[*statusError](err); is && (e.status == http.StatusUnauthorized || e.status == http.StatusForbidden) {
		return nil, mend(err, "let the provider give this client the scopes profile and email, and its userinfo endpoint; or put email and email_verified into the ID token")
	}
	if e, is := errors.AsType[*statusError](err); is && !e.passes() {
		return nil, mend(err, "let the provider put email and email_verified into the ID token, or mend its userinfo endpoint")
	}
	if err != nil {
		return nil, err
	}
	body := document.body
	if kind, _, _ := mime.ParseMediaType(document.kind); kind == "application/jwt" { // 5.3.2
		if body, err = issuer.keys.verify(ctx, string(body)); err != nil {
			return nil, mend(err, "let the provider answer at its userinfo endpoint in plain JSON, or sign with one of its keys")
		}
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return nil, mend(fmt.Errorf("%s answers %q, which isn't JSON: %w", issuer.userinfo, document.kind, err),
			"let the provider put email and email_verified into the ID token, or mend its userinfo endpoint")
	}
	return said, nil
}
