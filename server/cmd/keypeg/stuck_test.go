package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/app"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/web"
)

// TestStuckStandsInEveryPage draws pages often: go-app writes the attributes of an element
// in an order that changes, and what is to stand in each page must not depend on it.
func TestStuckStandsInEveryPage(t *testing.T) {
	files, err := web.Open()
	if err != nil {
		t.Fatal(err)
	}
	app.Routes(app.Deps{Product: "Keypeg", Icon: files.URL("icon.svg")})
	pages := withStuck(pages(files, "Keypeg"), files, "IT desk")
	for _, path := range append([]string{shared.PageShell}, shared.AppPages...) {
		for range 100 {
			w := httptest.NewRecorder()
			pages[path].ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			page := w.Body.String()
			loader, stuck := strings.Index(page, "app-wasm-loader"), strings.Index(page, `id="app-stuck"`)
			if loader < 0 || stuck < loader || strings.Count(page, `id="app-stuck"`) != 1 {
				t.Fatalf("%s doesn't say in its loader what is the matter when it doesn't start:\n%s", path, page)
			}
		}
	}
}
