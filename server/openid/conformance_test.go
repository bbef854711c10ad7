package openid_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// The modules of the certification plan "Basic OP" of the OpenID Foundation's conformance suite, by their names. The
// suite itself can't be had here; these claims are ours, after what its modules ask for. A failure shows the exchange.

// modules are the modules that a signed-in user goes through.
var modules = map[string]func(*testing.T, *scene, *person){
	"oidcc-server": func(t *testing.T, s *scene, ann *person) {
		got := s.exchanges(ann.code())
		s.is("expires_in", got.ExpiresIn, 600)
		s.is("scope", got.Scope, "openid profile")
		claims := s.claims(got.IDToken)
		s.is("iss", claims["iss"], s.issuer)
		s.is("aud", claims["aud"], "grafana")
		s.is("sub", claims["sub"], ann.user.ID)
		s.is("nonce", claims["nonce"], "a nonce")
	},
	"oidcc-response-type-missing": func(t *testing.T, s *scene, ann *person) {
		s.is("error", ann.back(ann.authorizes("response_type", ""))["error"], "[invalid_request]")
	},
	"oidcc-idtoken-signature": func(t *testing.T, s *scene, ann *person) { s.claims(s.exchanges(ann.code()).IDToken) },
	"oidcc-idtoken-unsigned": func(t *testing.T, s *scene, ann *person) {
		// We sign each ID token, and say so: none is not among the algorithms.
		var found struct {
			Algorithms []string `json:"id_token_signing_alg_values_supported"`
		}
		ann.decodes(ann.gets(openid.PathDiscovery), &found)
		s.is("algorithms", found.Algorithms, "[RS256 ES256]")
		unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + strings.Split(s.exchanges(ann.code()).IDToken, ".")[1] + "."
		s.is("an unsigned hint", ann.back(ann.authorizes("id_token_hint", unsigned)).Get("error"), "invalid_request")
	},
	"oidcc-userinfo-get": func(t *testing.T, s *scene, ann *person) {
		claims := s.userinfo(s.exchanges(ann.code()).AccessToken)
		s.is("sub", claims["sub"], ann.user.ID)
		s.is("name", claims["name"], "Ann Miller")
	},
	"oidcc-userinfo-post-header": func(t *testing.T, s *scene, ann *person) {
		token := s.exchanges(ann.code()).AccessToken
		a := s.browser().sends("POST", openid.PathUserInfo, "", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
		s.is("status", a.status, 200)
	},
	"oidcc-userinfo-post-body": func(t *testing.T, s *scene, ann *person) {
		token := s.exchanges(ann.code()).AccessToken
		a := s.browser().sends("POST", openid.PathUserInfo, asForm, url.Values{"access_token": {token}}.Encode())
		s.is("status", a.status, 200)
		s.is("in the address", s.browser().gets(openid.PathUserInfo+"?access_token="+token).status, 401)
	},
	"oidcc-ensure-request-without-nonce-succeeds-for-code-flow": func(t *testing.T, s *scene, ann *person) {
		_, has := s.claims(s.exchanges(ann.code("nonce", "")).IDToken)["nonce"]
		s.is("a nonce that nobody sent", has, false)
	},
	"oidcc-scope-profile": scopeModule("openid profile", "name", "preferred_username", "updated_at"),
	"oidcc-scope-email":   scopeModule("openid email", "email", "email_verified"),
	"oidcc-scope-address": scopeModule("openid address"),
	"oidcc-scope-phone":   scopeModule("openid phone"),
	"oidcc-scope-all":     scopeModule("openid profile email address phone groups", "name", "email", "groups"),
	"oidcc-alternate-happy-flow": func(t *testing.T, s *scene, ann *person) {
		status, got := s.program(openid.PathToken, with(codeForm(ann.code()), "client_id", "grafana", "client_secret", secret), func(*http.Request) {})
		s.is("with the secret in the body", status, 200)
		s.claims(got.IDToken)
	},
	"oidcc-display-page":  acceptsModule("display", "page"),
	"oidcc-display-popup": acceptsModule("display", "popup"),
	"oidcc-prompt-login": func(t *testing.T, s *scene, ann *person) {
		first := s.claims(s.exchanges(ann.code()).IDToken)["auth_time"].(float64)
		s.passes(5 * time.Second)
		ann.signsIn() // in the same moment, for something else
		page := ann.authorizes("prompt", "login")
		s.passes(time.Millisecond)
		next := ann.submits(shared.PageConfirmForm, url.Values{"request": {ann.field(page)}, "password": {password}})
		code := ann.back(ann.gets(next.header.Get("Location"))).Get("code")
		if again := s.claims(s.exchanges(code).IDToken)["auth_time"].(float64); again < first+5 {
			t.Errorf("auth_time is %v after %v", again, first)
		}
	},
	"oidcc-prompt-none-not-logged-in": func(t *testing.T, s *scene, ann *person) {
		s.is("error", ann.back(s.browser().authorizes("prompt", "none")).Get("error"), "login_required")
		s.is("state", ann.back(s.browser().authorizes("prompt", "none")).Get("state"), "a state")
	},
	"oidcc-prompt-none-logged-in": func(t *testing.T, s *scene, ann *person) {
		s.is("before consent", ann.back(ann.authorizes("prompt", "none")).Get("error"), "consent_required")
		first := s.claims(s.exchanges(ann.code()).IDToken)
		again := s.claims(s.exchanges(ann.back(ann.authorizes("prompt", "none")).Get("code")).IDToken)
		s.is("sub", again["sub"], first["sub"])
		s.is("auth_time", again["auth_time"], first["auth_time"])
	},
	"oidcc-max-age-1": func(t *testing.T, s *scene, ann *person) {
		ann.code()
		s.passes(3 * time.Second)
		s.is("silently", ann.back(ann.authorizes("max_age", "1", "prompt", "none")).Get("error"), "login_required")
		page := ann.authorizes("max_age", "1")
		s.passes(3 * time.Second) // while somebody types
		next := ann.submits(shared.PageConfirmForm, url.Values{"request": {ann.field(page)}, "password": {password}})
		if code := ann.back(ann.gets(next.header.Get("Location"))).Get("code"); code == "" {
			t.Error("no code after the confirmation")
		}
	},
	"oidcc-max-age-10000": func(t *testing.T, s *scene, ann *person) {
		first := s.claims(s.exchanges(ann.code()).IDToken)["auth_time"]
		s.passes(3 * time.Second)
		s.is("auth_time", s.claims(s.exchanges(ann.code("max_age", "10000")).IDToken)["auth_time"], first)
	},
	"oidcc-ensure-request-with-unknown-parameter-succeeds": acceptsModule("extra", "foobar"),
	"oidcc-id-token-hint": func(t *testing.T, s *scene, ann *person) {
		hint := s.exchanges(ann.code()).IDToken
		s.passes(time.Hour)
		ann.signsIn()
		if ann.back(ann.authorizes("id_token_hint", hint, "prompt", "none")).Get("code") == "" {
			t.Error("the hint of the user who is signed in isn't enough")
		}
		bob := s.user("bob")
		s.is("somebody else", ann.back(bob.authorizes("id_token_hint", hint, "prompt", "none")).Get("error"), "login_required")
	},
	"oidcc-login-hint": func(t *testing.T, s *scene, ann *person) {
		stranger := s.browser()
		page := stranger.gets(stranger.authorizes("login_hint", "ann").header.Get("Location"))
		if !strings.Contains(page.body, `value="ann"`) {
			t.Errorf("the name isn't on the page: %s", page)
		}
	},
	"oidcc-ui-locales": func(t *testing.T, s *scene, ann *person) {
		stranger := s.browser()
		page := stranger.gets(stranger.authorizes("ui_locales", "se de").header.Get("Location"))
		if !strings.Contains(page.body, `<html lang="de"`) {
			t.Errorf("the page isn't German: %.300s", page.body)
		}
	},
	"oidcc-claims-locales": acceptsModule("claims_locales", "se"),
	"oidcc-ensure-request-with-acr-values-succeeds": func(t *testing.T, s *scene, ann *person) {
		if ann.code("acr_values", "1 2") == "" {
			t.Error("values that nobody knows are no wish of ours")
		}
	},
	"oidcc-codereuse": func(t *testing.T, s *scene, ann *person) {
		code := ann.code()
		got := s.exchanges(code)
		_, again := s.program(openid.PathToken, codeForm(code))
		s.is("again", again.Error, "invalid_grant")
		s.is("userinfo afterwards", len(s.userinfo(got.AccessToken)), 0)
	},
	"oidcc-codereuse-30seconds": func(t *testing.T, s *scene, ann *person) {
		code := ann.code()
		got := s.exchanges(code)
		s.passes(30 * time.Second)
		_, again := s.program(openid.PathToken, codeForm(code))
		s.is("again", again.Error, "invalid_grant")
		s.is("userinfo afterwards", len(s.userinfo(got.AccessToken)), 0)
	},
	"oidcc-ensure-registered-redirect-uri": func(t *testing.T, s *scene, ann *person) {
		a := ann.authorizes("redirect_uri", redirect+"/foobar")
		s.is("status", a.status, 400)
		s.is("Location", a.header.Get("Location"), "")
		if !strings.Contains(a.body, "isn&#39;t registered") {
			t.Errorf("the page doesn't say why: %s", a)
		}
	},
	"oidcc-ensure-post-request-succeeds": func(t *testing.T, s *scene, ann *person) {
		ann.code()
		from := func(r *http.Request) {
			r.Header.Set("Origin", "https://grafana.example.com")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		}
		a := ann.sends("POST", openid.PathAuthorize, asForm, request().Encode(), from)
		s.is("status", a.status, 303)
		if ann.back(ann.gets(a.header.Get("Location"))).Get("code") == "" {
			t.Error("no code")
		}
	},
	"oidcc-server-client-secret-post": func(t *testing.T, s *scene, ann *person) {
		status, _ := s.program(openid.PathToken, with(codeForm(ann.code()), "client_id", "grafana", "client_secret", secret), func(*http.Request) {})
		s.is("status", status, 200)
	},
	"oidcc-request-uri-unsigned": func(t *testing.T, s *scene, ann *person) {
		s.is("error", ann.back(ann.authorizes("request_uri", "https://grafana.example.com/request.jwt")).Get("error"), "request_uri_not_supported")
	},
	"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported": func(t *testing.T, s *scene, ann *person) {
		s.is("error", ann.back(ann.authorizes("request", requestObject(redirect))).Get("error"), "request_not_supported")
	},
	"oidcc-claims-essential": func(t *testing.T, s *scene, ann *person) {
		got := s.exchanges(ann.code("scope", "openid profile", "claims", `{"userinfo":{"name":{"essential":true}}}`))
		s.is("name", s.userinfo(got.AccessToken)["name"], "Ann Miller")
	},
	"oidcc-ensure-request-object-with-redirect-uri": func(t *testing.T, s *scene, ann *person) {
		a := ann.authorizes("request", requestObject("https://evil.example/"))
		s.is("error", ann.back(a).Get("error"), "request_not_supported")
	},
	"oidcc-refresh-token": func(t *testing.T, s *scene, ann *person) {
		got := s.exchanges(ann.code("scope", "openid profile offline_access", "prompt", "consent"))
		first := s.claims(got.IDToken)
		s.passes(2 * time.Second)
		status, next := s.program(openid.PathToken, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.RefreshToken}})
		s.is("status", status, 200)
		again := s.claims(next.IDToken)
		for _, same := range []string{"iss", "sub", "aud", "auth_time"} {
			s.is(same, again[same], first[same])
		}
		if again["iat"].(float64) <= first["iat"].(float64) || next.RefreshToken == got.RefreshToken {
			t.Errorf("nothing is new: %v", again)
		}
		_, other := s.program(openid.PathToken, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {next.RefreshToken}},
			func(r *http.Request) { r.SetBasicAuth("wiki", secret) })
		s.is("for another client", other.Error, "invalid_grant")
	},
	"oidcc-ensure-request-with-valid-pkce-succeeds": func(t *testing.T, s *scene, ann *person) {
		s.exchanges(ann.code())
		_, wrong := s.program(openid.PathToken, with(codeForm(ann.code()), "code_verifier", strings.Repeat("x", 43)))
		s.is("another verifier", wrong.Error, "invalid_grant")
	},
}

