package server_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/shared"
)

// equalHosts are https://id.example.com in a Host header, as clients and proxies write it.
var equalHosts = []string{"id.example.com", "id.example.com:443", "ID.Example.COM", "id.example.com.", "Id.Example.com.:443", "id.example.com:0443"}

func atExample(c *server.Config) {
	c.Address = server.Address{Origin: "https://id.example.com", Host: "id.example.com", RPID: "id.example.com", Secure: true}
}

// withHeader sets a header of a request.
func withHeader(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// TestCrossSite checks that a request of another site is refused and changes nothing.
func TestCrossSite(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann := s.user("ann")
	for _, change := range []func(*http.Request){
		withHeader("Sec-Fetch-Site", "cross-site"), withHeader("Sec-Fetch-Site", "same-site"),
		func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "https://evil.test") },
		func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "null") },
	} {
		ann.refused(ann.sends("POST", shared.PathSignOut, nil, change), 403, shared.CodeCrossSite)
		if a := ann.sends("POST", shared.PageSignIn, nil, change); a.status != 403 || !strings.Contains(string(a.body), "came from another site.") || !strings.Contains(a.header.Get("Content-Type"), "text/html") {
			t.Errorf("the form: %s", a)
		}
	}
	ann.lists()
}

// TestHostNames checks by which names in a Host header we are reached.
func TestHostNames(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann := s.user("ann")
	t.Run("the same host is served, however it is written", func(t *testing.T) {
		for _, host := range []string{strings.ToUpper(strings.TrimPrefix(origin, "http://")), strings.Replace(strings.TrimPrefix(origin, "http://"), ":", ".:", 1)} {
			if a := ann.sends("GET", shared.PathAccount, nil, func(r *http.Request) { r.Host = host }); a.status != 200 {
				t.Errorf("host %q: %s", host, a)
			}
		}
	})
	t.Run("another host is not served", func(t *testing.T) {
		for _, host := range []string{"evil.test", "localhost", "localhost:81", "127.0.0.1:8080", ""} {
			if a := ann.sends("GET", "/", nil, func(r *http.Request) { r.Host = host }); a.status != 421 || strings.Contains(string(a.body), "the app") || !strings.Contains(string(a.body), "IT desk") {
				t.Errorf("host %q: %s", host, a)
			}
			a := ann.sends("GET", shared.PathAccount, nil, func(r *http.Request) { r.Host = host })
			ann.refused(a, 421, shared.CodeWrongHost)
			if !strings.Contains(string(a.body), "Use "+origin+" instead.") || strings.Contains(string(a.body), "ann") {
				t.Errorf("host %q: %s", host, a)
			}
		}
		if !strings.Contains(s.log.String(), "a proxy in front must keep Host") {
			t.Error("the log doesn't say what IT should do")
		}
		if a := ann.sends("GET", "/healthz", nil, func(r *http.Request) { r.Host = "10.0.0.1" }); a.status != 200 {
			t.Errorf("health by address: %s", a)
		}
	})
	t.Run("an equal host is served, however it is written, and nobody is warned", func(t *testing.T) {
		for _, host := range equalHosts {
			at := func(r *http.Request) { r.Host = host }
			old := func(r *http.Request) { r.Host = host; r.Header.Del("Sec-Fetch-Site") } // the browser says Origin alone
			s := newSite(t, stores["memstore"], atExample)
			if _, err := s.accounts.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: "ann", DisplayName: "Ann", Password: password}); err != nil {
				t.Fatal(err)
			}
			v := s.visitor()
			if a := v.sends("GET", shared.PageSignIn, nil, at); a.status != 200 {
				t.Errorf("%s: the page: %s", host, a)
			}
			if a := v.sends("GET", shared.PageHome, nil, at); a.status != 303 || !strings.HasPrefix(a.header.Get("Location"), shared.PageSignIn) {
				t.Errorf("%s: the way to it: %d %q", host, a.status, a.header.Get("Location"))
			}
			for _, change := range []func(*http.Request){at, old} {
				for _, origin := range []string{"https://id.example.com", "https://id.example.com.", "https://" + host} {
					fromThere := func(r *http.Request) { change(r); r.Header.Set("Origin", origin) }
					a := v.sends("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: "ann", Password: password}, fromThere)
					if a.status != 200 || !strings.HasPrefix(a.header.Get("Set-Cookie"), "__Host-keypeg=") {
						t.Errorf("%s from %s: signing in: %s with %q", host, origin, a, a.header.Get("Set-Cookie"))
					}
				}
				fromElsewhere := func(r *http.Request) {
					change(r)
					r.Header.Set("Origin", "https://evil.test")
					r.Header.Del("Sec-Fetch-Site")
				}
				v.refused(v.sends("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: "ann", Password: password}, fromElsewhere), 403, shared.CodeCrossSite)
			}
			if strings.Contains(s.log.String(), "named another host") {
				t.Errorf("%s: a warning of nothing:\n%s", host, s.log)
			}
		}
	})
}

// TestMalformedRequests checks what is answered to a body, a path or a method that we
// don't take.
func TestMalformedRequests(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann := s.user("ann")
	t.Run("a body must be JSON, one value, of the right types, and small", func(t *testing.T) {
		for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"} {
			ann.refused(ann.sends("POST", shared.PathSignInPassword, `{}`, withHeader("Content-Type", kind)), 415, shared.CodeUnsupportedType)
		}
		for _, body := range []string{"", "{", "[]", `"x"`, `{} {}`, `{}x`, `{"name":1}`, strings.Repeat("[", 20_000)} {
			ann.refused(ann.sends("POST", shared.PathSignInPassword, body, withHeader("Content-Type", "application/json")), 400, shared.CodeInvalidRequest)
		}
		ann.refused(ann.sends("POST", shared.PathSignInPassword, `{"name":"`+strings.Repeat("x", 10<<20)+`"}`), 413, shared.CodeTooLarge)
		ann.refused(ann.sends("POST", shared.PathSignInFinish, `{"ticket":"x","credential":{"id":[1]}}`), 400, shared.CodeCeremonyRefused)
		ann.refused(ann.sends("POST", shared.PathSignInBegin, `{"mediation":"silent"}`), 400, shared.CodeInvalidRequest)
	})
	t.Run("a table of people may be larger", func(t *testing.T) {
		cast := newCast(t)
		root, uma := cast.people["root"], cast.people["uma"]
		allowed := `{"table":"` + strings.Repeat("x", shared.MaxImport-100) + `"}`
		root.refused(root.sends("POST", shared.PathImport, allowed), 400, shared.CodeInvalidRequest)
		root.refused(root.sends("POST", shared.PathImport, `{"table":"`+strings.Repeat("x", shared.MaxImport)+`"}`), 413, shared.CodeTooLarge)
		uma.refused(uma.sends("POST", shared.PathImport, allowed), 403, shared.CodeNotAllowed)
	})
	t.Run("paths that aren't there are 404, other methods 405", func(t *testing.T) {
		ann.refused(ann.sends("GET", "/api/v1/nothing", nil), 404, shared.CodeNotFound)
		a := ann.sends("DELETE", shared.PathAccount, nil)
		ann.refused(a, 405, shared.CodeMethodNotAllowed)
		if allow := a.header.Values("Allow"); !slices.Equal(allow, []string{"GET", "HEAD"}) {
			t.Errorf("Allow %q", allow)
		}
		for _, path := range []string{"/nowhere", "/.git/config", "/sitemap.xml", "/passkeys/x"} {
			for who, way := range map[*visitor]string{ann: `href="/">Go to the start page`, s.visitor(): `href="/sign-in">Go to sign-in`} {
				if a := who.sends("GET", path, nil); a.status != 404 || !strings.Contains(string(a.body), "nothing at this address") || !strings.Contains(string(a.body), way) {
					t.Errorf("%s: %s, want %s", path, a, way)
				}
			}
		}
	})
}

