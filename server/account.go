package server

import (
	"net/http"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

func (s *Server) getAccount(w http.ResponseWriter, r *http.Request) error {
	s.cookies.MarkBrowser(w, r) // for a session of a host, or one from before browsers were marked
	who := httpapi.CallerOf(r)
	var until *time.Time
	var identities []shared.Identity
	if s.c.Accounts != nil {
		var err error
		if until, err = s.c.Accounts.RecoveryLinkUntil(r.Context(), who.User); err != nil {
			return err
		}
		identities = s.c.Accounts.Identities(who.Actor)
	}
	var providers []shared.Provider
	for _, p := range s.c.Providers {
		providers = append(providers, shared.Provider{ID: p.Config().ID, Name: p.Config().Name})
	}
	return httpapi.Respond(w, http.StatusOK, shared.Account{
		User:        who.Shown,
		Product:     s.c.Product,
		Contact:     s.c.Contact,
		PasskeysOn:  s.passkeys != nil,
		RPID:        s.c.Address.RPID,
		HasPassword: who.Methods.HasPassword(who.User),
		Passkeys:    len(who.User.Passkeys),
		Providers:   providers,
		Identities:  identities,

		RecoveryCodes: len(who.User.RecoveryCodes), RecoveryLinkUntil: until,

		SignedInWith: string(who.Session.Method),
		SignedInAt:   who.Session.Created,
	})
}
