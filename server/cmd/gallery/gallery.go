package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"io"
	"net/http"
	"slices"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared/message"
	"github.com/keypeg/keypeg/web"
)

// product is the name of the installation on the pages.
const product = "Keypeg"

// own has the gallery's style sheet and script.
//
//go:embed gallery.css gallery.js
var own embed.FS

const ownPrefix = "/gallery/"

// contentPolicy is stricter than the policy of the product, so whatever works here works there.
const contentPolicy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"

// exhibit is one state on a page of its own. The page has the language of text and the
// direction dir, "ltr" or "rtl". A sign-in page has the direction of its language.
type exhibit struct {
	Name string
	show func(w http.ResponseWriter, text *message.Catalogue, dir string) error
}

// newGallery serves the index at "/", each exhibit at its name, and all of them at [allAtOnce]. The query chooses the
// language (lang=de) and the direction (dir=rtl); the browser chooses light or dark.
func newGallery(files *web.Files) http.Handler {
	exhibits := slices.Concat(signInPages(files), appPages(files), components(files))
	mux := http.NewServeMux()
	mux.Handle("GET "+web.Prefix, files)
	mux.Handle("GET "+"/icon.svg", http.RedirectHandler(files.URL("icon.svg"), http.StatusFound)) // a state of ui.Frame has it
	mux.Handle("GET "+ownPrefix, http.StripPrefix(ownPrefix, http.FileServerFS(own)))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		writePage(w, index(files, exhibits, r.URL.RawQuery))
	})
	mux.HandleFunc("GET /{name}", func(w http.ResponseWriter, r *http.Request) {
		at := slices.IndexFunc(exhibits, func(e exhibit) bool { return e.Name == r.PathValue("name") })
		if at < 0 {
			http.NotFound(w, r)
			return
		}
		if err := exhibits[at].show(w, message.Choose(r.FormValue("lang")), direction(r)); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("GET "+allAtOnce, func(w http.ResponseWriter, r *http.Request) {
		all := make([]markup, len(exhibits))
		for i, e := range exhibits {
			kept := keptAnswer{header: http.Header{}}
			if err := e.show(&kept, message.Choose(r.FormValue("lang")), direction(r)); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			all[i] = markup{e.Name, kept.String()}
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(all)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", contentPolicy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	})
}

// allAtOnce is the address of the markup of all exhibits, for tests that look at each of them.
const allAtOnce = "/exhibits.json"

type markup struct {
	Name string `json:"name"`
	Page string `json:"page"`
}

// keptAnswer keeps what is written instead of sending it.
type keptAnswer struct {
	bytes.Buffer
	header http.Header
}

func (a *keptAnswer) Header() http.Header { return a.header }
func (a *keptAnswer) WriteHeader(int)     {}

// direction returns the direction that a request asks for.
func direction(r *http.Request) string {
	if r.FormValue("dir") == "rtl" {
		return "rtl"
	}
	return "ltr"
}

// index shows every exhibit in two frames, which get the query of the index.
func index(files *web.Files, exhibits []exhibit, query string) g.Node {
	return h.Doctype(h.HTML(h.Lang("en"),
		head(files, h.Link(h.Rel("stylesheet"), h.Href(ownPrefix+"gallery.css"))),
		h.Body(h.Class("gallery"), h.Main(
			h.H1(g.Text("Gallery")),
			h.P(
				g.Text("Every component in every state. "),
				g.Map(message.Languages, func(text *message.Catalogue) g.Node {
					return g.Group{h.A(h.Href("/?lang="+text.Lang), h.Lang(text.Lang), g.Text(text.Name)), g.Text(" · ")}
				}),
				h.A(h.Href("/?dir=rtl"), g.Text("right to left")),
			),
			g.Map(exhibits, func(e exhibit) g.Node {
				address := "/" + e.Name + "?" + query
				return h.Section(
					h.H2(h.A(h.Href(address), g.Text(e.Name))),
					h.IFrame(h.Class("gallery-wide"), h.Src(address), h.Title(e.Name), h.Loading("lazy")),
					g.Text(" "), // between the two frames
					h.IFrame(h.Class("gallery-phone"), h.Src(address), h.Title(e.Name+", on a phone"), h.Loading("lazy")),
				)
			}),
		)),
	))
}

// page is the page around a component.
func page(files *web.Files, lang, dir string, component g.Node) g.Node {
	return h.Doctype(h.HTML(h.Lang(lang), h.Dir(dir),
		head(files, h.Script(h.Src(ownPrefix+"gallery.js"), h.Defer())),
		h.Body(component),
	))
}

func head(files *web.Files, more ...g.Node) g.Node {
	return h.Head(
		h.Meta(h.Charset("utf-8")),
		h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
		h.Meta(h.Name("color-scheme"), h.Content("light dark")),
		h.TitleEl(g.Text("Gallery")),
		h.Link(h.Rel("icon"), h.Href(files.URL("icon.svg"))),
		h.Link(h.Rel("stylesheet"), h.Href(files.URL("style.css"))),
		h.Link(h.Rel("stylesheet"), h.Href(files.URL("pages.css"))),
		g.Group(more),
	)
}

func writePage(w http.ResponseWriter, page interface{ Render(io.Writer) error }) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	return page.Render(w)
}
