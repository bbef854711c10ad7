package server_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Who may send which request of the API, about whom. TestRoles sends every route as people of each
// role, and about what belongs to each kind of user.

// whose says to whom belongs what a request is about.
type whose int

const (
	self   whose = iota // whoever sends it
	member              // a user of the helper's group, without a role
	other               // a user of another group, without a role
	anAdministrator
	aHelper
	anAuditor
	kindsOfUsers
)

// names are those of the users whom a request is about. Nobody of them sends one. The helper and the
// auditor are of the group that Hal helps, so that only their role protects them.
var names = [kindsOfUsers]string{member: "ann", other: "bob", anAdministrator: "ada", aHelper: "hester", anAuditor: "otto"}

// cells are the outcomes of a request by one user: the status, or the code of the refusal.
type cells [kindsOfUsers]string

func all(outcome string) (c cells) {
	for i := range c {
		c[i] = outcome
	}
	return c
}

func (c cells) but(of whose, outcome string) cells {
	c[of] = outcome
	return c
}

// The outcomes that several rows share.
var no, itsOwn = all("not_allowed"), func(outcome string) cells { return all("not_found").but(self, outcome) }

func ofGroup(outcome string) cells { return no.but(member, outcome) }

// row is a route with a body, and the outcomes for everybody who may send it.
type row struct {
	pattern, body                        string
	nobody                               string
	user, auditor, helper, administrator cells
}

// open is a row of a route for everybody, signed in or not.
func open(pattern, body, outcome string) row {
	c := all(outcome)
	return row{pattern, body, outcome, c, c, c, c}
}

func (r row) fromNobody(outcome string) row {
	r.nobody = outcome
	return r
}

// forSelf is a row of a route by which people care for themselves. No role changes it.
func forSelf(pattern, body string, c cells) row {
	return row{pattern, body, "unauthenticated", c, c, c, c}
}

// forRoles is a row of a route that nobody has without a role.
func forRoles(pattern, body string, auditor, helper, administrator cells) row {
	return row{pattern, body, "unauthenticated", no, auditor, helper, administrator}
}

// isAboutSomebody reports whether a request names something that belongs to a user.
func (r row) isAboutSomebody() bool {
	return strings.Contains(strings.NewReplacer("{provider}", "", "{client}", "").Replace(r.pattern), "{")
}

// ofClient is a program that belongs to nobody.
const ofClient = shared.PathClient + "{client}"

const ofUser = shared.PathUser + "{id}"

