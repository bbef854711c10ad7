package forwardauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/shared"
)

// cookieGate stands for a grant, on the protected host.
const cookieGate = "keypeg-gate"

// errNobody is for a request without a grant that stands. It says nothing to anybody: they sign in.
var errNobody = errors.New("nobody is signed in")

// check answers a proxy. Only its last line lets a request pass.
func (h *Handlers) check(w http.ResponseWriter, r *http.Request, d dialect) {
	httpapi.Check(r, d.pattern)
	w.Header().Set("Cache-Control", "no-store")
	of, g, err := h.asked(r, d)
	if err != nil {
		h.misconfigured(w, r, d, err)
		return
	}
	on, err := h.standing(r, g)
	if err == nil && !g.Admits(on.User) {
		err = g.refusal()
	}
	identity := headers{}
	if err == nil {
		identity, err = h.identity(r.Context(), g, on)
	}
	switch {
	case errors.Is(err, errNobody):
		h.enterFirst(w, r, d, of, g)
		return
	case err != nil:
		h.refuseCheck(w, r, d, err)
		return
	}
	identity.set(w.Header())
	w.WriteHeader(http.StatusOK)
}

// asked returns the request that a proxy asks about, and the gate that it is for. It fails where IT has to
// mend something.
func (h *Handlers) asked(r *http.Request, d dialect) (of request, g Gate, err error) {
	peer := httpapi.Peer(r)
	from := slog.String("from", peer)
	if peer != httpapi.UnixPeer && !h.Clients.Trusts(peer) {
		h.Warn(warning.GateUntrusted, from, slog.String("keypeg", "--trusted-proxies "+peer))
		return of, g, fmt.Errorf("%s isn't one of --trusted-proxies", peer)
	}
	if of, err = d.read(r); err != nil {
		h.Warn(warning.GateHeaders, from, slog.String("cause", err.Error()))
		return of, g, err
	}
	g, found := h.at(of.host)
	named, isGate := h.at(r.Host) // many proxies keep the host when they ask
	switch host := slog.String("host", warning.Quoted(of.host)); {
	case found && isGate && named.Name != g.Name:
		h.Warn(warning.GateHeaders, from, host, slog.String("asked_at", named.Host))
		return of, g, fmt.Errorf("%w: the proxy asks at %s about %s, which a client may have written", errHeaders, named.Host, g.Host)
	case !found:
		h.Warn(warning.GateHost, from, host)
		return of, g, fmt.Errorf("no gate has the host %q", of.host)
	case g.Secure && !of.https:
		h.Warn(warning.GatePlain, from, host)
		return of, g, fmt.Errorf("%s came without https", g.Host)
	case isOurs(of.uri):
		h.Warn(warning.GateOwn, from, host)
		return of, g, fmt.Errorf("the proxy asks about %s, which belongs to Keypeg", shared.GateOwn)
	}
	return of, g, nil
}

// standing returns the grant of a request's cookie, with its user. It fails with [errNobody] if there is none
// that stands: no cookie, one that isn't ours, one of another gate, or one whose session or user has ended.
// It is a use of the session if a person is there: a page that stays open may ask by itself for ever, so what a browser
// sends besides navigations keeps nobody signed in. A client without Fetch Metadata doesn't tell them apart.
func (h *Handlers) standing(r *http.Request, g Gate) (grant.Standing, error) {
	cookie := h.cookies(g).Value(r, cookieGate)
	if cookie == "" {
		return grant.Standing{}, errNobody
	}
	on, err := h.Grants.Find(r.Context(), cookie)
	if err == nil && on.Program != g.program() {
		err = fmt.Errorf("%w: the cookie is for %s", grant.ErrInvalid, on.Program)
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); err == nil && (mode == "" || mode == "navigate") {
		on.Under, err = h.Sessions.Seen(r.Context(), on.Under)
	}
	if errors.Is(err, grant.ErrInvalid) || shared.CodeOf(err) == shared.CodeUnauthenticated {
		return grant.Standing{}, errNobody
	}
	return on, err
}

// cookies are those of a protected host.
func (h *Handlers) cookies(g Gate) httpapi.Cookies { return httpapi.Cookies{Secure: g.Secure} }

// enterFirst leads a browser to where it signs in. A script gets a status alone: it can't follow to another site.
func (h *Handlers) enterFirst(w http.ResponseWriter, r *http.Request, d dialect, of request, g Gate) {
	if !isNavigation(r) {
		w.Header().Set("WWW-Authenticate", "Keypeg") // RFC 9110, 15.5.2
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Location", g.Origin()+shared.GateEnter+"?to="+queryOf(safePath(of.uri)))
	switch {
	case d.terse:
		w.WriteHeader(http.StatusUnauthorized)
	case of.method == "" || of.method == http.MethodGet || of.method == http.MethodHead:
		w.WriteHeader(http.StatusFound)
	default:
		w.WriteHeader(http.StatusSeeOther) // a page, in the place of the form that is lost
	}
}

// queryOf escapes a safe path for a query. It leaves what has no meaning there (RFC 3986, 3.4), so that the
// header that has it stays short.
func queryOf(path string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/?:@!$*(),="
	escaped := make([]byte, 0, len(path)+16)
	for i := range len(path) {
		if b := path[i]; isIn(plain, b) {
			escaped = append(escaped, b)
		} else {
			escaped = append(escaped, url.QueryEscape(string(rune(b)))...) // a byte of ASCII, as safePath says
		}
	}
	return string(escaped)
}

// refuseCheck answers that nobody passes now, or not this user.
func (h *Handlers) refuseCheck(w http.ResponseWriter, r *http.Request, d dialect, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		h.Answers.Report(w, r, err)
		w.WriteHeader(http.StatusServiceUnavailable) // nobody reads it
		return
	}
	refusal, status := h.Answers.Report(w, r, err), http.StatusServiceUnavailable
	if shared.CodeOf(err) == shared.CodeNotAllowed {
		status = http.StatusForbidden
	}
	h.writeRefusal(w, r, d, status, refusal)
}

// misconfigured answers a proxy whose settings, or whose gate, IT has to mend. Its log has said what is wrong; a
// stranger may have sent the check.
func (h *Handlers) misconfigured(w http.ResponseWriter, r *http.Request, d dialect, err error) {
	refusal := shared.Errorf(shared.CodeNotAllowed, "The proxy in front of this program isn't set up rightly. Please tell IT.").Because(err)
	h.writeRefusal(w, r, d, http.StatusForbidden, h.Answers.Report(w, r, refusal))
}

func (h *Handlers) writeRefusal(w http.ResponseWriter, r *http.Request, d dialect, status int, refusal *shared.Error) {
	switch {
	case d.terse:
		w.WriteHeader(http.StatusForbidden)
	case !isNavigation(r):
		w.WriteHeader(status)
	default:
		h.Refuse(w, r, status, refusal)
	}
}
