package server

import (
	"net/http"

	"github.com/keypeg/keypeg/server/internal/httpapi"
)

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
