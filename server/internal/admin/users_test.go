package admin_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/admin"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// site serves the feature alone, for four users: root and ada are administrators, ann has a
// password, and carl is invited. A request says who sends it; see sends.
type site struct {
	*testing.T
	http.Handler
	store    store.Store
	users    map[string]store.User
	patterns []string // of the routes
}

func newSite(t *testing.T) *site {
	s := &site{T: t, store: memstore.New(time.Now), users: map[string]store.User{}}
	accounts := account.New(account.Config{Store: s.store, Now: time.Now, PasswordCost: account.Cost{MemoryKiB: 64, Time: 1, Threads: 1}})
	for _, name := range []string{"root", "ada", "ann"} {
		user, err := accounts.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: name, DisplayName: strings.ToUpper(name), Password: "correct horse battery", Role: map[bool]shared.Role{true: shared.RoleAdministrator}[name != "ann"]})
		if err != nil {
			t.Fatal(err)
		}
		s.users[name] = user
	}
	carl, _, err := accounts.Invite(t.Context(), accounts.Actor(store.User{}), shared.Invite{Name: "carl"})
	if err != nil {
		t.Fatal(err)
	}
	s.users["carl"] = carl

	gates := httpapi.Gates{
		Authenticate: func(r *http.Request) (httpapi.Caller, error) {
			user, known := s.users[r.Header.Get("As")]
			if !known {
				return httpapi.Caller{}, shared.Errorf(shared.CodeUnauthenticated, "Please sign in.")
			}
			who := httpapi.Caller{Actor: session.Actor{User: user}}
			if r.Header.Get("Confirmed") != "" {
				who.Session.Authenticated = time.Now()
			}
			return who, nil
		},
		Fresh: session.New(session.Config{Now: time.Now}).Fresh,
	}
	log, mux := slog.New(slog.DiscardHandler), http.NewServeMux()
	answers := httpapi.Answers{Log: log}
	admin.Users{
		Accounts: accounts, Gates: gates,
		Link: func(l account.Link) (shared.EnrolmentLink, error) {
			return shared.EnrolmentLink{URL: "https://id.example/enrol?token=" + l.Token, Expires: l.Expires}, nil
		},
	}.Mount(func(pattern string, h httpapi.Handler) {
		s.patterns = append(s.patterns, pattern)
		mux.Handle(pattern, answers.API(h))
	})
	s.Handler = httpapi.Requests{Log: log, Now: time.Now, Clients: httpapi.NewClients(httpapi.Cookies{}, nil)}.Logged(mux)
	return s
}

