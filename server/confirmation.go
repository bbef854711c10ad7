package server

import (
	"net/http"

	"github.com/keypeg/keypeg/server/passkey"
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
	return s.respondConfirmed(w, r, residents{s}.admission(opened))
}

func (s *Server) beginConfirmation(w http.ResponseWriter, r *http.Request) error {
	ceremony, err := s.passkeys.BeginConfirmation(r.Context(), caller(r).user, passkey.Browser{Binding: caller(r).session.ID})
	if err != nil {
		return err
	}
	return respondBegun(w, ceremony)
}

func (s *Server) finishConfirmation(w http.ResponseWriter, r *http.Request) error {
	var answer shared.FinishCeremony
	if err := decode(r, &answer); err != nil {
		return err
	}

	who := caller(r)
	browser := passkey.Browser{Binding: who.session.ID, Client: s.client(r)}
	var admit admission
	err := s.passkeys.FinishConfirmation(r.Context(), who.user, browser, answer, func(user store.User, with store.Passkey) (batch store.Batch, err error) {
		admit, batch, err = s.people.confirm(r, browser.Client, who, user, with)
		return batch, err
	})
	if err != nil {
		return err
	}
	return s.respondConfirmed(w, r, admit)
}

// respondConfirmed hands out the session's new token.
func (s *Server) respondConfirmed(w http.ResponseWriter, r *http.Request, admit admission) error {
	who, err := admit(w, r)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, shared.Confirmed{Until: s.Accounts.FreshUntil(who.session)})
}
