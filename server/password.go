package server

import (
	"net/http"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

func (s *Server) changePassword(w http.ResponseWriter, r *http.Request) error {
	var request shared.ChangePassword
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	if err := s.c.Accounts.ChangePassword(r.Context(), httpapi.CallerOf(r).Actor, request.Password, s.cookies.Value(r, cookieRelease)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) removePassword(w http.ResponseWriter, r *http.Request) error {
	if err := s.c.Accounts.RemoveOwnPassword(r.Context(), httpapi.CallerOf(r).Actor); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
