package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"

	"github.com/keypeg/keypeg/server/account"
)

// profile reads the profile from an ID token or a userinfo response. It leaves out claims
// of a wrong type.
func (p *Provider) profile(claims members) account.Profile {
	profile := account.Profile{Name: claims.text("name"), Email: claims.text("email")}
	profile.EmailVerified = profile.Email != "" && (claims.says("email_verified") || p.ownerVerified(claims))
	return profile
}

// ownerVerified reports whether Microsoft Entra ID, which has no email_verified, says
// that the owner of the address's domain has verified it (its optional claim
// xms_edov). Without that claim a tenant's administrator can write any address into a
// profile.
func (p *Provider) ownerVerified(claims members) bool {
	return IsEntra(p.c.Issuer) && !claims.has("email_verified") && (claims.says("xms_edov") || slices.Contains(claims.values()["xms_edov"], "1"))
}

// isWhole reports whether a source has all the claims that a new account needs.
func (p *Provider) isWhole(claims members) bool {
	return claims.text("email") != "" && (claims.has("email_verified") || p.ownerVerified(claims))
}

// wholeProfile is the profile of the ID token if that is whole. Otherwise it is the profile
// of the userinfo endpoint (OpenID Connect Core 1.0, 5.3). The address and the statement
// that it is verified always come from the same source.
func (p *Provider) wholeProfile(ctx context.Context, issuer *discovered, tokens members, subject string, inToken members) (account.Profile, error) {
	if p.isWhole(inToken) || issuer.userinfo == "" {
		return p.profile(inToken), nil
	}
	claims, err := p.userinfo(ctx, issuer, tokens)
	if err != nil {
		return account.Profile{}, p.failed(fmt.Errorf("userinfo: %w", err))
	}
	if claims.text("sub") != subject { // 5.3.2
		return account.Profile{}, p.failed(mend(errors.New("the userinfo is of another subject"), "let the provider give the same sub in the ID token and at its userinfo endpoint, or put email and email_verified into the ID token"))
	}
	profile := p.profile(claims)
	if profile.Email == "" {
		profile = p.profile(inToken)
	}
	if profile.Name == "" {
		profile.Name = inToken.text("name")
	}
	return profile, nil
}

// userinfo gets the claims of the userinfo endpoint with the access token.
func (p *Provider) userinfo(ctx context.Context, issuer *discovered, tokens members) (claims members, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.c.Patience)
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
	if err := json.Unmarshal(body, &claims); err != nil {
		return nil, mend(fmt.Errorf("%s answers %q, which isn't JSON: %w", issuer.userinfo, document.kind, err),
			"let the provider put email and email_verified into the ID token, or mend its userinfo endpoint")
	}
	return claims, nil
}
