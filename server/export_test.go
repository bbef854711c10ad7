package server

import (
	"context"
	"time"
)

// What tests see of the inside of a server.

// Patterns are what the API is served under, as http.ServeMux writes them.
func (s *Server) Patterns() []string { return s.patterns }

// FlushFailures writes the failed attempts that wait to be written.
func (s *Server) FlushFailures(ctx context.Context) { s.activity.Flush(ctx) }

// SetLiveWrite sets how long the writing of a message of a stream may take, and returns a function that sets it
// back.
func SetLiveWrite(d time.Duration) (back func()) {
	before := liveWrite
	liveWrite = d
	return func() { liveWrite = before }
}