// with returns a form with other values.
func with(form url.Values, changes ...string) url.Values {
	for i := 0; i < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
	}
	return form
}

func requestObject(redirect string) string {
	claims, _ := json.Marshal(map[string]string{"client_id": "grafana", "redirect_uri": redirect, "response_type": "code", "scope": "openid"})
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims) + "."
}

// scopeModule claims that a scope gives these claims, at userinfo and in the ID token, and none of the others.
func scopeModule(scope string, want ...string) func(*testing.T, *scene, *person) {
	return func(t *testing.T, s *scene, ann *person) {
		ann.changes(func(u *store.User) {
			u.Email, u.EmailVerified, u.Groups = "ann@example.com", true, []string{"it", "sales"}
		})
		got := s.exchanges(ann.code("scope", scope))
		for where, claims := range map[string]map[string]any{"userinfo": s.userinfo(got.AccessToken), "ID token": s.claims(got.IDToken)} {
			for _, claim := range []string{"name", "preferred_username", "updated_at", "email", "email_verified", "groups", "address", "phone_number"} {
				_, has := claims[claim]
				wanted := strings.Contains(" "+strings.Join(want, " ")+" ", " "+claim+" ") || strings.Contains(scope, "all")
				if strings.Contains(scope, "profile email") {
					wanted = claim != "address" && claim != "phone_number"
				}
				if has != wanted {
					t.Errorf("%s: %s is there: %t, want %t", where, claim, has, wanted)
				}
			}
		}
	}
}

