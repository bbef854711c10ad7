package openid

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// request is an authorization request (OpenID Connect Core 1.0, 3.1.2.1) that was checked: its client may send
// it, and its redirect URI is one of the client's. Nothing of it is stored; see pending.go.
type request struct {
	Client    string    `json:"c"`
	Redirect  string    `json:"r"`
	State     string    `json:"s,omitempty"`
	Nonce     string    `json:"n,omitempty"`
	Challenge string    `json:"k,omitempty"` // of PKCE
	Scopes    []string  `json:"o"`
	Prompt    []string  `json:"p,omitempty"`
	MaxAge    *int64    `json:"m,omitempty"` // seconds
	ACR       []string  `json:"a,omitempty"`
	Subject   string    `json:"u,omitempty"` // sub of the id_token_hint
	Hint      string    `json:"h,omitempty"` // login_hint
	Locales   string    `json:"l,omitempty"` // ui_locales
	Posted    bool      `json:"f,omitempty"` // response_mode is form_post
	Popup     bool      `json:"d,omitempty"` // display is popup
	Begun     time.Time `json:"b"`
}

func (a request) prompts(what string) bool { return slices.Contains(a.Prompt, what) }

// oauthError is a refusal that the program reads (RFC 6749, 4.1.2.1 and 5.2).
type oauthError struct {
	code   string
	detail string // for developers, in ASCII
	cause  error  // for the log, or nil
}

// Error implements error.
func (e *oauthError) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.code, e.detail, e.cause)
	}
	return e.code + ": " + e.detail
}

// Unwrap returns the cause.
func (e *oauthError) Unwrap() error { return e.cause }

func oauth(code, format string, values ...any) error {
	return &oauthError{code: code, detail: fmt.Sprintf(format, values...)}
}

// Limits of what a request may bring, in bytes. The whole travels in a cookie while somebody signs in.
const (
	mostState   = 2048 // oauth2-proxy writes the address into it where its user was
	mostNonce   = 512
	mostHint    = 256
	mostLocales = 100
	mostValues  = 10 // in a list
	// mostReturned bounds the state of a refusal. The program needs it to know what was refused, also if it is too long
	// to wait; more isn't let through by proxies, which would turn the refusal into a fault of their own.
	mostReturned = 4096
)

// The errors of an authorization request that the person reads, because nobody can be led back.
var (
	errUnknownClient = shared.Errorf(shared.CodeInvalidRequest, "The program that sent you here isn't registered here. Tell IT, with the address of the program.")
	errWrongRedirect = shared.Errorf(shared.CodeInvalidRequest, "The program that sent you here wants you back at an address that isn't registered for it. Nothing was told to it. Tell IT, with the address of the program.")
	errTwice         = shared.Errorf(shared.CodeInvalidRequest, "The program that sent you here has sent a request that can't be read. Tell IT, with the address of the program.")
)

// readRequest checks the parameters of an authorization request, client and redirect URI first: a refusal of these
// is for the person. Any later error is an [*oauthError], for the program, beside a request that has its address.
func (h *Handlers) readRequest(ctx context.Context, sent url.Values) (request, Client, error) {
	sent, err := h.pushedRequest(ctx, sent)
	if err != nil {
		return request{}, Client{}, err
	}
	for _, name := range []string{"client_id", "redirect_uri"} {
		if len(sent[name]) > 1 {
			return request{}, Client{}, errTwice.Because(fmt.Errorf("%s is there %d times", name, len(sent[name])))
		}
	}
	c, err := h.client(ctx, sent.Get("client_id"))
	if errors.Is(err, store.ErrNotFound) {
		return request{}, c, errUnknownClient.Because(fmt.Errorf("client_id is %.140q: %w", sent.Get("client_id"), err))
	}
	if err != nil {
		return request{}, c, err
	}
	a := request{Client: c.ID, Redirect: sent.Get("redirect_uri"), Begun: h.begins()}
	if !c.RedirectAllowed(a.Redirect) {
		return request{}, c, errWrongRedirect.Because(fmt.Errorf("redirect_uri of the client %s is %.300q: register it if it is right", c.ID, a.Redirect))
	}
	if state := sent["state"]; len(state) == 1 && len(state[0]) <= mostReturned {
		a.State = state[0]
	}
	a.Posted = sent.Get("response_mode") == modePost && !isOfAnApp(a.Redirect)
	a.Popup = sent.Get("display") == displayPopup && !isOfAnApp(a.Redirect)
	return a, c, a.fill(h, ctx, c, sent)
}

// begins returns when a request begins that comes now.
func (h *Handlers) begins() time.Time { return h.Now().UTC().Truncate(time.Microsecond) }

// fill reads what is left. Its errors go to the program.
func (a *request) fill(h *Handlers, ctx context.Context, c Client, sent url.Values) error {
	for name, values := range sent {
		if len(values) > 1 && name != "resource" { // RFC 6749, 3.1; RFC 8707, 2
			return oauth("invalid_request", "a parameter is there %d times", len(values))
		}
	}
	if err := checkKind(sent); err != nil {
		return err
	}
	for name, most := range map[string]int{"state": mostState, "nonce": mostNonce, "login_hint": mostHint, "ui_locales": mostLocales} {
		if len(sent.Get(name)) > most {
			return oauth("invalid_request", "%s has more than %d bytes", name, most)
		}
	}
	a.Nonce, a.Hint, a.Locales = sent.Get("nonce"), sent.Get("login_hint"), sent.Get("ui_locales")

	asked := strings.Fields(sent.Get("scope"))
	if !slices.Contains(asked, shared.ScopeOpenID) {
		return oauth("invalid_scope", "scope must contain openid")
	}
	a.Scopes = c.granted(asked)
	if err := a.readPKCE(c, sent); err != nil {
		return err
	}
	if err := a.readPrompting(sent); err != nil {
		return err
	}
	if hint := sent.Get("id_token_hint"); hint != "" {
		of, err := h.hinted(ctx, hint)
		if err != nil || of.client != c.ID {
			return &oauthError{code: "invalid_request", detail: "id_token_hint is no ID token of this client", cause: err}
		}
		a.Subject = of.subject
	}
	return nil
}

