package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/shared"
)

// closing ends connections after their next answer when this node is about to stop.
func (s *Server) closing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.health.IsDraining() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// watched gives each request an id and a line in the log, and answers after a panic.
func (s *Server) watched(next http.Handler) http.Handler {
	requests := httpapi.Requests{Log: s.c.Log, Now: s.c.Now, Clients: s.clients}
	if s.c.Answered != nil {
		requests.Answered = func(a httpapi.Answered) { s.c.Answered(Answered(a)) }
	}
	return requests.Logged(s.closing(httpapi.Recovered(next, s.answer)))
}

// contentSecurityPolicy allows only what the app needs: scripts from files, and the
// compilation of WebAssembly.
const contentSecurityPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; " +
	"img-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// protection are headers that restrict what a browser does with an answer. All answers
// share the values, and nothing changes them: Set replaces them.
type protection []struct {
	name  string
	value []string
}

// ofData are the headers of the API's answers and of files. These are never pages: opened
// as one, or in a frame, they can do nothing. Fewer headers also keep the sign-in page
// light, and more than eight headers take more than twice the time.
var ofData = protection{
	{"X-Content-Type-Options", []string{"nosniff"}},
	{"Content-Security-Policy", []string{"default-src 'none'; frame-ancestors 'none'"}},
	{"Cross-Origin-Resource-Policy", []string{"same-origin"}},
}

// ofPages are the headers of all other answers.
var ofPages = protection{
	{"X-Content-Type-Options", []string{"nosniff"}},
	{"Content-Security-Policy", []string{contentSecurityPolicy}},
	{"Cross-Origin-Resource-Policy", []string{"same-origin"}},
	{"Cross-Origin-Opener-Policy", []string{"same-origin"}},
	{"X-Frame-Options", []string{"DENY"}},
	{"Referrer-Policy", []string{"no-referrer"}},
	{"Permissions-Policy", []string{"camera=(), geolocation=(), microphone=(), payment=(), usb=()"}},
}

// ofFrames are those of [ofPages] for a page that pages of the same origin have in a frame. A page that is isolated from
// other origins has only frames that are so too (HTML Living Standard, 7.1.4).
var ofFrames = append(framed(ofPages), protection{{"Cross-Origin-Embedder-Policy", []string{"require-corp"}}}...)

func framed(p protection) protection {
	p = slices.Clone(p)
	for i, h := range p {
		switch h.name {
		case "Content-Security-Policy":
			p[i].value = []string{strings.Replace(contentSecurityPolicy, "frame-ancestors 'none'", "frame-ancestors 'self'", 1)}
		case "X-Frame-Options":
			p[i].value = []string{"SAMEORIGIN"}
		}
	}
	return p
}

func (p protection) write(headers http.Header) {
	for _, h := range p {
		headers[h.name] = h.value
	}
}

var strictTransport = []string{"max-age=31536000"}

func (s *Server) secureHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		careful := ofPages
		switch path := r.URL.Path; {
		case s.embedded != nil && path == shared.PagePanel:
			careful = ofFrames
		case strings.HasPrefix(path, pathAPI) && !s.isHostPage(r) || s.isFile(r) || s.embedded != nil && strings.HasPrefix(path, shared.PathEmbed):
			careful = ofData
		}
		headers := w.Header()
		careful.write(headers)
		// A Host decides for itself what applies to its whole domain.
		if s.c.Address.Secure && s.c.Host == nil {
			headers["Strict-Transport-Security"] = strictTransport
		}
		next.ServeHTTP(w, r)
	})
}

// checkHost answers only requests for the host of passkeys and cookies. A name that an
// attacker points at us is refused (DNS rebinding). It gets only the files that the page of
// the refusal needs.
func (s *Server) checkHost(next http.Handler) http.Handler {
	misdirected := s.answer(func(_ http.ResponseWriter, r *http.Request) error {
		s.warn(warning.Host, slog.String("host", warning.Quoted(r.Host)), slog.String("want", s.c.Address.Host), slog.String("from", httpapi.Peer(r)))
		return shared.Errorf(shared.CodeWrongHost, "This address isn't served here. Use %s instead. If that is what you opened, something in between changes it: please tell IT.", s.c.Address.Origin).
			Because(fmt.Errorf("the host is %q, and %q is served: a proxy in front must keep Host", r.Host, s.c.Address.Host))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.asked(r).IsHost(r.Host):
			next.ServeHTTP(w, s.atAddress(r))
		case shared.IsHealthCheck(r.URL.Path) || s.isFile(r) || s.isRelatedOrigins(r) || s.isFromProgram(r):
			next.ServeHTTP(w, r)
		default:
			misdirected.ServeHTTP(w, r)
		}
	})
}

