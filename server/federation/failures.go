package federation

import (
	"errors"
	"fmt"
	"strings"

	"github.com/keypeg/keypeg/shared"
)

// A failure is of one of three kinds, and people read which. A response that is late,
// declined or of another browser may be right at the next try. A provider that can't be
// reached comes back by itself. A wrong configuration stays wrong until IT mends it. Most
// faults in what the provider itself sends are of the third kind.

// setupError is a failure of the third kind.
type setupError struct {
	Cause error
	Mend  string // what IT must do, such as "write issuer = …"
}

// Error is for the log. People read neither field.
func (e *setupError) Error() string { return e.Cause.Error() + ": " + e.Mend }

// Unwrap returns the cause.
func (e *setupError) Unwrap() error { return e.Cause }

// mend adds to a cause what IT must do.
func mend(cause error, format string, args ...any) error {
	return &setupError{cause, fmt.Sprintf(format, args...)}
}

// mendOf returns what IT must do about an error, or "" if only waiting helps.
func mendOf(err error) string {
	if e, ok := errors.AsType[*setupError](err); ok {
		return e.Mend
	}
	return ""
}

// refused is the refusal of a response; another try may succeed.
func (p *Provider) refused(cause error) error {
	return shared.Errorf(shared.CodeSSORefused, "Signing in with %s didn't work. Please try again.", p.c.Name).Because(cause)
}

// failed is the refusal for a provider that can't be reached, or, if IT must mend the
// cause, that isn't set up correctly.
func (p *Provider) failed(cause error) error {
	switch {
	case mendOf(cause) == "":
		return shared.Errorf(shared.CodeProviderUnavailable, "%s can't be reached at this moment. Please try again later, or sign in another way.", p.c.Name).Because(cause)
	case p.c.Contact == "":
		return shared.Errorf(shared.CodeProviderMisconfigured, "Signing in with %s isn't set up rightly. Please sign in another way, and tell IT.", p.c.Name).Because(cause)
	default:
		return shared.Errorf(shared.CodeProviderMisconfigured, "Signing in with %s isn't set up rightly. Please sign in another way, and tell: %s", p.c.Name, p.c.Contact).Because(cause)
	}
}

// cannotConfirm is the refusal for a provider that doesn't say when the person signed in
// there, or lets them in without asking. Another try fails too, until IT mends it.
func (p *Provider) cannotConfirm(cause error) error {
	return shared.Errorf(shared.CodeSSORefused, "%s doesn't say that you signed in there just now, so it can't confirm that it's you. Please confirm another way, or sign out here and sign in again.", p.c.Name).Because(cause)
}

// declined is the refusal for a response with an error in place of a code. Mostly the
// person declined at the provider, or the provider declined. A browser brought the
// response.
func (p *Provider) declined(code, description string) error {
	warns := "a browser brought an error"
	if errorCodes[code] != nil {
		warns = "a browser brought the error " + code
	}
	return p.named(code, &browserError{"the provider answered " + quoted(code, description), warns})
}

// answeredByPOST is the refusal for a response that comes as a form (OAuth 2.0 Form Post
// Response Mode). It never counts: browsers send none of our cookies with a form from
// another site, so nothing says who made the request.
func (p *Provider) answeredByPOST() error {
	return p.failed(mend(&browserError{"the answer came by POST", "a browser brought an answer by POST"}, "%s", mendMode))
}

// answeredEmpty is the refusal for an empty response to a browser that waits for one. Most
// likely the response is in the fragment of the address, which browsers don't send to
// servers.
func (p *Provider) answeredEmpty() error {
	return p.failed(mend(&browserError{"the answer is empty: it may be in the fragment", "a browser brought an empty answer, as with response_mode=fragment"}, "%s", mendMode))
}

// mendMode is for a provider that ignores the response mode of the request (OAuth 2.0
// Multiple Response Type Encoding Practices, 2.1).
const mendMode = "the provider must answer in the query of the address: set response_mode=query for this client there"

