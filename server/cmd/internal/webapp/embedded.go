package webapp

import (
	"net/http"
	"net/url"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/app/pages"
	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
	"github.com/keypeg/keypeg/web"
)

// Embedded returns the app for a program in another language that Keypeg is built into: the elements for its pages, and
// the one page that these have in a frame. The program's proxy sends only some paths to Keypeg, so all files are below
// [shared.PathEmbed]. There is no service worker, which would get what belongs to the program.
func (a *Apps) Embedded(product, contact string) server.App {
	page := panelPage{a.files, product, contact}
	files := map[string]http.Handler{
		below(web.Prefix):      http.StripPrefix(belowPrefix, a.files),
		shared.PathElements:    a.files.At("elements.js"),
		below("/wasm_exec.js"): at("/wasm_exec.js", newShell(a.files, product, accountProgram)),
	}
	for _, text := range message.Languages {
		for _, module := range []string{"signin", "offer"} {
			name := module + "-" + text.Lang + ".js"
			files[shared.PathEmbed+name] = a.files.At(name)
		}
	}
	return server.App{Pages: []shared.PagePattern{shared.PagePanel}, Page: page, Draw: page.draw, Files: files}
}

// EmbeddedURL returns the address of a file by its name, as [Apps.URL] does, for a program that Keypeg is built into.
func (a *Apps) EmbeddedURL(name string) string { return below(a.files.URL(name)) }

// belowPrefix begins what the proxy of such a program sends to Keypeg.
const belowPrefix = "/keypeg"

func below(path string) string { return belowPrefix + path }

// panelPage is the page in the frame. It is the same for everybody.
type panelPage struct {
	files            *web.Files
	product, contact string
}

// ServeHTTP implements http.Handler.
func (p panelPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache, no-transform") // as the sign-in pages have it
	if r.Method == http.MethodHead {
		return
	}
	style := func(name string) g.Node { return h.Link(h.Rel("stylesheet"), h.Href(p.url(name))) }
	script := func(address string, more ...g.Node) g.Node { return h.Script(h.Src(address), g.Group(more)) }
	stuck := stuck{files: p.files, url: p.url, product: p.product, contact: p.contact}
	page := h.Doctype(h.HTML(
		h.Head(
			h.Meta(h.Charset("utf-8")), h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
			h.TitleEl(g.Text(p.product)),
			style("style.css"), style("pages.css"), style("loader.css"), style("panel.css"),
			script(p.url("panel.js"), h.Data("program", p.url(accountProgram.file)), h.Data("drawn", shared.PathPanelDrawn), h.Data("env", p.env())),
			script(p.url("drawn.js"), h.Async()),
			script(below("/wasm_exec.js"), h.Defer()), script(p.url("boot.js"), h.Defer()),
		),
		h.Body(
			h.Div(h.Class("app")),
			h.Aside(h.ID("app-wasm-loader"),
				h.Div(h.ID("app-wasm-loader-icon")), g.Raw(string(stuck.sentence(accountProgram, httpapi.Text(r)))), h.P(h.ID("app-wasm-loader-label")),
			),
		),
	))
	if err := page.Render(w); err != nil {
		return // the browser has gone
	}
}

func (p panelPage) url(name string) string { return below(p.files.URL(name)) }

// languages returns those of the app, with the addresses of their texts.
func (p panelPage) languages() (list []pages.Language) {
	for _, language := range appLanguages(p.files) {
		language.URL = below(language.URL)
		list = append(list, language)
	}
	return list
}

// env is the environment of the program.
func (p panelPage) env() string {
	return encoded(map[string]string{
		pages.EnvProduct: p.product, pages.EnvLanguages: encoded(p.languages()), pages.EnvContact: p.contact, "KEYPEG_APP_BROKEN": broken(),
	})
}

// draw draws the panel with the data of its user.
func (p panelPage) draw(r *http.Request, page *url.URL, ask server.Ask) (shared.DrawnPage, error) {
	return pages.DrawPanel(pages.Deps{Transport: asking{r.Context(), ask}}, page, p.languages(), httpapi.Text(r), readerOf(r, time.Now()))
}
