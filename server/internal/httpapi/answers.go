package httpapi

import (
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/keypeg/keypeg/shared"
)

// Answers adapts handlers to http.Handler. It logs each error of a handler once, and
// answers with it.
type Answers struct {
	Log *slog.Logger
	// Refuse answers with a page that says what was refused.
	Refuse func(w http.ResponseWriter, r *http.Request, refusal *shared.Error)
}

// API adapts a handler of the API: its failures become problems (RFC 9457), and
// nothing that it answers is ever cached.
func (a Answers) API(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		exchangeOf(r.Context()).matched(r)
		w.Header().Set("Cache-Control", "no-store")
		repeatNonce(w, r)
		if err := h(w, r); err != nil {
			a.Problem(w, r, err)
		}
	})
}

// Program adapts a handler that other programs call by a protocol of theirs: OAuth 2.0. Its failures become what that
// protocol has for them (RFC 6749, 5.2), and nothing that it answers is cached unless it says so.
func (a Answers) Program(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		exchangeOf(r.Context()).matched(r)
		w.Header().Set("Cache-Control", "no-store")
		err := h(w, r)
		if err == nil {
			return
		}
		refusal := a.Report(w, r, err)
		status, code := Status(refusal.Code), "invalid_request"
		if status >= http.StatusInternalServerError {
			code = "server_error"
		}
		Respond(w, status, map[string]string{"error": code, "error_description": "the log of the server says more of the request " + RequestID(r.Context())})
	})
}

// repeatNonce repeats the request's nonce in the answer, so that a page can check that the
// answer is to its own request.
func repeatNonce(w http.ResponseWriter, r *http.Request) {
	nonce := r.Header.Get(shared.HeaderNonce)
	if nonce == "" && strings.Contains(r.URL.RawQuery, shared.QueryNonce+"=") {
		nonce = r.URL.Query().Get(shared.QueryNonce)
	}
	if nonce != "" && len(nonce) <= maxNonce {
		w.Header().Set(shared.HeaderNonce, nonce)
	}
}

// maxNonce bounds the length of a nonce that is repeated.
const maxNonce = 64

// Page adapts a handler of a page: its failures become a page. No proxy may rewrite the
// page (RFC 9111, 5.2.2.6), because some networks remove e-mail addresses and scripts.
func (a Answers) Page(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		exchangeOf(r.Context()).matched(r)
		w.Header().Set("Cache-Control", "no-store, no-transform")
		if err := h(w, r); err != nil {
			a.Refuse(w, r, a.Report(w, r, err))
		}
	})
}

// Report logs a failure, sets its headers, and returns the refusal for the answer, in the
// reader's language. An error without a code is a fault of ours: the log gets its cause,
// and the person gets only a request id.
func (a Answers) Report(w http.ResponseWriter, r *http.Request, err error) *shared.Error {
	id := RequestID(r.Context())
	refusal, ok := errors.AsType[*shared.Error](err)
	switch {
	case exchangeOf(r.Context()).leaves(r, err):
		a.Log.Info("the browser has left", "request", id, "cause", err)
		refusal = Faulty(id)
	case ok && Status(refusal.Code) != 0: // a host may use codes that don't exist
		log := a.Log.With("request", id, "code", refusal.Code)
		if cause := errors.Unwrap(refusal); cause != nil {
			log = log.With("cause", cause)
		}
		log.Info("refused")
	default:
		a.Log.Error("failed", "request", id, "method", r.Method, "path", exchangeOf(r.Context()).path(r), "cause", err)
		refusal = Faulty(id)
	}
	exchangeOf(r.Context()).refused(refusal.Code)
	if refusal.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(refusal.RetryAfter.Seconds()))))
	}
	translated := *refusal
	translated.Message = Text(r).Refusal(refusal)
	return &translated
}

// Faulty is the refusal for a fault of ours. By the request id IT finds the cause in the
// log.
func Faulty(id string) *shared.Error {
	return shared.Errorf(shared.CodeInternal, "Something went wrong on our side. Please try again. If it stays, tell IT this number: %s.", id)
}

// Problem reports a failure, and answers with it as a problem.
func (a Answers) Problem(w http.ResponseWriter, r *http.Request, err error) {
	refusal := a.Report(w, r, err)
	code := Status(refusal.Code)
	err = respond(w, code, mediaProblem, shared.Problem{
		Type: "about:blank", Title: http.StatusText(code), Status: code,
		Detail: refusal.Message, Code: refusal.Code, RequestID: RequestID(r.Context()),
		UnknownCredential: refusal.UnknownCredential, Faults: refusal.Faults, Developer: refusal.Developer,
	})
	if err != nil {
		panic(err) // strings and a number can always be encoded
	}
}