// atAddress returns the request with our host and origin written as browsers write them,
// because later handlers compare them.
func (s *Server) atAddress(r *http.Request) *http.Request {
	address, origin := s.asked(r), r.Header.Get("Origin")
	isOurs := origin != "" && address.IsOrigin(origin)
	if r.Host == address.Host && (!isOurs || origin == address.Origin) {
		return r
	}
	same := *r
	same.Host = address.Host
	if isOurs {
		same.Header = r.Header.Clone()
		same.Header.Set("Origin", address.Origin)
	}
	return &same
}

// isFromProgram reports whether a request is one that the program sends by itself, which may know us by another name. It
// has the secret, or asks for keys.
func (s *Server) isFromProgram(r *http.Request) bool {
	return s.embedded != nil && (r.URL.Path == shared.PathRedeem || r.URL.Path == shared.PathProofKeys || strings.HasPrefix(r.URL.Path, shared.PathHostUser))
}

// isHostPage reports whether a request is for one of our pages in a host program.
func (s *Server) isHostPage(r *http.Request) bool {
	return s.c.Host != nil && (r.URL.Path == shared.PageHostEnrol || r.URL.Path == shared.PageHostEnrolled)
}

// isFile reports whether a request is for a file that is the same for everybody.
func (s *Server) isFile(r *http.Request) bool {
	return s.c.App.Files["/static/"] != nil && strings.HasPrefix(r.URL.Path, "/static/")
}

// maxBody is the largest body of a request, in bytes. A registration with a long
// chain of certificates has about 10 kB. A table of people may be larger.
const maxBody = 64 << 10

func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != http.NoBody {
			limit := int64(maxBody)
			if r.URL.Path == shared.PathImport {
				limit = shared.MaxImport
			}
			r.Body = http.MaxBytesReader(w, r.Body, limit)
		}
		next.ServeHTTP(w, r)
	})
}

// refuseCrossSite refuses changes that come from other sites. The cookie's SameSite=Lax
// alone would accept them from sibling domains.
func (s *Server) refuseCrossSite(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	if s.c.Host == nil {
		protection.AddInsecureBypassPattern("POST " + federation.CallbackPattern) // it is refused, and changes nothing
		for _, pattern := range openid.CrossSite {
			protection.AddInsecureBypassPattern(pattern)
		}
	}
	protection.SetDenyHandler(s.answer(func(_ http.ResponseWriter, r *http.Request) error {
		from, origin, want := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin"), s.asked(r).Origin
		// If a browser sends both headers, and they don't differ, the refusal is right.
		// Otherwise a proxy may have changed them.
		if from == "" || origin == want {
			s.warn(warning.Origin, slog.String("origin", warning.Quoted(origin)), slog.String("want", want),
				slog.String("sec_fetch_site", warning.Quoted(from)))
		}
		return shared.Errorf(shared.CodeCrossSite, "This request came from another site. If it didn't, something in between changes it: please tell IT.").
			Because(fmt.Errorf("the header Origin is %q and Sec-Fetch-Site is %q", origin, from))
	}))
	insecure := s.answer(func(_ http.ResponseWriter, r *http.Request) error {
		s.warn(warning.PlainHTTP, slog.String("from", httpapi.Peer(r)), slog.String("url", s.asked(r).Origin))
		return shared.Insecure(s.asked(r).Origin)
	})
	protected := protection.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Browsers send Sec-Fetch-Site to https only.
		if s.c.Address.Secure && r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "http://"+r.Host {
			insecure.ServeHTTP(w, r)
			return
		}
		protected.ServeHTTP(w, r)
	})
}

// noSuchPath answers a request that no pattern of the API matches: with 405 if another
// method would match, with 404 otherwise.
func (s *Server) noSuchPath(mux *http.ServeMux) httpapi.Handler {
	methods := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodDelete}
	return func(w http.ResponseWriter, r *http.Request) error {
		allowed := slices.DeleteFunc(slices.Clone(methods), func(method string) bool {
			other := r.Clone(r.Context())
			other.Method = method
			_, pattern := mux.Handler(other)
			return pattern == pathAPI || pattern == "/"
		})
		if len(allowed) == 0 {
			return shared.Errorf(shared.CodeNotFound, "There is nothing at this address.")
		}
		for _, method := range allowed {
			w.Header().Add("Allow", method)
		}
		return shared.Errorf(shared.CodeMethodNotAllowed, "This address doesn't take %s.", r.Method)
	}
}

// Timeouts and limits for the http.Server in front of a [Server]. A slower client is
// disconnected.
const (
	ReadHeaderTimeout = 10 * time.Second
	ReadTimeout       = 30 * time.Second
	WriteTimeout      = 2 * time.Minute // the app is 1.5 MB, and lines can be slow
	IdleTimeout       = 2 * time.Minute
	MaxHeaderBytes    = 32 << 10
)
