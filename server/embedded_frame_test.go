package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/shared"
)

// TestEmbeddedFrame: pages of the program may have the panel in a frame, also those that are isolated from other origins,
// whose browsers ask the same of each frame (HTML Living Standard, 7.1.4). Nobody else may.
func TestEmbeddedFrame(t *testing.T) {
	p := newToolshop(t, stores["memstore"])
	shows := func(kind, text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind+"; charset=utf-8")
			w.Write([]byte(text))
		})
	}
	p.restarts(func(c *server.Config) {
		c.App = server.App{
			Pages: []shared.PagePattern{shared.PagePanel},
			Page:  shows("text/html", "the panel"),
			Files: map[string]http.Handler{shared.PathElements: shows("text/javascript", "the elements")},
		}
	})
	has := func(path string, want map[string]string) {
		t.Helper()
		w := httptest.NewRecorder() // the description of the API has no pages
		p.handler.ServeHTTP(w, httptest.NewRequest("GET", origin+path, nil))
		for name, value := range want {
			if got := w.Header().Get(name); w.Code != 200 || !strings.Contains(got, value) || value == "" && got != "" {
				t.Errorf("%s: %d with %s %q, want %q", path, w.Code, name, got, value)
			}
		}
	}
	has(shared.PagePanel, map[string]string{
		"Content-Security-Policy": "frame-ancestors 'self'", "X-Frame-Options": "SAMEORIGIN", "Cross-Origin-Embedder-Policy": "require-corp",
		"Cross-Origin-Resource-Policy": "same-origin", "X-Content-Type-Options": "nosniff",
	})
	has(shared.PathElements, map[string]string{
		"Content-Security-Policy": "frame-ancestors 'none'", "Cross-Origin-Resource-Policy": "same-origin", "X-Content-Type-Options": "nosniff", "Cross-Origin-Embedder-Policy": "",
	})
}
