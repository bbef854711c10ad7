package server

import (
	"bytes"
	"context"
	"net/http"
	"net/url"

	"github.com/keypeg/keypeg/server/internal/httpapi"
)

// Ask gets an answer of the API for the user for whom a page is drawn, at a path with a query. Language is
// a BCP 47 tag for sentences in the answer.
type Ask func(ctx context.Context, path, language string) (status int, answer []byte)

// draws answers with a page of the app.
func (s *Server) draws(w http.ResponseWriter, r *http.Request) {
	if s.c.App.Draw == nil {
		s.c.App.Page.ServeHTTP(w, r)
		return
	}
	s.c.App.Draw(w, r, func(ctx context.Context, path, language string) (int, []byte) {
		at, err := url.ParseRequestURI(path)
		if err != nil {
			return http.StatusNotFound, nil
		}
		asking := r.Clone(ctx)
		asking.Method, asking.URL, asking.RequestURI, asking.Body = http.MethodGet, at, path, http.NoBody
		for _, about := range []string{"If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", "Range"} { // the page
			asking.Header.Del(about)
		}
		asking.Header.Set("Accept-Language", language)
		answer := &answer{header: http.Header{}, status: http.StatusOK}
		s.api.ServeHTTP(answer, httpapi.WithID(answer, asking))
		return answer.status, answer.body.Bytes()
	})
}

// answer collects an answer.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
