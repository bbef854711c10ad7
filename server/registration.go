package server

import (
	"errors"
	"net/http"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/passkey"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

func (s *Server) beginRegistration(w http.ResponseWriter, r *http.Request) error {
	var request shared.BeginRegistration
	if err := httpapi.DecodeIfAny(r, &request); err != nil {
		return err
	}
	who := httpapi.CallerOf(r)
	who.User.Name, who.User.DisplayName = who.Shown.Name, who.Shown.DisplayName
	ceremony, err := s.passkeys.BeginRegistration(r.Context(), who.Actor, passkey.Browser{Binding: who.Session.ID}, request)
	if err != nil {
		return err
	}
	return httpapi.RespondBegun(w, ceremony)
}

func (s *Server) finishRegistration(w http.ResponseWriter, r *http.Request) error {
	var answer shared.FinishRegistration
	if err := httpapi.Decode(r, &answer); err != nil {
		return err
	}
	who := httpapi.CallerOf(r)
	who.Failed = answer.Failed
	browser := passkey.Browser{Binding: who.Session.ID, Text: httpapi.Text(r)}
	added, err := s.passkeys.FinishRegistration(r.Context(), who.Actor, browser, answer, nil)
	if errors.Is(err, store.ErrNotFound) {
		return errSignIn.Because(err) // the user was removed meanwhile
	}
	if err != nil {
		return err
	}
	if err := s.people.added(r.Context(), who); err != nil {
		return err
	}
	if s.passkeys.MaySignal(r.Context()) {
		added.Signals = &shared.Signals{CurrentUserDetails: s.userDetails(who)}
	}
	return httpapi.Respond(w, http.StatusCreated, added)
}
