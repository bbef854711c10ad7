package server

import (
	"net/http"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

func (s *Server) confirmPassword(w http.ResponseWriter, r *http.Request) error {
	var request shared.PasswordConfirmation
	if err := decode(r, &request); err != nil {
		return err
	}
	who := caller(r)
	opened, err := s.Accounts.ConfirmPassword(r.Context(), who.session, who.user, request.Password, s.client(r))
	if err != nil {
		return err
	}
	return s.respondConfirmed(w, r, opened)
}

func (s *Server) beginConfirmation(w http.ResponseWriter, r *http.Request) error {
	ceremony, err := s.passkeys.BeginConfirmation(r.Context(), caller(r).user, s.browserOfSession(r))
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, ceremony)
}

func (s *Server) finishConfirmation(w http.ResponseWriter, r *http.Request) error {
	var answer shared.FinishCeremony
	if err := decode(r, &answer); err != nil {
		return err
	}

	who, browser := caller(r), s.browserOfSession(r)
	var opened account.Opened
	err := s.passkeys.FinishConfirmation(r.Context(), who.user, browser, answer, func(user store.User, with store.Passkey) (batch store.Batch, err error) {
		opened, batch = s.Accounts.Confirm(who.session, user, signInWith(with, browser.Client))
		return batch, nil
	})
	if err != nil {
		return err
	}
	return s.respondConfirmed(w, r, opened)
}

// respondConfirmed hands out the session's new token.
func (s *Server) respondConfirmed(w http.ResponseWriter, r *http.Request, opened account.Opened) error {
	s.admit(w, r, opened)
	return respond(w, http.StatusOK, shared.Confirmed{Until: s.Accounts.FreshUntil(opened.Session)})
}
