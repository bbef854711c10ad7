package server

import "github.com/keypeg/keypeg/shared"

// What the tests that hold openapi.yaml to this package see of its inside.

// Patterns are what the API is served under, as http.ServeMux writes them.
func (s *Server) Patterns() []string { return s.patterns }

// StatusOf returns the HTTP status of a code, or 0.
func StatusOf(c shared.Code) int { return status[c] }
