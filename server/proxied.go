package server

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// A proxy that is set up wrongly breaks things far away from where it is: everybody is
// refused, or signed out at once, or a page stays empty. What can be seen of that in a
// request is noticed here and told to IT by [warning.Log]; what only a page can see, it
// reports.

// Warnings tell IT of proxies that break something: each cause once a day, whatever the number
// of requests. The servers of one process share one, so that IT reads each cause once.
// [NewWarnings] makes it. It is safe for concurrent use.
type Warnings struct{ log *warning.Log }

// NewWarnings returns Warnings that have told nothing yet, and will write to log.
func NewWarnings(log *slog.Logger, now store.Clock) *Warnings {
	return &Warnings{warning.NewLog(log, now)}
}

// warn tells IT of a cause, with what was seen of it.
func (s *Server) warn(cause warning.Cause, seen ...slog.Attr) { s.c.Warnings.log.Tell(cause, seen...) }

// watchProxy notices what a proxy says of a request, or fails to say. It refuses nothing.
func (s *Server) watchProxy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if peer := peerOf(r); !shared.IsHealthCheck(r.URL.Path) && !s.isFile(r) && s.mayBeProxy(peer) {
			s.watch(r, peer)
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) watch(r *http.Request, peer string) {
	trusted := s.clients.Trusts(peer)
	switch forwarded := len(r.Header["X-Forwarded-For"]) > 0; {
	case forwarded && !trusted:
		s.warn(warning.UntrustedProxy, slog.String("from", peer), slog.String("keypeg", "--trusted-proxies "+peer))
	case forwarded && !httpapi.LastIsAddress(r.Header["X-Forwarded-For"]):
		s.warn(warning.OddForwardedFor, slog.String("from", peer))
	case !forwarded && (trusted || s.c.Address.Secure): // we speak no https, so somebody in front does
		s.warn(warning.NoForwardedFor, slog.String("from", peer))
	}
	if s.c.Address.Secure && lastOf(r.Header["X-Forwarded-Proto"]) == "http" {
		s.warn(warning.PlainHTTP, slog.String("from", peer), slog.String("url", s.c.Address.Origin))
	}
	if below := strings.Trim(r.Header.Get("X-Forwarded-Prefix"), "/"); below != "" {
		s.warn(warning.Prefix, slog.String("from", peer), slog.String("prefix", warning.Quoted(below)))
	}
}

// peerOf is who has connected to us.
func peerOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr // a Unix socket has no port
	}
	return host
}

// mayBeProxy reports whether a proxy of IT's may be at an address. Out on the internet
// anybody may send its headers.
func (s *Server) mayBeProxy(peer string) bool {
	ip, err := netip.ParseAddr(peer)
	if err != nil {
		return true
	}
	return isNear(ip) || s.clients.Trusts(peer)
}

// isNear reports whether an address is of this machine or of a private network.
func isNear(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
}

// lastOf is the last of a header's values: the one that the proxy next to us wrote.
func lastOf(values []string) string {
	all := strings.Split(strings.Join(values, ","), ",")
	return strings.ToLower(strings.TrimSpace(all[len(all)-1]))
}

// cookieless refuses who comes without a cookie that was set a moment ago.
func (s *Server) cookieless() *shared.Error {
	s.warn(warning.Cookies, slog.String("url", s.c.Address.Origin))
	return shared.Errorf(shared.CodeCookies, "Your browser sends no cookies back, so nobody can be signed in. Allow cookies for %s, and try again.", s.c.Address.Host)
}

// hearTrouble takes what a page noticed. Anybody can send it, so it writes nothing but
// the log's one line, and says nothing in words of its own.
func (s *Server) hearTrouble(w http.ResponseWriter, r *http.Request) error {
	var report shared.TroubleReport
	if err := httpapi.Decode(r, &report); err != nil {
		return err
	}
	if !slices.Contains(shared.Troubles, report.Trouble) {
		return shared.Errorf(shared.CodeInvalidRequest, "The request can't be read.")
	}
	s.noticeTrouble(report.Trouble)
	return httpapi.Respond(w, http.StatusOK, shared.TroubleExplained{Detail: httpapi.Text(r).Refusal(report.Trouble.Refusal())})
}

func (s *Server) noticeTrouble(trouble shared.Trouble) {
	s.warn(warning.Cause(trouble), slog.String("url", s.c.Address.Origin))
}

// showScriptless is a picture that a page or its style sheet asks for when no script of the
// page has run: nothing else can tell us then. Programs that read pages and run no script
// ask for it too, but don't say that a page of ours wants it.
func (s *Server) showScriptless(w http.ResponseWriter, r *http.Request) error {
	if r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		s.noticeTrouble(shared.TroubleAppScripts)
	}
	httpapi.Write(w, http.StatusOK, "image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`))
	return nil
}
