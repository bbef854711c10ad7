package sso_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/sso"
	"github.com/keypeg/keypeg/server/sso/ssotest"
)

const callback = "https://id.example.com/sign-in/sso/one/callback"

// mayFail is what IT reads of a failure that others may not meet: the check sees the page
// where people sign in without a browser, and the time in one header.
const mayFail = `msg="sign-ins at an OpenID provider may fail until this is mended"`

// TestCheck is what IT reads when the server starts, of each provider where sign-ins will
// fail.
func TestCheck(t *testing.T) {
	moved := func(by time.Duration) func(*sso.Config, *ssotest.Provider, *time.Duration) {
		return func(_ *sso.Config, _ *ssotest.Provider, ahead *time.Duration) { *ahead = by }
	}
	answers := func(path string, change func(*ssotest.Answer)) func(*sso.Config, *ssotest.Provider, *time.Duration) {
		return func(_ *sso.Config, p *ssotest.Provider, _ *time.Duration) { p.Changes(path, change) }
	}
	says := func(status int, kind, body string) func(*ssotest.Answer) {
		return func(a *ssotest.Answer) { a.Says(status, kind, body) }
	}
	set := func(name string, value any) func(*ssotest.Answer) {
		return func(a *ssotest.Answer) { a.Set(name, value) }
	}
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)

	for what, row := range map[string]struct {
		change func(*sso.Config, *ssotest.Provider, *time.Duration)
		warns  []string // of the one warning; none: there is no warning
	}{
		"a provider that works":      {},
		"clocks a little apart":      {change: moved(-20 * time.Second)},
		"a clock ten minutes behind": {moved(10 * time.Minute), []string{"the provider's clock and this machine's are about", "NTP", mayFail}},
		"a clock ten minutes ahead":  {moved(-10 * time.Minute), []string{"the provider's clock and this machine's are about", "NTP", mayFail}},
		"an issuer with a slash":     {func(c *sso.Config, _ *ssotest.Provider, _ *time.Duration) { c.Issuer += "/" }, []string{`mend="write issuer = \"http://localhost:`, `calls itself`}},
		"an issuer with a path":      {func(c *sso.Config, _ *ssotest.Provider, _ *time.Duration) { c.Issuer += "/realms/x" }, []string{"404", "issuer must be the address before /.well-known/"}},
		"an issuer of another scheme": {func(c *sso.Config, _ *ssotest.Provider, _ *time.Duration) {
			c.Issuer = strings.Replace(c.Issuer, "http:", "https:", 1)
		}, []string{"speaks http where https was expected"}},
		"a template for an issuer":     {answers(ssotest.PathDiscovery, set("issuer", "https://login.microsoftonline.com/{tenantid}/v2.0")), []string{"calls itself", "ask the provider for its issuer"}},
		"no issuer":                    {answers(ssotest.PathDiscovery, set("issuer", nil)), []string{"ask the provider for its issuer"}},
		"an unknown certificate":       {func(c *sso.Config, _ *ssotest.Provider, _ *time.Duration) { c.Issuer = secure.URL }, []string{"SSL_CERT_FILE"}},
		"a page in place of discovery": {answers(ssotest.PathDiscovery, says(200, "text/html", "<html>")), []string{"isn't JSON"}},
		"discovery elsewhere":          {answers(ssotest.PathDiscovery, func(a *ssotest.Answer) { a.Redirects(301, "https://www.example.com/.well-known/openid-configuration") }), []string{"redirects to https://www.example.com/"}},
		"no keys":                      {answers(ssotest.PathKeys, says(200, "application/json", `{"keys":[]}`)), []string{"no key that we can read"}},
		"an address that it doesn't know": {func(_ *sso.Config, p *ssotest.Provider, _ *time.Duration) {
			p.Register(ssotest.Client{ID: "keypeg", Secret: "s3cret", RedirectURIs: []string{callback + "/"}})
		}, []string{"register the redirect URI " + callback, mayFail}},
		"a client that it doesn't know": {func(c *sso.Config, _ *ssotest.Provider, _ *time.Duration) { c.ClientID = "other" }, []string{"client-id", mayFail}},
		"a client that may not do this": {answers(ssotest.PathAuthorize, func(a *ssotest.Answer) { a.Redirects(302, callback+"?error=unauthorized_client&state=check") }), []string{"unauthorized_client", "authorization code flow", mayFail}},
		"a page that asks nobody":       {change: answers(ssotest.PathAuthorize, says(200, "text/html", "<html>"))},
		"an error page, as Google's":    {answers(ssotest.PathAuthorize, func(a *ssotest.Answer) { a.Redirects(302, "/signin/oauth/error/v2?authError=x") }), []string{"register the redirect URI", mayFail}},
		"an answer that was kept for a day": {change: answers(ssotest.PathDiscovery, func(a *ssotest.Answer) {
			a.Header.Set("Date", time.Now().Add(-24*time.Hour).UTC().Format(http.TimeFormat))
		})},
		"a sign-in that is needed": {change: answers(ssotest.PathAuthorize, func(a *ssotest.Answer) { a.Redirects(302, callback+"?error=login_required&state=check") })},
		"a wrong secret":           {answers(ssotest.PathToken, says(401, "application/json", `{"error":"invalid_client"}`)), []string{"client-secret-file", "invalid_client"}},
		"a made-up code":           {change: answers(ssotest.PathToken, says(400, "application/json", `{"error":"invalid_grant"}`))},
		"away":                     {func(_ *sso.Config, p *ssotest.Provider, _ *time.Duration) { p.IsAway(true) }, []string{"503", "whether this machine reaches the provider"}},
		"nobody at the port":       {func(c *sso.Config, _ *ssotest.Provider, _ *time.Duration) { c.Issuer = "http://localhost:1" }, []string{"refused", "whether this machine reaches the provider"}},
	} {
		t.Run(what, func(t *testing.T) {
			provider := ssotest.Start(t)
			provider.Register(ssotest.Client{ID: "keypeg", Secret: "s3cret", RedirectURIs: []string{callback}})
			config := sso.Config{ID: "one", Name: "ONE", Issuer: provider.URL, ClientID: "keypeg", Secret: "s3cret", Patience: time.Minute}
			var ahead time.Duration
			if row.change != nil {
				row.change(&config, provider, &ahead)
			}
			var out bytes.Buffer
			log := slog.New(slog.NewTextHandler(&out, nil))
			sso.CheckAll(t.Context(), log, []*sso.Provider{sso.New(config, callback, func() time.Time { return time.Now().Add(ahead) })})

			said := out.String()
			if lines := strings.Count(said, "\n"); lines != min(len(row.warns), 1) {
				t.Errorf("%d lines:\n%s", lines, said)
			}
			wants := append(row.warns, "level=WARN", "provider=one")
			if !slices.Contains(wants, mayFail) {
				wants = append(wants, `msg="nobody can sign in at an OpenID provider"`)
			}
			for _, want := range wants {
				if len(row.warns) > 0 && !strings.Contains(said, want) {
					t.Errorf("it lacks %q:\n%s", want, said)
				}
			}
			if strings.Contains(said, "s3cret") {
				t.Errorf("it tells the secret:\n%s", said)
			}
		})
	}
}

// TestConfig is what the start refuses.
func TestConfig(t *testing.T) {
	good := sso.Config{ID: "one", Name: "ONE", Issuer: "https://login.example.com", ClientID: "keypeg", Secret: "x"}
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
