package server

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/seal"
	"github.com/keypeg/keypeg/server/sso"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// A trip is one authorization request to an OpenID provider (OpenID Connect Core 1.0,
// 3.1.2.1), from the redirect to its authorization endpoint until the browser comes back to
// our redirect URI, the callback, with the authorization response. The server stores nothing
// of it. Its state, nonce and PKCE verifier stay in the browser, sealed in a cookie that
// scripts can't read. So a response counts only in the browser that sent the request. Each
// request has a cookie of its own, because people have several tabs.

const (
	// cookieSSO, followed by a hash of the state, is the cookie of one authorization
	// request.
	cookieSSO = "keypeg-sso-"
	// tripLife is how long the browser keeps that cookie. It is longer than
	// [sso.AnswerLife], so that a response that comes too late is refused as a late one.
	tripLife = 4 * sso.AnswerLife
	// mostTrips bounds how many authorization requests a browser has open, because it
	// sends all their cookies with every request. The oldest are dropped.
	mostTrips = 8
	// cookieSaid carries one sentence from the callback to the next page, sealed. The
	// redirect takes the address with the provider's response off the screen.
	cookieSaid = "keypeg-said"

	secretSSO = "sso-key"

	saidLife = time.Minute

	// Formats of what is sealed. Another gets another.
	tripFormat = "keypeg sso 1"
	saidFormat = "keypeg said 1"
)

// purpose is what an authorization request is for.
type purpose string

const (
	toSignIn  purpose = "sign in"
	toLink    purpose = "link"
	toConfirm purpose = "confirm"
)

// trip is one authorization request that waits for its response at the callback. Its cookie
// holds it as sealed JSON.
type trip struct {
	sso.Pending         // state, nonce and PKCE verifier
	Purpose     purpose `json:"u"`
	UserID      string  `json:"i,omitempty"` // who is signed in, unless it is to sign in
	Next        string  `json:"x"`           // the page to go on to
}

// travel is what the handlers of authorization requests and of the callback need besides the
// providers: the seals of both cookies, and the warnings for IT.
type travel struct {
	trips, said *seal.Sealer
	warnings    sso.Warnings
}

func newTravel(key []byte, now func() time.Time) (*travel, error) {
	trips, err := seal.New(key, tripFormat)
	if err != nil {
		return nil, err
	}
	said, err := seal.New(key, saidFormat)
	return &travel{trips: trips, said: said, warnings: sso.NewWarnings(now)}, err
}

// pack seals a value as JSON, and unpack reverses it.
func pack(s *seal.Sealer, value any) (string, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encoding what a browser keeps: %w", err)
	}
	return s.Seal(plain), nil
}

func unpack(s *seal.Sealer, sealed string, into any) error {
	plain, err := s.Open(sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, into)
}

// tripCookie names the cookie of the authorization request with this state. Besides the
// cookie, only the request and its response have the state.
func tripCookie(state string) string {
	sum := store.HashOf("sso cookie " + state)
	return cookieSSO + hex.EncodeToString(sum[:8])
}

// tripsOf returns the authorization requests of a browser, by their cookies. Of one that can't
// be opened it is the zero value.
func (s *Server) tripsOf(r *http.Request) map[string]trip {
	all := map[string]trip{}
	for _, c := range r.Cookies() {
		if id, is := strings.CutPrefix(c.Name, s.cookies.Name(cookieSSO)); is {
			var t trip
			if unpack(s.travel.trips, c.Value, &t) != nil {
				t = trip{}
			}
			all[cookieSSO+id] = t
		}
	}
	return all
}

// waitsFor reports whether a browser has sent an authorization request to p that may still be
// answered.
func (s *Server) waitsFor(r *http.Request, p *sso.Provider) bool {
	for _, t := range s.tripsOf(r) {
		if t.Provider == p.ID && t.Expires.After(s.Now()) {
			return true
		}
	}
	return false
}

// forgetTrips drops the cookies of authorization requests that have expired, and of the
// oldest, to make room for one more.
func (s *Server) forgetTrips(w http.ResponseWriter, r *http.Request) {
	all := s.tripsOf(r)
	newest := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return all[b].Expires.Compare(all[a].Expires) })
	for i, cookie := range newest {
		if i >= mostTrips-1 || !all[cookie].Expires.After(s.Now()) {
			s.cookies.Drop(w, cookie)
		}
	}
}

// tripOf returns the authorization request that a response at the callback answers: its
// state names the cookie. It refuses a response to none of this browser's requests.
func (s *Server) tripOf(r *http.Request) (t trip, err error) {
	if err := unpack(s.travel.trips, s.cookies.Value(r, tripCookie(r.URL.Query().Get("state"))), &t); err != nil {
		return t, shared.Errorf(shared.CodeSSORefused, "This sign-in was begun in another browser, or too long ago. Please try again.").
			Because(fmt.Errorf("the cookie of the trip %w", err))
	}
	return t, nil
}
