package forwardauth

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Handlers answer proxies, and lead users to a protected host. [NewHandlers] completes them.
type Handlers struct {
	Gates    []Gate // each with a host name of its own
	Grants   *grant.Service
	Sessions *session.Service
	Origin   string // of the organisation's address

	// IsHost reports whether a text names the host of a gate. Capitals, the default port and a final dot make
	// no difference.
	IsHost func(g Gate, host string) bool
	// HostName returns the name in a host in the form in which it is compared, or "".
	HostName func(host string) string
	// Sign signs the claims of an assertion, with the type of it in the header (RFC 7515, 4.1.9). Nil: there is none.
	Sign func(ctx context.Context, typ string, claims any) (string, error)

	Signed  httpapi.Gates // finds the caller at the organisation's address
	Clients httpapi.Clients
	// Answers are those at a protected host.
	Answers httpapi.Answers
	// Refuse draws the page of a refusal at a protected host, with this status.
	Refuse func(w http.ResponseWriter, r *http.Request, status int, refusal *shared.Error)
	// ToSignIn leads to the sign-in page, which leads back.
	ToSignIn http.HandlerFunc
	// Onward writes the page that leads on to a program.
	Onward func(w http.ResponseWriter, r *http.Request, program, address string) error
	// Files are those of our pages, at the paths that they have at the organisation's address.
	Files http.Handler

	Now  store.Clock
	Log  *slog.Logger
	Warn func(warning.Cause, ...slog.Attr)

	byHost     map[string]Gate // by the host as browsers write it
	byName     map[string]Gate // by the name in that
	assertions *assertions
	own        *http.ServeMux // of the paths on a protected host
}

// NewHandlers completes Handlers.
func NewHandlers(h Handlers) *Handlers {
	h.byHost, h.byName, h.assertions, h.own = map[string]Gate{}, map[string]Gate{}, newAssertions(), http.NewServeMux()
	for _, g := range h.Gates {
		h.byHost[g.Host], h.byName[h.HostName(g.Host)] = g, g
	}
	page := func(pattern string, at httpapi.Handler) { h.own.Handle(pattern, h.Answers.Page(at)) }
	page("GET "+shared.GateEnter, h.enter)
	page("GET "+shared.GateArrive, h.arrive)
	page("GET "+shared.GateRefused, h.refused)
	page("GET "+shared.GateSignOut, h.signOut)
	page("POST "+shared.GateSignOut, h.signOut)
	page(shared.GateOwn, func(http.ResponseWriter, *http.Request) error {
		return shared.Errorf(shared.CodeNotFound, "There is nothing at this address.")
	})
	if h.Files != nil {
		h.own.Handle("GET "+GateFiles+"static/{file}", http.StripPrefix(GateFiles[:len(GateFiles)-1], h.Files))
	}
	return &h
}

// GateFiles is the beginning of the paths of files on a protected host.
const GateFiles = shared.GateOwn + "files/"

// Front answers checks of proxies, whatever host they name, and what comes for one of our paths on a protected
// host. Everything else goes on to next. Own is what the answers on a protected host pass.
func (h *Handlers) Front(next http.Handler, own func(http.Handler) http.Handler) http.Handler {
	atHost := own(h.own)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d, is := dialectOf(r); is {
			h.check(w, r, d)
			return
		}
		if isOurs(r.URL.Path) {
			if _, found := h.at(r.Host); found {
				atHost.ServeHTTP(w, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// Mount names the route at the organisation's address.
func (h *Handlers) Mount(page func(pattern string, h httpapi.Handler)) {
	page("GET "+shared.PageGate, h.authorize)
}
