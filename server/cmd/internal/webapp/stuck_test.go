package webapp

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/app/pages"
	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/web"
)

// appOf is the app of an installation, by its product.
func appOf(t *testing.T, product string) server.App {
	t.Helper()
	files, err := web.Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{pages.EnvProduct, pages.EnvIcon, pages.EnvLanguages, "KEYPEG_APP_BROKEN"} {
		t.Setenv(name, "") // go-app sets them in its process, and the programs of other tests would inherit them
	}
	pages.Routes(pages.Deps{Product: product, Icon: files.URL("icon.svg")})
	return newApp(files, product)
}

// stuckPage is the page of an installation with a contact, or without.
func stuckPage(t *testing.T, contact string) http.Handler {
	t.Helper()
	files, err := web.Open()
	if err != nil {
		t.Fatal(err)
	}
	return stuck{appOf(t, "Keypeg").Page, files, files.URL, "Keypeg", contact}
}

// TestStuckStandsInEveryPage draws pages often: go-app writes the attributes of an element
// in an order that changes, and what is to stand in each page must not depend on it.
func TestStuckStandsInEveryPage(t *testing.T) {
	files, err := web.Open()
	if err != nil {
		t.Fatal(err)
	}
	shown := stuckPage(t, "IT desk")
	paths := []string{shared.PageShell, `/users/"><script>alert(1)</script>`}
	for _, pattern := range pages.Patterns() {
		paths = append(paths, strings.Replace(string(pattern), "{id}", "bob", 1))
	}
	for _, path := range paths {
		for range 100 {
			w := httptest.NewRecorder()
			shown.ServeHTTP(w, &http.Request{Method: "GET", URL: &url.URL{Path: path}, Header: http.Header{}})
			page := w.Body.String()
			loader, stuck := strings.Index(page, "app-wasm-loader"), strings.Index(page, `id="app-stuck"`)
			if loader < 0 || stuck < loader || strings.Count(page, `id="app-stuck"`) != 1 {
				t.Fatalf("%q doesn't say in its loader what is the matter when it doesn't start:\n%s", path, page)
			}
			loads, other := accountProgram, administrationProgram
			if strings.HasPrefix(path, "/users") || strings.HasPrefix(path, "/clients") || path == "/audit" || path == "/rollout" || path == "/checks" {
				loads, other = other, loads
			}
			if strings.HasSuffix(path, "</script>") { // no page
				loads, other = accountProgram, administrationProgram
			}
			for text, times := range map[string]int{
				`src="` + loads.script + `"`: 1, `data-app="` + files.URL(loads.file) + `"`: 1,
				`src="` + other.script + `"`: 0, `data-app="` + files.URL(other.file) + `"`: 0,
			} {
				if n := strings.Count(page, text); n != times {
					t.Fatalf("%q has %s %d times, want %d", path, text, n, times)
				}
			}
			if strings.Contains(page, "alert(1)") {
				t.Fatalf("what stands in the address %q stands in the page:\n%s", path, page)
			}
		}
	}
}

// TestStuckIsNew checks that no browser keeps what was answered under other settings or in
// another language.
func TestStuckIsNew(t *testing.T) {
	files, err := web.Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{`"` + appVersion(files, "Keypeg") + `"`, "*"} {
		again := httptest.NewRequest("GET", shared.PageHome, nil)
		again.Header.Set("If-None-Match", tag)
		again.Header.Set("Accept-Language", "de")
		w := httptest.NewRecorder()
		stuckPage(t, "Helpdesk").ServeHTTP(w, again)
		if w.Code != 200 || !strings.Contains(w.Body.String(), "Brauchen Sie Hilfe? Helpdesk") {
			t.Errorf("If-None-Match %s: %d %s", tag, w.Code, w.Body)
		}
		if cache := w.Header().Get("Cache-Control"); cache != "no-cache, no-transform" {
			t.Errorf("Cache-Control %q", cache)
		}
	}
}

// TestProductIsNew checks that a browser that kept what had the product's old name gets
// the new one.
func TestProductIsNew(t *testing.T) {
	old, renamed := httptest.NewRecorder(), httptest.NewRecorder()
	answers := func(w http.ResponseWriter, product, tag string) {
		t.Helper()
		r := httptest.NewRequest("GET", "/app.js", nil)
		r.Header.Set("If-None-Match", tag)
		appOf(t, product).Files["/app.js"].ServeHTTP(w, r)
	}
	answers(old, "Keypeg", "")
	answers(renamed, "Acme", old.Header().Get("ETag"))
	if renamed.Code != 200 || !strings.Contains(renamed.Body.String(), "Acme") {
		t.Errorf("%d %.200s", renamed.Code, renamed.Body)
	}
	again := httptest.NewRecorder()
	if answers(again, "Keypeg", old.Header().Get("ETag")); again.Code != 304 {
		t.Errorf("what is as it was is sent again: %d", again.Code)
	}
}

func TestStuckSaysWhomToAsk(t *testing.T) {
	for contact, want := range map[string]string{
		"IT desk, phone 1234": "Need help? IT desk, phone 1234",
		"":                    "Need help? Ask whoever runs Keypeg for your organisation.",
	} {
		w := httptest.NewRecorder()
		stuckPage(t, contact).ServeHTTP(w, httptest.NewRequest("GET", shared.PageHome, nil))
		// Without a script the paragraph's text is read, and else the attribute.
		if n := strings.Count(w.Body.String(), want); n != 2 {
			t.Errorf("contact %q: the page says %q %d times, want twice:\n%s", contact, want, n, w.Body)
		}
	}
}
