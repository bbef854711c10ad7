package server

import (
	"context"
	"net/http"

	"github.com/keypeg/keypeg/server/internal/checks"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/probe"
	"github.com/keypeg/keypeg/shared"
)

// Examine looks for what is wrong with an installation, and calls found with each check that it has made, whose
// group and title are English. It returns a text to send to others. It ends soon after ctx.
type Examine = func(ctx context.Context, found Found) (support string)

// Found is told of a check that was made.
type Found = func(shared.Check)

// mountChecks serves the checks of the installation to its administrators.
func (s *Server) mountChecks(api func(pattern string, h httpapi.Handler)) {
	s.checks = &checks.Checks{
		Examine: s.c.Examine, Gates: s.gates, Now: s.c.Now,
		At:     func(r *http.Request) (string, bool) { at := s.asked(r); return at.Origin, at.Secure },
		Script: s.c.Asset("checks.js"), Program: s.c.Asset("app.wasm"),
		Arrived: s.arrived, Sent: s.sentTo,
	}
	s.checks.Mount(api)
}

// sentTo returns what is answered to a GET by the browser that sends a request, before any proxy changes it. A file
// is as it is without an encoding.
func (s *Server) sentTo(r *http.Request, path string) *probe.Sent {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.outward.ServeHTTP(w, httpapi.WithID(w, r)) })
	return sentOf(handler, r, s.asked(r).Host, path, "Cookie", "User-Agent", "X-Forwarded-For", "X-Forwarded-Proto")
}
