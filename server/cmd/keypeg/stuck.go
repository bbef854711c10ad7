package main

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
	"github.com/keypeg/keypeg/web"
)

// stuck adds to a page of the app what people read when the app doesn't start: because a
// proxy forbids its scripts, changes or cuts off its files, or something blocks them. It
// must stand in the page, since nothing can be relied on to bring it then.
type stuck struct {
	page             http.Handler
	files            *web.Files
	product, contact string
}

// loaderLabel is where go-app says how far loading is. What it says of failures is for
// programmers; ours stands before it. go-app keeps attributes in a map: each page has them
// in another order.
var loaderLabel = regexp.MustCompile(`<p [^>]*id="app-wasm-loader-label"`)

// ServeHTTP implements http.Handler.
func (s stuck) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// go-app's tag is the version of its files: what is said changes with the settings and the
	// reader's language too, so no browser may keep an old page for the same tag.
	whole := r.Clone(r.Context())
	whole.Header.Del("If-None-Match")
	// No user is known here, so all pages look the same. go-app writes the address into the
	// page without escaping it: what a stranger put into a link must not get there.
	whole.URL = &url.URL{Path: shared.PageShell}
	drawn := &drawing{ResponseWriter: w, status: http.StatusOK}
	s.page.ServeHTTP(drawn, whole)
	w.Header().Del("ETag")
	w.Header().Set("Cache-Control", "no-cache, no-transform") // as the sign-in pages have it

	page := drawn.page.Bytes()
	if label := loaderLabel.FindIndex(page); label != nil {
		page = slices.Insert(page, label[0], s.said(server.Text(r))...)
	}
	if len(page) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(page)))
	}
	w.WriteHeader(drawn.status)
	w.Write(page)
}

// said is the sentence for when no script runs, and in its attributes what boot.js needs to
// say better.
func (s stuck) said(text *message.Catalogue) []byte {
	ask := text.WhomToAsk(s.product, s.contact)
	attributes := g.Group{
		h.ID("app-stuck"), h.Class("late"), h.Role("status"),
		h.Data("app", s.files.URL(web.App)), h.Data("size", strconv.FormatInt(s.files.AppSize(), 10)),
		h.Data("report", shared.PathTrouble), h.Data("ask", ask), h.Data("contact", s.contact),
	}
	for _, trouble := range []shared.Trouble{
		shared.TroubleAppBlocked, shared.TroubleAppType, shared.TroubleAppCoding, shared.TroubleAppCut, shared.TroubleAppMissing,
	} {
		attributes = append(attributes, h.Data(string(trouble), text.Refusal(trouble.Refusal())))
	}
	var b bytes.Buffer
	h.P(attributes, g.Text(text.Refusal(shared.TroubleAppScripts.Refusal())+" "+ask)).Render(&b) // a Buffer takes everything
	return b.Bytes()
}

// drawing keeps a page until it is complete.
type drawing struct {
	http.ResponseWriter
	status int
	page   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (d *drawing) WriteHeader(status int) { d.status = status }

// Write implements http.ResponseWriter.
func (d *drawing) Write(b []byte) (int, error) { return d.page.Write(b) }
