package openid_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	zitadel "github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"

	"github.com/keypeg/keypeg/server/openid"
)

// The libraries of other people's programs in Go: each discovers, signs in, checks the ID token in its own way,
// refreshes, and asks userinfo.

// lets follows an authorization request of a library through the page of consent, and returns the code.
func (p *person) followed(address string) url.Values {
	p.Helper()
	a := p.gets(address)
	if a.status == 200 {
		a = p.lets(a, "allow")
	}
	return p.back(a)
}

func TestGoOIDC(t *testing.T) {
	for _, algorithm := range []openid.Algorithm{openid.RS256, openid.ES256} {
		t.Run(string(algorithm), func(t *testing.T) {
			s := newScene(t, stores["memstore"], clientOf(t, func(c *openid.Client) { c.Algorithm = algorithm }))
			ann := s.user("ann")
			provider, err := oidc.NewProvider(t.Context(), s.issuer)
			if err != nil {
				t.Fatal(err)
			}
			config := oauth2.Config{ClientID: "grafana", ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: redirect, Scopes: []string{"openid", "profile", "offline_access"}}
			pkce := oauth2.GenerateVerifier()
			back := ann.followed(config.AuthCodeURL("a state", oidc.Nonce("a nonce"), oauth2.S256ChallengeOption(pkce)))
			got, err := config.Exchange(t.Context(), back.Get("code"), oauth2.VerifierOption(pkce))
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := got.Extra("id_token").(string)
			id, err := provider.Verifier(&oidc.Config{ClientID: "grafana"}).Verify(t.Context(), raw)
			if err != nil {
				t.Fatal(err)
			}
			if err := id.VerifyAccessToken(got.AccessToken); err != nil || id.Nonce != "a nonce" || id.Subject != ann.user.ID {
				t.Errorf("at_hash: %v, nonce %q", err, id.Nonce)
			}
			got.Expiry = time.Now().Add(-time.Hour)
			info, err := provider.UserInfo(t.Context(), config.TokenSource(t.Context(), got)) // which refreshes
			if err != nil || info.Subject != ann.user.ID {
				t.Errorf("userinfo after a refresh: %+v (%v)", info, err)
			}
		})
	}
}

func TestZitadelRelyingParty(t *testing.T) {
	s := newScene(t, stores["memstore"])
	ann := s.user("ann")
	ctx := context.Background()
	party, err := rp.NewRelyingPartyOIDC(ctx, s.issuer, "grafana", secret, redirect, []string{"openid", "profile", "offline_access"}, rp.WithSigningAlgsFromDiscovery())
	if err != nil {
		t.Fatal(err)
	}
	back := ann.followed(rp.AuthURL("a state", party, rp.WithCodeChallenge(challenge), rp.WithPrompt("consent")))
	got, err := rp.CodeExchange[*zitadel.IDTokenClaims](ctx, back.Get("code"), party, rp.WithCodeVerifier(verifier))
	if err != nil {
		t.Fatal(err)
	}
	s.is("name", got.IDTokenClaims.Name, "Ann Miller")
	refreshed, err := rp.RefreshTokens[*zitadel.IDTokenClaims](ctx, party, got.RefreshToken, "", "")
	if err != nil {
		t.Fatal(err)
	}
	info, err := rp.Userinfo[*zitadel.UserInfo](ctx, refreshed.AccessToken, "Bearer", ann.user.ID, party)
	if err != nil || info.PreferredUsername != "ann" {
		t.Errorf("userinfo: %+v (%v)", info, err)
	}
	if err := rp.RevokeToken(ctx, party, refreshed.RefreshToken, "refresh_token"); err != nil {
		t.Error(err)
	}
	if _, err := rp.RefreshTokens[*zitadel.IDTokenClaims](ctx, party, refreshed.RefreshToken, "", ""); err == nil {
		t.Error("a revoked token is refreshed")
	}
}
