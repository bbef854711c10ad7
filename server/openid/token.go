package openid

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// program adapts a handler that programs call. Its failures become JSON (RFC 6749, 5.2), nothing is cached, and a
// page of any origin may read the answer, because no cookie decides about it.
func (h *Handlers) program(handle httpapi.Handler) http.Handler {
	return h.Answers.Program(func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Pragma", "no-cache")
		anyOrigin(w)
		err := handle(w, r)
		refused, is := errors.AsType[*oauthError](err)
		if !is {
			return err
		}
		h.Log.Info("a program is refused", "request", httpapi.RequestID(r.Context()), "path", r.URL.Path, "cause", refused)
		status := http.StatusBadRequest
		if refused.code == "invalid_client" {
			status = http.StatusUnauthorized
			if r.Header.Get("Authorization") != "" {
				w.Header().Set("WWW-Authenticate", `Basic realm="OpenID"`)
			}
		}
		return httpapi.Respond(w, status, map[string]string{"error": refused.code, "error_description": refused.detail})
	})
}

// anyOrigin lets pages of any origin read an answer.
func anyOrigin(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// preflight lets pages of any origin send a request (Fetch Standard, 4.8).
func preflight(w http.ResponseWriter, _ *http.Request) {
	anyOrigin(w)
	w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	w.Header().Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

// posted reads the form of a program. A parameter may be there once (RFC 6749, 3.2).
func posted(r *http.Request) (url.Values, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, oauth("invalid_request", "the body must be application/x-www-form-urlencoded")
	}
	if err := r.ParseForm(); err != nil {
		return nil, &oauthError{code: "invalid_request", detail: "the body can't be read", cause: err}
	}
	for _, values := range r.PostForm {
		if len(values) > 1 {
			return nil, oauth("invalid_request", "a parameter is there %d times", len(values))
		}
	}
	return r.PostForm, nil
}

// tokens is the answer of the token endpoint (RFC 6749, 5.1; OpenID Connect Core 1.0, 3.1.3.3).
type tokens struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token"`
	Scope        string `json:"scope"`
}

// token is the token endpoint.
func (h *Handlers) token(w http.ResponseWriter, r *http.Request) error {
	sent, err := posted(r)
	if err != nil {
		return err
	}
	c, err := h.authenticated(r, sent)
	if err != nil {
		h.counted(Client{ID: c.ID}, sent.Get("grant_type"), err)
		return err
	}
	var answer tokens
	switch kind := sent.Get("grant_type"); kind {
	case "authorization_code":
		answer, err = h.exchange(r.Context(), c, sent)
	case "refresh_token":
		answer, err = h.refresh(r.Context(), c, sent)
	case grantDevice:
		answer, err = h.exchangeDevice(r.Context(), c, sent)
	case "":
		err = oauth("invalid_request", "grant_type is missing")
	default:
		err = oauth("unsupported_grant_type", "grant_type must be one of those in the discovery document")
	}
	h.counted(c, sent.Get("grant_type"), err)
	if errors.Is(err, grant.ErrInvalid) {
		err = &oauthError{code: "invalid_grant", detail: "it was used before, has expired, or what it stood for has ended", cause: err}
	}
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, answer)
}

// counted tells of an answer of the token endpoint. What strangers write is no name of a figure.
func (h *Handlers) counted(c Client, kind string, err error) {
	grantType := "other"
	switch kind {
	case "authorization_code", "refresh_token":
		grantType = kind
	case grantDevice:
		grantType = "device_code"
	}
	code := ""
	switch refused, is := errors.AsType[*oauthError](err); {
	case is:
		code = refused.code
	case errors.Is(err, grant.ErrInvalid):
		code = "invalid_grant"
	case err != nil:
		code = "server_error"
	}
	client := c.ID
	if isDocument(client) {
		client = "document"
	}
	h.Answered(client, grantType, code)
}

// exchange gives tokens for a code.
func (h *Handlers) exchange(ctx context.Context, c Client, sent url.Values) (tokens, error) {
	on, code, refreshToken, err := h.Grants.Exchange(ctx, sent.Get("code"), func(code grant.Code, user store.User) error {
		verifier := sent.Get("code_verifier")
		if err := c.isOf(code.Program, code.Issued); err != nil {
			return err
		}
		switch {
		case code.Redirect != store.HashOf(sent.Get("redirect_uri")).String():
			return fmt.Errorf("%w: redirect_uri is another one", grant.ErrInvalid)
		case code.Bound != "" && !proves(verifier, code.Bound):
			return fmt.Errorf("%w: code_verifier is another one", grant.ErrInvalid)
		case code.Bound == "" && verifier != "": // a downgrade (RFC 9700, 4.8.2)
			return fmt.Errorf("%w: there is a code_verifier, and there was no challenge", grant.ErrInvalid)
		}
		return c.admitted(user)
	})
	if err != nil {
		return tokens{}, err
	}
	return h.issue(ctx, c, on, code.Nonce, refreshToken)
}

