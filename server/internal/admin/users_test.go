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

// site serves the feature alone, for people of every role. Root and ada are administrators, hal helps
// the group sales, and aud is an auditor. Ann, who has a password and two passkeys, is of sales, bob
// with a password is of it, and carl of sales is invited. A request says who sends it; see sends.
type site struct {
	*testing.T
	http.Handler
	accounts *account.Service
	store    store.Store
	users    map[string]store.User
	patterns []string // of the routes
}

func newSite(t *testing.T) *site {
	s := &site{T: t, store: memstore.New(time.Now), users: map[string]store.User{}}
	accounts := account.New(account.Config{
		Store: s.store, Now: time.Now, PasswordCost: account.Cost{MemoryKiB: 64, Time: 1, Threads: 1},
		Providers: []account.Provider{{ID: "p", Name: "Provider", Issuer: "https://login.example"}},
	})
	s.accounts = accounts
	for name, role := range map[string]shared.Role{
		"root": shared.RoleAdministrator, "ada": shared.RoleAdministrator, "hal": shared.RoleHelper, "aud": shared.RoleAuditor, "ann": "", "bob": "",
	} {
		user, err := accounts.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: name, DisplayName: strings.ToUpper(name), Password: "correct horse battery", Role: role})
		if err != nil {
			t.Fatal(err)
		}
		s.users[name] = user
	}
	carl, _, err := accounts.Invite(t.Context(), accounts.Actor(store.User{}), shared.Invite{Name: "carl", Groups: []string{"sales"}})
	if err != nil {
		t.Fatal(err)
	}
	s.users["carl"] = carl
	change := func(name string, do func(*store.User)) {
		user := s.users[name]
		do(&user)
		if err := s.store.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
			t.Fatal(err)
		}
		user.Revision++
		s.users[name] = user
	}
	change("hal", func(u *store.User) { u.Helps = []string{"sales"} })
	change("ann", func(u *store.User) {
		u.Groups = []string{"sales"}
		u.Passkeys = []store.Passkey{{ID: "p1", CredentialID: []byte("one"), Verified: true}, {ID: "p2", CredentialID: []byte("two"), Verified: true}}
		u.Identities = []store.Identity{{ID: "i1", Issuer: "https://login.example", Subject: "1"}}
	})
	change("bob", func(u *store.User) { u.Groups = []string{"it"} })
	who := accounts.Actor(s.users["ann"])
	who.User.LastSignIn = time.Now()
	_, batch := accounts.Sessions().Open(who, session.SignIn{Method: store.MethodPassword})
	if err := s.store.Apply(t.Context(), batch); err != nil {
		t.Fatal(err)
	}

	gates := httpapi.Gates{
		Authenticate: func(r *http.Request) (*httpapi.Caller, error) {
			user, known := s.users[r.Header.Get("As")]
			if !known {
				return nil, shared.Errorf(shared.CodeUnauthenticated, "Please sign in.")
			}
			who := &httpapi.Caller{Actor: session.Actor{User: user}}
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
		Passkeys: func(who session.Actor) (list shared.PasskeyList) {
			for _, p := range who.User.Passkeys {
				list.Passkeys = append(list.Passkeys, shared.Passkey{ID: p.ID})
			}
			return list
		},
		Link: func(l account.Link) (shared.EnrolmentLink, error) {
			return shared.EnrolmentLink{URL: "https://id.example/enrol?token=" + l.Token, Expires: l.Expires}, nil
		},
		EnrolURL: func(token string) string { return "https://id.example/enrol?token=" + token },
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
	return s.sendsIn("en", as, method, path, body)
}

// sendsIn is sends of a browser in a language.
func (s *site) sendsIn(language, as, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(s.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept-Language", language)
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
	list, err := s.accounts.Sessions().List(s.Context(), s.accounts.Actor(s.users["ann"]))
	if err != nil || len(list.Sessions) != 1 {
		s.Fatalf("ann has %d sessions (%v)", len(list.Sessions), err)
	}
	replace := strings.NewReplacer("{id}", s.users[name].ID, "{passkey}", "p1", "{identity}", "i1", "{session}", list.Sessions[0].ID)
	return method, replace.Replace(path)
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

// route is one of the feature: what it takes and answers, and who may send it about whom.
type route struct {
	pattern     string
	of          string // whom it succeeds for
	body        string
	right       string // what it needs: read, help or manage
	unconfirmed bool   // it needs no recent confirmation
	status      int
	answers     string // a part of it
}

var routes = []route{
	{pattern: "GET " + shared.PathUsers, right: "list", unconfirmed: true, status: 200, answers: `"name":"ann","displayName":"ANN"`},
	{pattern: "GET " + shared.PathRollout, right: "figures", unconfirmed: true, status: 200, answers: `"withPasskey":1`},
	{pattern: "GET " + shared.PathRolloutExport, right: "figures", unconfirmed: true, status: 200, answers: ",with-passkey,,1"},
	{pattern: "GET " + shared.PathUsersExport, right: "list", unconfirmed: true, status: 200, answers: "\nann,ANN,,sales,,enabled,yes,2,1,"},
	{pattern: "GET " + shared.PathUser + "{id}", of: "ann", right: "read", unconfirmed: true, status: 200, answers: `"passkeyList":[{"id":"p1"`},
	{pattern: "GET " + shared.PathUser + "{id}" + shared.PathActivityOf, of: "ann", right: "read", unconfirmed: true, status: 200, answers: `"kind":"account_created"`},
	{pattern: "POST " + shared.PathUsers, body: `{"name":"dora","groups":["sales"]}`, right: "invite", status: 201, answers: `"url":"https://id.example/enrol?token=`},
	{pattern: "PATCH " + shared.PathUser + "{id}", of: "ann", body: `{"disabled":true}`, right: "help", status: 200, answers: `"disabled":true`},
	{pattern: "PATCH " + shared.PathUser + "{id}", of: "ann", body: `{"displayName":"Anna"}`, right: "manage", status: 200, answers: `"displayName":"Anna"`},
	{pattern: "PATCH " + shared.PathUser + "{id}", of: "ann", body: `{"role":"helper","helps":["it"]}`, right: "manage", status: 200, answers: `"role":"helper"`},
	{pattern: "PATCH " + shared.PathUser + "{id}", of: "ann", body: `{"groups":["it","sales"]}`, right: "manage", status: 200, answers: `"groups":["it","sales"]`},
	{pattern: "PATCH " + shared.PathUser + "{id}", of: "ann", body: `{"addGroups":["IT","sales"],"removeGroups":["SALES"]}`, right: "manage", status: 200, answers: `"groups":["it","sales"]`},
	{pattern: "POST " + shared.PathUser + "{id}" + shared.PathInvitation, of: "carl", right: "help", status: 200, answers: `"url":"https://id.example/enrol?token=`},
	{pattern: "POST " + shared.PathUser + "{id}" + shared.PathRecoveryLink, of: "ann", right: "help", status: 200, answers: `"url":"https://id.example/enrol?token=`},
	{pattern: "DELETE " + shared.PathUser + "{id}" + shared.PathLinks, of: "carl", right: "help", unconfirmed: true, status: 200, answers: `"invited":true`},
	{pattern: "DELETE " + shared.PathUser + "{id}" + shared.PathPasskeysOf + "{passkey}", of: "ann", right: "help", status: 200, answers: `"passkeyList":[{"id":"p2"`},
	{pattern: "DELETE " + shared.PathUser + "{id}" + shared.PathSessionsOf, of: "ann", right: "help", unconfirmed: true, status: 200, answers: `"sessions":[]`},
	{pattern: "DELETE " + shared.PathUser + "{id}" + shared.PathSessionsOf + "/{session}", of: "ann", right: "help", unconfirmed: true, status: 200, answers: `"sessions":[]`},
	{pattern: "DELETE " + shared.PathUser + "{id}" + shared.PathPasswordOf, of: "ann", right: "manage", status: 200, answers: `"hasPassword":false`},
	{pattern: "DELETE " + shared.PathUser + "{id}" + shared.PathIdentitiesOf + "{identity}", of: "ann", right: "manage", status: 200, answers: `"identityList":[]`},
	{pattern: "DELETE " + shared.PathUser + "{id}" + shared.PathHoldOf, of: "ann", right: "manage", status: 200, answers: `"may":"manage"`},
	{pattern: "POST " + shared.PathUser + "{id}" + shared.PathRemoval, of: "ann", body: `{"name":"ann"}`, right: "manage", status: 204},
	{pattern: "POST " + shared.PathImport, body: `{"table":"name\ndora\n"}`, right: "manage", status: 201, answers: `\ndora,,,https://id.example/enrol?token=`},
	{pattern: "POST " + shared.PathImport, body: `{"table":"name\ndora\n","dryRun":true}`, right: "manage", status: 200, answers: `{"rows":[{"line":2,"name":"dora","displayName":"dora"}],"wrong":0}`},
}

// allows says which rights each role has: over everybody, or over the users of its groups only.
var allows = map[string]struct{ all, group string }{
	"root": {"list figures read invite help manage", ""},
	"aud":  {"list figures read", ""},
	"hal":  {"list", "invite read help"},
	"bob":  {}, "ann": {},
}

// TestRoutes sends each request as people of each role, about a user of the helper's group and about
// others. Each refusal changes nothing.
func TestRoutes(t *testing.T) {
	refusing := newSite(t) // for what is refused, since that changes nothing
	for _, route := range routes {
		for as, has := range allows {
			for _, of := range []string{route.of, "bob", "ada", "aud", "hal"} {
				isTheirs := of == route.of // whoever the row names is of the helper's group
				if of != route.of && !strings.Contains(route.pattern, "{id}") {
					continue
				}
				may := strings.Contains(" "+has.all+" ", " "+route.right+" ") || isTheirs && strings.Contains(" "+has.group+" ", " "+route.right+" ")
				if may && !isTheirs {
					continue // what else may refuse them is for TestRefusals
				}
				checkRoute(refusing, route, as, of, may)
			}
		}
		method, path := refusing.pathOf(route.pattern, route.of)
		refusing.isRefused(route.pattern+" of a stranger", refusing.sends("", method, path, route.body), shared.CodeUnauthenticated)
	}

	for _, pattern := range refusing.patterns {
		if !slices.ContainsFunc(routes, func(r route) bool { return r.pattern == pattern }) {
			t.Errorf("no row says for whom %s is", pattern)
		}
	}
}

// checkRoute sends a request with and without a recent confirmation: what is allowed to a site of its
// own, what is refused to the one given.
func checkRoute(refusing *site, route route, as, of string, may bool) {
	refusing.Helper()
	what := route.pattern + " as " + as + " of " + of
	for _, confirmed := range []string{"", "confirmed "} {
		s, allowed := refusing, may && (confirmed != "" || route.unconfirmed)
		if allowed {
			s = newSite(refusing.T)
		}
		before := s.everything()
		method, path := s.pathOf(route.pattern, of)
		w := s.sends(confirmed+as, method, path, route.body)
		switch {
		case allowed:
			if w.Code != route.status || !strings.Contains(w.Body.String(), route.answers) {
				s.Errorf("%s%s: got %d %s, want %d with %s", confirmed, what, w.Code, w.Body, route.status, route.answers)
			}
			continue
		case may:
			s.isRefused(confirmed+what, w, shared.CodeConfirmRequired)
		case confirmed != "" || route.unconfirmed:
			s.isRefused(confirmed+what, w, shared.CodeNotAllowed)
		case w.Code < 400:
			s.Errorf("%s: got %d %s", what, w.Code, w.Body)
		}
		if s.everything() != before {
			s.Errorf("%s%s is refused, and changes something", confirmed, what)
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
	s := newSite(t)
	for _, row := range []struct {
		what, method, path, body string
		code                     shared.Code
	}{
		{"a user who isn't there", "PATCH", shared.PathUser + "nobody", `{"disabled":true}`, shared.CodeNotFound},
		{"a link for nobody", "POST", shared.PathUser + "nobody" + shared.PathRecoveryLink, "", shared.CodeNotFound},
		{"links of nobody", "DELETE", shared.PathUser + "nobody" + shared.PathLinks, "", shared.CodeNotFound},
		{"themselves", "PATCH", shared.PathUser + "{root}", `{"disabled":true}`, shared.CodeConflict},
		{"their own role", "PATCH", shared.PathUser + "{root}", `{"role":""}`, shared.CodeConflict},
		{"their own account", "POST", shared.PathUser + "{root}" + shared.PathRemoval, `{"name":"root"}`, shared.CodeConflict},
		{"a removal with another name", "POST", shared.PathUser + "{ann}" + shared.PathRemoval, `{"name":"bob"}`, shared.CodeInvalidName},
		{"a role that there isn't", "PATCH", shared.PathUser + "{ann}", `{"role":"king"}`, shared.CodeInvalidRequest},
		{"a language that there isn't", "PATCH", shared.PathUser + "{ann}", `{"language":"tlh"}`, shared.CodeInvalidRequest},
		{"a group without a name", "PATCH", shared.PathUser + "{ann}", `{"groups":[" "]}`, shared.CodeInvalidName},
		{"too many groups", "PATCH", shared.PathUser + "{ann}", `{"groups":["` + strings.Join(strings.Split("abcdefghijklmnopqrstu", ""), `","`) + `"]}`, shared.CodeConflict},
		{"disabling with another change", "PATCH", shared.PathUser + "{ann}", `{"disabled":true,"displayName":"A"}`, shared.CodeInvalidRequest},
		{"a name that is another's", "PATCH", shared.PathUser + "{ann}", `{"name":"BOB","displayName":"B"}`, shared.CodeNameTaken},
		{"an address with a line break", "PATCH", shared.PathUser + "{ann}", `{"email":"ann@example.com\nBcc: eve@example.com"}`, shared.CodeInvalidEmail},
		{"an address that is too long", "PATCH", shared.PathUser + "{ann}", `{"email":"` + strings.Repeat("a", 243) + `@example.com"}`, shared.CodeInvalidEmail},
		{"two addresses", "PATCH", shared.PathUser + "{ann}", `{"email":"a@example.com, b@example.com"}`, shared.CodeInvalidEmail},
		{"a name beside an address", "PATCH", shared.PathUser + "{ann}", `{"email":"Ann <ann@example.com>"}`, shared.CodeInvalidEmail},
		{"an address without a domain", "PATCH", shared.PathUser + "{ann}", `{"email":"ann@localhost"}`, shared.CodeInvalidEmail},
		{"the only way to sign in", "DELETE", shared.PathUser + "{bob}" + shared.PathPasswordOf, "", shared.CodeLastMethod},
		{"a passkey that isn't there", "DELETE", shared.PathUser + "{ann}" + shared.PathPasskeysOf + "p3", "", shared.CodeNotFound},
		{"a session that isn't there", "DELETE", shared.PathUser + "{ann}" + shared.PathSessionsOf + "/s", "", shared.CodeNotFound},
		{"a filter that there isn't", "GET", shared.PathUsers + "?in=kings", "", shared.CodeInvalidRequest},
		{"an export by a filter that there isn't", "GET", shared.PathUsersExport + "?in=kings", "", shared.CodeInvalidRequest},
		{"an order that there isn't", "GET", shared.PathUsers + "?sort=height", "", shared.CodeInvalidRequest},
		{"a page that there isn't", "GET", shared.PathUsers + "?sort=last-sign-in&after=x", "", shared.CodeInvalidRequest},
		{"an invitation of who has signed in", "POST", shared.PathUser + "{ann}" + shared.PathInvitation, "", shared.CodeConflict},
		{"a name that is taken", "POST", shared.PathUsers, `{"name":"ANN"}`, shared.CodeNameTaken},
		{"a name that nobody can have", "POST", shared.PathUsers, `{"name":"a b"}`, shared.CodeInvalidName},
		{"no JSON", "POST", shared.PathUsers, `name=dora`, shared.CodeInvalidRequest},
		{"JSON of another type", "PATCH", shared.PathUser + "{ann}", `{"disabled":"yes"}`, shared.CodeInvalidRequest},
	} {
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
	events, err = s.store.Events(t.Context(), s.users["ada"].ID, store.EventID{}, 10)
	if err != nil || !slices.ContainsFunc(events, func(e store.Event) bool {
		return e.Kind == shared.EventRecoveryLinkMade && e.About == s.users["ann"].ID
	}) {
		t.Errorf("Ada's activity is %+v (%v)", events, err)
	}
}
