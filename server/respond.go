package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"github.com/keypeg/keypeg/server/door"
	"github.com/keypeg/keypeg/server/strictjson"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// handler answers a request, or returns why it can't.
type handler func(w http.ResponseWriter, r *http.Request) error

// api adapts a handler of the API: its failures become problems (RFC 9457), and
// nothing that it answers is ever cached.
func (s *Server) api(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		repeatNonce(w, r)
		if err := h(w, r); err != nil {
			s.writeProblem(w, r, err)
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

// page adapts a handler of the front door: its failures become a page. Nothing in between
// may rewrite it (RFC 9111, 5.2.2.6): some networks take e-mail addresses and scripts away.
func (s *Server) page(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store, no-transform")
		if err := h(w, r); err != nil {
			refusal := s.report(w, r, err)
			s.refuse(w, r, refusal.Code, refusal.Message)
		}
	})
}

// answer adapts a handler that stands in front of both: failures become problems for the
// API's paths, and pages for all others. A [Host] has pages of its own.
func (s *Server) answer(h handler) http.Handler {
	api, page := s.api(h), s.page(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Host != nil || strings.HasPrefix(r.URL.Path, pathAPI) {
			api.ServeHTTP(w, r)
			return
		}
		page.ServeHTTP(w, r)
	})
}

// refuse answers with a page that says what was refused.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, code shared.Code, sentence string) {
	page := door.Refusal{Code: code, Sentence: sentence, Link: r.URL.Path == shared.PageEnrol || r.URL.Path == shared.PageSetup}
	if code == shared.CodeSwitchedOff {
		page.Nowhere = true // every page of it says the same
	} else if code == shared.CodeWrongHost {
		page.Origin, page.Nowhere = s.Address.Origin, s.Address.Origin == ""
	} else if s.people != nil && status[code] < 500 { // a closed server has none, and a fault may be the store's
		_, err := s.people.authenticate(r)
		page.SignedIn = err == nil
	}
	s.door.Refusal(w, status[code], text(r), page)
}

// status is the HTTP status of each code.
var status = map[shared.Code]int{
	shared.CodeInvalidRequest:    http.StatusBadRequest,
	shared.CodeInvalidName:       http.StatusUnprocessableEntity,
	shared.CodeInvalidPassword:   http.StatusUnprocessableEntity,
	shared.CodeNameTaken:         http.StatusConflict,
	shared.CodeUnauthenticated:   http.StatusUnauthorized,
	shared.CodeSignInRefused:     http.StatusUnauthorized,
	shared.CodeConfirmRequired:   http.StatusForbidden,
	shared.CodeCrossSite:         http.StatusForbidden,
	shared.CodeCookies:           http.StatusBadRequest,
	shared.CodeNotFound:          http.StatusNotFound,
	shared.CodeMethodNotAllowed:  http.StatusMethodNotAllowed,
	shared.CodeConflict:          http.StatusConflict,
	shared.CodePasskeyExists:     http.StatusConflict,
	shared.CodeTooManyPasskeys:   http.StatusConflict,
	shared.CodeLastMethod:        http.StatusConflict,
	shared.CodeLastAdministrator: http.StatusConflict,
	shared.CodeCeremonyRefused:   http.StatusBadRequest,
	shared.CodeCeremonyExpired:   http.StatusBadRequest,
	shared.CodeAccountDisabled:   http.StatusForbidden,
	shared.CodeUserNotVerified:   http.StatusBadRequest,
	shared.CodePasskeyCopied:     http.StatusBadRequest,
	shared.CodePasskeyChanged:    http.StatusBadRequest,
	shared.CodePasskeyRemoved:    http.StatusBadRequest,
	shared.CodePasskeyElsewhere:  http.StatusBadRequest,
	shared.CodeNotDiscoverable:   http.StatusBadRequest,
	shared.CodePasskeysOff:       http.StatusForbidden,
	shared.CodePasswordsOff:      http.StatusForbidden,
	shared.CodeSwitchedOff:       http.StatusForbidden,
	shared.CodeSSORefused:        http.StatusBadRequest,
	shared.CodeNoAccount:         http.StatusForbidden,
	shared.CodeIdentityTaken:     http.StatusConflict,
	shared.CodeNotAllowed:        http.StatusForbidden,
	shared.CodeTooLarge:          http.StatusRequestEntityTooLarge,
	shared.CodeUnsupportedType:   http.StatusUnsupportedMediaType,
	shared.CodeWrongHost:         http.StatusMisdirectedRequest,
	shared.CodeTooManyAttempts:   http.StatusTooManyRequests,
	shared.CodeInternal:          http.StatusInternalServerError,

	shared.CodeAuthenticatorRefused:  http.StatusForbidden,
	shared.CodeProviderUnavailable:   http.StatusServiceUnavailable,
	shared.CodeProviderMisconfigured: http.StatusServiceUnavailable,
}

// Text is the catalogue for the pages of [Config.Pages].
func Text(r *http.Request) *message.Catalogue { return text(r) }

