package server

import (
	"net/http"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

// The user's sessions, activity and password.

func (s *Server) listSessions(w http.ResponseWriter, r *http.Request) error {
	list, err := s.sessions.List(r.Context(), httpapi.CallerOf(r).Actor)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, list)
}

func (s *Server) endSession(w http.ResponseWriter, r *http.Request) error {
	left, err := s.sessions.End(r.Context(), httpapi.CallerOf(r).Actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, left)
}

func (s *Server) endOtherSessions(w http.ResponseWriter, r *http.Request) error {
	left, err := s.sessions.EndOthers(r.Context(), httpapi.CallerOf(r).Actor)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, left)
}

func (s *Server) listActivity(w http.ResponseWriter, r *http.Request) error {
	page, err := s.activity.List(r.Context(), httpapi.CallerOf(r).Actor, r.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, page)
}

func (s *Server) changePassword(w http.ResponseWriter, r *http.Request) error {
	var request shared.ChangePassword
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	if err := s.c.Accounts.ChangePassword(r.Context(), httpapi.CallerOf(r).Actor, request.Password); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
