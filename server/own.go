package server

import (
	"net/http"

	"github.com/keypeg/keypeg/shared"
)

func (s *Server) listSessions(w http.ResponseWriter, r *http.Request) error {
	who := caller(r)
	list, err := s.Accounts.Sessions(r.Context(), who.user, who.session)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, list)
}

func (s *Server) endSession(w http.ResponseWriter, r *http.Request) error {
	who := caller(r)
	left, err := s.Accounts.EndSession(r.Context(), who.user, who.session, r.PathValue("id"), s.client(r))
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, left)
}

func (s *Server) endOtherSessions(w http.ResponseWriter, r *http.Request) error {
	who := caller(r)
	left, err := s.Accounts.EndOthers(r.Context(), who.user, who.session, s.client(r))
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, left)
}

func (s *Server) listActivity(w http.ResponseWriter, r *http.Request) error {
	who := caller(r)
	page, err := s.Accounts.Activity(r.Context(), who.user, s.client(r), r.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, page)
}

func (s *Server) changePassword(w http.ResponseWriter, r *http.Request) error {
	var request shared.ChangePassword
	if err := decode(r, &request); err != nil {
		return err
	}
	who := caller(r)
	if err := s.Accounts.ChangePassword(r.Context(), who.user, who.session, request.Password, s.client(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