var rows = []row{
	open("GET "+shared.PathCredentialScript, "", "200"),
	open("POST "+shared.PathSignInBegin, `{}`, "200"),
	open("POST "+shared.PathSignInFinish, `{}`, "ceremony_refused").fromNobody("cookies"), // a new browser has none of ours
	open("POST "+shared.PathSignInPassword, `{}`, "sign_in_refused"),
	open("POST "+shared.PathSignInRecovery, `{}`, "sign_in_refused"),
	open("POST "+shared.PathSignOut, "", "204"),
	open("POST "+shared.PathTrouble, `{"trouble":"app-cut"}`, "200"),
	open("POST "+shared.PathEnrolBegin, "", "not_found"),
	open("POST "+shared.PathEnrolFinish, `{}`, "not_found"),

	forSelf("GET "+shared.PathAccount, "", all("200")),
	forSelf("GET "+shared.PathLive, "", all("200")),
	forSelf("GET "+shared.PathActivity, "", all("200")),
	forSelf("POST "+shared.PathConfirmPassword, `{"password":"`+password+`"}`, all("200")),
	forSelf("POST "+shared.PathConfirmBegin, "", all("200")),
	forSelf("POST "+shared.PathConfirmFinish, `{}`, all("ceremony_refused")),
	forSelf("POST "+shared.PathConfirmSSO+"{provider}", `{}`, all("not_found")),
	forSelf("POST "+shared.PathPassword, `{"password":"vier Worte ohne Zusammenhang"}`, all("204")),
	forSelf("DELETE "+shared.PathPassword, "", all("204")),
	forSelf("PATCH "+shared.PathProfile, `{"displayName":"Zoe"}`, all("204")),
	forSelf("POST "+shared.PathVerification, "", all("mail_off")),
	forSelf("DELETE "+shared.PathHold, "", all("204")), // without a hold it does nothing
	forSelf("POST "+shared.PathExport, "", all("200")),
	forSelf("POST "+shared.PathRecoveryCodes, "", all("200")),
	forSelf("POST "+shared.PathPhoneLink, "", all("200")),
	forSelf("GET "+shared.PathPasskeys, "", all("200")),
	forSelf("PATCH "+shared.PathPasskey+"{id}", `{"name":"Laptop"}`, itsOwn("200")),
	forSelf("DELETE "+shared.PathPasskey+"{id}", "", itsOwn("200")),
	forSelf("POST "+shared.PathPasskey+"{id}"+shared.PathTryBeginOf, "", itsOwn("200")),
	forSelf("POST "+shared.PathPasskey+"{id}"+shared.PathTryFinishOf, `{}`, all("ceremony_refused")),
	forSelf("POST "+shared.PathRegisterBegin, "", all("200")),
	forSelf("POST "+shared.PathRegisterFinish, `{}`, all("ceremony_refused")),
	forSelf("GET "+shared.PathSessions, "", all("200")),
	forSelf("DELETE "+shared.PathSession+"{id}", "", itsOwn("200")),
	forSelf("POST "+shared.PathEndOthers, "", all("200")),
	forSelf("GET "+shared.PathPrograms, "", all("200")),
	forSelf("DELETE "+shared.PathProgram+"{id}", "", itsOwn("200")),
	forSelf("POST "+shared.PathIdentity+"{provider}", "", all("not_found")),
	forSelf("DELETE "+shared.PathIdentity+"{id}", "", itsOwn("204")),

	forRoles("GET "+shared.PathAudit, "", all("200"), no, all("200")),
	forRoles("GET "+shared.PathAuditExport, "", all("200"), no, all("200")),

	forRoles("GET "+shared.PathClients, "", all("200"), no, all("200")),
	forRoles("GET "+ofClient, "", all("200"), no, all("200")),
	forRoles("GET "+ofClient+shared.PathTextOf, "", all("invalid_client"), no, all("invalid_client")), // no preset is named
	forRoles("POST "+shared.PathClients, `{"id":"notes","settings":{"redirects":["https://notes.example/cb"]}}`, no, no, all("201")),
	forRoles("PATCH "+ofClient, `{"revision":"old"}`, no, no, all("conflict")),
	forRoles("POST "+ofClient+shared.PathRotateOf, `{"overlapDays":1}`, no, no, all("200")),
	forRoles("DELETE "+ofClient, "", no, no, all("204")),

	forRoles("POST "+shared.PathChecks, "", no, no, all("200")),
	forRoles("POST "+shared.PathChecksBrowser, `{}`, no, no, all("200")),

	forRoles("GET "+shared.PathRollout, "", all("200"), no, all("200")),
	forRoles("GET "+shared.PathRolloutExport, "", all("200"), no, all("200")),
	forRoles("GET "+shared.PathUsers, "", all("200"), all("200"), all("200")),
	forRoles("GET "+shared.PathUsersExport, "", all("200"), all("200"), all("200")),
	forRoles("POST "+shared.PathUsers, `{"name":"carl","groups":["sales"]}`, no, all("201"), all("201")),
	forRoles("POST "+shared.PathUsers, `{"name":"carl"}`, no, all("201"), all("201")), // into the only group of the helper
	forRoles("POST "+shared.PathUsers, `{"name":"carl","groups":["it"]}`, no, no, all("201")),
	forRoles("POST "+shared.PathUsers, `{"name":"carl","groups":["sales"],"role":"auditor"}`, no, no, all("201")),
	forRoles("POST "+shared.PathImport, `{"table":"name\ncarl"}`, no, no, all("201")),
	forRoles("POST "+shared.PathImport, `{"table":"name\ncarl","dryRun":true}`, no, no, all("200")),
	forRoles("GET "+ofUser, "", all("200"), ofGroup("200"), all("200")),
	forRoles("GET "+ofUser+shared.PathActivityOf, "", all("200"), ofGroup("200"), all("200")),
	forRoles("PATCH "+ofUser, `{"disabled":true}`, no, ofGroup("200"), all("200").but(self, "conflict")),
	forRoles("PATCH "+ofUser, `{"disabled":false}`, no, ofGroup("200"), all("200")),
	forRoles("PATCH "+ofUser, `{"displayName":"Zoe"}`, no, no, all("200")),
	forRoles("PATCH "+ofUser, `{"name":"zoe"}`, no, no, all("200")),
	forRoles("PATCH "+ofUser, `{"email":"zoe@example.com"}`, no, no, all("200")),
	forRoles("PATCH "+ofUser, `{"language":"de"}`, no, no, all("200")),
	forRoles("PATCH "+ofUser, `{"groups":["sales","it"]}`, no, no, all("200")),
	forRoles("PATCH "+ofUser, `{"addGroups":["it"],"removeGroups":["sales"]}`, no, no, all("200")),
	forRoles("PATCH "+ofUser, `{"role":"helper","helps":["it"]}`, no, no, all("200").but(self, "conflict")),
	forRoles("POST "+ofUser+shared.PathInvitation, "", no, ofGroup("conflict"), all("conflict")), // they can sign in
	forRoles("POST "+ofUser+shared.PathRecoveryLink, "", no, ofGroup("200"), all("200")),
	forRoles("DELETE "+ofUser+shared.PathLinks, "", no, ofGroup("200"), all("200")),
	forRoles("DELETE "+ofUser+shared.PathSessionsOf, "", no, ofGroup("200"), all("200")),
	forRoles("DELETE "+ofUser+shared.PathSessionsOf+"/{session}", "", no, ofGroup("200"), all("200")),
	forRoles("DELETE "+ofUser+shared.PathPasskeysOf+"{passkey}", "", no, ofGroup("200"), all("200")),
	forRoles("DELETE "+ofUser+shared.PathPasswordOf, "", no, no, all("200")),
	forRoles("DELETE "+ofUser+shared.PathIdentitiesOf+"{identity}", "", no, no, all("200")),
	forRoles("DELETE "+ofUser+shared.PathHoldOf, "", no, no, all("200").but(self, "conflict")),
	forRoles("POST "+ofUser+shared.PathRemoval, `{"name":"{name}"}`, no, no, all("204").but(self, "conflict")),
}

