package openid

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
)

// pushedPrefix begins the address of a pushed request (RFC 9126, 2.2). What follows is the request itself, sealed: so a
// push stores nothing, and any node can read it.
const pushedPrefix = "urn:ietf:params:oauth:request_uri:"

// pushedLife is how long a pushed request can be used.
const pushedLife = 90 * time.Second

// pushed is a request that a client has sent by itself.
type pushed struct {
	Client string    `json:"c"`
	Sent   string    `json:"s"` // its parameters, form-encoded
	Until  time.Time `json:"t"`
}

// push takes an authorization request from the client itself (RFC 9126). It is checked at once, so that the client learns
// what is wrong, and again when it is used.
func (h *Handlers) push(w http.ResponseWriter, r *http.Request) error {
	sent, err := posted(r)
	if err != nil {
		return err
	}
	c, err := h.authenticated(r, sent)
	if err != nil {
		return err
	}
	if sent.Has("request_uri") { // RFC 9126, 2.1
		return oauth("invalid_request", "a pushed request can't name another one")
	}
	for _, name := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
		sent.Del(name)
	}
	sent.Set("client_id", c.ID)
	if !c.RedirectAllowed(sent.Get("redirect_uri")) {
		return oauth("invalid_request", "redirect_uri isn't registered for this client")
	}
	if _, _, err := h.readRequest(r.Context(), sent); err != nil {
		return err
	}
	sealed, err := h.pushed.SealJSON(pushed{c.ID, sent.Encode(), h.Now().Add(pushedLife).UTC()})
	if err != nil {
		return err
	}
	if len(sealed) > mostSealed {
		return oauth("invalid_request", "the request is too long")
	}
	return httpapi.Respond(w, http.StatusCreated, map[string]any{"request_uri": pushedPrefix + sealed, "expires_in": int(pushedLife.Seconds())})
}

// pushedRequest returns the parameters of a request: those that were pushed if it names them, and its own otherwise.
func (h *Handlers) pushedRequest(_ context.Context, sent url.Values) (url.Values, error) {
	sealed, is := strings.CutPrefix(sent.Get("request_uri"), pushedPrefix)
	if !is {
		return sent, nil
	}
	var before pushed
	if err := h.pushed.OpenJSON(sealed, &before); err != nil {
		return nil, errTwice.Because(err)
	}
	if before.Client != sent.Get("client_id") || len(sent["client_id"]) != 1 || h.Now().After(before.Until) {
		return nil, errGone
	}
	return url.ParseQuery(before.Sent)
}
