package webapp

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/pages"
	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/httpapi"
)

// drawer sends pages that arrive drawn: with the data of their user, as the program will draw it. So people
// read while the program is still on its way. The page is below the shell's own, which is not shown for so
// long; boot.js lets the program take over (web/static/boot.js).
type drawer struct {
	shell     stuck
	languages []pages.Language
}

func (d drawer) draw(w http.ResponseWriter, r *http.Request, ask server.Ask) {
	text := httpapi.Text(r)
	page, status := d.shell.shell(w, r)
	drawing, err := pages.Draw(pages.Deps{
		Transport: asking{r.Context(), ask}, Product: d.shell.product, Contact: d.shell.contact, Icon: d.shell.files.URL("icon.svg"),
	}, r.URL, d.languages, text, formatsFor(r, text.Lang))
	if err != nil || status != http.StatusOK { // the program draws it, or finds out why it can't be drawn
		w.Header().Set("Cache-Control", "no-store")
		send(w, status, page)
		return
	}
	answers, err := json.Marshal(drawing.Answers) // which writes < as \u003c, so that no text ends the element
	if err != nil {
		panic(err) // texts and numbers can always be encoded
	}
	var drawn, title bytes.Buffer
	h.Div(h.ID("drawn"), h.Lang(text.Lang), g.Raw(string(drawing.HTML))).Render(&drawn) // writing to a Buffer never fails
	h.Script(h.ID("drawn-answers"), h.Type("application/json"), g.Raw(string(answers))).Render(&drawn)
	h.TitleEl(g.Text(drawing.Title)).Render(&title)
	if body := bytes.LastIndex(page, []byte("</body>")); body > 0 {
		page = bytes.Join([][]byte{page[:body], drawn.Bytes(), page[body:]}, nil)
	}
	if begin, end := bytes.Index(page, []byte("<title>")), bytes.Index(page, []byte("</title>")); begin > 0 && end > begin {
		page = bytes.Join([][]byte{page[:begin], title.Bytes(), page[end+len("</title>"):]}, nil)
	}
	w.Header().Set("Cache-Control", "no-store, no-transform")
	send(w, http.StatusOK, compressed(w.Header(), r, page))
}

// compressed compresses a page for a browser that takes it. An address with a query may come from
// somebody else, who could tell by the length what else is in the page (BREACH), so its page stays as it
// is.
func compressed(headers http.Header, r *http.Request, page []byte) []byte {
	headers.Set("Vary", "Accept-Encoding")
	if r.URL.RawQuery != "" || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		return page
	}
	headers.Set("Content-Encoding", "gzip")
	var b bytes.Buffer
	w := compressors.Get().(*gzip.Writer)
	defer compressors.Put(w)
	w.Reset(&b)
	w.Write(page) // to a Buffer, which never fails
	w.Close()
	return b.Bytes()
}

// compressors are kept: each has hundreds of kilobytes.
var compressors = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// asking is the transport of a page that is drawn.
type asking struct {
	ctx context.Context
	ask server.Ask
}

// Send implements client.Transport. A drawn page changes nothing.
func (a asking) Send(ctx context.Context, method, path string, _ []byte) (int, []byte, error) {
	if method != http.MethodGet {
		return 0, nil, http.ErrNotSupported
	}
	if err := a.ctx.Err(); err != nil {
		return 0, nil, err
	}
	status, answer := a.ask(a.ctx, path, browser.Language(ctx))
	return status, answer, nil
}
