package server

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// A wrongly configured proxy causes faults that don't point at it: everybody is refused, or
// signed out at once, or a page stays empty. This file looks for what a request shows of
// that. A page reports what only a page can see. [warning.Log] logs both for IT.

// Warnings warn IT of proxies that break something: of each cause once a day, however many
// requests there are. The servers of one process share one, so that IT reads of each cause
// once. [NewWarnings] makes it. It is safe for concurrent use.
type Warnings struct{ log *warning.Log }

// NewWarnings returns Warnings that write to log.
func NewWarnings(log *slog.Logger, now store.Clock) *Warnings {
	return &Warnings{warning.NewLog(log, now)}
}

// warn warns IT of a cause, with what was seen of it.
func (s *Server) warn(cause warning.Cause, seen ...slog.Attr) { s.c.Warnings.log.Warn(cause, seen...) }

// watchProxy looks for what a proxy sends, or fails to send, with a request. It refuses
// nothing.
func (s *Server) watchProxy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if peer := httpapi.Peer(r); !shared.IsHealthCheck(r.URL.Path) && !s.isFromProgram(r) && !s.isFile(r) && s.mayBeProxy(peer) {
			s.watch(r, peer)
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) watch(r *http.Request, peer string) {
	trusted := s.clients.Trusts(peer) || peer == httpapi.UnixPeer
	switch forwarded := len(r.Header["X-Forwarded-For"]) > 0; {
	case forwarded && !trusted:
		s.warn(warning.UntrustedProxy, slog.String("from", peer), slog.String("keypeg", "--trusted-proxies "+peer))
	case forwarded && !httpapi.LastIsAddress(r.Header["X-Forwarded-For"]):
		s.warn(warning.OddForwardedFor, slog.String("from", peer))
	case !forwarded && (trusted || s.c.Address.Secure && r.TLS == nil): // without TLS here, a proxy in front has it
		s.warn(warning.NoForwardedFor, slog.String("from", peer))
	}
	if s.c.Address.Secure && lastOf(r.Header["X-Forwarded-Proto"]) == "http" {
		s.warn(warning.PlainHTTP, slog.String("from", peer), slog.String("url", s.asked(r).Origin))
	}
	if below := strings.Trim(r.Header.Get("X-Forwarded-Prefix"), "/"); below != "" {
		s.warn(warning.Prefix, slog.String("from", peer), slog.String("prefix", warning.Quoted(below)))
	}
}

// mayBeProxy reports whether a proxy of IT may have this address. From the internet anybody
// may send the headers of a proxy.
func (s *Server) mayBeProxy(peer string) bool {
	ip, err := netip.ParseAddr(peer)
	if err != nil {
		return true
	}
	return httpapi.IsNear(ip) || s.clients.Trusts(peer)
}

// lastOf returns the last of a header's values, which the nearest proxy wrote.
func lastOf(values []string) string {
	all := strings.Split(strings.Join(values, ","), ",")
	return strings.ToLower(strings.TrimSpace(all[len(all)-1]))
}

// cookieless is the refusal for a request without the cookie that was set just before.
func (s *Server) cookieless(r *http.Request) *shared.Error {
	s.warn(warning.Cookies, slog.String("url", s.asked(r).Origin))
	return shared.Errorf(shared.CodeCookies, "Your browser sends no cookies back, so nobody can be signed in. Allow cookies for %s, and try again.", s.asked(r).Host)
}

// takeTroubleReport takes a page's report of something that a proxy breaks. Anybody can
// send one, so it writes nothing but the one warning in the log, and that has no words of
// the sender. It refuses the report that no cookies come back if a cookie comes with it.
func (s *Server) takeTroubleReport(w http.ResponseWriter, r *http.Request) error {
	var report shared.TroubleReport
	if err := httpapi.Decode(r, &report); err != nil {
		return err
	}
	if !slices.Contains(shared.Troubles, report.Trouble) {
		return shared.Errorf(shared.CodeInvalidRequest, "The request can't be read.")
	}
	if report.Trouble == shared.TroubleCookies && s.cookies.AreKept(r) {
		return shared.Errorf(shared.CodeInvalidRequest, "The request can't be read.").Because(errors.New("a report that no cookies come back comes with a cookie"))
	}
	s.warnOfTrouble(r, report.Trouble)
	return httpapi.Respond(w, http.StatusOK, shared.TroubleExplained{Detail: httpapi.Text(r).Refusal(report.Trouble.Refusal())})
}

func (s *Server) warnOfTrouble(r *http.Request, trouble shared.Trouble) {
	s.warn(warning.Cause(trouble), slog.String("url", s.asked(r).Origin))
}

// showScriptless serves a picture that a page or its style sheet requests if no script of
// the page has run. Only so can we notice that. Programs that read pages without running
// scripts request it too, but without the header that says that a page of ours wants it.
func (s *Server) showScriptless(w http.ResponseWriter, r *http.Request) error {
	if r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		s.warnOfTrouble(r, shared.TroubleAppScripts)
	}
	httpapi.Write(w, http.StatusOK, "image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`))
	return nil
}
