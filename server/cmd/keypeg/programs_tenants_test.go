package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// TestProgramsOfTenants holds that each tenant is a provider of its own: nothing that one gives counts at another, though
// both have a client of the same id.
func TestProgramsOfTenants(t *testing.T) {
	for where, database := range cloudDatabases {
		t.Run(where, func(t *testing.T) {
			p := newCloud(t, database(t))
			p.starts()
			secrets := map[string]string{}
			for _, name := range []string{"acme", "beta"} {
				p.adds(name)
				p.does("correct horse battery\n", "user", "add", "ann", "--tenant", name)
				out := p.does("", "client", "add", "wiki", "--redirect-uri", wikiCallback, "--first-party", "--tenant", name)
				if secrets[name] = regexp.MustCompile(`kp_[A-Za-z0-9_-]{43}`).FindString(out); secrets[name] == "" {
					t.Fatalf("no secret: %s", out)
				}
			}
			acme := &tenantProgram{program: p.at("acme"), secret: secrets["acme"]}
			beta := &tenantProgram{program: p.at("beta"), secret: secrets["beta"]}
			acme.signsIn()
			beta.signsIn()

			found := map[string]string{}
			for _, at := range []*tenantProgram{acme, beta} {
				answer := at.asksFor(strings.TrimPrefix(at.url, "http://"), "/.well-known/openid-configuration")
				var config struct{ Issuer string }
				if err := json.Unmarshal([]byte(answer.text), &config); err != nil || config.Issuer != at.url {
					t.Errorf("the issuer is %q (%v)", config.Issuer, err)
				}
				_, keys := at.gets(strings.TrimPrefix(at.url, "http://"), "/openid/keys")
				found[at.url] = keys
			}
			if found[acme.url] == found[beta.url] {
				t.Error("two tenants have the same keys")
			}

			access, refused := acme.exchanges(acme.code(), acme.secret)
			if access == "" {
				t.Fatalf("acme refuses its own code: %s", refused)
			}
			if _, refused := acme.exchanges(acme.code(), beta.secret); refused != "invalid_client" {
				t.Errorf("the secret of beta at acme: %q", refused)
			}
			if _, refused := beta.exchanges(acme.code(), beta.secret); refused != "invalid_grant" {
				t.Errorf("acme's code at beta: %q", refused)
			}
			for at, want := range map[*tenantProgram]int{acme: http.StatusOK, beta: http.StatusUnauthorized} {
				if status, _ := at.gets(strings.TrimPrefix(at.url, "http://"), "/openid/userinfo", "Authorization", "Bearer "+access); status != want {
					t.Errorf("acme's token at %s: %d, want %d", at.url, status, want)
				}
			}
			beta.cookies = acme.cookies
			if code := beta.code(); code != "" {
				t.Error("acme's session gives a code at beta")
			}

			before, after := p.does("", "openid", "keys", "--tenant", "beta"), ""
			p.does("", "openid", "rotate", "--now", "--tenant", "acme")
			if after = p.does("", "openid", "keys", "--tenant", "beta"); after != before {
				t.Errorf("beta's keys changed with acme's:\n%s\n%s", before, after)
			}
		})
	}
}

// tenantProgram is a program of one tenant, and a browser of its user.
type tenantProgram struct {
	*program
	secret  string
	cookies string
}

func (at *tenantProgram) sends(method, path, kind, body string, header ...string) *http.Response {
	at.Helper()
	r, err := http.NewRequest(method, "http://"+at.address+path, strings.NewReader(body))
	if err != nil {
		at.Fatal(err)
	}
	r.Host = strings.TrimPrefix(at.url, "http://")
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Cookie", at.cookies)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		at.Fatal(err)
	}
	at.Cleanup(func() { answer.Body.Close() })
	return answer
}

func (at *tenantProgram) signsIn() {
	at.Helper()
	answer := at.sends("POST", "/api/v1/sign-in/password", "application/json", `{"name":"ann","password":"correct horse battery"}`, "Origin", at.url)
	if answer.StatusCode != http.StatusOK {
		at.Fatal(answer.Status)
	}
	var cookies []string
	for _, cookie := range answer.Cookies() {
		cookies = append(cookies, cookie.Name+"="+cookie.Value)
	}
	at.cookies = strings.Join(cookies, "; ")
}

const tenantVerifier = "a-code-verifier-of-forty-three-characters-or-more"

// code signs the user in to the program; "" if nobody is signed in.
func (at *tenantProgram) code() string {
	at.Helper()
	answer := at.sends("GET", "/openid/authorize?"+url.Values{
		"client_id": {"wiki"}, "redirect_uri": {wikiCallback}, "response_type": {"code"}, "scope": {"openid"}, "prompt": {"none"},
		"code_challenge": {"ahPqLsi7P3zVk_x_mrtpwuI1ckS-ixx0SqLQLE0lQXA"}, "code_challenge_method": {"S256"},
	}.Encode(), "", "")
	to, err := answer.Location()
	if err != nil {
		at.Fatalf("%s: %v", answer.Status, err)
	}
	if iss := to.Query().Get("iss"); iss != at.url {
		at.Errorf("the answer is of %q", iss)
	}
	return to.Query().Get("code")
}

// exchanges asks for tokens, and returns the access token or the error.
func (at *tenantProgram) exchanges(code, secret string) (access, refused string) {
	at.Helper()
	answer := at.sends("POST", "/openid/token", "application/x-www-form-urlencoded", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {wikiCallback}, "code_verifier": {tenantVerifier},
		"client_id": {"wiki"}, "client_secret": {secret},
	}.Encode())
	var got struct {
		Access string `json:"access_token"`
		Error  string `json:"error"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		at.Fatal(err)
	}
	return got.Access, got.Error
}
