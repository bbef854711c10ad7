package web

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/andybalholm/brotli"

	"github.com/keypeg/keypeg/shared/message"
)

// tree is what is embedded after a build.
func tree(t *testing.T) fstest.MapFS {
	t.Helper()
	var small bytes.Buffer
	w := brotli.NewWriter(&small)
	w.Write([]byte("the program"))
	w.Close()
	const hash = "0123456789abcdef"
	return fstest.MapFS{
		"static/style.css":                         {Data: []byte("body{}")},
		"static/icon.svg":                          {Data: []byte("<svg/>")},
		"static/icon-192.png":                      {Data: []byte("png")},
		"static/icon-512.png":                      {Data: []byte("png")},
		"static/icon-maskable-512.png":             {Data: []byte("png")},
		"static/worker.js":                         {Data: []byte("// worker")},
		"dist/app.wasm.json":                       {Data: []byte(`{"sha256":"` + hash + hash + hash + hash + `","size":11}`)},
		"dist/app.wasm." + hash + ".br":            {Data: small.Bytes()},
		"dist/administration.wasm.json":            {Data: []byte(`{"sha256":"` + hash + hash + hash + hash + `","size":11}`)},
		"dist/administration.wasm." + hash + ".br": {Data: small.Bytes()},
		"dist/style.css.0000000000000000.br":       {Data: []byte("of an older style.css")},
		"dist/.gitignore":                          {Data: []byte("*")},
	}
}

func opened(t *testing.T, from fstest.MapFS) *Files {
	t.Helper()
	f, err := open(from)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func get(f *Files, method, path, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost"+path, nil)
	r.Header.Set("Accept-Encoding", accept)
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

func TestServe(t *testing.T) {
	f := opened(t, tree(t))
	t.Run("the smallest form that the client takes", func(t *testing.T) {
		for accept, want := range map[string]string{
			"gzip, deflate, br, zstd": "br", "br": "br", "gzip": "gzip", "GZIP": "gzip", "*": "br",
			"br;q=0, gzip;q=0.5": "gzip", "br;q=0, *": "gzip", "": "", "deflate": "", "identity": "", "br;q=0,gzip;q=0": "", ";;q=,": "",
		} {
			w := get(f, "GET", f.URL(App), accept)
			if got := w.Header().Get("Content-Encoding"); w.Code != 200 || got != want {
				t.Errorf("Accept-Encoding %q: got %d %q, want %q", accept, w.Code, got, want)
			}
			if want == "" && w.Body.String() != "the program" {
				t.Errorf("Accept-Encoding %q: body %q", accept, w.Body)
			}
		}
	})
	t.Run("every form has the same content", func(t *testing.T) {
		for encoding, open := range map[string]func(io.Reader) io.Reader{
			"":   func(body io.Reader) io.Reader { return body },
			"br": func(body io.Reader) io.Reader { return brotli.NewReader(body) },
			"gzip": func(body io.Reader) io.Reader {
				plain, err := gzip.NewReader(body)
				if err != nil {
					t.Fatal(err)
				}
				return plain
			},
		} {
			got, err := io.ReadAll(open(get(f, "GET", f.URL(App), encoding).Body))
			if err != nil || string(got) != "the program" {
				t.Errorf("%q: got %q (%v)", encoding, got, err)
			}
		}
	})
	t.Run("of many who ask for gzip at once, one makes it, and it stays", func(t *testing.T) {
		f := opened(t, tree(t))
		var waiting sync.WaitGroup
		made := make([][]byte, 50)
		for i := range made {
			waiting.Go(func() { made[i], _ = f.byName[App].choose("gzip") })
		}
		waiting.Wait()
		for _, one := range made {
			if &one[0] != &made[0][0] {
				t.Fatal("it was made twice")
			}
		}
	})
	t.Run("files may be kept for ever, each with its type", func(t *testing.T) {
		for name, kind := range map[string]string{App: "application/wasm", "style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml", "icon-192.png": "image/png", "worker.js": "text/javascript; charset=utf-8"} {
			h := get(f, "GET", f.URL(name), "br").Header()
			if h.Get("Content-Type") != kind || h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s: %v", name, h)
			}
		}
	})
	t.Run("a compressed form of an older file is never used", func(t *testing.T) {
		if w := get(f, "GET", f.URL("style.css"), "br"); w.Body.String() != "body{}\n" || w.Header().Get("Content-Encoding") != "" {
			t.Errorf("got %q", w.Body)
		}
	})
	t.Run("a browser that has it gets 304", func(t *testing.T) {
		first := get(f, "GET", f.URL("style.css"), "")
		r := httptest.NewRequest("GET", f.URL("style.css"), nil)
		r.Header.Set("If-None-Match", first.Header().Get("ETag"))
		w := httptest.NewRecorder()
		if f.ServeHTTP(w, r); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
			t.Errorf("got %d %q", w.Code, w.Body)
		}
	})
	t.Run("HEAD has no body, other methods no success", func(t *testing.T) {
		if w := get(f, "HEAD", f.URL("style.css"), ""); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") != "7" {
			t.Errorf("HEAD: %d %q %v", w.Code, w.Body, w.Header())
		}
		for _, encoding := range []string{"br", "gzip"} {
			whole := get(f, "GET", f.URL(App), encoding).Body.Len()
			if w := get(f, "HEAD", f.URL(App), encoding); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") != strconv.Itoa(whole) || w.Header().Get("Content-Encoding") != encoding {
				t.Errorf("HEAD with %s, of %d bytes: %d %q %v", encoding, whole, w.Code, w.Body, w.Header())
			}
		}
		if w := get(f, "HEAD", f.URL(App), ""); w.Code != 200 || w.Body.Len() != 0 {
			t.Errorf("HEAD without compression: %d %q", w.Code, w.Body)
		}
		if w := get(f, "POST", f.URL("style.css"), ""); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("POST: %d", w.Code)
		}
	})
	t.Run("nothing else is there", func(t *testing.T) {
		for _, path := range []string{"/static/", "/static/style.css", "/static/../web.go", "/static/%2e%2e/web.go", "/static/.gitignore", "/static/app.wasm.json", "/"} {
			if w := get(f, "GET", path, ""); w.Code != 404 {
				t.Errorf("%s: %d", path, w.Code)
			}
		}
	})
}

