package server

import (
	"context"
	"time"

	"github.com/keypeg/keypeg/server/grant"
)

// What tests see of the inside of a server.

// Patterns are what the API is served under, as http.ServeMux writes them.
func (s *Server) Patterns() []string { return s.patterns }

// Grants are the rules of the programs that users have let in.
func (s *Server) Grants() *grant.Service { return s.grants }

// FlushFailures writes the failed attempts that wait to be written.
func (s *Server) FlushFailures(ctx context.Context) { s.activity.Flush(ctx) }

// SetLiveWrite sets how long the writing of a message of a stream may take, and returns a function that sets it
// back.
func SetLiveWrite(d time.Duration) (back func()) {
	before := liveWrite
	liveWrite = d
	return func() { liveWrite = before }
}