// browserError is an error that a browser brought from a provider, or claims to have
// brought: anybody can write an address. Only the log's line of that request quotes it. A
// warning is for IT to follow, so it has our own words instead.
type browserError struct{ text, warns string }

// Error quotes what the browser brought.
func (e *browserError) Error() string { return e.text }

// named returns the refusal for an error code of the provider.
func (p *Provider) named(code string, cause error) error {
	if outcome := errorCodes[code]; outcome != nil {
		return outcome(p, cause)
	}
	return p.refused(cause)
}

// errorCodes has the refusals for the error codes of providers: the registered ones (RFC
// 6749, 4.1.2.1 and 5.2; OpenID Connect Core 1.0, 3.1.2.6; RFC 8707; RFC 9101; RFC 9396;
// RFC 9449) and some that large providers use besides. Anybody can write a code into an
// address, so it decides only a sentence, and a warning that says so.
var errorCodes = map[string]func(p *Provider, cause error) error{
	"access_denied":                     (*Provider).denied,
	"login_required":                    (*Provider).denied,
	"interaction_required":              (*Provider).denied,
	"account_selection_required":        (*Provider).denied,
	"unmet_authentication_requirements": (*Provider).denied,

	"temporarily_unavailable": (*Provider).failed,
	"server_error":            (*Provider).failed,
	"slow_down":               (*Provider).failed,

	// We never ask with prompt=none: a provider that could ask the person would.
	"consent_required": mendBy("let an administrator of the provider grant this client its scopes for everybody"),

	"invalid_scope":                 mendBy(mendScopes),
	"invalid_authorization_details": mendBy(mendScopes),
	"invalid_target":                mendBy(mendResource),
	"invalid_resource":              mendBy(mendResource),

	"request_not_supported":     mendBy(mendRequest),
	"request_uri_not_supported": mendBy(mendRequest),
	"invalid_request_object":    mendBy(mendRequest),
	"invalid_request_uri":       mendBy(mendRequest),
	"use_dpop_nonce":            mendBy(mendRequest),
	"invalid_dpop_proof":        mendBy(mendRequest),

	"invalid_request":            (*Provider).misregistered,
	"unauthorized_client":        (*Provider).misregistered,
	"unsupported_response_type":  (*Provider).misregistered,
	"unsupported_response_mode":  (*Provider).misregistered,
	"unsupported_grant_type":     (*Provider).misregistered,
	"invalid_client":             (*Provider).misregistered,
	"invalid_redirect_uri":       (*Provider).misregistered,
	"redirect_uri_mismatch":      (*Provider).misregistered,
	"registration_not_supported": (*Provider).misregistered,
}

const (
	mendScopes   = "compare scopes with those that the provider lets this client have"
	mendResource = "let the provider give this client ID tokens without a resource: compare client-id and scopes with what is registered there"
	mendRequest  = "let the provider take plain requests of this client: without request objects (JAR), pushed requests (PAR) and DPoP"
)

// denied is the refusal if the person or the provider declined.
func (p *Provider) denied(cause error) error {
	return shared.Errorf(shared.CodeSSORefused, "You weren't signed in at %s. Please try again, or sign in another way.", p.c.Name).Because(cause)
}

// misregistered is the refusal for a provider where this client is registered in another
// way than it works.
func (p *Provider) misregistered(cause error) error {
	return p.failed(mend(cause, "compare client-id and scopes with what is registered at the provider, as a web application with the authorization code flow and the redirect URI %s", p.callback))
}

func mendBy(todo string) func(*Provider, error) error {
	return func(p *Provider, cause error) error { return p.failed(mend(cause, "%s", todo)) }
}

// quoted returns an error code with its description, if there is one, for the log.
func quoted(code, description string) string {
	if description == "" {
		return limited(code)
	}
	return limited(code) + ": " + limited(description)
}

// limited shortens text that a stranger may have written, for the log.
func limited(text string) string { return strings.ToValidUTF8(text[:min(len(text), 200)], "") }