// refresh gives new tokens for a refresh token. A client may ask for fewer scopes (RFC 6749, 6). One from which IT has taken
// offline_access gets none, and doesn't keep the session.
func (h *Handlers) refresh(ctx context.Context, c Client, sent url.Values) (tokens, error) {
	asked := strings.Fields(sent.Get("scope"))
	on, refreshToken, err := h.Grants.Refresh(ctx, sent.Get("refresh_token"), c.BackChannel != "", func(g grant.Grant, user store.User) error {
		if err := c.isOf(g.Program, g.Since); err != nil {
			return err
		}
		if !slices.Contains(c.granted(g.Scopes), shared.ScopeOffline) {
			return fmt.Errorf("%w: the client %s may not ask for %s any more", grant.ErrInvalid, c.ID, shared.ScopeOffline)
		}
		for _, scope := range asked {
			if !slices.Contains(g.Scopes, scope) {
				return oauth("invalid_scope", "scope has more than was granted")
			}
		}
		return c.admitted(user)
	})
	if err != nil {
		return tokens{}, err
	}
	if len(asked) > 0 {
		on.Scopes = slices.DeleteFunc(slices.Clone(on.Scopes), func(scope string) bool { return !slices.Contains(asked, scope) })
	}
	return h.issue(ctx, c, on, "", refreshToken)
}

// issue makes the tokens of a grant.
func (h *Handlers) issue(ctx context.Context, c Client, on grant.Standing, nonce, refreshToken string) (tokens, error) {
	reference, err := h.Grants.Reference(on.Grant)
	if err != nil {
		return tokens{}, err
	}
	on.Scopes = c.granted(on.Scopes) // IT may have taken some from the client
	access, err := h.Keys.Sign(ctx, c.Algorithm, kindAccess, h.accessToken(c, on, reference))
	if err != nil {
		return tokens{}, err
	}
	id, err := h.Keys.Sign(ctx, c.Algorithm, kindID, h.idToken(c, on, nonce, access))
	return tokens{
		AccessToken: access, TokenType: "Bearer", ExpiresIn: int(grant.AccessLife.Seconds()),
		RefreshToken: refreshToken, IDToken: id, Scope: scopeText(on.Scopes),
	}, err
}

// The types of tokens (RFC 7515, 4.1.9). That of ID tokens keeps them from being taken for others.
const (
	kindAccess = "at+jwt"     // RFC 9068, 2.1
	kindID     = "JWT"        // what most programs expect
	kindLogout = "logout+jwt" // OpenID Connect Back-Channel Logout 1.0, 2.4
)

// revoke ends what a token stands for (RFC 7009, 2). A token that nobody knows is as good as ended.
func (h *Handlers) revoke(w http.ResponseWriter, r *http.Request) error {
	sent, err := posted(r)
	if err != nil {
		return err
	}
	c, err := h.authenticated(r, sent)
	if err != nil {
		return err
	}
	g, err := h.grantOf(r.Context(), sent.Get("token"))
	switch {
	case errors.Is(err, grant.ErrInvalid):
	case err != nil:
		return err
	case c.isOf(g.Program, g.Since) == nil:
		if err := h.Grants.Revoke(r.Context(), g); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// grantOf returns the grant of an access token or a refresh token that works.
func (h *Handlers) grantOf(ctx context.Context, token string) (grant.Grant, error) {
	if g, err := h.Grants.OfRefreshToken(ctx, token); err == nil || !errors.Is(err, grant.ErrInvalid) {
		return g, err
	}
	on, _, err := h.ofAccessToken(ctx, token)
	return on.Grant, err
}

// introspect tells a client whether one of its tokens works (RFC 7662, 2), and says what userinfo would.
func (h *Handlers) introspect(w http.ResponseWriter, r *http.Request) error {
	sent, err := posted(r)
	if err != nil {
		return err
	}
	c, err := h.authenticated(r, sent)
	if err != nil {
		return err
	}
	if c.IsPublic() {
		return errClient("the client %s is public, and may not look at tokens", c.ID)
	}
	on, claims, err := h.ofAccessToken(r.Context(), sent.Get("token"))
	if err != nil && !errors.Is(err, grant.ErrInvalid) {
		return err
	}
	if err != nil || c.isOf(on.Program, on.Since) != nil || !c.Admits(on.User) {
		return httpapi.Respond(w, http.StatusOK, map[string]any{"active": false})
	}
	return httpapi.Respond(w, http.StatusOK, map[string]any{
		"active": true, "client_id": c.ID, "username": on.User.Name, "token_type": "Bearer", "scope": scopeText(c.granted(on.Scopes)),
		"sub": claims.Subject, "iss": h.Issuer, "aud": h.Issuer, "exp": claims.Expires, "iat": claims.Issued,
	})
}
