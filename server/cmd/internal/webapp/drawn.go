package webapp

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/pages"
	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

// drawer draws pages with the data of their users, as the program will draw them. So people read while
// the program is still on its way: web/static/drawn.js shows the page, and lets the program take over.
type drawer struct {
	deps      pages.Deps
	languages []pages.Language
	now       func() time.Time
}

func (d drawer) draw(r *http.Request, page *url.URL, ask server.Ask) (shared.DrawnPage, error) {
	text := httpapi.Text(r)
	deps := d.deps
	deps.Transport = asking{r.Context(), ask}
	return pages.Draw(deps, page, d.languages, text, readerOf(r, d.now()))
}

// readerOf returns who reads a page that is drawn now.
func readerOf(r *http.Request, now time.Time) pages.Reader {
	return pages.Reader{
		Formats: formatsFor(r, httpapi.Text(r).Lang, now), OnPhone: browser.IsPhoneNamed(r.UserAgent()),
		Offers: strings.Split(r.URL.Query().Get(shared.QueryOffers), ","),
	}
}

// asking is the transport of a page that is drawn.
type asking struct {
	ctx context.Context
	ask server.Ask
}

// Send implements client.Transport. Drawing a page changes nothing.
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
