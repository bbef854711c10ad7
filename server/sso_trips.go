package server

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/seal"
	"github.com/keypeg/keypeg/server/sso"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// A trip is a way to a provider and back. What we must remember meanwhile the browser
// carries itself, sealed, in a cookie that scripts can't read; so an answer is of use in
// the browser that began, and nowhere else. Each trip has a cookie of its own, since
// people have several tabs.

const (
	// cookieSSO, followed by a hash of the state, is the cookie of one trip.
	cookieSSO = "keypeg-sso-"
	// tripLife is how long a browser keeps it. An answer that comes too late is told
	// so until then.
	tripLife = 4 * sso.AnswerLife
	// mostTrips bounds how many a browser has, since it sends all of them with every
	// request. The oldest are forgotten.
	mostTrips = 8
	// cookieSaid carries one sentence over a redirect, sealed, so that an address
	// with a provider's answer in it never stays on screen.
	cookieSaid = "keypeg-said"

	secretSSO = "sso-key"

	saidLife = time.Minute

	// Formats of what is sealed. Another gets another.
	tripFormat = "keypeg sso 1"
	saidFormat = "keypeg said 1"
)

// purpose is what somebody goes to a provider for.
type purpose string

const (
	toSignIn  purpose = "sign in"
	toLink    purpose = "link"
	toConfirm purpose = "confirm"
)

// trip is a way to a provider and back.
type trip struct {
	sso.Pending
	Purpose purpose `json:"u"`
	UserID  string  `json:"i,omitempty"` // who is signed in, unless it is to sign in
	Next    string  `json:"x"`           // the page to go on to
}

// travel is what these handlers need besides the providers.
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

// tripCookie names the cookie of a trip by its state, which only the provider's answer
// has besides.
func tripCookie(state string) string {
	sum := store.HashOf("sso cookie " + state)
	return cookieSSO + hex.EncodeToString(sum[:8])
}

// forgetTrips makes room for one more trip. The newest stay.
func (s *Server) forgetTrips(w http.ResponseWriter, r *http.Request) {
	type kept struct {
		cookie string
		begun  time.Time
	}
	var all []kept
	for _, c := range r.Cookies() {
		id, is := strings.CutPrefix(c.Name, s.cookie(cookieSSO))
		if !is {
			continue
		}
		var t trip // of which the zero value is the oldest
		unpack(s.travel.trips, c.Value, &t)
		all = append(all, kept{cookieSSO + id, t.Expires})
	}
	slices.SortFunc(all, func(a, b kept) int { return b.begun.Compare(a.begun) })
	for i, k := range all {
		if i >= mostTrips-1 || !k.begun.After(s.Now()) {
			s.dropCookie(w, k.cookie)
		}
	}
}

// tripOf opens the cookie of the trip that an answer belongs to.
func (s *Server) tripOf(r *http.Request) (t trip, err error) {
	if err := unpack(s.travel.trips, s.cookieValue(r, tripCookie(r.URL.Query().Get("state"))), &t); err != nil {
		return t, shared.Errorf(shared.CodeSSORefused, "This sign-in was begun in another browser, or too long ago. Please try again.").
			Because(fmt.Errorf("the cookie of the trip %w", err))
	}
	return t, nil
}
