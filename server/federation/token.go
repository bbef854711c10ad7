package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The token endpoint (RFC 6749, 3.2, and OpenID Connect Core 1.0, 3.1.3).

// authStyle is a method of client authentication at the token endpoint.
type authStyle int

const (
	inHeader authStyle = iota // client_secret_basic
	inForm                    // client_secret_post
	byKey                     // private_key_jwt
)

// authStyles returns the methods that the provider may accept, the most usual one first.
// The metadata of some providers lack them or are wrong.
func (p *Provider) authStyles(issuer *discovered) []authStyle {
	methods := issuer.tokenMethods
	switch {
	case p.c.Key != nil:
		return []authStyle{byKey}
	case len(methods) > 0 && !slices.Contains(methods, "client_secret_basic"):
		return []authStyle{inForm}
	case len(methods) > 0 && !slices.Contains(methods, "client_secret_post"):
		return []authStyle{inHeader}
	default:
		return []authStyle{inHeader, inForm}
	}
}

// tokenError is an error response of the token endpoint (RFC 6749, 5.2).
type tokenError struct {
	status            int
	code, description string
	date              time.Time // the time of the provider's clock, or zero
}

func (e *tokenError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("the code wasn't redeemed: %d %s", e.status, quoted(e.code, e.description)))
}

// codeGrant is the provider's error for an authorization code that it doesn't accept. It
// comes after the client is authenticated.
const codeGrant = "invalid_grant"

// isOfClient reports whether the provider refused the client, rather than the code.
func (e *tokenError) isOfClient() bool {
	return e.code == "invalid_client" || e.code == "unauthorized_client" || e.code == "" && e.status == http.StatusUnauthorized
}

// mayBeOfCode reports whether another authorization code may be accepted. For a code that
// they can't read, some providers send the error that others send for a client that isn't
// registered correctly.
func (e *tokenError) mayBeOfCode() bool {
	if e.isOfClient() || e.status/100 == 3 || passes(e.status) {
		return false
	}
	return e.code == "invalid_request" || e.isUnclear()
}

// isUnclear reports whether the error code doesn't say what to mend. A server_error with a
// 4xx status doesn't pass by itself.
func (e *tokenError) isUnclear() bool { return e.code == "server_error" || errorCodes[e.code] == nil }

// redeem exchanges an authorization code for tokens.
func (p *Provider) redeem(ctx context.Context, issuer *discovered, code, verifier string) (tokens members, err error) {
	var reported error
	for _, style := range p.authStyles(issuer) {
		tokens, err = p.redeemBy(ctx, style, issuer, code, verifier)
		if err == nil {
			return tokens, nil
		}
		refusal, is := errors.AsType[*tokenError](err)
		if reported == nil || is && (refusal.isOfClient() || refusal.code == codeGrant) {
			reported = err
		}
		// Try another method only if the provider has refused this one, so that the secret
		// isn't sent more often than necessary.
		if !is || refusal.code == codeGrant || passes(refusal.status) || refusal.status/100 == 3 {
			break
		}
	}
	return nil, p.explainedRefusal(reported)
}

func (p *Provider) redeemBy(ctx context.Context, style authStyle, issuer *discovered, code, verifier string) (members, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.callback}, "code_verifier": {verifier}}
	switch style {
	case inForm:
		form.Set("client_id", p.c.ClientID)
		form.Set("client_secret", p.c.Secret)
	case byKey:
		assertion, err := p.c.Key.assertion(p.c.ClientID, p.c.Issuer, issuer.token, p.now())
		if err != nil {
			return nil, err
		}
		form.Set("client_id", p.c.ClientID)
		form.Set("client_assertion_type", isAssertion)
		form.Set("client_assertion", assertion)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, issuer.token, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	if style == inHeader {
		r.SetBasicAuth(url.QueryEscape(p.c.ClientID), url.QueryEscape(p.c.Secret)) // RFC 6749, 2.3.1
	}
	answer, err := p.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("redeeming the code: %w", explained(err))
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("redeeming the code: %w", explained(err))
	}
	var tokens members
	failed := json.Unmarshal(body, &tokens)
	if answer.StatusCode != http.StatusOK || tokens.has("error") && string(tokens["error"]) != "false" { // some refuse with 200
		date, _ := http.ParseTime(answer.Header.Get("Date"))
		description := tokens.text("error_description")
		if repeats(description, code, verifier, p.c.Secret) {
			description = "(its description repeats what it was sent)"
		}
		return nil, &tokenError{answer.StatusCode, tokens.text("error"), description, date}
	}
	if failed != nil {
		return nil, mend(fmt.Errorf("the token endpoint answers %q, which isn't JSON", answer.Header.Get("Content-Type")), "the provider itself must be mended: tell those who run it")
	}
	return tokens, nil
}

// repeats reports whether a text contains something that was sent. The log must not have
// secrets, nor a code, which may be a sentence from a browser.
func repeats(text string, sent ...string) bool {
	return slices.ContainsFunc(sent, func(s string) bool { return s != "" && strings.Contains(text, s) })
}

// explainedRefusal returns the refusal for a failure of the token endpoint.
func (p *Provider) explainedRefusal(err error) error {
	refusal, is := errors.AsType[*tokenError](err)
	switch {
	case !is:
		return p.failed(err)
	case refusal.isOfClient():
		return p.failed(mend(err, "%s", p.mendClient()))
	case refusal.status/100 == 3:
		return p.failed(mend(err, "its token_endpoint redirects, and no secret is sent on: the provider itself must be mended"))
	case passes(refusal.status):
		return p.failed(err)
	case refusal.code == codeGrant:
		return p.refused(err)
	case refusal.isUnclear():
		return p.failed(mend(err, "see in the provider's own log why its token endpoint refuses; %s", p.mendRedirect()))
	default:
		return errorCodes[refusal.code](p, err)
	}
}

func (p *Provider) mendClient() string {
	if p.c.Key != nil {
		return "client-id or private-key-file is wrong: give the provider the public half of this key, or write the client-id that it shows"
	}
	return "client-id or client-secret-file is wrong, or the secret has expired: put the secret that the provider shows into the file, or make a new one there"
}

func (p *Provider) mendRedirect() string {
	return fmt.Sprintf("register the redirect URI %s at the provider, and write the client-id that it shows", p.callback)
}
