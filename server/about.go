package server

import (
	"cmp"
	"net/http"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/passkey"
	"github.com/keypeg/keypeg/shared"
)

// showAbout shows the page about passkeys to everybody. People who can't sign in need it
// most.
func (s *Server) showAbout(w http.ResponseWriter, r *http.Request) error {
	_, err := s.people.authenticate(r)
	signedIn, methods := err == nil, s.c.Accounts.Policy()
	return s.signInPages.About(w, httpapi.Text(r), signinpages.About{
		SignedIn: signedIn, Manual: s.c.App.hasManual() && (signedIn || s.c.ManualPublic),
		Passwords: methods.Passwords, Verification: methods.Verification, Providers: s.buttons(shared.PageHome, ""),
		MaxPasskeys: cmp.Or(s.c.MaxPasskeys, passkey.DefaultMax), KeysOnly: s.c.AttestationRoots != nil,
	})
}
