package server

import (
	"net/http"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

// wellKnown registers the addresses at which programs look that keep people's passkeys and passwords. A path that
// has nothing to say isn't there: they take 404 for an answer, and ask for the path
// /.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200 to know that it is one.
func (s *Server) wellKnown(mux *http.ServeMux, page func(pattern string, h httpapi.Handler)) {
	if s.passkeys != nil {
		mux.Handle("GET "+shared.PathPasskeyEndpoints, s.answers.API(s.tellPasskeyEndpoints))
	}
	if s.c.Accounts.Policy().TakesPasswords() {
		page("GET "+shared.PathChangePassword, s.leadToPassword)
	}
}

// wellKnownFor is how long anybody may keep what is at these addresses. It is the same for all people, and changes
// with IT's settings alone.
const wellKnownFor = "public, max-age=3600, no-transform"

// passkeyEndpoints is what https://w3c.github.io/webappsec-passkey-endpoints/passkey-endpoints.html describes.
type passkeyEndpoints struct {
	Enroll string `json:"enroll"` // where a passkey is added
	Manage string `json:"manage"` // where they are looked after
}

// tellPasskeyEndpoints says where people add and remove passkeys: in the panel, in both cases.
func (s *Server) tellPasskeyEndpoints(w http.ResponseWriter, r *http.Request) error {
	at := s.asked(r)
	if s.isFormer(r) {
		at = s.c.Address // where the next passkey is for
	}
	w.Header().Set("Cache-Control", wellKnownFor)
	panel := at.Origin + shared.PagePasskeys
	return httpapi.Respond(w, http.StatusOK, passkeyEndpoints{Enroll: panel, Manage: panel})
}

// leadToPassword leads to the page where people change their password
// (https://w3c.github.io/webappsec-change-password-url/). Who isn't signed in is led on to it by the sign-in page.
func (s *Server) leadToPassword(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", wellKnownFor)
	http.Redirect(w, r, shared.PageHome, http.StatusFound)
	return nil
}
