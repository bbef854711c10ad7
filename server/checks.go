package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"

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
	target, err := url.ParseRequestURI(path)
	if err != nil {
		return nil
	}
	inner := r.Clone(r.Context())
	inner.Method, inner.Host, inner.Body, inner.ContentLength = http.MethodGet, s.asked(r).Host, http.NoBody, 0
	inner.URL, inner.RequestURI = target, path
	inner.Header = http.Header{}
	for _, name := range []string{"Cookie", "User-Agent", "X-Forwarded-For", "X-Forwarded-Proto"} {
		if values := r.Header[name]; values != nil {
			inner.Header[name] = values
		}
	}
	answer := &sentAnswer{header: http.Header{}, status: http.StatusOK, sum: sha256.New()}
	s.outward.ServeHTTP(answer, httpapi.WithID(answer, inner))
	return &probe.Sent{Status: answer.status, Header: answer.header, SHA256: hex.EncodeToString(answer.sum.Sum(nil)), Size: answer.size}
}
