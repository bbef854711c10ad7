package webapp

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/pages"
	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
	"github.com/keypeg/keypeg/web"
)

// program is one of the app's programs in the browser.
type program struct {
	file   string // among the files of package web
	script string // the address of go-app's script that loads it
}

// The programs. go-app writes the script of everybody's into each page.
var (
	accountProgram        = program{web.App, "/app.js"}
	administrationProgram = program{web.Administration, "/administration.js"}
)

// programAt returns the program that has the page at a path.
func programAt(path string) program {
	if pages.IsAdministration(path) {
		return administrationProgram
	}
	return accountProgram
}

// newApp returns the app for a product. go-app draws its pages, and the files come from
// package web. Only the addresses in this list reach go-app, because it would answer any
// path, and would fetch robots.txt from whatever Host a stranger names.
func newApp(files *web.Files, product string) server.App {
	shell := newShell(files, product, accountProgram)
	served := map[string]http.Handler{
		web.Prefix:                   files,
		"/manifest.webmanifest":      content("application/manifest+json", files.Manifest(product)),
		"/app.css":                   content("text/css; charset=utf-8", []byte(files.Text("loader.css"))),
		"/robots.txt":                content("text/plain; charset=utf-8", []byte("User-agent: *\nDisallow: /\n")),
		"/favicon.ico":               http.RedirectHandler(files.URL("icon-192.png"), http.StatusFound),
		"/app.js":                    shell,
		"/app-worker.js":             shell,
		"/wasm_exec.js":              shell,
		administrationProgram.script: at(accountProgram.script, newShell(files, product, administrationProgram)),
	}
	maps.Copy(served, files.Manual())
	return server.App{Pages: pages.Patterns(), Page: shell, Files: served}
}

// at answers as a shell does at a path. Each shell has the script that loads its program at the same one.
func at(path string, shell http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := r.Clone(r.Context())
		asked.URL = &url.URL{Path: path}
		shell.ServeHTTP(w, asked)
	})
}

// newShell returns go-app's handler of a program. The service worker keeps everybody's program
// and not that of administration, which does nothing without the server.
func newShell(files *web.Files, product string, p program) *goapp.Handler {
	return &goapp.Handler{
		Name:            product,
		Title:           product,
		Lang:            message.English.Lang,
		Description:     product,
		BackgroundColor: web.Ground,
		ThemeColor:      web.Accent,
		LoadingLabel:    "{progress}",
		Icon: goapp.Icon{
			Default:  files.URL("icon-192.png"),
			Large:    files.URL("icon-512.png"),
			Maskable: files.URL("icon-maskable-512.png"),
			SVG:      files.URL("icon.svg"),
		},
		Styles:                []string{files.URL("style.css"), files.URL("pages.css")},
		Scripts:               []string{files.URL("drawn.js") + " async", files.URL("boot.js") + " defer"},
		CacheableResources:    append([]string{shared.PageShell, files.URL("icon.svg")}, languageURLs(files)...),
		Resources:             hashed{files, p},
		StartURL:              shared.PageHome,
		Version:               appVersion(files, product),
		WasmContentLength:     strconv.FormatInt(files.SizeOf(p.file), 10),
		ServiceWorkerTemplate: worker(files),
		Env: map[string]string{
			pages.EnvProduct:    product,
			pages.EnvIcon:       files.URL("icon.svg"),
			pages.EnvLanguages:  languages(files),
			"KEYPEG_APP_BROKEN": broken(),
		},
	}
}

// worker returns the template of the service worker, with the pages that it can open by itself.
func worker(files *web.Files) string {
	return strings.Replace(files.Text("worker.js"), "{{.Pages}}", encoded(pages.Kept()), 1)
}

// appVersion changes with everything that go-app serves, including the product's name.
// Browsers keep all of it until the version changes.
func appVersion(files *web.Files, product string) string {
	sum := sha256.Sum256([]byte(files.Version() + " " + product))
	return hex.EncodeToString(sum[:8])
}

// appLanguages returns the languages for the app, with the addresses of their texts.
func appLanguages(files *web.Files) (list []pages.Language) {
	for _, text := range message.Languages {
		list = append(list, pages.Language{Tag: text.Lang, Name: text.Name, URL: files.URL(web.LanguageFile(text.Lang))})
	}
	return list
}

func languages(files *web.Files) string { return encoded(appLanguages(files)) }

// encoded encodes texts as JSON.
func encoded(texts any) string {
	made, err := json.Marshal(texts)
	if err != nil {
		panic(err) // strings can always be encoded
	}
	return string(made)
}

func languageURLs(files *web.Files) (urls []string) {
	for _, text := range message.Languages {
		urls = append(urls, files.URL(web.LanguageFile(text.Lang)))
	}
	return urls
}

// broken returns the two sentences that boot.js shows when the app has crashed, in each
// language.
func broken() string {
	sentences := map[string][2]string{}
	for _, text := range message.Languages {
		sentences[text.Lang] = [2]string{text.Shell.Broken, text.Shell.Reload}
	}
	return encoded(sentences)
}

func content(kind string, body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "no-cache")
		w.Write(body)
	})
}

// hashed resolves the only address that go-app knows by name.
type hashed struct {
	files   *web.Files
	program program
}

// Resolve implements goapp.ResourceResolver.
func (h hashed) Resolve(path string) string {
	if path == "/web/app.wasm" {
		return h.files.URL(h.program.file)
	}
	return path
}