// TestProtectingHeaders checks that every answer has the headers by which browsers protect
// it.
func TestProtectingHeaders(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann := s.user("ann")
	page := map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	}
	signInPage := maps.Clone(page)
	signInPage["Cache-Control"] = "no-store, no-transform"
	data := map[string]string{
		"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store",
	}
	file := maps.Clone(data)
	delete(file, "Cache-Control")
	for path, wants := range map[string]map[string]string{
		"/": page, "/sign-in": signInPage, "/recovery": signInPage, "/nowhere": page, "/static/x": file,
		shared.PathAccount: data, "/api/": data, "/api/v1/nowhere": data,
	} {
		h := ann.sends("GET", path, nil).header
		policy := h.Get("Content-Security-Policy")
		if _, isData := wants["Content-Security-Policy"]; !isData &&
			(!strings.Contains(policy, "script-src 'self' 'wasm-unsafe-eval';") || strings.Contains(policy, "unsafe-inline") || !strings.Contains(policy, "frame-ancestors 'none'")) {
			t.Errorf("%s: policy %q", path, policy)
		}
		for name, want := range wants {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s %q, want %q", path, name, got, want)
			}
		}
		if len(h.Get("X-Request-Id")) != 16 {
			t.Errorf("%s: request id %q", path, h.Get("X-Request-Id"))
		}
	}
}

// TestPanic checks that a page that panics is a logged 500, and that others are served on.
func TestPanic(t *testing.T) {
	broken := newSite(t, stores["memstore"], func(c *server.Config) {
		c.App.Files["/static/"] = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a secret detail") })
	})
	v := broken.visitor()
	a := v.sends("GET", "/static/x", nil)
	if a.status != 500 || !strings.Contains(string(a.body), "Something went wrong on our side.") {
		t.Errorf("got %s, want a page", a)
	}
	if strings.Contains(string(a.body), "secret detail") || !strings.Contains(broken.log.String(), "secret detail") {
		t.Errorf("answer %s, log %s", a, broken.log)
	}
	if !strings.Contains(string(a.body), a.header.Get("X-Request-Id")) {
		t.Error("the person can't name the request")
	}
	if a := v.sends("GET", "/sign-in", nil); a.status != 200 {
		t.Errorf("afterwards: %s", a)
	}
}

// TestSecretsInAnswers checks that neither a refusal nor the log holds a secret.
func TestSecretsInAnswers(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann := s.user("ann")
	ann.registers("x")
	begun := into[shared.Ceremony](ann, ann.sends("POST", shared.PathSignInBegin, `{}`), 200)
	var options struct{ Challenge string }
	if err := json.Unmarshal(begun.PublicKey, &options); err != nil {
		t.Fatal(err)
	}
	lying, err := ann.device.Get(begun.PublicKey, passkeytest.WithChallenge("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))
	if err != nil {
		t.Fatal(err)
	}
	refusal := ann.sends("POST", shared.PathSignInFinish, shared.FinishCeremony{Ticket: begun.Ticket, Credential: lying})
	ann.sends("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: "ann", Password: "a wrong password"})
	link, err := newSite(t, stores["memstore"], nil).accounts.NewSetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ann.sends("GET", "/setup?token="+link.Token, nil)
	for what, secret := range map[string]string{"challenge": options.Challenge, "ticket": begun.Ticket, "token": ann.token(), "password": "a wrong password", "set-up token": link.Token} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log holds the %s", what)
		}
		if strings.Contains(string(refusal.body), secret) {
			t.Errorf("the refusal holds the %s", what)
		}
	}
}
