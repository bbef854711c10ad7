package server

import (
	"net/http"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

func (s *Server) confirmPassword(w http.ResponseWriter, r *http.Request) error {
	var request shared.PasswordConfirmation
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	who := httpapi.CallerOf(r).Actor
	issued, err := s.c.Accounts.ConfirmPassword(r.Context(), who, request.Password)
	if err != nil {
		return err
	}
	return s.respondConfirmed(w, r, s.local.setter(issued, who.Client))
}

func (s *Server) beginConfirmation(w http.ResponseWriter, r *http.Request) error {
	ceremony, err := s.passkeys.BeginConfirmation(r.Context(), httpapi.CallerOf(r).Actor)
	if err != nil {
		return err
	}
	return httpapi.RespondBegun(w, ceremony)
}

func (s *Server) finishConfirmation(w http.ResponseWriter, r *http.Request) error {
	var answer shared.FinishCeremony
	if err := httpapi.Decode(r, &answer); err != nil {
		return err
	}

	var set sessionSetter
	caller := httpapi.CallerOf(r).Actor
	caller.Failed = answer.Failed
	err := s.passkeys.FinishConfirmation(r.Context(), caller, answer, func(who session.Actor, with store.Passkey) (batch store.Batch, err error) {
		set, batch, err = s.people.confirm(r, who, with)
		return batch, err
	})
	if err != nil {
		return err
	}
	return s.respondConfirmed(w, r, set)
}

// respondConfirmed sets the cookie of the confirmed session, which has a new token.
func (s *Server) respondConfirmed(w http.ResponseWriter, r *http.Request, set sessionSetter) error {
	who, err := set(w, r)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, shared.Confirmed{Until: s.sessions.FreshUntil(who.Session)})
}
