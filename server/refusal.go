package server

import (
	"net/http"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/shared"
)

// answer adapts a handler for paths of the API and for pages alike: failures become
// problems for the API's paths, and pages for all others. A [Host] draws its own pages, so
// with one they always become problems.
func (s *Server) answer(h httpapi.Handler) http.Handler {
	api, page := s.answers.API(h), s.answers.Page(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.c.Host != nil || strings.HasPrefix(r.URL.Path, pathAPI) {
			api.ServeHTTP(w, r)
			return
		}
		page.ServeHTTP(w, r)
	})
}

// pagesOfLinks are those to which a link leads that somebody was sent.
var pagesOfLinks = []string{shared.PageEnrol, shared.PageHostEnrol, shared.PageSetup, shared.PageVerify, shared.PageNotMe, shared.PageRelease}

// refuse answers with a page that says what was refused.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, refusal *shared.Error) {
	code := refusal.Code
	page := signinpages.Refusal{Code: code, Sentence: refusal.Message, Link: slices.Contains(pagesOfLinks, r.URL.Path)}
	if code == shared.CodeSuspended || s.c.Host != nil {
		page.Nowhere = true // every page of the organisation says the same; those of a host are its own
	} else if code == shared.CodeWrongHost {
		page.Origin, page.Nowhere = s.c.Address.Origin, s.c.Address.Origin == ""
	} else if s.people != nil && httpapi.Status(code) < 500 { // newRefusing sets none, and a fault may be one of the store
		_, err := s.people.authenticate(r)
		page.SignedIn = err == nil
	}
	s.signInPages.Refusal(w, httpapi.Status(code), httpapi.Text(r), page)
}
