package httpapi

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// visit is a request on its way through, with what becomes known of it. It stands in the
// request's context, and for the http.ResponseWriter, whose status it remembers. A nil visit
// is of a request that came another way, and remembers nothing.
type visit struct {
	http.ResponseWriter
	status  int
	id      string      // names the request in the log and to the person; "" in a handler of a host program
	pattern string      // of the route that took it
	caller  *Caller     // who sends it; nil until that is known
	code    shared.Code // why it was refused; "" if it wasn't
}

// newVisit gives a request its id, and says it in the answer.
func newVisit(w http.ResponseWriter) *visit {
	v := &visit{ResponseWriter: w, status: http.StatusOK, id: rand.Text()[:16]}
	w.Header().Set("X-Request-Id", v.id)
	return v
}

type visitKey struct{}

func (v *visit) of(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
}

// visitOf is nil for a request that came another way.
func visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

func (v *visit) matched(r *http.Request) {
	if v != nil {
		v.pattern = r.Pattern
	}
}

func (v *visit) refused(code shared.Code) {
	if v != nil {
		v.code = code
	}
}

// RequestID names a request in the log and to the person, or is "".
func RequestID(ctx context.Context) string {
	if v := visitOf(ctx); v != nil {
		return v.id
	}
	return ""
}

// WriteHeader implements http.ResponseWriter.
func (v *visit) WriteHeader(status int) {
	v.status = status
	v.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the real writer.
func (v *visit) Unwrap() http.ResponseWriter { return v.ResponseWriter }

// Requests writes the log's line of each request.
type Requests struct {
	Log     *slog.Logger
	Now     store.Clock
	Clients Clients
}

// Logged gives each request an id and writes one line when it is done: what was asked and
// which route took it, by whom and from where, and what came of it. The line
// holds no query, no cookie and no body: those can hold secrets. A user is named by id.
func (q Requests) Logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := q.Now()
		v := newVisit(w)

		next.ServeHTTP(v, v.of(r))

		level := slog.LevelInfo
		if shared.IsHealthCheck(r.URL.Path) {
			level = slog.LevelDebug
		}
		line := []slog.Attr{slog.String("request", v.id), slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.String("address", q.Clients.Address(r)), slog.Int("status", v.status), slog.Int64("ms", q.Now().Sub(begin).Milliseconds())}
		for _, known := range []slog.Attr{slog.String("pattern", v.pattern), slog.String("user", v.user()), slog.String("code", string(v.code))} {
			if known.Value.String() != "" {
				line = append(line, known)
			}
		}
		q.Log.LogAttrs(r.Context(), level, "request", line...)
	})
}

func (v *visit) user() string {
	if v.caller == nil {
		return ""
	}
	return v.caller.Shown.ID
}

// Recovered turns a panic into a failure that answer tells, and leaves everybody else
// served.
func Recovered(next http.Handler, answer func(Handler) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			problem := recover()
			if problem == nil {
				return
			}
			if problem == http.ErrAbortHandler {
				panic(problem)
			}
			answer(func(http.ResponseWriter, *http.Request) error {
				return fmt.Errorf("panic: %v\n%s", problem, debug.Stack())
			}).ServeHTTP(w, r)
		}()
		next.ServeHTTP(w, r)
	})
}