// acceptsModule claims that a parameter disturbs nothing.
func acceptsModule(name, value string) func(*testing.T, *scene, *person) {
	return func(t *testing.T, s *scene, ann *person) { s.exchanges(ann.code(name, value)) }
}

func TestConformance(t *testing.T) {
	if len(modules) != 38 {
		t.Errorf("%d modules, and the plan has 38", len(modules))
	}
	for name, module := range modules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wiki := clientOf(t, func(c *openid.Client) { c.ID, c.Name = "wiki", "Wiki" })
			s := newScene(t, stores["memstore"], clientOf(t, nil), wiki)
			module(t, s, s.user("ann"))
		})
	}
}

// TestDiscovery is the module oidcc-discovery-endpoint-verification.
func TestDiscovery(t *testing.T) {
	s := newScene(t, stores["memstore"])
	p := s.browser()
	var found, alias map[string]any
	p.decodes(p.gets(openid.PathDiscovery), &found)
	p.decodes(p.gets("/.well-known/oauth-authorization-server"), &alias)
	s.is("the alias", alias, found)
	s.is("issuer", found["issuer"], s.issuer)
	for _, name := range []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint", "revocation_endpoint", "introspection_endpoint", "device_authorization_endpoint", "pushed_authorization_request_endpoint"} {
		address, _ := found[name].(string)
		path, is := strings.CutPrefix(address, s.issuer)
		if !is || p.gets(path).status == 404 {
			t.Errorf("%s is %q", name, address)
		}
	}
	for name, methods := range found { // RFC 8414, 2
		endpoint, is := strings.CutSuffix(name, "_auth_methods_supported")
		if algorithms, _ := found[endpoint+"_auth_signing_alg_values_supported"].([]any); is && strings.Contains(fmt.Sprint(methods), "private_key_jwt") && len(algorithms) == 0 {
			t.Errorf("%s has private_key_jwt, and nothing says what may sign", name)
		}
	}
	a := p.sends("GET", openid.PathDiscovery, "", "", func(r *http.Request) { r.Header.Set("Origin", "https://spa.example.com") })
	s.is("for pages of other origins", a.header.Get("Access-Control-Allow-Origin"), "*")

	var links struct {
		Subject string
		Links   []struct{ Rel, Href string }
	}
	host := strings.TrimPrefix(s.issuer, "http://")
	const relation = "http://openid.net/specs/connect/1.0/issuer"
	p.decodes(p.gets("/.well-known/webfinger?rel="+relation+"&resource=acct:nobody@"+host), &links)
	if len(links.Links) != 1 || links.Links[0].Href != s.issuer || links.Links[0].Rel != relation {
		t.Errorf("WebFinger answers %+v", links)
	}
	s.is("its type (RFC 7033, 4.2)", p.gets("/.well-known/webfinger?resource=acct:nobody@"+host).header.Get("Content-Type"), "application/jrd+json")
	// The domain of an organisation's mail leads its WebFinger here, as Tailscale wants it.
	s.is("WebFinger of the domain of the mail", p.gets("/.well-known/webfinger?rel="+relation+"&resource=acct:ann@example.com").status, 200)
	for _, resource := range []string{"", "ann", "ann@example.com", "acct:ann", "acct:@example.com", "acct:ann@", "acct:ann@example.com/path", "mailto:ann@example.com", "https://example.com/", "http://example.com/ann"} {
		s.is("WebFinger of "+resource, p.gets("/.well-known/webfinger?resource="+url.QueryEscape(resource)).status, 404)
	}
}