// TestRoles sends each row in every role and about everybody. A refusal changes nothing in the store.
func TestRoles(t *testing.T) {
	served := map[string]bool{"/api/": true} // what no other pattern takes
	for _, r := range rows {
		served[strings.ReplaceAll(r.pattern, "{client}", "{id}")] = true
		c := newCast(t)
		for as, outcomes := range map[string]cells{"": all(r.nobody), "uma": r.user, "aud": r.auditor, "hal": r.helper, "root": r.administrator} {
			for of, want := range outcomes {
				if whose(of) == self || r.isAboutSomebody() {
					c = c.checks(r, as, whose(of), want)
				}
			}
		}
	}
	for _, pattern := range newCast(t).handler.Patterns() {
		if !served[pattern] {
			t.Errorf("no row says who may send %s", pattern)
		}
	}
}

// cast are people of every role, who are all signed in. Each has a password, two passkeys, an
// identity at a provider and a program.
type cast struct {
	*site
	people map[string]*visitor
	stored map[string]string // everything, as it was before the next request
}

func newCast(t *testing.T) *cast {
	c := &cast{site: newSite(t, stores["memstore"], nil), people: map[string]*visitor{"": nil}}
	c.changesRules(func(rules *account.Config) {
		rules.Providers = []account.Provider{{ID: "p", Name: "Provider", Issuer: "https://login.example"}}
	})
	for name, has := range map[string]store.User{
		"uma": {Groups: []string{"sales"}}, "aud": {Role: shared.RoleAuditor}, "root": {Role: shared.RoleAdministrator},
		"hal": {Role: shared.RoleHelper, Helps: []string{"sales"}, Groups: []string{"sales"}},
		"ann": {Groups: []string{"sales"}}, "bob": {Groups: []string{"it"}}, "ada": {Role: shared.RoleAdministrator, Groups: []string{"sales"}},
		"hester": {Role: shared.RoleHelper, Helps: []string{"it"}, Groups: []string{"sales"}}, "otto": {Role: shared.RoleAuditor, Groups: []string{"sales"}},
	} {
		c.people[name] = c.user(name)
		user := c.record(name)
		user.Role, user.Helps, user.Groups = has.Role, has.Helps, has.Groups
		user.Passkeys = []store.Passkey{
			{ID: shortID("passkey of " + name), Name: "Phone", CredentialID: []byte("first of " + name), Verified: true},
			{ID: shortID("another passkey of " + name), Name: "Key", CredentialID: []byte("second of " + name), Verified: true},
		}
		user.Identities = []store.Identity{{ID: shortID("identity of " + name), Issuer: "https://login.example", Subject: name}}
		if err := c.store.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
			t.Fatal(err)
		}
		c.people[name].lets("client:of "+name, shared.ScopeProfile)
	}
	wiki := openid.Client{ID: "wiki", Redirects: []string{"https://wiki.example/cb"}}
	if _, _, err := c.handler.Clients().Add(c.Context(), session.Actor{}, wiki); err != nil {
		t.Fatal(err)
	}
	c.people[""] = c.visitor()
	c.stored = c.everything()
	return c
}

