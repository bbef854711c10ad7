package httpapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// site is what handlers stand on, with a log that can be read.
type site struct {
	http.Handler
	log bytes.Buffer
}

// newSite serves two routes: one for the signed-in, of whom the header As says who it is, and
// one for administrators who have just confirmed.
func newSite(answer httpapi.Handler) *site {
	h := &site{}
	log, now := slog.New(slog.NewTextHandler(&h.log, nil)), time.Now
	answers := httpapi.Answers{Log: log, Refuse: func(http.ResponseWriter, *http.Request, *shared.Error) {}}
	gates := httpapi.Gates{
		Authenticate: func(r *http.Request) (*httpapi.Caller, error) {
			as := r.Header.Get("As")
			if as == "" {
				return nil, shared.Errorf(shared.CodeUnauthenticated, "Please sign in.")
			}
			who := &httpapi.Caller{Actor: session.Actor{User: store.User{ID: as, Role: map[bool]shared.Role{true: shared.RoleAdministrator}[strings.Contains(as, "administrator")]}}}
			if strings.Contains(as, "fresh") {
				who.Session.Authenticated = now()
			}
			who.Shown.ID = as
			return who, nil
		},
		Fresh: session.New(session.Config{Now: now}).Fresh,
	}
	mux := http.NewServeMux()
	mux.Handle("GET /api/things/{id}", answers.API(gates.SignedIn(answer)))
	mux.Handle("DELETE /api/things/{id}", answers.API(gates.ConfirmedRole(answer, shared.RoleAdministrator)))
	clients := httpapi.NewClients(httpapi.Cookies{}, nil)
	h.Handler = httpapi.Requests{Log: log, Now: now, Clients: clients}.Logged(httpapi.Recovered(mux, answers.API))
	return h
}

func (h *site) sends(method, as string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/api/things/7%2F8?token=hidden", strings.NewReader("hidden"))
	r.RemoteAddr = "192.0.2.9:4711"
	r.Header.Set("Cookie", "keypeg=hidden")
	if as != "" {
		r.Header.Set("As", as)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestLogged reads the line of each request.
func TestLogged(t *testing.T) {
	for what, row := range map[string]struct {
		as     string
		answer error
		wants  []string
		lacks  string
	}{
		"an answer":         {"ann", nil, []string{"level=INFO", "method=GET", "path=/api/things/7%2F8", `pattern="GET /api/things/{id}"`, "user=ann", "address=192.0.2.9", "status=200", "ms="}, "code="},
		"a refusal":         {"ann", shared.Errorf(shared.CodeNotFound, "It isn't there."), []string{"user=ann", "status=404", "code=not_found"}, "hidden"},
		"a fault":           {"ann", errors.New("the disk is full"), []string{"status=500", "code=internal"}, "the disk"},
		"nobody":            {"", nil, []string{"status=401", "code=unauthenticated", "address=192.0.2.9"}, "user="},
		"a secret in a URL": {"ann", nil, []string{"msg=request"}, "hidden"},
	} {
		t.Run(what, func(t *testing.T) {
			h := newSite(func(w http.ResponseWriter, r *http.Request) error {
				if row.answer == nil {
					return httpapi.Respond(w, http.StatusOK, httpapi.CallerOf(r).User.ID)
				}
				return row.answer
			})
			answered := h.sends("GET", row.as)
			var line string
			for l := range strings.Lines(h.log.String()) {
				if strings.Contains(l, "msg=request") {
					line += l
				}
			}
			if strings.Count(line, "\n") != 1 {
				t.Fatalf("lines of the request: %q, want one", line)
			}
			for _, want := range append(row.wants, "request="+answered.Header().Get("X-Request-Id")) {
				if !strings.Contains(line, want) {
					t.Errorf("the line lacks %s: %s", want, line)
				}
			}
			if strings.Contains(line, row.lacks) {
				t.Errorf("the line has %s: %s", row.lacks, line)
			}
		})
	}
}

// TestRefused checks the line of a refusal. It has a cause where there is one.
func TestRefused(t *testing.T) {
	plain := shared.Errorf(shared.CodeConflict, "Please try again.")
	for want, refusal := range map[string]error{
		"msg=refused request=ID code=conflict":                plain,
		`msg=refused request=ID code=conflict cause="a race"`: plain.Because(errors.New("a race")),
	} {
		h := newSite(func(http.ResponseWriter, *http.Request) error { return refusal })
		id := h.sends("GET", "ann").Header().Get("X-Request-Id")
		if want := strings.ReplaceAll(want, "ID", id) + "\n"; !strings.Contains(h.log.String(), want) {
			t.Errorf("the log lacks %s%s", want, &h.log)
		}
	}
}

func TestGates(t *testing.T) {
	for as, want := range map[string]int{"": 401, "ann": 403, "fresh ann": 403, "administrator": 403, "fresh administrator": 200} {
		ran := false
		h := newSite(func(w http.ResponseWriter, _ *http.Request) error {
			ran = true
			return httpapi.Respond(w, http.StatusOK, true)
		})
		if got := h.sends("DELETE", as); got.Code != want || ran != (want == 200) {
			t.Errorf("%q: %d, and the handler ran: %t; want %d", as, got.Code, ran, want)
		}
	}
}

func TestRecovered(t *testing.T) {
	h := newSite(func(http.ResponseWriter, *http.Request) error { panic("a bug") })
	answered := h.sends("GET", "ann")
	if answered.Code != 500 || strings.Contains(answered.Body.String(), "a bug") {
		t.Errorf("answered %d %s, want a fault that says nothing of its cause", answered.Code, answered.Body)
	}
	if !strings.Contains(h.log.String(), "panic: a bug") || !strings.Contains(h.log.String(), "status=500") {
		t.Errorf("the log: %s", &h.log)
	}
}

// TestLeft: a browser that leaves before its answer is no fault, and doesn't count as one.
func TestLeft(t *testing.T) {
	for _, test := range []struct {
		leaves bool
		err    error
		says   string
	}{
		{true, fmt.Errorf("reading: %w", context.Canceled), `level=INFO msg="the browser has left"`},
		{true, errors.New("the disk is full"), "level=ERROR msg=failed"},
		{false, context.Canceled, "level=ERROR msg=failed"}, // of something of ours
	} {
		h := newSite(func(http.ResponseWriter, *http.Request) error { return test.err })
		ctx, leave := context.WithCancel(t.Context())
		if test.leaves {
			leave()
		}
		r := httptest.NewRequest("GET", "/api/things/7", nil).WithContext(ctx)
		r.Header.Set("As", "ann")
		h.ServeHTTP(httptest.NewRecorder(), r)
		leave()
		if got := h.log.String(); !strings.Contains(got, test.says) || strings.Contains(got, "status=499") != strings.Contains(test.says, "left") {
			t.Errorf("%+v: the log says %s", test, got)
		}
	}
}