// TestSessionOfTokens: what a session's end does to what stands on it.
func TestSessionOfTokens(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		ends := map[string]func(*person){
			"a sign-out":                            func(ann *person) { ann.api(shared.PathSignOut, nil) },
			"a disabled user":                       func(ann *person) { ann.changes(func(u *store.User) { u.Disabled = true }) },
			"the end in the activity":               func(ann *person) { s.endsAll(ann) },
			"the passkey removed with its sessions": func(ann *person) { ann.losesPasskey() },
		}
		n := 0
		for what, end := range ends {
			n++
			ann := s.user("ann" + strings.Repeat("n", n))
			ann.signsInByPasskey()
			got := s.exchanges(ann.code("scope", "openid offline_access"))
			s.is(what+": userinfo before", len(s.userinfo(got.AccessToken)) > 0, true)
			end(ann)
			s.is(what+": userinfo", len(s.userinfo(got.AccessToken)), 0)
			_, refreshed := s.program(openid.PathToken, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.RefreshToken}})
			s.is(what+": refresh", refreshed.Error, "invalid_grant")
		}
	})
}

// endsAll ends all sessions of a user, as an administrator does.
func (s *scene) endsAll(p *person) {
	s.Helper()
	if err := s.store.Apply(s.Context(), store.Batch{store.EndSessions{UserID: p.user.ID}}); err != nil {
		s.Fatal(err)
	}
}

