package httpapi

import (
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/keypeg/keypeg/shared"
)

// Answers adapts handlers to http.Handler. What they return is logged, once, and told.
type Answers struct {
	Log *slog.Logger
	// Refuse answers with a page that says what was refused.
	Refuse func(w http.ResponseWriter, r *http.Request, refusal *shared.Error)
}

// API adapts a handler of the API: its failures become problems (RFC 9457), and
// nothing that it answers is ever cached.
func (a Answers) API(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visitOf(r.Context()).matched(r)
		w.Header().Set("Cache-Control", "no-store")
		repeatNonce(w, r)
		if err := h(w, r); err != nil {
			a.Problem(w, r, err)
		}
	})
}

// repeatNonce lets a page see that the answer is one to its own question.
func repeatNonce(w http.ResponseWriter, r *http.Request) {
	nonce := r.Header.Get(shared.HeaderNonce)
	if nonce == "" && strings.Contains(r.URL.RawQuery, shared.QueryNonce+"=") {
		nonce = r.URL.Query().Get(shared.QueryNonce)
	}
	if nonce != "" && len(nonce) <= maxNonce {
		w.Header().Set(shared.HeaderNonce, nonce)
	}
}

// maxNonce is how long a mark may be that is repeated.
const maxNonce = 64

// Page adapts a handler of a page: its failures become a page. Nothing in between
// may rewrite it (RFC 9111, 5.2.2.6): some networks take e-mail addresses and scripts away.
func (a Answers) Page(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visitOf(r.Context()).matched(r)
		w.Header().Set("Cache-Control", "no-store, no-transform")
		if err := h(w, r); err != nil {
			a.Refuse(w, r, a.Report(w, r, err))
		}
	})
}

// Report logs a failure, once, sets the headers that belong to it, and returns
// what may be said of it, in the reader's language. An error without a code is a fault of
// ours: the log gets all of it, the person an id.
func (a Answers) Report(w http.ResponseWriter, r *http.Request, err error) *shared.Error {
	id := RequestID(r.Context())
	refusal, ok := errors.AsType[*shared.Error](err)
	if ok && Status(refusal.Code) != 0 { // a host may make up codes
		a.Log.Info("refused", "request", id, "code", refusal.Code, "cause", errors.Unwrap(refusal))
	} else {
		a.Log.Error("failed", "request", id, "method", r.Method, "path", r.URL.Path, "cause", err)
		refusal = Faulty(id)
	}
	visitOf(r.Context()).refused(refusal.Code)
	if refusal.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(refusal.RetryAfter.Seconds()))))
	}
	said := *refusal
	said.Message = Text(r).Refusal(refusal)
	return &said
}

// Faulty is what a person reads of a fault of ours: the number leads IT to its cause in the
// log.
func Faulty(id string) *shared.Error {
	return shared.Errorf(shared.CodeInternal, "Something went wrong on our side. Please try again. If it stays, tell IT this number: %s.", id)
}

// Problem reports a failure and answers with it.
func (a Answers) Problem(w http.ResponseWriter, r *http.Request, err error) {
	refusal := a.Report(w, r, err)
	code := Status(refusal.Code)
	body, err := json.Marshal(shared.Problem{
		Type: "about:blank", Title: http.StatusText(code), Status: code,
		Detail: refusal.Message, Code: refusal.Code, RequestID: RequestID(r.Context()),
		UnknownCredential: refusal.UnknownCredential,
	})
	if err != nil {
		panic(err) // strings and a number can always be encoded
	}
	Write(w, code, mediaProblem, body)
}
