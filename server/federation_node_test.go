package server_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/shared"
)

// TestFederationNode signs in at a second real provider, of other people's making: oidc-provider on Node, which the OpenID
// Foundation has certified.
func TestFederationNode(t *testing.T) {
	folder, err := filepath.Abs("../bin/oidc-provider")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules/oidc-provider")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("oidc-provider is missing: run make tools")
		}
		t.Skip("oidc-provider is missing: run make tools")
	}
	callback := origin + shared.PageSSO + "node" + shared.PageSSOAnswer
	program := exec.CommandContext(t.Context(), "node", "testdata/oidc-provider.mjs", folder, callback)
	var faults strings.Builder
	program.Stderr = &faults
	in, err := program.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); program.Wait() })
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	issuer, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("oidc-provider: %v\n%s", err, faults.String())
	}
	issuer = strings.TrimSpace(issuer)

	s := newScene(t, stores["memstore"])
	s.changesRules(func(c *account.Config) {
		c.Providers = append(c.Providers, account.Provider{ID: "node", Name: "Node", Issuer: issuer, CreateUsers: true, Domains: []string{"example.com"}})
	})
	s.restarts(func(c *server.Config) {
		c.Providers = append(c.Providers, federation.New(federation.Config{ID: "node", Name: "Node", Issuer: issuer, ClientID: "keypeg", Secret: "s3cret", Patience: time.Minute}, callback, s.now))
	})
	for _, again := range []bool{false, true} { // a new user, and the same one
		dan := s.visitor()
		answer := dan.sends("GET", signedInAtNode(t, dan.sends("GET", shared.PageSSO+"node", nil).header.Get("Location"), "1004"), nil)
		if answer.status != http.StatusSeeOther || answer.header.Get("Location") != "/" {
			t.Fatalf("again %t: %s %v\n%s", again, answer, answer.header, s.log)
		}
		if is := into[shared.Account](dan, dan.sends("GET", shared.PathAccount, nil), 200); is.User.DisplayName != "Dan Doe" {
			t.Errorf("signed in as %+v", is.User)
		}
	}
}

var formAction = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)

// signedInAtNode is what a person does on the pages of oidc-provider. It returns where they are sent back to.
func signedInAtNode(t *testing.T, address, subject string) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	back := ""
	there := http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == siteURL.Host {
			back = r.URL.RequestURI()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := there.Get(address)
	for _, form := range []url.Values{{"prompt": {"login"}, "login": {subject}, "password": {"x"}}, {"prompt": {"consent"}}} {
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(page.Body)
		page.Body.Close()
		action := formAction.FindSubmatch(body)
		if page.StatusCode != 200 || action == nil {
			t.Fatalf("oidc-provider shows %s %s", page.Status, body)
		}
		page, err = there.PostForm(string(action[1]), form)
	}
	if err != nil {
		t.Fatal(err)
	}
	page.Body.Close()
	if back == "" {
		t.Fatalf("oidc-provider sent nobody back: %s", page.Status)
	}
	return back
}