// signsInByPasskey adds a passkey, and signs in with it.
func (p *person) signsInByPasskey() {
	p.Helper()
	p.registers()
	p.uses(shared.PathSignInBegin, shared.PathSignInFinish)
}

// losesPasskey removes the passkey with the sessions that began with it, from another browser.
func (p *person) losesPasskey() {
	p.Helper()
	other := p.browser()
	other.name = p.name
	other.signsIn()
	var left shared.PasskeyList
	other.decodes(other.gets(shared.PathPasskeys), &left)
	other.decodes(other.sends("DELETE", shared.PathPasskey+left.Passkeys[0].ID+"?"+shared.QueryEndSessions, "", "", own(other)), &left)
}

// TestTruth: acr and amr say how the user has signed in.
func TestTruth(t *testing.T) {
	s := newScene(t, func(_ *testing.T, now store.Clock) store.Store { return memstore.New(now) })
	ann := s.user("ann")
	said := func() (string, string) {
		claims := s.claims(s.exchanges(ann.code()).IDToken)
		acr, _ := claims["acr"].(string)
		var amr []string
		for _, method := range claims["amr"].([]any) {
			amr = append(amr, method.(string))
		}
		return acr, strings.Join(amr, " ")
	}
	acr, amr := said()
	s.is("password", acr+"|"+amr, "|pwd")
	ann.registers()
	ann.uses(shared.PathConfirmBegin, shared.PathConfirmFinish)
	acr, amr = said()
	s.is("confirmed with a passkey", acr+"|"+amr, "phr|swk user mfa")
	s.passes(grant.AccessLife)
	ann.uses(shared.PathSignInBegin, shared.PathSignInFinish)
	acr, amr = said()
	s.is("signed in with it", acr+"|"+amr, "phr|swk user mfa")
	ann.changes(func(u *store.User) { u.Passkeys[0].Attested, u.Passkeys[0].Flags = true, u.Passkeys[0].Flags&^0x18 })
	acr, amr = said()
	s.is("with a passkey that can't be copied, as its maker attests", acr+"|"+amr, "phrh|hwk user mfa")
	ann.changes(func(u *store.User) { u.Passkeys[0].Flags |= 0x08 })
	acr, amr = said()
	s.is("with one that can be, whatever its maker attests", acr+"|"+amr, "phr|swk user mfa")
	ann.signsIn()
	acr, amr = said()
	s.is("with the password again", acr+"|"+amr, "|pwd")
}

