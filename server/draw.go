package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

// Ask gets an answer of the API for the user for whom a page is drawn, at a path with a query. Language is
// a BCP 47 tag for sentences in the answer.
type Ask func(ctx context.Context, path, language string) (status int, answer []byte)

// draw answers with a page of the app as it looks for the caller, which the page shows until the program
// is there. It is no part of the page itself, so that the page is the same for everybody: a cache in
// between may keep it, whatever it was told. The nonce, which no link to this address can have, shows the
// page an answer that was for somebody else.
func (s *Server) draw(w http.ResponseWriter, r *http.Request) error {
	page, err := url.ParseRequestURI(r.URL.Query().Get("page"))
	if err != nil || r.Header.Get(shared.HeaderNonce) == "" || page.Host != "" {
		return shared.Errorf(shared.CodeInvalidRequest, "The request can't be read.").Because(err)
	}
	if !slices.ContainsFunc(s.c.App.Pages, func(p shared.PagePattern) bool { _, is := p.Match(page.Path); return is }) {
		return shared.Errorf(shared.CodeNotFound, "There is nothing at this address.")
	}
	s.cookies.MarkBrowser(w, r) // as getAccount does, whose own answer the browser doesn't get
	mark := s.c.Live.Mark()     // before anything is read
	drawn, err := s.c.App.Draw(r, page, func(ctx context.Context, path, language string) (int, []byte) {
		return s.ask(r.Clone(ctx), path, language)
	})
	if err != nil {
		return fmt.Errorf("drawing %s: %w", page.Path, err)
	}
	if drawn.Answers == nil {
		drawn.Answers = map[string]shared.DrawnAnswer{}
	}
	drawn.Answers[shared.PathLive] = shared.DrawnAnswer{Status: http.StatusOK, Body: mark}
	body, err := json.Marshal(drawn)
	if err != nil {
		return fmt.Errorf("encoding the page at %s: %w", page.Path, err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		body = compressed(body)
	}
	_, err = w.Write(body)
	return err
}

// ask sends a request of the caller to the API, which is a copy of theirs but for its path.
func (s *Server) ask(asking *http.Request, path, language string) (status int, body []byte) {
	at, err := url.ParseRequestURI(path)
	if err != nil {
		return http.StatusNotFound, nil
	}
	asking.URL, asking.RequestURI = at, path
	for _, about := range []string{"If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", "Range"} { // the page
		asking.Header.Del(about)
	}
	asking.Header.Set("Accept-Language", language)
	answer := &answer{header: http.Header{}, status: http.StatusOK}
	s.api.ServeHTTP(answer, httpapi.WithID(answer, asking))
	return answer.status, answer.body.Bytes()
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

// compressors are kept: each has hundreds of kilobytes.
var compressors = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

func compressed(body []byte) []byte {
	var b bytes.Buffer
	w := compressors.Get().(*gzip.Writer)
	defer compressors.Put(w)
	w.Reset(&b)
	w.Write(body) // to a Buffer, which never fails
	w.Close()
	return b.Bytes()
}