// shortID is the id of something that is called so.
func shortID(what string) string {
	sum := sha256.Sum256([]byte(what))
	return hex.EncodeToString(sum[:12])
}

func (c *cast) record(name string) store.User {
	c.Helper()
	user, err := c.store.UserByName(c.Context(), name)
	if err != nil {
		c.Fatal(err)
	}
	return user
}

// checks sends a request, and compares the outcome. It returns the people for the next one: the same if
// this one was refused, and so has changed nothing.
func (c *cast) checks(r row, as string, of whose, want string) *cast {
	c.Helper()
	a, name := c.sendsRow(r, as, of)
	var problem shared.Problem
	got := strconv.Itoa(a.status)
	if a.status >= 400 && json.Unmarshal(a.body, &problem) == nil {
		got = string(problem.Code)
	}
	if got != want {
		c.Errorf("%s %s by %q about %s: got %s, want %s", r.pattern, r.body, as, name, a, want)
	}
	if a.status < 400 {
		return newCast(c.T)
	}
	before := c.stored
	if c.stored = c.everything(); !maps.Equal(before, c.stored) {
		c.Errorf("%s %s by %q about %s is refused, and changes something:\n%q\nwas %q", r.pattern, r.body, as, name, c.stored, before)
	}
	return c
}

// sendsRow sends the request of a row, and returns the answer with the name of whom it is about.
func (c *cast) sendsRow(r row, as string, of whose) (a answer, name string) {
	c.Helper()
	name = names[of]
	if of == self {
		name = as
	}
	if name == "" {
		name = names[member] // nobody has nothing
	}
	user := c.record(name)
	sessions, err := c.accounts.Sessions().List(c.Context(), session.Actor{User: user})
	if err != nil || len(sessions.Sessions) != 1 {
		c.Fatalf("%s has %d sessions (%v)", name, len(sessions.Sessions), err)
	}
	ids := map[string]string{
		"{passkey}": shortID("passkey of " + name), "{identity}": shortID("identity of " + name), "{session}": sessions.Sessions[0].ID, "{program}": shortID("program client:of " + name), "{provider}": "none", "{client}": "wiki", "{id}": user.ID,
	}
	for prefix, kind := range map[string]string{shared.PathPasskey: "{passkey}", shared.PathIdentity: "{identity}", shared.PathSession: "{session}", shared.PathProgram: "{program}"} {
		if strings.Contains(r.pattern, " "+prefix+"{id}") {
			ids["{id}"] = ids[kind]
		}
	}
	method, path, _ := strings.Cut(r.pattern, " ")
	for _, placeholder := range slices.Sorted(maps.Keys(ids)) {
		path = strings.ReplaceAll(path, placeholder, ids[placeholder])
	}
	var body any
	if r.body != "" {
		body = strings.ReplaceAll(r.body, "{name}", name)
	}
	c.handler.EndStreams() // one that is begun ends at once
	return c.people[as].sends(method, path, body), name
}
