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
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// TestTenantsApart lets Ann of one tenant try everything that she has there at
// another, where somebody has her name and her password. Each try is refused, works
// at home, and leaves the other's records as they were.
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

	moves := func(name string) *tenantUser {
		t.Helper()
		p.does(sharedPassword+"\n", "user", "add", "ann", "--tenant", name)
		home := p.at(name)
		r := &tenantUser{home: home, device: passkeytest.New(home.url)}
		r.tab = home.opensTab(r.device, "")
		if _, err := r.SignInWithPassword(t.Context(), "ann", sharedPassword); err != nil {
			t.Fatal(err)
		}
		if r.passkey, err = r.steps.Register(t.Context(), "Laptop"); err != nil {
			t.Fatal(err)
		}
		codes, err := r.MakeRecoveryCodes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r.codes = codes.Codes
		return r
	}
	ann, other := moves("acme"), moves("beta")
	p.does("", "user", "link", "ann", "one", "1001", "--tenant", "acme", "--config", config)

	// visits is a browser at the other's host with all cookies that Ann's has at home.
	visits := func(with ...*http.Cookie) *tab {
		t.Helper()
		browser := p.at("beta").opensTab(ann.device, "")
		browser.jar.SetCookies(browser.site, append(ann.jar.Cookies(ann.site), with...))
		return browser
	}
	refused := func(what string, err error, codes ...shared.Code) {
		t.Helper()
		if !slices.Contains(codes, shared.CodeOf(err)) {
			t.Errorf("%s: got %v, want one of %v", what, err, codes)
		}
	}
	works := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	// A wrong password or code becomes a line of the activity of whom it was tried for, some
	// seconds later. So events are counted at the end.
	whole, itsSecrets := p.records("beta")
	before, _ := p.records("beta", store.KindEvent)
	unchanged := func(t *testing.T) {
		t.Helper()
		if after, _ := p.records("beta", store.KindEvent); !after.Same(before) {
			t.Errorf("the other tenant's records were changed: %v, %v", before.Counts, after.Counts)
		}
	}

	t.Run("each has secrets of its own", func(t *testing.T) {
		_, mySecrets := p.records("acme")
		if len(mySecrets) < 3 || !slices.Equal(slices.Sorted(maps.Keys(mySecrets)), slices.Sorted(maps.Keys(itsSecrets))) {
			t.Fatalf("%d and %d secrets", len(mySecrets), len(itsSecrets))
		}
		for name, value := range mySecrets {
			if value == itsSecrets[name] {
				t.Errorf("both have the same %s", name)
			}
		}
	})
	t.Run("a session", func(t *testing.T) {
		_, err := visits().Account(t.Context())
		refused("her session", err, shared.CodeUnauthenticated)
		_, err = visits().Passkeys(t.Context())
		refused("her passkeys", err, shared.CodeUnauthenticated)
		_, err = visits().EndOtherSessions(t.Context())
		refused("ending sessions", err, shared.CodeUnauthenticated)
		if status, _ := p.gets(p.host("beta"), shared.PathLive, "Cookie", "keypeg="+ann.token()); status != 401 {
			t.Errorf("a stream of changes: %d", status)
		}
		if status, _ := p.gets(p.host("acme"), shared.PathLive+"x", "Cookie", "keypeg="+ann.token()); status != 404 {
			t.Errorf("at home: %d", status)
		}
		_, err = ann.Account(t.Context())
		works("at home", err)
		unchanged(t)
	})
	t.Run("tickets of ceremonies", func(t *testing.T) {
		// Signing in: the ticket and the answer of home.
		browser := p.at("acme").opensTab(ann.device, "")
		begun, err := browser.BeginSignIn(t.Context(), "")
		works("beginning", err)
		proof, err := ann.device.Get(begun.PublicKey)
		works("the device", err)
		there := p.at("beta").opensTab(ann.device, "")
		there.jar.SetCookies(there.site, browser.jar.Cookies(browser.site))
		_, err = there.FinishSignIn(t.Context(), shared.FinishCeremony{Ticket: begun.Ticket, Credential: proof})
		refused("a sign-in of home", err, shared.CodeCeremonyRefused)
		_, err = browser.FinishSignIn(t.Context(), shared.FinishCeremony{Ticket: begun.Ticket, Credential: proof})
		works("finishing it at home", err)

		// The other's ticket and challenge, answered by Ann's passkey as if it were theirs.
		theirs, err := there.BeginSignIn(t.Context(), "")
		works("beginning there", err)
		var options struct{ Challenge string }
		if err := json.Unmarshal(theirs.PublicKey, &options); err != nil {
			t.Fatal(err)
		}
		again, err := browser.BeginSignIn(t.Context(), "")
		works("beginning again", err)
		lie, err := ann.device.Get(again.PublicKey, passkeytest.WithChallenge(options.Challenge),
			passkeytest.WithOrigin(p.at("beta").url), passkeytest.WithRPID("beta.localhost"))
		works("the lying device", err)
		_, err = there.FinishSignIn(t.Context(), shared.FinishCeremony{Ticket: theirs.Ticket, Credential: lie})
		refused("her passkey with the other's challenge", err, shared.CodeCeremonyRefused)

		// Confirming and registering, as the one who is signed in there.
		confirming, err := ann.BeginConfirmation(t.Context())
		works("beginning to confirm", err)
		proof, err = ann.device.Get(confirming.PublicKey)
		works("the device", err)
		_, err = other.FinishConfirmation(t.Context(), shared.FinishCeremony{Ticket: confirming.Ticket, Credential: proof})
		refused("a confirmation of home", err, shared.CodeCeremonyRefused)
		registering, err := ann.BeginRegistration(t.Context(), "")
		works("beginning to register", err)
		second := passkeytest.New(ann.home.url)
		made, err := second.Create(registering.PublicKey)
		works("the second device", err)
		_, err = other.FinishRegistration(t.Context(), shared.FinishRegistration{FinishCeremony: shared.FinishCeremony{Ticket: registering.Ticket, Credential: made}})
		refused("a registration of home", err, shared.CodeCeremonyRefused)
		_, err = ann.FinishRegistration(t.Context(), shared.FinishRegistration{FinishCeremony: shared.FinishCeremony{Ticket: registering.Ticket, Credential: made}})
		works("registering at home", err)
		unchanged(t)
	})
	t.Run("ids of users, passkeys and sessions", func(t *testing.T) {
		_, err := other.RenamePasskey(t.Context(), ann.passkey.ID, "Mine")
		refused("renaming her passkey", err, shared.CodeNotFound)
		_, err = other.RemovePasskey(t.Context(), ann.passkey.ID, true)
		refused("removing her passkey", err, shared.CodeNotFound)
		sessions, err := ann.Sessions(t.Context())
		works("her sessions", err)
		for _, session := range sessions.Sessions {
			_, err = other.EndSession(t.Context(), session.ID)
			refused("ending her session", err, shared.CodeNotFound)
		}
		mine, err := ann.Account(t.Context())
		works("at home", err)
		its, err := other.Account(t.Context())
		works("there", err)
		if mine.User.ID == its.User.ID || ann.passkey.ID == other.passkey.ID {
			t.Error("both have the same ids")
		}
		list, err := ann.Passkeys(t.Context())
		works("her passkeys at home", err)
		if len(list.Passkeys) != 2 || list.Passkeys[0].Name != "Laptop" {
			t.Errorf("her passkeys: %+v", list)
		}
		unchanged(t)
	})
	t.Run("recovery codes", func(t *testing.T) {
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
		refused("her code", signsIn(p.at("beta"), ann.codes[0]), shared.CodeSignInRefused)
		works("her code at home", signsIn(p.at("acme"), ann.codes[0]))
		unchanged(t)
	})
	t.Run("a set-up link", func(t *testing.T) {
		link, err := url.Parse(empty)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"acme", "beta"} {
			if status, body := p.gets(p.host(name), link.RequestURI()); status != 404 {
				t.Errorf("the link of another tenant: %d %s", status, body)
			}
		}
		if status, body := p.gets(p.host("empty"), link.RequestURI()); status != 303 {
			t.Errorf("at home: %d %s", status, body)
		}
		token := link.Query().Get("token")
		if status, _ := p.gets(p.host("beta"), "/setup", "Cookie", "keypeg-setup="+token); status != 404 {
			t.Errorf("its cookie: %d", status)
		}
		unchanged(t)
	})
	t.Run("enrolment links", func(t *testing.T) {
		phone, err := ann.MakePhoneLink(t.Context())
		works("a phone link", err)
		for what, printed := range map[string]string{
			"an invitation":   p.does("", "user", "invite", "carl", "--tenant", "acme"),
			"a recovery link": p.does("", "user", "recovery-link", "ann", "--tenant", "acme"),
			"a phone link":    phone.URL,
		} {
			link, err := url.Parse(regexp.MustCompile(`http://\S+\?token=\S+`).FindString(printed))
			if err != nil || link.Path != shared.PageEnrol {
				t.Fatalf("%s: %q", what, printed)
			}
			if status, _ := p.gets(p.host("beta"), link.RequestURI()); status != 404 {
				t.Errorf("%s: %d", what, status)
			}
			cookie := "keypeg-enrol=" + link.Query().Get("token")
			if status, _ := p.gets(p.host("beta"), shared.PageEnrol, "Cookie", cookie); status != 404 {
				t.Errorf("the cookie of %s: %d", what, status)
			}
			if status, _ := p.gets(p.host("acme"), shared.PageEnrol, "Cookie", cookie); status != 200 {
				t.Errorf("the cookie of %s at home: %d", what, status)
			}
		}
		unchanged(t)
	})
	t.Run("a trip to an OpenID provider", func(t *testing.T) {
		// Both have the same provider, and it knows Ann; at the other she isn't linked.
		trip := func(at *program) (browser *tab, back string) {
			t.Helper()
			browser = at.opensTab(nil, "")
			browser.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			out, err := browser.client.Get(at.url + shared.PageSSO + "one")
			if err != nil {
				t.Fatal(err)
			}
			out.Body.Close()
			return browser, answersAt(t, out.Header.Get("Location"), people[0], strings.TrimPrefix(at.url, "http://"))
		}
		comesBack := func(browser *tab, address string) (signedIn bool) {
			t.Helper()
			out, err := browser.client.Get(address)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, out.Body)
			out.Body.Close()
			return browser.token() != ""
		}
		browser, back := trip(p.at("acme"))
		there := p.at("beta").opensTab(nil, "")
		there.client.CheckRedirect = browser.client.CheckRedirect
		there.jar.SetCookies(there.site, browser.jar.Cookies(browser.site))
		if comesBack(there, p.at("beta").url+back) {
			t.Error("a trip of home ended in a session of the other")
		}
		if !comesBack(browser, p.at("acme").url+back) {
			t.Error("at home it didn't")
		}
		if browser, back = trip(p.at("beta")); comesBack(browser, p.at("beta").url+back) {
			t.Error("who is linked at one tenant signed in at the other")
		}
		unchanged(t)
	})
	t.Run("what changes at one wakes nobody at the other", func(t *testing.T) {
		if err := ann.ChangePassword(t.Context(), "another battery staple"); err != nil {
			t.Fatal(err)
		}
		_, err := p.at("beta").opensTab(nil, "").SignInWithPassword(t.Context(), "ann", "another battery staple")
		refused("her new password", err, shared.CodeSignInRefused)
		p.does("", "user", "disable", "ann", "--tenant", "acme")
		unchanged(t)
		_, err = other.Account(t.Context())
		works("the other, after Ann was shut out", err)
		_, err = p.at("beta").opensTab(nil, "").SignInWithPassword(t.Context(), "ann", sharedPassword)
		works("the other's password", err)
		_, err = p.at("beta").opensTab(other.device, "").steps.SignIn(t.Context())
		works("the other's passkey", err)
	})
	p.ends(syscall.SIGTERM)
	const events = 4 // a wrong code, a wrong password, and the other's own sign-ins
	if after, _ := p.records("beta"); after.Counts[store.KindEvent] != whole.Counts[store.KindEvent]+events {
		t.Errorf("the other tenant has the events %v, and had %v before", after.Counts, whole.Counts)
	}
	if mine, its := p.leftOf("acme"), p.leftOf("beta"); mine == 0 || its == 0 {
		t.Error(fmt.Sprint("no records: ", mine, its))
	}
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
