package server

import (
	"net/http"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

func (s *Server) getAccount(w http.ResponseWriter, r *http.Request) error {
	s.cookies.MarkBrowser(w, r) // for a session of a host, or a browser that has lost its mark
	who := httpapi.CallerOf(r)
	var until *time.Time
	var identities []shared.Identity
	passwords, passwordOnly, mayRelease, held := false, false, false, who.User.HoldAt(s.c.Now())
	if s.c.Accounts != nil {
		passwordOnly = who.Methods.IsLastPassword(who.User)
		passwords = s.c.Accounts.Policy().TakesPassword(who.User)
		var err error
		if until, err = s.c.Accounts.RecoveryLinkUntil(r.Context(), who.User); err != nil {
			return err
		}
		identities = s.c.Accounts.Identities(who.Actor)
		if !held.IsZero() {
			if mayRelease, err = s.c.Accounts.MayRelease(r.Context(), who.Actor, s.cookies.Value(r, cookieRelease)); err != nil {
				return err
			}
		}
	}
	programs, err := s.countPrograms(r.Context(), who.User.ID)
	if err != nil {
		return err
	}
	var newest *shared.Passkey
	moving := ""
	if s.passkeys != nil {
		newest, moving = s.passkeys.Newest(who.Actor), s.passkeys.Moving(who.User)
	}
	var providers []shared.Provider
	for _, p := range s.c.Providers {
		providers = append(providers, shared.Provider{ID: p.Config().ID, Name: p.Config().Name})
	}
	return httpapi.Respond(w, http.StatusOK, shared.Account{
		User:          who.Shown,
		Product:       s.c.Product,
		Contact:       s.c.Contact,
		PasskeysOn:    s.passkeys != nil,
		PhoneLinks:    s.phoneLinks(),
		RPID:          s.c.Address.RPID,
		HasPassword:   who.Methods.HasPassword(who.User),
		PasswordSet:   who.Methods.PasswordSet(who.User),
		PasswordsOn:   passwords,
		PasswordOnly:  passwordOnly,
		Passkeys:      len(who.User.Passkeys),
		NewestPasskey: newest,
		MovingFrom:    moving,
		Providers:     providers,
		Identities:    identities,

		Email: who.User.Email, EmailVerified: who.User.EmailVerified, MailOn: s.c.Accounts != nil && s.c.Accounts.SendsMails(), Language: who.User.Language,
		HeldUntil: held, MayRelease: mayRelease,

		RecoveryCodes: len(who.User.RecoveryCodes), RecoveryCodesMade: who.User.RecoveryCodesMade, RecoveryLinkUntil: until,

		Programs: programs,

		SignedInWith: string(who.Session.Method),
		SignedInAt:   who.Session.Created,
	})
}

func (s *Server) changeProfile(w http.ResponseWriter, r *http.Request) error {
	var request shared.ChangeProfile
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	if err := s.c.Accounts.ChangeProfile(r.Context(), httpapi.CallerOf(r).Actor, request); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) exportAccount(w http.ResponseWriter, r *http.Request) error {
	who := httpapi.CallerOf(r).Actor
	export, err := s.c.Accounts.Export(r.Context(), who)
	if err != nil {
		return err
	}
	if s.passkeys != nil {
		export.Passkeys = s.passkeys.Export(who)
	}
	programs, err := s.programs().List(r.Context(), who)
	if err != nil {
		return err
	}
	export.Programs = programs.Programs
	before, isFirst := "", true
	return httpapi.RespondPages(w, export, func() ([]shared.Event, error) {
		if before == "" && !isFirst {
			return nil, nil
		}
		page, err := s.c.Accounts.Activity().List(r.Context(), who, before)
		before, isFirst = page.Next, false
		return page.Events, err
	})
}