func TestBuilt(t *testing.T) {
	if !opened(t, tree(t)).Built() {
		t.Error("a built tree isn't taken for one")
	}
	fresh := tree(t)
	delete(fresh, "dist/app.wasm.json")
	f := opened(t, fresh)
	if f.Built() || f.URL(App) != "" {
		t.Error("a fresh clone is taken for built")
	}
	if f.URL("style.css") == "" || f.URL("nothing.css") != "" {
		t.Errorf("addresses %q and %q", f.URL("style.css"), f.URL("nothing.css"))
	}
	if f.Version() == opened(t, tree(t)).Version() {
		t.Error("the version is the same without the app")
	}
}

func TestColours(t *testing.T) {
	for colour, names := range map[string][]string{Ground: {"style.css"}, Accent: {"style.css", "loader.css", "icon.svg"}} {
		for _, name := range names {
			file, err := embedded.ReadFile("static/" + name)
			if err != nil || !bytes.Contains(file, []byte(colour)) {
				t.Errorf("%s doesn't have %s, %v", name, colour, err)
			}
		}
	}
}

func TestManifest(t *testing.T) {
	f := opened(t, tree(t))
	var manifest struct {
		ID, Name, Display string
		StartURL          string `json:"start_url"`
		Icons             []struct{ Src, Sizes, Purpose string }
	}
	if err := json.Unmarshal(f.Manifest(`Example "quoted" <b>`), &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.ID != "/" || manifest.Name != `Example "quoted" <b>` || manifest.StartURL != "/" || manifest.Display != "standalone" {
		t.Errorf("manifest %+v", manifest)
	}
	found := map[string]bool{}
	for _, icon := range manifest.Icons {
		found[icon.Sizes+icon.Purpose] = true
		if w := get(f, "GET", icon.Src, ""); w.Code != 200 {
			t.Errorf("icon %s: %d", icon.Src, w.Code)
		}
	}
	for _, want := range []string{"192x192", "512x512", "512x512maskable"} {
		if !found[want] {
			t.Errorf("no icon %s", want)
		}
	}
}

func TestEmbedded(t *testing.T) {
	f, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"style.css", "signinpages.css", "signinpages-en.js", "signinpages-ja.js", "confirm-en.js", "confirm-related-ja.js", "boot.js", "drawn.js", "onward.js", "loader.css", "worker.js", "icon.svg", "icon-192.png", "icon-512.png", "icon-maskable-512.png", "icon-apple-180.png"} {
		if f.URL(name) == "" {
			t.Errorf("%s is missing", name)
		}
	}
	worker := f.Text("worker.js")
	for _, part := range []string{"{{.Version}}", "{{.ResourcesToCache}}", "{{.Pages}}", `"/api/"`} {
		if !strings.Contains(worker, part) {
			t.Errorf("worker.js lacks %s", part)
		}
	}
}

