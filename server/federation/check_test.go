package federation_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/federation/federationtest"
)

const callback = "https://id.example.com/sign-in/sso/one/callback"

// mayFail is what IT reads of a failure that others may not meet: the check sees the page
// where people sign in without a browser, and the time in one header.
const mayFail = `msg="sign-ins at an OpenID provider may fail until this is mended"`

// TestCheck checks what IT reads when the server starts, of each provider where sign-ins
// will fail.
func TestCheck(t *testing.T) {
	moved := func(by time.Duration) func(*federation.Config, *federationtest.Provider, *time.Duration) {
		return func(_ *federation.Config, _ *federationtest.Provider, ahead *time.Duration) { *ahead = by }
	}
	answers := func(path string, change func(*federationtest.Answer)) func(*federation.Config, *federationtest.Provider, *time.Duration) {
		return func(_ *federation.Config, p *federationtest.Provider, _ *time.Duration) { p.Changes(path, change) }
	}
	says := func(status int, kind, body string) func(*federationtest.Answer) {
		return func(a *federationtest.Answer) { a.Says(status, kind, body) }
	}
	set := func(name string, value any) func(*federationtest.Answer) {
		return func(a *federationtest.Answer) { a.Set(name, value) }
	}
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)

	for what, row := range map[string]struct {
		change func(*federation.Config, *federationtest.Provider, *time.Duration)
		warns  []string // of the one warning; none: there is no warning
	}{
		"a provider that works":      {},
		"clocks a little apart":      {change: moved(-20 * time.Second)},
		"a clock ten minutes behind": {moved(10 * time.Minute), []string{"the provider's clock and this machine's are about", "NTP", mayFail}},
		"a clock ten minutes ahead":  {moved(-10 * time.Minute), []string{"the provider's clock and this machine's are about", "NTP", mayFail}},
		"an issuer with a slash":     {func(c *federation.Config, _ *federationtest.Provider, _ *time.Duration) { c.Issuer += "/" }, []string{`mend="write issuer = \"http://localhost:`, `calls itself`}},
		"an issuer with a path":      {func(c *federation.Config, _ *federationtest.Provider, _ *time.Duration) { c.Issuer += "/realms/x" }, []string{"404", "issuer must be the address before /.well-known/"}},
		"an issuer of another scheme": {func(c *federation.Config, _ *federationtest.Provider, _ *time.Duration) {
			c.Issuer = strings.Replace(c.Issuer, "http:", "https:", 1)
		}, []string{"speaks http where https was expected"}},
		"a template for an issuer":     {answers(federationtest.PathDiscovery, set("issuer", "https://login.microsoftonline.com/{tenantid}/v2.0")), []string{"calls itself", "ask the provider for its issuer"}},
		"no issuer":                    {answers(federationtest.PathDiscovery, set("issuer", nil)), []string{"ask the provider for its issuer"}},
		"an unknown certificate":       {func(c *federation.Config, _ *federationtest.Provider, _ *time.Duration) { c.Issuer = secure.URL }, []string{"SSL_CERT_FILE"}},
		"a page in place of discovery": {answers(federationtest.PathDiscovery, says(200, "text/html", "<html>")), []string{"isn't JSON"}},
		"discovery elsewhere": {answers(federationtest.PathDiscovery, func(a *federationtest.Answer) {
			a.Redirects(301, "https://www.example.com/.well-known/openid-configuration")
		}), []string{"redirects to https://www.example.com/"}},
		"no keys": {answers(federationtest.PathKeys, says(200, "application/json", `{"keys":[]}`)), []string{"no key that we can read"}},
		"an address that it doesn't know": {func(_ *federation.Config, p *federationtest.Provider, _ *time.Duration) {
			p.Register(federationtest.Client{ID: "keypeg", Secret: "s3cret", RedirectURIs: []string{callback + "/"}})
		}, []string{"register the redirect URI " + callback, mayFail}},
		"a client that it doesn't know": {func(c *federation.Config, _ *federationtest.Provider, _ *time.Duration) { c.ClientID = "other" }, []string{"client-id", mayFail}},
		"a client that may not do this": {answers(federationtest.PathAuthorize, func(a *federationtest.Answer) { a.Redirects(302, callback+"?error=unauthorized_client&state=check") }), []string{"unauthorized_client", "authorization code flow", mayFail}},
		"a page that asks nobody":       {change: answers(federationtest.PathAuthorize, says(200, "text/html", "<html>"))},
		"an error page, as Google's":    {answers(federationtest.PathAuthorize, func(a *federationtest.Answer) { a.Redirects(302, "/signin/oauth/error/v2?authError=x") }), []string{"register the redirect URI", mayFail}},
		"an answer that was kept for a day": {change: answers(federationtest.PathDiscovery, func(a *federationtest.Answer) {
			a.Header.Set("Date", time.Now().Add(-24*time.Hour).UTC().Format(http.TimeFormat))
		})},
		"a sign-in that is needed": {change: answers(federationtest.PathAuthorize, func(a *federationtest.Answer) { a.Redirects(302, callback+"?error=login_required&state=check") })},
		"a wrong secret":           {answers(federationtest.PathToken, says(401, "application/json", `{"error":"invalid_client"}`)), []string{"client-secret-file", "invalid_client"}},
		"a made-up code":           {change: answers(federationtest.PathToken, says(400, "application/json", `{"error":"invalid_grant"}`))},
		"away":                     {func(_ *federation.Config, p *federationtest.Provider, _ *time.Duration) { p.IsAway(true) }, []string{"503", "whether this machine reaches the provider"}},
		"nobody at the port": {func(c *federation.Config, _ *federationtest.Provider, _ *time.Duration) {
			c.Issuer = "http://localhost:1"
		}, []string{"refused", "whether this machine reaches the provider"}},
	} {
		t.Run(what, func(t *testing.T) {
			provider := federationtest.Start(t)
			provider.Register(federationtest.Client{ID: "keypeg", Secret: "s3cret", RedirectURIs: []string{callback}})
			config := federation.Config{ID: "one", Name: "ONE", Issuer: provider.URL, ClientID: "keypeg", Secret: "s3cret", Patience: time.Minute}
			var ahead time.Duration
			if row.change != nil {
				row.change(&config, provider, &ahead)
			}
			var out bytes.Buffer
			log := slog.New(slog.NewTextHandler(&out, nil))
			federation.CheckAll(t.Context(), log, []*federation.Provider{federation.New(config, callback, func() time.Time { return time.Now().Add(ahead) })})

			output := out.String()
			if lines := strings.Count(output, "\n"); lines != min(len(row.warns), 1) {
				t.Errorf("%d lines:\n%s", lines, output)
			}
			wants := append(row.warns, "level=WARN", "provider=one")
			if !slices.Contains(wants, mayFail) {
				wants = append(wants, `msg="nobody can sign in at an OpenID provider"`)
			}
			for _, want := range wants {
				if len(row.warns) > 0 && !strings.Contains(output, want) {
					t.Errorf("it lacks %q:\n%s", want, output)
				}
			}
			if strings.Contains(output, "s3cret") {
				t.Errorf("it tells the secret:\n%s", output)
			}
		})
	}
}

