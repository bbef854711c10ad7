// Package audit lists and exports what happened in an organisation, to those who watch over it.
//
// A [Filter] has what somebody typed. [List] finds a page of the events that it selects, and looks
// at a bounded number of events for it: no index knows an address, and an organisation may have
// many millions of events. [Export] writes all pages. [Log] is the feature with the routes, and the
// command line calls the same functions. Package chain proves that nothing was changed since.
//
// What somebody did for another user is two events of the store: one of the user, and one of
// whoever did it. The list has the first, with the address of the second: an address goes with
// whose it is. It has the second only when the user was removed, since their own events went with
// them. The removal itself is an event of the organisation and one of
// whoever did it. The list has that one, or the first when whoever did it was removed too.
package audit

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Log serves the events of an organisation to administrators and auditors.
type Log struct {
	Store store.Store
	Now   store.Clock
	Gates httpapi.Gates
}

// Mount names the routes. Reading requires no confirmation.
func (l Log) Mount(api func(pattern string, h httpapi.Handler)) {
	reads := func(h httpapi.Handler) httpapi.Handler {
		return l.Gates.Role(h, shared.RoleAdministrator, shared.RoleAuditor)
	}
	api("GET "+shared.PathAudit, reads(l.list))
	api("GET "+shared.PathAuditExport, reads(l.export))
}

func (l Log) list(w http.ResponseWriter, r *http.Request) error {
	page, err := List(r.Context(), l.Store, filterOf(r.URL.Query()), onePage)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, page)
}

func (l Log) export(w http.ResponseWriter, r *http.Request) error {
	typed := r.URL.Query()
	format, err := formatOf(typed.Get("format"))
	if err != nil {
		return err
	}
	q, err := filterOf(typed).understand(r.Context(), l.Store)
	if err != nil {
		return err
	}
	pages := newPages(l.Store, q)
	w.Header().Set("Content-Type", format.media)
	w.Header().Set("Content-Disposition", `attachment; filename="events-`+l.Now().UTC().Format(time.DateOnly)+`.`+format.name+`"`)
	answer := http.NewResponseController(w)
	next := func(ctx context.Context) (shared.AuditPage, error) { return pages.next(ctx, step) }
	err = Export(r.Context(), w, format.name, next, func() error {
		answer.SetWriteDeadline(time.Now().Add(httpapi.WriteFor))
		return answer.Flush()
	})
	if err != nil {
		panic(http.ErrAbortHandler) // so that a part isn't taken for all
	}
	return nil
}

// filterOf reads the filters in the query of a request.
func filterOf(typed url.Values) Filter {
	return Filter{
		Kind: typed.Get("kind"), User: typed.Get("user"), By: typed.Get("by"), Address: typed.Get("address"),
		From: typed.Get("from"), To: typed.Get("to"), Before: typed.Get("before"),
	}
}
