package server

import (
	"net/http"

	"github.com/keypeg/keypeg/server/internal/httpapi"
)

func (s *Server) listActivity(w http.ResponseWriter, r *http.Request) error {
	page, err := s.activity.List(r.Context(), httpapi.CallerOf(r).Actor, r.URL.Query().Get("before"))
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, page)
}