// checkKind refuses what isn't an ordinary request of the code flow.
func checkKind(sent url.Values) error {
	switch kind := sent.Get("response_type"); {
	case sent.Get("request") != "":
		return oauth("request_not_supported", "request objects aren't supported")
	case sent.Get("request_uri") != "":
		return oauth("request_uri_not_supported", "request_uri must be of a pushed authorization request")
	case sent.Get("registration") != "":
		return oauth("registration_not_supported", "a request can't register a client")
	case kind == "":
		return oauth("invalid_request", "response_type is missing")
	case kind != "code":
		return oauth("unsupported_response_type", "response_type must be code")
	}
	if mode := sent.Get("response_mode"); mode != "" && mode != modeQuery && mode != modePost {
		return oauth("invalid_request", "response_mode must be query or form_post")
	}
	return nil
}

// The response modes (OAuth 2.0 Multiple Response Type Encoding Practices, 2.1; OAuth 2.0 Form Post Response Mode, 2).
const (
	modeQuery = "query"
	modePost  = "form_post"
)

// challenge is a code challenge of S256 (RFC 7636, 4.2): a SHA-256 in base64url.
var challenge = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

func (a *request) readPKCE(c Client, sent url.Values) error {
	a.Challenge = sent.Get("code_challenge")
	switch method := sent.Get("code_challenge_method"); {
	case a.Challenge == "" && method == "" && c.WithoutPKCE && !c.IsPublic():
		return nil
	case a.Challenge == "":
		return oauth("invalid_request", "code_challenge is missing: this client must use PKCE with S256")
	case method != "S256":
		return oauth("invalid_request", "code_challenge_method must be S256")
	case !challenge.MatchString(a.Challenge):
		return oauth("invalid_request", "code_challenge must be 43 characters of base64url")
	}
	return nil
}

// proves reports whether a verifier is that of a challenge (RFC 7636, 4.6).
func proves(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// readPrompting reads how the user is to be asked.
func (a *request) readPrompting(sent url.Values) error {
	a.Prompt, a.ACR = strings.Fields(sent.Get("prompt")), strings.Fields(sent.Get("acr_values"))
	if len(a.Prompt) > mostValues || len(a.ACR) > mostValues {
		return oauth("invalid_request", "prompt and acr_values may have %d values", mostValues)
	}
	if a.prompts("none") && len(a.Prompt) > 1 {
		return oauth("invalid_request", "prompt has none and another value")
	}
	// We state no other values, and a request for them alone is a wish (OpenID Connect Core 1.0, 3.1.2.1).
	a.ACR = slices.DeleteFunc(a.ACR, func(acr string) bool { return acr != acrPasskey && acr != acrHardware })
	if age := sent.Get("max_age"); age != "" {
		seconds, err := strconv.ParseInt(age, 10, 32)
		if err != nil || seconds < 0 {
			return oauth("invalid_request", "max_age must be a number of seconds")
		}
		a.MaxAge = &seconds
	}
	return nil
}

// granted returns the scopes of a request that the client may have. The others are ignored (OpenID Connect Core
// 1.0, 3.1.2.1), and the answer says which are left.
func (c Client) granted(asked []string) (scopes []string) {
	allowed := c.Scopes
	if len(allowed) == 0 {
		allowed = []string{shared.ScopeProfile, shared.ScopeEmail, shared.ScopeGroups}
	}
	for _, scope := range allScopes {
		if slices.Contains(asked, scope) && (scope == shared.ScopeOpenID || slices.Contains(allowed, scope)) {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

var allScopes = []string{shared.ScopeOpenID, shared.ScopeProfile, shared.ScopeEmail, shared.ScopeGroups, shared.ScopeOffline}

func scopeText(scopes []string) string { return strings.Join(scopes, " ") }

// with adds to an answer what each has: iss (RFC 9207, 2) and state.
func (h *Handlers) with(a request, values url.Values) url.Values {
	values.Set("iss", h.Issuer)
	if a.State != "" {
		values.Set("state", a.State)
	}
	return values
}

// address returns the address of a program with an answer in its query.
func (a request) address(values url.Values) string { return withQuery(a.Redirect, values) }

// withQuery adds values to an address that is registered. Its own query stays as it is (RFC 6749, 3.1.2).
func withQuery(address string, values url.Values) string {
	if strings.Contains(address, "?") {
		return address + "&" + values.Encode()
	}
	return address + "?" + values.Encode()
}

// refusalOf is the answer by which a request is refused.
func refusalOf(e *oauthError) url.Values {
	return url.Values{"error": {e.code}, "error_description": {e.detail}}
}

// isOfAnApp reports whether an address has a scheme of an app's own, to which no form can be sent.
func isOfAnApp(address string) bool {
	return !strings.HasPrefix(address, secure) && !strings.HasPrefix(address, plain)
}
