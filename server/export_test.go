package server

import (
	"context"
	"net/http"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

// What the tests that hold openapi.yaml to this package see of its inside.

// Patterns are what the API is served under, as http.ServeMux writes them.
func (s *Server) Patterns() []string { return s.patterns }

// StatusOf returns the HTTP status of a code, or 0.
func StatusOf(c shared.Code) int { return httpapi.Status(c) }

// RespondBegun writes the answer of a first half.
func RespondBegun(w http.ResponseWriter, c shared.Ceremony) error { return httpapi.RespondBegun(w, c) }

// ClientAddress is where a request came from.
func (s *Server) ClientAddress(r *http.Request) string { return s.clients.Address(r) }

// FlushFailures writes the failed attempts that wait to be written.
func (s *Server) FlushFailures(ctx context.Context) { s.activity.Flush(ctx) }
