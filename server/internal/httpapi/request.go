package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// exchange is a request and its answer, with what becomes known of them. It is in the
// request's context, and it is the http.ResponseWriter, because it records the status. A
// nil exchange belongs to a request that didn't come through [Requests.Logged], and records
// nothing.
type exchange struct {
	http.ResponseWriter
	status  int
	id      string      // the request id in the log and for the person; "" in a handler of a host program
	pattern string      // of the route
	caller  *Caller     // nil until it is known
	code    shared.Code // of the refusal, or ""
	left    bool        // the browser has left before the answer
	check   bool        // whether another program's request may pass; see [Check]
}

// newExchange gives a request its id, and sends the id with the answer.
func newExchange(w http.ResponseWriter) *exchange {
	v := &exchange{ResponseWriter: w, status: http.StatusOK, id: rand.Text()[:16]}
	w.Header().Set("X-Request-Id", v.id)
	return v
}

type exchangeKey struct{}

func (v *exchange) of(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), exchangeKey{}, v))
}

// exchangeOf returns nil for a request that didn't come through [Requests.Logged].
func exchangeOf(ctx context.Context) *exchange {
	v, _ := ctx.Value(exchangeKey{}).(*exchange)
	return v
}

func (v *exchange) matched(r *http.Request) {
	if v != nil {
		v.pattern = r.Pattern
	}
}

// Check says that a request asks whether one to another program may pass, and which route it is. The log has the
// route in the place of the path, which may have that of the other request.
func Check(r *http.Request, pattern string) {
	if v := exchangeOf(r.Context()); v != nil {
		v.pattern, v.check = pattern, true
	}
}

// path is the path of a request for the log.
func (v *exchange) path(r *http.Request) string {
	if v != nil && v.check {
		_, path, _ := strings.Cut(v.pattern, " ")
		return path
	}
	return r.URL.EscapedPath()
}

func (v *exchange) refused(code shared.Code) {
	if v != nil {
		v.code = code
	}
}

// RequestID returns the id of a request in the log and for the person, or "".
func RequestID(ctx context.Context) string {
	if v := exchangeOf(ctx); v != nil {
		return v.id
	}
	return ""
}

// WriteHeader implements http.ResponseWriter.
func (v *exchange) WriteHeader(status int) {
	v.status = status
	v.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the real writer.
func (v *exchange) Unwrap() http.ResponseWriter { return v.ResponseWriter }

// Requests writes the log's line of each request, and has it counted.
type Requests struct {
	Log     *slog.Logger
	Now     store.Clock
	Clients Clients
	// Answered is told of each request when it is done, but for health checks. It may be nil.
	Answered func(Answered)
}

// Answered is a request that was answered. It has nothing that the client wrote.
type Answered struct {
	Pattern string // of the route, or "" if there is none, or if it is a file
	Status  int
	Code    shared.Code // of the refusal, or ""
	Took    time.Duration
}

// Logged gives each request an id and writes one line when it is done: what was requested,
// its route, the user, the address, the outcome and the duration. The line has no query, no
// cookie and no body, because those may be secret. It names the user by id.
func (q Requests) Logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := q.Now()
		v := newExchange(w)

		next.ServeHTTP(v, v.of(r))

		if v.left {
			v.status, v.code = statusLeft, ""
		}
		level, end := slog.LevelInfo, q.Now()
		if shared.IsHealthCheck(r.URL.Path) {
			level = slog.LevelDebug
		} else if q.Answered != nil {
			q.Answered(Answered{v.pattern, v.status, v.code, end.Sub(begin)})
		}
		if v.check && v.status == http.StatusOK {
			level = slog.LevelDebug // there is one for each request to another program
		}
		if !q.Log.Enabled(r.Context(), level) {
			return
		}
		attributes := append(make([]slog.Attr, 0, 9), // 9 with those below
			slog.String("request", v.id), slog.String("method", r.Method), slog.String("path", v.path(r)),
			slog.String("address", q.Clients.Address(r)), slog.Int("status", v.status), slog.Int64("ms", end.Sub(begin).Milliseconds()))
		for _, known := range []slog.Attr{slog.String("pattern", v.pattern), slog.String("user", v.user()), slog.String("code", string(v.code))} {
			if known.Value.String() != "" {
				attributes = append(attributes, known)
			}
		}
		line := slog.NewRecord(end, level, "request", 0) // no place in the source: it is always this one
		line.AddAttrs(attributes...)
		q.Log.Handler().Handle(r.Context(), line)
	})
}

// statusLeft stands in the log for an answer that nobody got, because the browser had left. It is nginx's.
const statusLeft = 499

// leaves reports whether a failure is only that the browser has left, and remembers it. Pages are left
// while they load, and that is no fault of anybody.
func (v *exchange) leaves(r *http.Request, err error) bool {
	left := errors.Is(err, context.Canceled) && r.Context().Err() != nil
	if v != nil && left {
		v.left = true
	}
	return left
}

func (v *exchange) user() string {
	if v.caller == nil {
		return ""
	}
	return v.caller.Shown.ID
}

// Recovered answers a request after a panic of its handler, so that the process goes on.
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
