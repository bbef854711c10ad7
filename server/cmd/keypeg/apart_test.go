package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/keypeg/keypeg/server/federation/federationtest"
	"github.com/keypeg/keypeg/server/internal/transfer"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// TestTenantsApart lets Ann of one tenant try everything that she has there at another
// tenant, where a user has her name and her password. Each try is refused, works at home,
// and leaves the other's records as they were.
func TestTenantsApart(t *testing.T) {
	for where, database := range cloudDatabases {
		t.Run(where, func(t *testing.T) { testTenantsApart(t, database(t)) })
	}
}

// tenantUser is a person of one tenant, with a browser there.
type tenantUser struct {
	*tab
	home    *program
	device  *passkeytest.Device
	passkey shared.Passkey
	codes   []string
}

const sharedPassword = "correct horse battery"

// twoTenants are Ann's and another, of one installation. Each has a user with her name and
// her password, and both sign in at the same provider.
type twoTenants struct {
	*program
	ann, other *tenantUser
	empty      string // the link to set up a third tenant, which has no administrator
	people     []federationtest.Person
	secrets    map[string]string // of the other
	before     transfer.Sum      // the other's records, but for events
}

func testTenantsApart(t *testing.T, database string) {
	people := []federationtest.Person{{Subject: "1001", Name: "Ann", Email: "ann@example.com", EmailVerified: true}}
	provider := federationtest.Start(t, people...)
	folder := t.TempDir()
	config := filepath.Join(folder, "keypeg.toml")
	if err := os.WriteFile(filepath.Join(folder, "secret"), []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	table := "issuer = \"" + provider.URL + "\"\nclient-id = \"keypeg\"\nclient-secret-file = \"" + filepath.Join(folder, "secret") + "\"\n"
	err := os.WriteFile(config, []byte("[tenant.acme.provider.one]\n"+table+"[tenant.beta.provider.one]\n"+table), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	p := newCloud(t, database, "--config", config)
	var callbacks []string
	for _, name := range []string{"acme", "beta"} {
		callbacks = append(callbacks, p.at(name).url+shared.PageSSO+"one"+shared.PageSSOAnswer)
	}
	provider.Register(federationtest.Client{ID: "keypeg", Secret: "s3cret", RedirectURIs: callbacks})
	p.starts()
	p.adds("acme")
	p.adds("beta")
	empty := p.adds("empty") // a tenant without an administrator: its link is alive

	c := &twoTenants{program: p, empty: empty, people: people}
	c.ann, c.other = c.moves("acme"), c.moves("beta")
	p.does("", "user", "link", "ann", "one", "1001", "--tenant", "acme", "--config", config)

	// A wrong password or code becomes a line of the activity of whom it was tried for, some
	// seconds later. So events are counted at the end.
	var whole transfer.Sum
	whole, c.secrets = p.records("beta")
	c.before, _ = p.records("beta", store.KindEvent)

	for _, test := range []struct {
		claim string
		holds func(*twoTenants, *testing.T)
	}{
		{"each has secrets of its own", (*twoTenants).haveOwnSecrets},
		{"a session is of use at home only", (*twoTenants).keepSessions},
		{"tickets of ceremonies are of use at home only", (*twoTenants).keepTickets},
		{"ids of users, passkeys and sessions are unknown elsewhere", (*twoTenants).keepIDs},
		{"recovery codes are of use at home only", (*twoTenants).keepRecoveryCodes},
		{"a set-up link is of use at home only", (*twoTenants).keepSetupLinks},
		{"enrolment links are of use at home only", (*twoTenants).keepEnrolmentLinks},
		{"an authorization request is of use at home only", (*twoTenants).keepAuthorizationRequests},
		{"a change at one tenant does nothing at the other", (*twoTenants).keepChanges},
	} {
		t.Run(test.claim, func(t *testing.T) { test.holds(c, t) })
	}
	p.ends(syscall.SIGTERM)
	const events = 4 // a wrong code, a wrong password, and the other's own sign-ins
	if after, _ := p.records("beta"); after.Counts[store.KindEvent] != whole.Counts[store.KindEvent]+events {
		t.Errorf("the other tenant has the events %v, and had %v before", after.Counts, whole.Counts)
	}
	if mine, its := p.leftOf("acme"), p.leftOf("beta"); mine == 0 || its == 0 {
		t.Error(fmt.Sprint("no records: ", mine, its))
	}
}

// moves adds a user to a tenant, who has every sign-in method there.
func (c *twoTenants) moves(name string) *tenantUser {
	c.Helper()
	c.does(sharedPassword+"\n", "user", "add", "ann", "--tenant", name)
	home := c.at(name)
	r := &tenantUser{home: home, device: passkeytest.New(home.url)}
	r.tab = home.opensTab(r.device, "")
	if _, err := r.SignInWithPassword(c.Context(), "ann", sharedPassword); err != nil {
		c.Fatal(err)
	}
	var err error
	if r.passkey, err = r.steps.Register(c.Context(), "Laptop", ""); err != nil {
		c.Fatal(err)
	}
	codes, err := r.MakeRecoveryCodes(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	r.codes = codes.Codes
	return r
}

// visits is a browser at the other tenant, with all cookies that Ann's has at home.
func (c *twoTenants) visits() *tab {
	c.Helper()
	browser := c.at("beta").opensTab(c.ann.device, "")
	browser.jar.SetCookies(browser.site, c.ann.jar.Cookies(c.ann.site))
	return browser
}

// isUnchanged checks the other tenant's records.
func (c *twoTenants) isUnchanged(t *testing.T) {
	t.Helper()
	if after, _ := c.records("beta", store.KindEvent); !after.Same(c.before) {
		t.Errorf("the other tenant's records were changed: %v, %v", c.before.Counts, after.Counts)
	}
}

func refused(t *testing.T, what string, err error, code shared.Code) {
	t.Helper()
	if shared.CodeOf(err) != code {
		t.Errorf("%s: got %v, want %s", what, err, code)
	}
}

func works(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func (c *twoTenants) haveOwnSecrets(t *testing.T) {
	_, mySecrets := c.records("acme")
	if len(mySecrets) < 3 || !slices.Equal(slices.Sorted(maps.Keys(mySecrets)), slices.Sorted(maps.Keys(c.secrets))) {
		t.Fatalf("%d and %d secrets", len(mySecrets), len(c.secrets))
	}
	for name, value := range mySecrets {
		if value == c.secrets[name] {
			t.Errorf("both have the same %s", name)
		}
	}
}

func (c *twoTenants) keepSessions(t *testing.T) {
	_, err := c.visits().Account(t.Context())
	refused(t, "her session", err, shared.CodeUnauthenticated)
	_, err = c.visits().Passkeys(t.Context())
	refused(t, "her passkeys", err, shared.CodeUnauthenticated)
	_, err = c.visits().EndOtherSessions(t.Context())
	refused(t, "ending sessions", err, shared.CodeUnauthenticated)
	if status, _ := c.gets(c.host("beta"), shared.PathLive, "Cookie", "keypeg="+c.ann.token()); status != 401 {
		t.Errorf("a stream of changes: %d", status)
	}
	if status, _ := c.gets(c.host("acme"), shared.PathLive+"x", "Cookie", "keypeg="+c.ann.token()); status != 404 {
		t.Errorf("at home: %d", status)
	}
	_, err = c.ann.Account(t.Context())
	works(t, "at home", err)
	c.isUnchanged(t)
}

func (c *twoTenants) keepTickets(t *testing.T) {
	// Signing in: the ticket and the answer of home.
	browser := c.at("acme").opensTab(c.ann.device, "")
	begun, err := browser.BeginSignIn(t.Context(), "")
	works(t, "beginning", err)
	proof, err := c.ann.device.Get(begun.PublicKey)
	works(t, "the device", err)
	there := c.at("beta").opensTab(c.ann.device, "")
	there.jar.SetCookies(there.site, browser.jar.Cookies(browser.site))
	_, err = there.FinishSignIn(t.Context(), shared.FinishCeremony{Ticket: begun.Ticket, Credential: proof})
	refused(t, "a sign-in of home", err, shared.CodeCeremonyRefused)
	_, err = browser.FinishSignIn(t.Context(), shared.FinishCeremony{Ticket: begun.Ticket, Credential: proof})
	works(t, "finishing it at home", err)

	// The other's ticket and challenge, answered by Ann's passkey as if it were theirs.
	theirs, err := there.BeginSignIn(t.Context(), "")
	works(t, "beginning there", err)
	var options struct{ Challenge string }
	if err := json.Unmarshal(theirs.PublicKey, &options); err != nil {
		t.Fatal(err)
	}
	again, err := browser.BeginSignIn(t.Context(), "")
	works(t, "beginning again", err)
	lie, err := c.ann.device.Get(again.PublicKey, passkeytest.WithChallenge(options.Challenge),
		passkeytest.WithOrigin(c.at("beta").url), passkeytest.WithRPID("beta.localhost"))
	works(t, "the lying device", err)
	_, err = there.FinishSignIn(t.Context(), shared.FinishCeremony{Ticket: theirs.Ticket, Credential: lie})
	refused(t, "her passkey with the other's challenge", err, shared.CodeCeremonyRefused)

	// Confirming and registering, as the one who is signed in there.
	confirming, err := c.ann.BeginConfirmation(t.Context())
	works(t, "beginning to confirm", err)
	proof, err = c.ann.device.Get(confirming.PublicKey)
	works(t, "the device", err)
	_, err = c.other.FinishConfirmation(t.Context(), shared.FinishCeremony{Ticket: confirming.Ticket, Credential: proof})
	refused(t, "a confirmation of home", err, shared.CodeCeremonyRefused)
	registering, err := c.ann.BeginRegistration(t.Context(), shared.BeginRegistration{})
	works(t, "beginning to register", err)
	second := passkeytest.New(c.ann.home.url)
	made, err := second.Create(registering.PublicKey)
	works(t, "the second device", err)
	_, err = c.other.FinishRegistration(t.Context(), shared.FinishRegistration{FinishCeremony: shared.FinishCeremony{Ticket: registering.Ticket, Credential: made}})
	refused(t, "a registration of home", err, shared.CodeCeremonyRefused)
	_, err = c.ann.FinishRegistration(t.Context(), shared.FinishRegistration{FinishCeremony: shared.FinishCeremony{Ticket: registering.Ticket, Credential: made}})
	works(t, "registering at home", err)
	c.isUnchanged(t)
}

func (c *twoTenants) keepIDs(t *testing.T) {
	_, err := c.other.RenamePasskey(t.Context(), c.ann.passkey.ID, "Mine")
	refused(t, "renaming her passkey", err, shared.CodeNotFound)
	_, err = c.other.RemovePasskey(t.Context(), c.ann.passkey.ID, true)
	refused(t, "removing her passkey", err, shared.CodeNotFound)
	sessions, err := c.ann.Sessions(t.Context())
	works(t, "her sessions", err)
	for _, session := range sessions.Sessions {
		_, err = c.other.EndSession(t.Context(), session.ID)
		refused(t, "ending her session", err, shared.CodeNotFound)
	}
	mine, err := c.ann.Account(t.Context())
	works(t, "at home", err)
	its, err := c.other.Account(t.Context())
	works(t, "there", err)
	if mine.User.ID == its.User.ID || c.ann.passkey.ID == c.other.passkey.ID {
		t.Error("both have the same ids")
	}
	list, err := c.ann.Passkeys(t.Context())
	works(t, "her passkeys at home", err)
	if len(list.Passkeys) != 2 || list.Passkeys[0].Name != "Laptop" {
		t.Errorf("her passkeys: %+v", list)
	}
	c.isUnchanged(t)
}

func (c *twoTenants) keepRecoveryCodes(t *testing.T) {
	signsIn := func(at *program, code string) error {
		browser := at.opensTab(nil, "")
		body, err := json.Marshal(shared.RecoverySignIn{Name: "ann", Code: code})
		if err != nil {
			t.Fatal(err)
		}
		status, answer, err := (&transport{origin: at.url, client: browser.client}).Send(t.Context(), "POST", shared.PathSignInRecovery, body)
		var problem shared.Problem
		if json.Unmarshal(answer, &problem); status != 200 {
			return shared.Errorf(problem.Code, "%s", problem.Detail)
		}
		return err
	}
	refused(t, "her code", signsIn(c.at("beta"), c.ann.codes[0]), shared.CodeSignInRefused)
	works(t, "her code at home", signsIn(c.at("acme"), c.ann.codes[0]))
	c.isUnchanged(t)
}

func (c *twoTenants) keepSetupLinks(t *testing.T) {
	link, err := url.Parse(c.empty)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"acme", "beta"} {
		if status, body := c.gets(c.host(name), link.RequestURI()); status != 404 {
			t.Errorf("the link of another tenant: %d %s", status, body)
		}
	}
	if status, body := c.gets(c.host("empty"), link.RequestURI()); status != 303 {
		t.Errorf("at home: %d %s", status, body)
	}
	token := link.Query().Get("token")
	if status, _ := c.gets(c.host("beta"), "/setup", "Cookie", "keypeg-setup="+token); status != 404 {
		t.Errorf("its cookie: %d", status)
	}
	c.isUnchanged(t)
}

func (c *twoTenants) keepEnrolmentLinks(t *testing.T) {
	phone, err := c.ann.MakePhoneLink(t.Context())
	works(t, "a phone link", err)
	for what, printed := range map[string]string{
		"an invitation":   c.does("", "user", "invite", "carl", "--tenant", "acme"),
		"a recovery link": c.does("", "user", "recovery-link", "ann", "--tenant", "acme"),
		"a phone link":    phone.URL,
	} {
		link, err := url.Parse(regexp.MustCompile(`http://\S+\?token=\S+`).FindString(printed))
		if err != nil || link.Path != shared.PageEnrol {
			t.Fatalf("%s: %q", what, printed)
		}
		if status, _ := c.gets(c.host("beta"), link.RequestURI()); status != 404 {
			t.Errorf("%s: %d", what, status)
		}
		cookie := "keypeg-enrol=" + link.Query().Get("token")
		if status, _ := c.gets(c.host("beta"), shared.PageEnrol, "Cookie", cookie); status != 404 {
			t.Errorf("the cookie of %s: %d", what, status)
		}
		if status, _ := c.gets(c.host("acme"), shared.PageEnrol, "Cookie", cookie); status != 200 {
			t.Errorf("the cookie of %s at home: %d", what, status)
		}
	}
	c.isUnchanged(t)
}

func (c *twoTenants) keepAuthorizationRequests(t *testing.T) {
	// Both have the same provider, and it knows Ann; at the other she isn't linked.
	leaves := func(at *program) (browser *tab, back string) {
		t.Helper()
		browser = at.opensTab(nil, "")
		browser.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		out, err := browser.client.Get(at.url + shared.PageSSO + "one")
		if err != nil {
			t.Fatal(err)
		}
		out.Body.Close()
		return browser, answersAt(t, out.Header.Get("Location"), c.people[0], strings.TrimPrefix(at.url, "http://"))
	}
	returns := func(browser *tab, address string) (signedIn bool) {
		t.Helper()
		out, err := browser.client.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, out.Body)
		out.Body.Close()
		return browser.token() != ""
	}
	browser, back := leaves(c.at("acme"))
	there := c.at("beta").opensTab(nil, "")
	there.client.CheckRedirect = browser.client.CheckRedirect
	there.jar.SetCookies(there.site, browser.jar.Cookies(browser.site))
	if returns(there, c.at("beta").url+back) {
		t.Error("an authorization request of home ended in a session of the other")
	}
	if !returns(browser, c.at("acme").url+back) {
		t.Error("at home it didn't")
	}
	if browser, back = leaves(c.at("beta")); returns(browser, c.at("beta").url+back) {
		t.Error("who is linked at one tenant signed in at the other")
	}
	c.isUnchanged(t)
}

func (c *twoTenants) keepChanges(t *testing.T) {
	if err := c.ann.ChangePassword(t.Context(), "another battery staple"); err != nil {
		t.Fatal(err)
	}
	_, err := c.at("beta").opensTab(nil, "").SignInWithPassword(t.Context(), "ann", "another battery staple")
	refused(t, "her new password", err, shared.CodeSignInRefused)
	c.does("", "user", "disable", "ann", "--tenant", "acme")
	c.isUnchanged(t)
	_, err = c.other.Account(t.Context())
	works(t, "the other, after Ann was shut out", err)
	_, err = c.at("beta").opensTab(nil, "").SignInWithPassword(t.Context(), "ann", sharedPassword)
	works(t, "the other's password", err)
	_, err = c.at("beta").opensTab(c.other.device, "").steps.SignIn(t.Context())
	works(t, "the other's passkey", err)
}

// answersAt is what a person does at the provider. It returns the path at host that
// they are sent back to.
func answersAt(t *testing.T, address string, who federationtest.Person, host string) (back string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	there := http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == host {
			back = r.URL.RequestURI()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := there.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	page.Body.Close()
	chosen, err := there.PostForm(page.Request.URL.String(), url.Values{"id": page.Request.URL.Query()["id"], "subject": {who.Subject}})
	if err != nil {
		t.Fatal(err)
	}
	chosen.Body.Close()
	if back == "" {
		t.Fatalf("the provider didn't send anybody back: %s", chosen.Status)
	}
	return back
}