// TestSignInStyle checks that the sign-in pages' style sheet has what they need and nothing of the
// app, and that the whole one has both.
func TestSignInStyle(t *testing.T) {
	f, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	whole, part := f.Text("style.css"), f.Text("signinpages.css")
	if len(part) > len(whole)/2 || !strings.Contains(whole, ".panel-head {") || strings.Contains(part, ".panel-head {") {
		t.Errorf("the sign-in pages' sheet has %d bytes of %d", len(part), len(whole))
	}
	for _, rule := range []string{"@layer keypeg {", ".sign-in-card {", ".about ul {", ".code {", "forced-colors: active", "prefers-reduced-motion", "pointer: coarse"} {
		if !strings.Contains(part, rule) || !strings.Contains(whole, rule) {
			t.Errorf("a sheet lacks %s", rule)
		}
	}
	for _, rule := range []string{".menu-language", ".row", ".dialog", ".button.danger"} {
		if strings.Contains(part, rule) || !strings.Contains(whole, rule) {
			t.Errorf("%s is a rule of the app alone", rule)
		}
	}
	if strings.Count(part, "{") != strings.Count(part, "}") {
		t.Error("the braces of the sign-in pages' sheet don't match")
	}
}

// TestElements checks that the script that programs load stays light, and that what it loads later is there in every
// language.
func TestElements(t *testing.T) {
	f, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	var small bytes.Buffer
	w := brotli.NewWriterLevel(&small, brotli.BestCompression)
	w.Write([]byte(f.Text("elements.js")))
	w.Close()
	if t.Logf("elements.js: %d bytes with brotli", small.Len()); small.Len() > 4000 {
		t.Errorf("elements.js has %d bytes with brotli, more than 4000", small.Len())
	}
	for _, text := range message.Languages {
		if !strings.Contains(f.Text("elements.js"), `"`+text.Lang+`":{`) {
			t.Errorf("elements.js has no labels in %s", text.Name)
		}
		for _, module := range []string{"signin", "offer"} {
			name := module + "-" + text.Lang + ".js"
			if script := f.Text(name); !strings.Contains(script, "const keypegTexts = {") || !strings.Contains(script, "export function") {
				t.Errorf("%s is missing, or has no texts: %.80s", name, script)
			}
		}
	}
	t.Run("they are at addresses that don't change", func(t *testing.T) {
		at := func(name, tag string) *httptest.ResponseRecorder {
			r := httptest.NewRequest("GET", "/keypeg/"+name, nil)
			r.Header.Set("If-None-Match", tag)
			w := httptest.NewRecorder()
			f.At(name).ServeHTTP(w, r)
			return w
		}
		first := at("elements.js", "")
		if h := first.Header(); first.Code != 200 || h.Get("Cache-Control") != "no-cache" || h.Get("Content-Type") != "text/javascript; charset=utf-8" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("got %d %v", first.Code, h)
		}
		if again := at("elements.js", first.Header().Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("a browser that has it gets %d", again.Code)
		}
		if none := at("nothing.js", ""); none.Code != http.StatusNotFound {
			t.Errorf("an unknown name gets %d", none.Code)
		}
	})
}
