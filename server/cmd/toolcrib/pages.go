package main

import (
	_ "embed"
	"net/http"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/toolcrib"
	"github.com/keypeg/keypeg/web"
)

//go:embed crib.css
var styles []byte

const stylesPath = "/crib.css"

// policy allows pages to load files of this server only, and no script inside a page.
const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// pages returns the handler of the crib's pages, which go-app draws in the browser. They
// load Keypeg's style sheet.
func pages(app string, files *web.Files) http.Handler {
	toolcrib.Routes()
	icon := files.URL("icon-192.png")
	shell := &goapp.Handler{
		Name: "Tool crib", Title: "Tool crib", Description: "Borrow a tool, or bring one back.",
		Icon:   goapp.Icon{Default: icon, Large: files.URL("icon-512.png"), SVG: files.URL("icon.svg")},
		Styles: []string{files.URL("style.css"), stylesPath},
	}
	mux := http.NewServeMux()
	mux.Handle(web.Prefix, files)
	mux.HandleFunc("GET /web/app.wasm", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, app) })
	mux.HandleFunc("GET "+stylesPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Write(styles)
	})
	// go-app would answer any path, so only these reach it.
	for _, path := range []string{"/{$}", toolcrib.PageSignIn, "/app.css", "/app.js", "/app-worker.js", "/wasm_exec.js", "/manifest.webmanifest"} {
		mux.Handle("GET "+path, shell)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	})
}