// text is the catalogue of the language that somebody wants to read: the one they
// chose, else what their browser asks for (RFC 9110, 12.5.4).
func text(r *http.Request) *message.Catalogue {
	var tags []string
	if chosen, err := r.Cookie(shared.CookieLanguage); err == nil {
		tags = append(tags, chosen.Value)
	}
	// What can't be parsed asks for nothing.
	wanted, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	for _, tag := range wanted {
		tags = append(tags, tag.String())
	}
	return message.Choose(tags...)
}

// report logs a failure, once, sets the headers that belong to it, and returns
// what may be said of it, in the reader's language. An error without a code is a fault of
// ours: the log gets all of it, the person an id.
func (s *Server) report(w http.ResponseWriter, r *http.Request, err error) *shared.Error {
	id := requestID(r.Context())
	refusal, ok := errors.AsType[*shared.Error](err)
	if ok && status[refusal.Code] != 0 { // a host may make up codes
		s.Log.Info("refused", "request", id, "code", refusal.Code, "cause", errors.Unwrap(refusal))
	} else {
		s.Log.Error("failed", "request", id, "method", r.Method, "path", r.URL.Path, "cause", err)
		refusal = faulty(id)
	}
	if refusal.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(refusal.RetryAfter.Seconds()))))
	}
	said := *refusal
	said.Message = text(r).Refusal(refusal)
	return &said
}

func faulty(id string) *shared.Error {
	return shared.Errorf(shared.CodeInternal, "Something went wrong on our side. Please try again. If it stays, tell IT this number: %s.", id)
}

func (s *Server) writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	refusal := s.report(w, r, err)
	code := status[refusal.Code]
	body, err := json.Marshal(shared.Problem{
		Type: "about:blank", Title: http.StatusText(code), Status: code,
		Detail: refusal.Message, Code: refusal.Code, RequestID: requestID(r.Context()),
		UnknownCredential: refusal.UnknownCredential,
	})
	if err != nil {
		panic(err) // strings and a number can always be encoded
	}
	write(w, code, mediaProblem, body)
}

const (
	mediaJSON    = "application/json"
	mediaProblem = "application/problem+json"
)

// respond writes a JSON answer.
func respond(w http.ResponseWriter, code int, answer any) error {
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	write(w, code, mediaJSON, body)
	return nil
}

func write(w http.ResponseWriter, code int, media string, body []byte) {
	w.Header().Set("Content-Type", media)
	w.WriteHeader(code)
	w.Write(body) // a client that went away is nothing to report
}

// respondBegun writes the answer of a first half as respond would. Its members need no
// encoding: a ticket is base64url, options are JSON, and mediation is one of ours.
func respondBegun(w http.ResponseWriter, c shared.Ceremony) error {
	body := make([]byte, 0, len(c.Ticket)+len(c.PublicKey)+64)
	body = append(append(append(body, `{"ticket":"`...), c.Ticket...), `","publicKey":`...)
	body = append(body, c.PublicKey...)
	if c.Mediation != "" {
		body = append(append(append(body, `,"mediation":"`...), c.Mediation...), '"')
	}
	write(w, http.StatusOK, mediaJSON, append(body, '}'))
	return nil
}

// usualBody is the size of body that room is made for at once, whatever a client announces.
const usualBody = 4 << 10

// decode reads a JSON body: one value, nothing behind it, at most maxBody bytes, with
// names that count letter by letter. Members that we don't know are ignored, as a client's
// library may send more.
func decode(r *http.Request, into any) error {
	if sent := r.Header.Get("Content-Type"); sent != mediaJSON {
		if kind, _, err := mime.ParseMediaType(sent); err != nil || kind != mediaJSON {
			return shared.Errorf(shared.CodeUnsupportedType, "The request must be application/json.").Because(err)
		}
	}
	body := bytes.NewBuffer(make([]byte, 0, bytes.MinRead+max(0, min(r.ContentLength, usualBody))))
	if _, err := body.ReadFrom(r.Body); err != nil {
		return unreadable(err)
	}
	if err := strictjson.Unmarshal(body.Bytes(), into); err != nil {
		return unreadable(err)
	}
	return nil
}

// decodeIfAny is decode for a body that may be left away.
func decodeIfAny(r *http.Request, into any) error {
	if r.ContentLength == 0 {
		return nil
	}
	return decode(r, into)
}

const mediaForm = "application/x-www-form-urlencoded"

// form reads what the form of a page sent.
func form(r *http.Request) (url.Values, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != mediaForm {
		return nil, shared.Errorf(shared.CodeUnsupportedType, "The form can't be read. Open the page again, and fill it in there.").Because(err)
	}
	if err := r.ParseForm(); err != nil {
		return nil, unreadable(err)
	}
	return r.PostForm, nil
}

// unreadable tells a body that is too large from one that is wrong.
func unreadable(err error) error {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return shared.Errorf(shared.CodeTooLarge, "The request is too large.").Because(err)
	}
	return shared.Errorf(shared.CodeInvalidRequest, "The request can't be read.").Because(err)
}
