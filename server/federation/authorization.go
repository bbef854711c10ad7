package federation

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// An authorization request goes to an OpenID provider (OpenID Connect Core 1.0,
// 3.1.2.1) by a redirect to its authorization endpoint. It is open until the browser comes
// back to our redirect URI, the callback, with the authorization response. The server
// stores nothing of it. Its state, nonce and PKCE verifier stay in the browser, sealed in a
// cookie that scripts can't read. So a response counts only in the browser that sent the
// request. Each request has a cookie of its own, because people have several tabs.

const (
	// cookiePrefix, followed by a hash of the state, is the cookie of one authorization
	// request.
	cookiePrefix = "keypeg-sso-"
	// requestLife is how long the browser keeps that cookie. It is longer than
	// [answerLife], so that a response that comes too late is refused as a late one.
	requestLife = 4 * answerLife
	// mostRequests bounds how many authorization requests a browser has open, because it
	// sends all their cookies with every request. The oldest are dropped.
	mostRequests = 8
	// format is authenticated with every sealed request. Change it together with the format.
	format = "keypeg sso 1"
)

// purpose is what an authorization request is for.
type purpose string

const (
	toSignIn  purpose = "sign in"
	toLink    purpose = "link"
	toConfirm purpose = "confirm"
)

// authorization is one request that waits for its response at the callback. Its cookie
// holds it as sealed JSON.
type authorization struct {
	pendingRequest         // state, nonce and PKCE verifier
	Purpose        purpose `json:"u"`
	UserID         string  `json:"i,omitempty"` // who is signed in, unless it is to sign in
	Next           string  `json:"x"`           // the page to go on to
}

// cookieOf names the cookie of the authorization request with this state. Besides the
// cookie, only the request and its response have the state.
func cookieOf(state string) string {
	sum := store.HashOf("sso cookie " + state)
	return cookiePrefix + hex.EncodeToString(sum[:8])
}

// requestsOf returns the authorization requests of a browser, by their cookies. Of one that
// can't be opened it is the zero value.
func (h *Handlers) requestsOf(r *http.Request) map[string]authorization {
	all := map[string]authorization{}
	for _, c := range r.Cookies() {
		if id, is := strings.CutPrefix(c.Name, h.Cookies.Name(cookiePrefix)); is {
			var a authorization
			if h.seal.OpenJSON(c.Value, &a) != nil {
				a = authorization{}
			}
			all[cookiePrefix+id] = a
		}
	}
	return all
}

// waitsFor reports whether a browser has sent an authorization request to p that may still
// be answered.
func (h *Handlers) waitsFor(r *http.Request, p *Provider) bool {
	for _, a := range h.requestsOf(r) {
		if a.Provider == p.c.ID && a.Expires.After(h.Now()) {
			return true
		}
	}
	return false
}

// makeRoom drops the cookies of authorization requests that have expired, and of the
// oldest, to make room for one more.
func (h *Handlers) makeRoom(w http.ResponseWriter, r *http.Request) {
	all := h.requestsOf(r)
	newest := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return all[b].Expires.Compare(all[a].Expires) })
	for i, cookie := range newest {
		if i >= mostRequests-1 || !all[cookie].Expires.After(h.Now()) {
			h.Cookies.Drop(w, cookie)
		}
	}
}

// requestOf returns the authorization request that a response at the callback answers: its
// state names the cookie. It refuses a response to none of this browser's requests.
func (h *Handlers) requestOf(r *http.Request) (a authorization, err error) {
	if err := h.seal.OpenJSON(h.Cookies.Value(r, cookieOf(r.URL.Query().Get("state"))), &a); err != nil {
		return a, shared.Errorf(shared.CodeSSORefused, "This sign-in was begun in another browser, or too long ago. Please try again.").
			Because(fmt.Errorf("the cookie of the authorization request %w", err))
	}
	return a, nil
}
