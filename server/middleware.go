package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/keypeg/keypeg/shared"
)

type contextKey int

const (
	keyRequestID contextKey = iota
	keySignedIn
)

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(keyRequestID).(string)
	return id
}

// logged gives each request an id and writes one line when it is done. The line
// holds no query, no cookie and no body: those can hold secrets.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := s.Now()
		id := rand.Text()[:16]
		w.Header().Set("X-Request-Id", id)
		if s.health.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}

		next.ServeHTTP(seen, r.WithContext(context.WithValue(r.Context(), keyRequestID, id)))

		level := slog.LevelInfo
		if r.URL.Path == PathHealth {
			level = slog.LevelDebug
		}
		s.Log.Log(r.Context(), level, "request", "request", id, "method", r.Method, "path", r.URL.Path,
			"status", seen.status, "ms", s.Now().Sub(begin).Milliseconds())
	})
}

// statusWriter remembers the status for the log.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the real writer.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// recovered turns a panic into a logged 500, and leaves everybody else served.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			problem := recover()
			if problem == nil {
				return
			}
			if problem == http.ErrAbortHandler {
				panic(problem)
			}
			s.writeProblem(w, r, fmt.Errorf("panic: %v\n%s", problem, debug.Stack()))
		}()
		next.ServeHTTP(w, r)
	})
}

// contentSecurityPolicy allows what the app needs and no more: scripts from
// files only, and the compilation of WebAssembly.
const contentSecurityPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; " +
	"img-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func (s *Server) secureHeaders(next http.Handler) http.Handler {
	secure := http.Header{
		"Content-Security-Policy":      {contentSecurityPolicy},
		"X-Content-Type-Options":       {"nosniff"},
		"X-Frame-Options":              {"DENY"},
		"Referrer-Policy":              {"no-referrer"},
		"Cross-Origin-Opener-Policy":   {"same-origin"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
		"Permissions-Policy":           {"camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
	}
	if s.Address.Secure {
		secure.Set("Strict-Transport-Security", "max-age=31536000")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), secure) // whose values nobody changes: Set replaces them
		next.ServeHTTP(w, r)
	})
}

// checkHost answers only under the name that passkeys and cookies belong to. A
// name that an attacker points at us gets nothing (DNS rebinding).
func (s *Server) checkHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != s.Address.Host && r.URL.Path != PathHealth {
			s.Log.Warn("wrong host", "request", requestID(r.Context()), "host", r.Host, "expected", s.Address.Host)
			http.Error(w, "This address isn't served here. Use "+s.Address.Origin+" instead.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// maxBody is the largest body of a request, in bytes. A registration with a long
// chain of certificates has about 10 kB.
const maxBody = 64 << 10

func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// refuseCrossSite takes changes from our own pages only. The cookie's
// SameSite=Lax alone would let sister domains in.
func (s *Server) refuseCrossSite(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(s.api(func(http.ResponseWriter, *http.Request) error {
		return shared.Errorf(shared.CodeCrossSite, "This request came from another site.")
	}))
	return protection.Handler(next)
}

// noSuchPath answers what no pattern of the API took: 405 where another method
// would do, 404 otherwise.
func (s *Server) noSuchPath(mux *http.ServeMux) handler {
	methods := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodDelete}
	return func(w http.ResponseWriter, r *http.Request) error {
		allowed := slices.DeleteFunc(slices.Clone(methods), func(method string) bool {
			other := r.Clone(r.Context())
			other.Method = method
			_, pattern := mux.Handler(other)
			return pattern == "/api/" || pattern == "/"
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

// Timeouts for the http.Server in front of a [Server]: a client that is slower
// than these is cut off.
const (
	ReadHeaderTimeout = 10 * time.Second
	ReadTimeout       = 30 * time.Second
	WriteTimeout      = 2 * time.Minute // the app is 1.5 MB, and lines can be slow
	IdleTimeout       = 2 * time.Minute
	MaxHeaderBytes    = 32 << 10
)