// sends is a request of the user whose name as has. In "confirmed root" they have just proved
// who they are.
func (s *site) sends(as, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(s.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	name, confirmed := strings.CutPrefix(as, "confirmed ")
	r.Header.Set("As", name)
	if confirmed {
		r.Header.Set("Confirmed", "yes")
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// pathOf is where a route is reached, for the user of a name.
func (s *site) pathOf(pattern, name string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	return method, strings.ReplaceAll(path, "{id}", s.users[name].ID)
}

// everything is what the store has of users, events and links.
func (s *site) everything() string {
	s.Helper()
	var all strings.Builder
	for _, kind := range store.Kinds {
		records, err := s.store.Records(s.Context(), kind, nil, 1000)
		if err != nil {
			s.Fatal(err)
		}
		for _, record := range records {
			fmt.Fprintf(&all, "%s %x %+v\n", kind, record.Key, record.Op)
		}
	}
	return all.String()
}

// route is one of the feature: for whom it is, what it takes, and what it answers.
type route struct {
	pattern     string
	of          string // whom the path names
	body        string
	unconfirmed bool // administrators need no recent confirmation
	status      int
	answers     string // a part of it
}

var routes = []route{
	{pattern: "GET " + shared.PathUsers, unconfirmed: true, status: 200, answers: `"name":"ann","displayName":"ANN"`},
	{pattern: "POST " + shared.PathUsers, body: `{"name":"dora"}`, status: 201, answers: `"url":"https://id.example/enrol?token=`},
	{pattern: "PATCH " + shared.PathUser + "{id}", of: "ann", body: `{"disabled":true}`, status: 200, answers: `"disabled":true`},
	{pattern: "POST " + shared.PathUser + "{id}" + shared.PathInvitation, of: "carl", status: 200, answers: `"url":"https://id.example/enrol?token=`},
	{pattern: "POST " + shared.PathUser + "{id}" + shared.PathRecoveryLink, of: "ann", status: 200, answers: `"url":"https://id.example/enrol?token=`},
	{pattern: "DELETE " + shared.PathUser + "{id}" + shared.PathLinks, of: "carl", unconfirmed: true, status: 200, answers: `"invited":true`},
}

// TestRoutes sends each request as everybody who may send it, and as everybody who may
// not.
func TestRoutes(t *testing.T) {
	for _, route := range routes {
		for as, refusal := range map[string]shared.Code{
			"": shared.CodeUnauthenticated, "ann": shared.CodeNotAllowed, "confirmed ann": shared.CodeNotAllowed,
			"root": shared.CodeConfirmRequired, "confirmed root": "",
		} {
			if as == "root" && route.unconfirmed {
				refusal = ""
			}
			s := newSite(t)
			before := s.everything()
			method, path := s.pathOf(route.pattern, route.of)
			w := s.sends(as, method, path, route.body)
			if refusal == "" {
				if w.Code != route.status || !strings.Contains(w.Body.String(), route.answers) {
					t.Errorf("%s as %q: got %d %s, want %d with %s", route.pattern, as, w.Code, w.Body, route.status, route.answers)
				}
				continue
			}
			s.isRefused(route.pattern+" as "+as, w, refusal)
			if s.everything() != before {
				t.Errorf("%s as %q is refused, and changes something", route.pattern, as)
			}
		}
	}

	for _, pattern := range newSite(t).patterns {
		if !slices.ContainsFunc(routes, func(r route) bool { return r.pattern == pattern }) {
			t.Errorf("no row says for whom %s is", pattern)
		}
	}
}

func (s *site) isRefused(what string, w *httptest.ResponseRecorder, code shared.Code) {
	s.Helper()
	var problem shared.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || problem.Code != code || problem.Status != w.Code {
		s.Errorf("%s: got %d %s, want %s", what, w.Code, w.Body, code)
	}
}

// TestRefusals checks what even an administrator can't do, and that it changes nothing.
func TestRefusals(t *testing.T) {
	for _, row := range []struct {
		what, method, path, body string
		code                     shared.Code
	}{
		{"a user who isn't there", "PATCH", shared.PathUser + "nobody", `{"disabled":true}`, shared.CodeNotFound},
		{"a link for nobody", "POST", shared.PathUser + "nobody" + shared.PathRecoveryLink, "", shared.CodeNotFound},
		{"links of nobody", "DELETE", shared.PathUser + "nobody" + shared.PathLinks, "", shared.CodeNotFound},
		{"themselves", "PATCH", shared.PathUser + "{root}", `{"disabled":true}`, shared.CodeConflict},
		{"an invitation of who has signed in", "POST", shared.PathUser + "{ann}" + shared.PathInvitation, "", shared.CodeConflict},
		{"a name that is taken", "POST", shared.PathUsers, `{"name":"ANN"}`, shared.CodeNameTaken},
		{"a name that nobody can have", "POST", shared.PathUsers, `{"name":"a b"}`, shared.CodeInvalidName},
		{"no JSON", "POST", shared.PathUsers, `name=dora`, shared.CodeInvalidRequest},
		{"JSON of another type", "PATCH", shared.PathUser + "{ann}", `{"disabled":"yes"}`, shared.CodeInvalidRequest},
	} {
		s := newSite(t)
		before := s.everything()
		path := row.path
		for name, user := range s.users {
			path = strings.ReplaceAll(path, "{"+name+"}", user.ID)
		}
		s.isRefused(row.what, s.sends("confirmed root", row.method, path, row.body), row.code)
		if s.everything() != before {
			t.Errorf("%s: it is refused, and changes something", row.what)
		}
	}
}

// TestActsFor checks that a user reads which administrator did something to their account.
func TestActsFor(t *testing.T) {
	s := newSite(t)
	method, path := s.pathOf("POST "+shared.PathUser+"{id}"+shared.PathRecoveryLink, "ann")
	if w := s.sends("confirmed ada", method, path, ""); w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	events, err := s.store.Events(t.Context(), s.users["ann"].ID, store.EventID{}, 10)
	if err != nil || !slices.ContainsFunc(events, func(e store.Event) bool { return e.Kind == shared.EventRecoveryLinkMade && e.By == s.users["ada"].ID }) {
		t.Errorf("Ann's activity is %+v (%v)", events, err)
	}
}