// TestStepUp: acr_values asks for a passkey in place.
func TestStepUp(t *testing.T) {
	s := newScene(t, stores["memstore"])
	ann := s.user("ann")
	ann.code()
	s.is("silently", ann.back(ann.authorizes("acr_values", "phr", "prompt", "none")).Get("error"), "unmet_authentication_requirements")
	page := ann.authorizes("acr_values", "phr")
	if strings.Contains(page.body, `type="password"`) || !strings.Contains(page.body, shared.PagePasskeys) {
		t.Errorf("the page without a passkey: %s", page)
	}
	ann.registers()
	page = ann.authorizes("acr_values", "phrh")
	if strings.Contains(page.body, `data-next="`) || !strings.Contains(page.body, shared.PagePasskeys) {
		t.Errorf("the page for somebody without a security key: %s", page)
	}
	page = ann.authorizes("acr_values", "phrh phr")
	next := ann.gets(ann.submits(shared.PageConfirmForm, url.Values{"request": {ann.field(page)}, "password": {password}}).header.Get("Location"))
	if len(onward.FindString(next.body)) > 0 {
		t.Error("a password is enough where a passkey is asked for")
	}
	ann.uses(shared.PathConfirmBegin, shared.PathConfirmFinish)
	if code := ann.back(ann.gets(nextOf(t, page))).Get("code"); s.claims(s.exchanges(code).IDToken)["acr"] != "phr" {
		t.Error("acr isn't phr")
	}
}

// TestTokenFromBeforeAConfirmation: whoever has a session's token from before a confirmation, as another tab has for a
// moment, hasn't proved what the confirmation has.
func TestTokenFromBeforeAConfirmation(t *testing.T) {
	s := newScene(t, stores["memstore"])
	ann := s.user("ann")
	ann.code()
	ann.registers()
	s.passes(time.Hour)
	before := s.browser()
	at, err := url.Parse(s.issuer)
	if err != nil {
		t.Fatal(err)
	}
	before.jar.SetCookies(at, ann.jar.Cookies(at))
	ann.uses(shared.PathConfirmBegin, shared.PathConfirmFinish)
	s.is("acr_values", before.back(before.authorizes("acr_values", "phr", "prompt", "none")).Get("error"), "unmet_authentication_requirements")
	claims := s.claims(s.exchanges(before.code()).IDToken)
	s.is("acr", claims["acr"], nil)
	if since, _ := claims["auth_time"].(float64); s.now().Sub(time.Unix(int64(since), 0)).Round(time.Minute) != time.Hour {
		t.Errorf("auth_time is %v: want when ann has signed in", claims["auth_time"])
	}
}

// nextOf returns where a page of confirmation goes on.
func nextOf(t *testing.T, page answer) string {
	t.Helper()
	_, after, found := strings.Cut(page.body, `data-next="`)
	next, _, _ := strings.Cut(after, `"`)
	if !found || !strings.HasPrefix(next, shared.PageContinue) {
		t.Fatalf("the page doesn't go on: %s", page)
	}
	return next
}
