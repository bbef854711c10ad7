package webapp

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
	"github.com/keypeg/keypeg/web"
)

// stuck has a page load the program that the page is in, and adds what people read if the app doesn't start: because a
// proxy forbids its scripts, or changes or cuts off its files, or something blocks them.
// The text must be in the page itself, because nothing else is certain to load then.
type stuck struct {
	page             http.Handler
	files            *web.Files
	url              func(name string) string // the address of a file, by its name
	product, contact string
}

// loaderLabel matches the place where go-app shows the progress of loading. Its own text
// about failures is for programmers, so our text is before it. go-app keeps attributes in a
// map, so their order changes.
var loaderLabel = regexp.MustCompile(`<p [^>]*id="app-wasm-loader-label"`)

// ServeHTTP implements http.Handler.
func (s stuck) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// go-app's ETag is the version of its files. The text also changes with the settings
	// and the reader's language, so no browser may keep an old page by that tag.
	whole := r.Clone(r.Context())
	whole.Header.Del("If-None-Match")
	// The user isn't known here, so all pages look the same. go-app writes the address into
	// the page without escaping it. Text that a stranger puts into a link must not get
	// there.
	whole.URL = &url.URL{Path: shared.PageShell}
	drawn := &drawing{ResponseWriter: w, status: http.StatusOK}
	s.page.ServeHTTP(drawn, whole)
	w.Header().Del("ETag")
	w.Header().Set("Cache-Control", "no-cache, no-transform") // as the sign-in pages have it

	loaded := programAt(r.URL.Path)
	page := drawn.page.Bytes()
	if label := loaderLabel.FindIndex(page); label != nil {
		page = slices.Insert(page, label[0], s.sentence(loaded, httpapi.Text(r))...)
	}
	page = bytes.Replace(page, []byte(`src="`+accountProgram.script+`"`), []byte(`src="`+loaded.script+`"`), 1)
	if len(page) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(page)))
	}
	w.WriteHeader(drawn.status)
	w.Write(page)
}

// sentence returns the sentence for pages on which no script runs, with attributes from which
// boot.js makes more precise ones.
func (s stuck) sentence(p program, text *message.Catalogue) []byte {
	ask := text.WhomToAsk(s.product, s.contact)
	attributes := g.Group{
		h.ID("app-stuck"), h.Class("late"), h.Role("status"),
		h.Data("app", s.url(p.file)), h.Data("size", strconv.FormatInt(s.files.SizeOf(p.file), 10)),
		h.Data("report", shared.PathTrouble), h.Data("ask", ask), h.Data("contact", s.contact),
	}
	for _, trouble := range []shared.Trouble{
		shared.TroubleAppBlocked, shared.TroubleAppType, shared.TroubleAppCoding, shared.TroubleAppCut, shared.TroubleAppMissing, shared.TroubleCookies,
	} {
		attributes = append(attributes, h.Data(string(trouble), text.Refusal(trouble.Refusal())))
	}
	var b bytes.Buffer
	h.P(attributes, g.Text(text.Refusal(shared.TroubleAppScripts.Refusal())+" "+ask)).Render(&b) // writing to a Buffer never fails
	return b.Bytes()
}

// drawing collects a page until it is complete.
type drawing struct {
	http.ResponseWriter
	status int
	page   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (d *drawing) WriteHeader(status int) { d.status = status }

// Write implements http.ResponseWriter.
func (d *drawing) Write(b []byte) (int, error) { return d.page.Write(b) }