// TestConfig checks what the start refuses.
func TestConfig(t *testing.T) {
	good := federation.Config{ID: "one", Name: "ONE", Issuer: "https://login.example.com", ClientID: "keypeg", Secret: "x"}
	for issuer, want := range map[string]string{
		"https://login.example.com":              "",
		"https://login.example.com/realms/staff": "",
		"https://login.example.com/":             "",
		"http://localhost:9096":                  "",
		"http://[::1]:9096":                      "",
		"https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0": "",
		"http://login.example.com":                                   "must begin with https://",
		"login.example.com":                                          "needs an issuer such as",
		"https://login.example.com?x=1":                              "needs an issuer such as",
		"https://login.example.com/#":                                "needs an issuer such as",
		"https://ann:pw@login.example.com":                           "needs an issuer such as",
		" https://login.example.com":                                 "needs an issuer such as",
		"javascript:alert(1)":                                        "needs an issuer such as",
		"https://login.example.com/.well-known/openid-configuration": `write issuer = "https://login.example.com"`,
		"https://login.microsoftonline.com/common/v2.0":              "TENANT-ID",
		"https://login.microsoftonline.com/organizations/v2.0":       "TENANT-ID",
		"https://login.microsoftonline.com/Consumers/v2.0":           "TENANT-ID",
		"https://login.microsoftonline.com/{tenantid}/v2.0":          "TENANT-ID",
		"https://login.microsoftonline.us/common/v2.0":               "https://login.microsoftonline.us/TENANT-ID/v2.0",
	} {
		config := good
		config.Issuer = issuer
		err := config.Check()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", issuer, err, want)
		}
	}
}
