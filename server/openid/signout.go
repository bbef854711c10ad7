package openid

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/strictjson"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// SignOutPage is the content of the page that asks whether to sign out, because a program wants it and hasn't proved
// that it is the user's own.
type SignOutPage struct {
	Program string // "" if it isn't known
	Request string // sealed, for the form
}

// hint is what an ID token says that a program shows again. It may have expired.
type hint struct{ client, subject, sid string }

// hinted reads an ID token that we have signed.
func (h *Handlers) hinted(ctx context.Context, token string) (hint, error) {
	if len(token) > mostToken {
		return hint{}, errUnsigned
	}
	payload, err := h.Keys.Verify(ctx, token, kindID)
	if err != nil {
		return hint{}, err
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		SID      string `json:"sid"`
	}
	if err := strictjson.Unmarshal(payload, &claims); err != nil {
		return hint{}, err
	}
	if claims.Issuer != h.Issuer {
		return hint{}, fmt.Errorf("it is of the issuer %.140q", claims.Issuer)
	}
	return hint{claims.Audience, claims.Subject, claims.SID}, nil
}

// leaving is a request to sign out that was checked (OpenID Connect RP-Initiated Logout 1.0, 2).
type leaving struct {
	Client string    `json:"c,omitempty"`
	To     string    `json:"t,omitempty"` // where the browser goes afterwards, with the state; "" for our own page
	User   string    `json:"u,omitempty"` // who was asked
	Until  time.Time `json:"b,omitzero"`  // when the form that was sent to them expires
	hint   hint
}

// leavingLife is how long a user may take to answer the page that asks.
const leavingLife = time.Hour

// audienceOf returns for which client an ID token is that can't be verified any more, because keys were rotated since. It
// proves nothing, so it says no more than client_id does: the user is asked.
func audienceOf(token string) string {
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return ""
	}
	var claims struct {
		Audience string `json:"aud"`
	}
	if strictjson.Unmarshal(signed.UnsafePayloadWithoutVerification(), &claims) != nil {
		return ""
	}
	return claims.Audience
}

// errSignedOutTo is the refusal of a sign-out that would lead to an address that isn't registered.
var errSignedOutTo = shared.Errorf(shared.CodeInvalidRequest, "The program that sent you here wants you to go on to an address that isn't registered for it. You are still signed in here. Tell IT, with the address of the program.")

// readLeaving checks a request to sign out. It leads nowhere but to an address of the client that the ID token or
// client_id names.
func (h *Handlers) readLeaving(ctx context.Context, sent url.Values) (out leaving, c Client, err error) {
	for _, name := range []string{"id_token_hint", "client_id", "post_logout_redirect_uri", "state"} {
		if len(sent[name]) > 1 || len(sent.Get(name)) > mostToken {
			return out, c, errTwice
		}
	}
	out.Client = sent.Get("client_id")
	if token := sent.Get("id_token_hint"); token != "" {
		out.hint, err = h.hinted(ctx, token)
		if errors.Is(err, errOldKey) {
			out.hint, err = hint{client: audienceOf(token)}, nil
		}
		if err != nil {
			return out, c, errTwice.Because(fmt.Errorf("id_token_hint: %w", err))
		}
		if out.Client != "" && out.Client != out.hint.client {
			return out, c, errTwice.Because(fmt.Errorf("client_id is %.140q, and the ID token is of %s", out.Client, out.hint.client))
		}
		out.Client = out.hint.client
	}
	to := sent.Get("post_logout_redirect_uri")
	if out.Client == "" {
		if to != "" {
			return out, c, errSignedOutTo.Because(errors.New("neither id_token_hint nor client_id says which client it is"))
		}
		return out, c, nil
	}
	c, err = h.client(ctx, out.Client)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return out, c, errUnknownClient.Because(fmt.Errorf("client_id is %.140q", out.Client))
	case err != nil || to == "":
		return out, c, err
	case !c.SignedOutAllowed(to):
		return out, c, errSignedOutTo.Because(fmt.Errorf("post_logout_redirect_uri of the client %s is %.300q: register it if it is right", c.ID, to))
	}
	out.To = to
	if state := sent.Get("state"); state != "" {
		out.To = withQuery(to, url.Values{"state": {state}})
	}
	return out, c, nil
}

// signOut is the end session endpoint. A program that shows the ID token of this very session signs its user out at
// once; anybody else's request is asked about first, so that no page can sign people out.
func (h *Handlers) signOut(w http.ResponseWriter, r *http.Request) error {
	sent := r.URL.Query()
	if r.Method == http.MethodPost {
		posted, err := httpapi.Form(r)
		if err != nil {
			return err
		}
		if posted.Has("request") { // our own page
			return h.takeSignOut(w, r, posted)
		}
		// A POST of another site comes without our cookies: the same as a GET has them.
		address := PathSignOut + "?" + posted.Encode()
		if len(address) > mostToken {
			return errTwice
		}
		http.Redirect(w, r, address, http.StatusSeeOther)
		return nil
	}
	out, c, err := h.readLeaving(r.Context(), sent)
	if err != nil {
		return err
	}
	who, err := h.Gates.Authenticate(r)
	if shared.CodeOf(err) == shared.CodeUnauthenticated {
		return h.left(w, r, out, c, false)
	}
	if err != nil {
		return err
	}
	if out.hint.sid == grant.SID(who.Session.FirstID()) && out.hint.subject == h.subject(c, who.User.ID) {
		if err := h.SignOut(w, r); err != nil {
			return err
		}
		return h.left(w, r, out, c, false)
	}
	out.User, out.Until = who.User.ID, h.Now().Add(leavingLife).UTC()
	sealed, err := h.forms.SealJSON(out)
	if err != nil {
		return err
	}
	return h.Pages.SignOut(w, r, SignOutPage{Program: c.Name, Request: sealed})
}

// takeSignOut takes the form of the page that asks.
func (h *Handlers) takeSignOut(w http.ResponseWriter, r *http.Request, typed url.Values) error {
	var out leaving
	if h.forms.OpenJSON(typed.Get("request"), &out) != nil || out.User == "" || h.Now().After(out.Until) {
		return errGone
	}
	c := Client{}
	if out.Client != "" {
		var err error
		if c, err = h.client(r.Context(), out.Client); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	if typed.Get("answer") != "allow" {
		http.Redirect(w, r, shared.PageHome, http.StatusSeeOther)
		return nil
	}
	if who, err := h.Gates.Authenticate(r); err == nil && who.User.ID != out.User {
		return errOtherUser
	}
	if err := h.SignOut(w, r); err != nil {
		return err
	}
	return h.left(w, r, out, c, true)
}

// left sends the browser on after a sign-out.
func (h *Handlers) left(w http.ResponseWriter, r *http.Request, out leaving, c Client, afterForm bool) error {
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case out.To == "":
		http.Redirect(w, r, shared.PageSignIn, http.StatusSeeOther)
	case afterForm:
		return h.Pages.Onward(w, r, Onward{Program: c.Name, Address: out.To})
	default:
		w.Header().Set("Location", out.To)
		w.WriteHeader(http.StatusFound)
	}
	return nil
}
