package openid

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/strictjson"
	"github.com/keypeg/keypeg/server/store"
)

// accessClaims are the claims of an access token that decide.
type accessClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Client   string `json:"client_id"`
	Audience string `json:"aud"`
	ID       string `json:"jti"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// mostToken bounds a token that is looked at, in bytes.
const mostToken = 8 << 10

// ofAccessToken returns the grant of an access token with what it stands on. It fails with [grant.ErrInvalid] if the
// token doesn't work, also because the session has ended since.
func (h *Handlers) ofAccessToken(ctx context.Context, token string) (on grant.Standing, claims accessClaims, err error) {
	if len(token) > mostToken {
		return on, claims, fmt.Errorf("%w: the token is too long", grant.ErrInvalid)
	}
	payload, err := h.Keys.Verify(ctx, token, kindAccess)
	if errors.Is(err, errUnsigned) {
		return on, claims, fmt.Errorf("%w: %w", grant.ErrInvalid, err)
	}
	if err != nil {
		return on, claims, err
	}
	if err := strictjson.Unmarshal(payload, &claims); err != nil {
		return on, claims, fmt.Errorf("%w: %w", grant.ErrInvalid, err)
	}
	if claims.Issuer != h.Issuer || claims.Audience != h.Issuer || h.Now().Unix() >= claims.Expires {
		return on, claims, fmt.Errorf("%w: the token has expired, or is for another issuer", grant.ErrInvalid)
	}
	on, err = h.Grants.Find(ctx, claims.ID)
	return on, claims, err
}

// userinfo tells a program about the user of an access token (OpenID Connect Core 1.0, 5.3).
func (h *Handlers) userinfo(w http.ResponseWriter, r *http.Request) error {
	token, err := bearer(r)
	if err != nil {
		return refuseToken(w, http.StatusBadRequest, "invalid_request", "the access token must be in Authorization, or in the form of a POST")
	}
	if token == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="OpenID"`) // RFC 6750, 3.1: no error without a token
		w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	on, claims, err := h.ofAccessToken(r.Context(), token)
	if err != nil && !errors.Is(err, grant.ErrInvalid) {
		return err
	}
	var c Client
	if err == nil {
		if c, err = h.client(r.Context(), claims.Client); err == nil && (c.isOf(on.Program, on.Since) != nil || !c.Admits(on.User)) {
			err = fmt.Errorf("%w: the client may not be used by the user any more", grant.ErrInvalid)
		}
	}
	switch {
	case errors.Is(err, grant.ErrInvalid) || errors.Is(err, store.ErrNotFound):
		h.Log.Info("userinfo is refused", "request", httpapi.RequestID(r.Context()), "cause", err)
		return refuseToken(w, http.StatusUnauthorized, "invalid_token", "the access token has expired, or what it stood for has ended")
	case err != nil:
		return err
	}
	answer := claimsOf(on.User, c.granted(on.Scopes))
	answer["sub"] = h.subject(c, on.UserID)
	return httpapi.Respond(w, http.StatusOK, answer)
}

// bearer returns the access token of a request (RFC 6750, 2). It is never taken from an address, which logs keep.
func bearer(r *http.Request) (string, error) {
	header := r.Header.Get("Authorization")
	kind, token, _ := strings.Cut(header, " ")
	inHeader := strings.EqualFold(kind, "Bearer")
	if r.Method != http.MethodPost || r.ContentLength == 0 {
		if header != "" && !inHeader {
			return "", nil
		}
		return token, nil
	}
	sent, err := posted(r)
	if err != nil && inHeader { // a body that isn't for us
		return token, nil
	}
	if err != nil {
		return "", err
	}
	if inHeader && sent.Has("access_token") {
		return "", errors.New("the token is there twice")
	}
	if inHeader {
		return token, nil
	}
	return sent.Get("access_token"), nil
}

// refuseToken answers as RFC 6750, 3 has it.
func refuseToken(w http.ResponseWriter, status int, code, detail string) error {
	w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="OpenID", error=%q, error_description=%q`, code, detail))
	return httpapi.Respond(w, status, map[string]string{"error": code, "error_description": detail})
}
