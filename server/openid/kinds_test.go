package openid_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// The kinds of clients, and the ways in which they ask.

// keyClient is a client that authenticates with a key.
type keyClient struct {
	openid.Client
	signer jose.Signer
}

func newKeyClient(t *testing.T) keyClient {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "one", Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: "one"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return keyClient{clientOf(t, func(c *openid.Client) {
		c.Secrets, c.Authentication, c.Keys = nil, openid.AuthenticatesKey, keys
	}), signer}
}

// assertion returns a signed assertion, as changed.
func (c keyClient) assertion(s *scene, changes map[string]any) string {
	s.Helper()
	claims := map[string]any{"iss": c.ID, "sub": c.ID, "aud": s.issuer + openid.PathToken, "exp": s.now().Add(time.Minute).Unix(), "jti": rand.Text()}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		s.Fatal(err)
	}
	signed, err := c.signer.Sign(payload)
	if err != nil {
		s.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		s.Fatal(err)
	}
	return text
}

func nothing(*http.Request) {}

func TestPrivateKeyJWT(t *testing.T) {
	client := newKeyClient(t)
	onEveryStoreScene(t, func(s *scene) {
		ann := s.user("ann")
		with := func(assertion string) (int, tokens) {
			return s.program(openid.PathToken, with(codeForm(ann.code()), "client_assertion", assertion,
				"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), nothing)
		}
		used := client.assertion(s, nil)
		status, got := with(used)
		s.is("status", status, 200)
		s.claims(got.IDToken)
		_, got = with(client.assertion(s, map[string]any{"aud": []string{"x", s.issuer}}))
		s.is("for the issuer, in a list", got.Error, "")
		hour := client.assertion(s, map[string]any{"exp": s.now().Add(time.Hour).Unix()})
		_, got = with(hour)
		s.is("for an hour, as Authlib signs it", got.Error, "")
		a := s.browser().sends("POST", openid.PathPush, asForm, request("client_assertion", client.assertion(s, map[string]any{"aud": s.issuer + openid.PathPush}),
			"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer").Encode())
		s.is("for the endpoint of pushed requests (RFC 9126, 2)", a.status, 201)
		stranger := newKeyClient(t)
		for what, assertion := range map[string]string{
			"used before":          used,
			"for another server":   client.assertion(s, map[string]any{"aud": "https://other.example"}),
			"expired":              client.assertion(s, map[string]any{"exp": s.now().Add(-time.Hour).Unix()}),
			"for two hours":        client.assertion(s, map[string]any{"exp": s.now().Add(2 * time.Hour).Unix()}),
			"for a year":           client.assertion(s, map[string]any{"exp": s.now().Add(365 * 24 * time.Hour).Unix()}),
			"for tomorrow":         client.assertion(s, map[string]any{"nbf": s.now().Add(24 * time.Hour).Unix()}),
			"without an end":       client.assertion(s, map[string]any{"exp": nil}),
			"without a jti":        client.assertion(s, map[string]any{"jti": nil}),
			"of another issuer":    client.assertion(s, map[string]any{"iss": "wiki"}),
			"of another client":    client.assertion(s, map[string]any{"iss": "wiki", "sub": "wiki"}),
			"signed by a stranger": stranger.assertion(s, nil),
			"altered":              used[:len(used)-4] + "AAAA",
		} {
			_, got := with(assertion)
			s.is(what, got.Error, "invalid_client")
		}
		for _, cause := range []string{"the assertion of grafana ends in 2h0m0s, and may last for 1h0m0s", "the assertion of grafana has ended 1h0m0s ago: the clocks may differ", "the assertion of grafana has no exp"} {
			if !strings.Contains(s.log.String(), cause) {
				s.Errorf("the log doesn't say %q", cause)
			}
		}
		s.passes(55 * time.Minute)
		ann.signsIn()
		_, got = with(hour)
		s.is("for an hour, used again before its end", got.Error, "invalid_client")
		_, got = s.program(openid.PathToken, codeForm(ann.code()), basic("grafana", secret))
		s.is("with a secret", got.Error, "invalid_client")
	}, client.Client)
}

// TestProgramOnOnesMachine: a program on the user's device that proves nothing could be another one, so the user sees each
// of its sign-ins (RFC 8252, 8.6). One with an address on the web is known by that.
func TestProgramOnOnesMachine(t *testing.T) {
	app := func(id string, change func(*openid.Client)) openid.Client {
		return clientOf(t, func(c *openid.Client) {
			c.ID, c.Secrets, c.Authentication = id, nil, openid.AuthenticatesNever
			c.Redirects = []string{"http://127.0.0.1/callback", "com.example.app:/callback", "https://localhost/callback", "https://app.example/callback"}
			change(c)
		})
	}
	s := newScene(t, stores["memstore"], app("grafana", func(*openid.Client) {}), app("ours", func(c *openid.Client) { c.FirstParty = true }),
		clientOf(t, func(c *openid.Client) { c.ID, c.Redirects = "secret", []string{"http://127.0.0.1/callback"} }))
	ann := s.user("ann")
	for _, client := range []string{"grafana", "ours"} {
		for _, back := range []string{"http://127.0.0.1:49152/callback", "com.example.app:/callback", "https://localhost/callback"} {
			for range 2 {
				page := ann.authorizes("client_id", client, "redirect_uri", back)
				if strings.Contains(page.body, "asked again") {
					t.Errorf("%s at %s: the page promises not to ask again: %s", client, back, page)
				}
				page = ann.lets(page, "allow")
				to := page.header.Get("Location") + page.header.Get("Refresh")
				_, after, _ := strings.Cut(to, "code=")
				code, _, _ := strings.Cut(after, "&")
				if !strings.Contains(to, back+"?") || code == "" {
					t.Fatalf("not sent to %s: %s", back, page)
				}
				status, got := s.program(openid.PathToken, with(codeForm(code), "client_id", client, "redirect_uri", back), nothing)
				s.is("status", status, 200)
				s.claims(got.IDToken)
			}
			if silent := ann.authorizes("client_id", client, "redirect_uri", back, "prompt", "none"); !strings.Contains(silent.header.Get("Location"), "error=consent_required") {
				t.Errorf("%s at %s, with prompt=none: %s", client, back, silent)
			}
		}
		s.is("on the web, status", ann.authorizes("client_id", client, "redirect_uri", "https://app.example/callback").status, 302)
	}
	proved := func() answer {
		return ann.authorizes("client_id", "secret", "redirect_uri", "http://127.0.0.1:5000/callback")
	}
	ann.lets(proved(), "allow")
	s.is("with a secret, status", proved().status, 302)
}

// TestUpdatedAt: the time of what a program is told moves when something of that changes, and not when somebody signs in.
func TestUpdatedAt(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		ann := s.user("ann")
		said := func() time.Time {
			s.Helper()
			got := s.exchanges(ann.code("scope", "openid profile groups"))
			at, _ := s.claims(got.IDToken)["updated_at"].(float64)
			s.is("updated_at in userinfo", s.userinfo(got.AccessToken)["updated_at"], at)
			return time.Unix(int64(at), 0)
		}
		first := said()
		s.passes(time.Hour)
		ann.signsIn()
		s.is("after a sign-in", said(), first)
		changes := func(wish shared.ChangeMember) {
			s.Helper()
			it, err := s.accounts.IT(s.Context(), "ann")
			if err == nil {
				_, err = s.accounts.Change(s.Context(), it, wish, false)
			}
			if err != nil {
				s.Fatal(err)
			}
		}
		name := "Ann Smith"
		changes(shared.ChangeMember{DisplayName: &name})
		renamed := said()
		if s.now().Sub(renamed) >= time.Minute || !renamed.After(first) {
			t.Errorf("after a new name: got %s, want %s", renamed, s.now())
		}
		s.passes(time.Hour)
		changes(shared.ChangeMember{DisplayName: &name})
		s.is("after the same name once more", said(), renamed)
		changes(shared.ChangeMember{Groups: &[]string{"it"}})
		if moved := said(); !moved.After(renamed) {
			t.Errorf("after a new group: got %s, want %s", moved, s.now())
		}
	})
}

func TestPairwise(t *testing.T) {
	pairwise := func(id string) openid.Client {
		return clientOf(t, func(c *openid.Client) { c.ID, c.Pairwise = id, true })
	}
	s := newScene(t, stores["memstore"], pairwise("one"), pairwise("two"))
	ann, bob := s.user("ann"), s.user("bob")
	subject := func(p *person, client string) string {
		got := s.exchangesAs(p.code("client_id", client), client)
		sub, _ := s.claims(got.IDToken)["sub"].(string)
		s.is("userinfo", s.userinfo(got.AccessToken)["sub"], sub)
		if strings.Contains(got.AccessToken+got.IDToken, p.user.ID) {
			t.Error("a token has the user's id")
		}
		return sub
	}
	first := subject(ann, "one")
	s.is("the same again", subject(ann, "one"), first)
	for what, other := range map[string]string{"another client": subject(ann, "two"), "another user": subject(bob, "one"), "the id": ann.user.ID} {
		if other == first {
			t.Errorf("%s has the same sub", what)
		}
	}
}

// exchangesAs gets tokens for the code of another client, whose secret is the same.
func (s *scene) exchangesAs(code, client string) tokens {
	s.Helper()
	status, got := s.program(openid.PathToken, codeForm(code), basic(client, secret))
	if status != 200 {
		s.Fatalf("got %d %+v", status, got)
	}
	return got
}

func TestGroupsOfAClient(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		ann := s.user("ann")
		s.is("outside", ann.back(ann.authorizes()).Get("error"), "access_denied")
		ann.changes(func(u *store.User) { u.Groups = []string{"it"} })
		code := ann.code()
		got := s.exchanges(ann.code("scope", "openid offline_access"))
		ann.changes(func(u *store.User) { u.Groups = nil })
		_, refused := s.program(openid.PathToken, codeForm(code))
		s.is("the code of somebody who left", refused.Error, "invalid_grant")
		_, refused = s.program(openid.PathToken, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.RefreshToken}})
		s.is("their refresh token", refused.Error, "invalid_grant")
		s.is("userinfo", len(s.userinfo(got.AccessToken)), 0)
	}, clientOf(t, func(c *openid.Client) { c.Groups = []string{"it"} }))
}

func TestConsent(t *testing.T) {
	s := newScene(t, stores["memstore"], clientOf(t, nil), clientOf(t, func(c *openid.Client) { c.ID, c.FirstParty = "wiki", true }))
	ann := s.user("ann")
	ann.changes(func(u *store.User) { u.Email, u.EmailVerified, u.Groups = "ann@example.com", true, []string{"it"} })
	page := ann.authorizes("scope", "openid profile offline_access")
	for _, shown := range []string{"Grafana", "grafana.example.com", "Ann Miller"} {
		if !strings.Contains(page.body, shown) {
			t.Errorf("the page doesn't say %s", shown)
		}
	}
	if strings.Contains(page.body, "ann@example.com") {
		t.Error("the page says what the program doesn't get")
	}
	s.is("cancelled", ann.back(ann.lets(page, "cancel")).Get("error"), "access_denied")
	if ann.back(ann.lets(ann.authorizes("scope", "openid profile offline_access"), "allow")).Get("code") == "" {
		t.Error("no code")
	}
	s.is("not asked again", ann.authorizes().status, 302)
	var export shared.Export
	ann.decodes(ann.api(shared.PathExport, nil), &export)
	if len(export.Programs) != 1 || export.Programs[0].Name != "Grafana" {
		t.Errorf("what is kept about ann is exported without her program: %+v", export.Programs)
	}
	page = ann.authorizes("scope", "openid profile email")
	if !strings.Contains(page.body, "now also asks") || !strings.Contains(page.body, "ann@example.com") {
		t.Errorf("the page doesn't say what is new: %s", page)
	}
	ann.field(ann.authorizes("prompt", "consent"))
	s.is("first-party", ann.authorizes("client_id", "wiki", "scope", "openid profile email groups").status, 302)
}

func TestPushedRequest(t *testing.T) {
	wiki := clientOf(t, func(c *openid.Client) { c.ID = "wiki" })
	onEveryStoreScene(t, func(s *scene) {
		ann := s.user("ann")
		ann.code()
		push := func(form url.Values, auth func(*http.Request)) (int, string, string) {
			a := s.browser().sends("POST", openid.PathPush, asForm, form.Encode(), auth)
			var got struct {
				URI   string `json:"request_uri"`
				Error string
			}
			if err := json.Unmarshal([]byte(a.body), &got); err != nil {
				s.Fatal(err)
			}
			return a.status, got.URI, got.Error
		}
		before := s.dump()
		status, uri, _ := push(request(), basic("grafana", secret))
		s.is("status", status, 201)
		a := ann.gets(openid.PathAuthorize + "?" + url.Values{"client_id": {"grafana"}, "request_uri": {uri}}.Encode())
		if ann.back(a).Get("code") == "" || ann.back(a).Get("state") != "a state" {
			s.Errorf("no code: %s", a)
		}
		a = ann.gets(openid.PathAuthorize + "?" + url.Values{"client_id": {"grafana"}, "request_uri": {uri}, "redirect_uri": {"https://evil.example"}, "scope": {"openid email"}}.Encode())
		if back := ann.back(a); back.Get("code") == "" {
			s.Errorf("what else is in the address counts: %s", a)
		}
		s.is("of another client", ann.gets(openid.PathAuthorize+"?"+url.Values{"client_id": {"wiki"}, "request_uri": {uri}}.Encode()).status >= 400, true)
		_, _, refused := push(request("redirect_uri", "https://evil.example/"), basic("grafana", secret))
		s.is("a wrong redirect", refused, "invalid_request")
		_, _, refused = push(request("code_challenge", ""), basic("grafana", secret))
		s.is("no challenge", refused, "invalid_request")
		_, _, refused = push(request(), basic("grafana", "x"))
		s.is("a wrong secret", refused, "invalid_client")
		_, _, refused = push(request("client_id", "wiki"), basic("grafana", secret))
		s.is("for another client", refused, "invalid_request")
		if s.dump() != before {
			s.Error("something was written")
		}
		s.passes(2 * time.Minute)
		s.is("two minutes later", ann.gets(openid.PathAuthorize+"?"+url.Values{"client_id": {"grafana"}, "request_uri": {uri}}.Encode()).status >= 400, true)
	}, clientOf(t, nil), wiki)
}

func TestRevocation(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		ann := s.user("ann")
		for what, token := range map[string]func(tokens) string{"an access token": func(got tokens) string { return got.AccessToken }, "a refresh token": func(got tokens) string { return got.RefreshToken }} {
			got := s.exchanges(ann.code("scope", "openid offline_access"))
			status, _ := s.program(openid.PathRevoke, url.Values{"token": {token(got)}}, basic("wiki", secret))
			s.is(what+" of another client", status, 200)
			s.is(what+", by another client", len(s.userinfo(got.AccessToken)) > 0, true)
			s.program(openid.PathRevoke, url.Values{"token": {token(got)}})
			s.is("userinfo after "+what, len(s.userinfo(got.AccessToken)), 0)
			_, refused := s.program(openid.PathToken, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.RefreshToken}})
			s.is("refresh after "+what, refused.Error, "invalid_grant")
		}
		status, _ := s.program(openid.PathRevoke, url.Values{"token": {"nobody's"}})
		s.is("a token that nobody knows", status, 200)
	}, clientOf(t, nil), clientOf(t, func(c *openid.Client) { c.ID = "wiki" }))
}

// TestKeysAreRotated: tokens of the old key are taken while it is published, and not when it may be somebody else's.
func TestKeysAreRotated(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		ann := s.user("ann")
		rotate := func(atOnce bool) {
			keys, err := openid.NewKeys(s.Context(), s.store, s.now)
			if err == nil {
				err = keys.Rotate(s.Context(), atOnce)
			}
			if err != nil {
				s.Fatal(err)
			}
			s.passes(time.Minute) // until each node has read them
			ann.signsIn()
		}
		first := s.exchanges(ann.code())
		rotate(false)
		second := s.exchanges(ann.code())
		s.is("the key, until programs have the new one", s.keyID(second.IDToken), s.keyID(first.IDToken))
		s.passes(10 * time.Minute)
		ann.signsIn()
		third := s.exchanges(ann.code())
		if s.keyID(third.IDToken) == s.keyID(first.IDToken) {
			s.Error("the new key signs nothing")
		}
		s.claims(first.IDToken) // is published still
		rotate(true)
		s.is("userinfo, after all keys are new at once", len(s.userinfo(third.AccessToken)), 0)
		fourth := s.exchanges(ann.code())
		s.is("with the newest", len(s.userinfo(fourth.AccessToken)) > 0, true)
		var set jose.JSONWebKeySet
		ann.decodes(ann.gets(openid.PathKeys), &set)
		s.is("published keys", len(set.Keys), 2)
	})
}

func TestES256(t *testing.T) {
	s := newScene(t, stores["memstore"], clientOf(t, func(c *openid.Client) { c.Algorithm = openid.ES256 }))
	ann := s.user("ann")
	got := s.exchanges(ann.code())
	signed, err := jose.ParseSignedCompact(got.IDToken, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || signed.Signatures[0].Header.Algorithm != "ES256" {
		t.Error(err)
	}
	s.claims(got.IDToken)
	s.is("userinfo", s.userinfo(got.AccessToken)["sub"], ann.user.ID)
}

// TestScopeTakenBack: what IT takes from a client, it gets no more, also by a refresh token that it has.
func TestScopeTakenBack(t *testing.T) {
	s := newScene(t, stores["memstore"])
	registry := openid.NewRegistry(s.store, nil, s.now)
	wiki, secret, err := registry.Add(t.Context(), session.Actor{}, clientOf(t, func(c *openid.Client) { c.ID, c.Secrets = "wiki", nil }))
	if err != nil {
		t.Fatal(err)
	}
	ann := s.user("ann")
	_, got := s.program(openid.PathToken, codeForm(ann.code("client_id", "wiki", "scope", "openid profile groups offline_access")), basic("wiki", secret))
	wiki.Scopes = []string{shared.ScopeProfile, shared.ScopeOffline}
	if _, err := registry.Change(t.Context(), session.Actor{}, wiki); err != nil {
		t.Fatal(err)
	}
	_, next := s.program(openid.PathToken, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.RefreshToken}}, basic("wiki", secret))
	s.is("scope", next.Scope, "openid profile offline_access")
	for where, claims := range map[string]map[string]any{"userinfo": s.userinfo(next.AccessToken), "ID token": s.claims(next.IDToken), "userinfo, by the first token": s.userinfo(got.AccessToken)} {
		if _, has := claims["groups"]; has || claims["name"] == nil {
			t.Errorf("%s has %v", where, claims)
		}
	}
}

// TestRegisteredAgain: what users have allowed a client isn't allowed to another one that gets its id.
func TestRegisteredAgain(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		registry := openid.NewRegistry(s.store, nil, s.now)
		register := func() string {
			c, secret, err := registry.Add(s.Context(), session.Actor{}, clientOf(s.T, func(c *openid.Client) { c.ID, c.Name, c.Secrets = "wiki", "Wiki", nil }))
			if err != nil || c.ID != "wiki" {
				s.Fatal(err)
			}
			return secret
		}
		first := register()
		ann := s.user("ann")
		offline := []string{"client_id", "wiki", "scope", "openid offline_access"}
		status, got := s.program(openid.PathToken, codeForm(ann.code(offline...)), basic("wiki", first))
		s.is("status", status, 200)
		code := ann.code(offline...)
		if err := registry.Remove(s.Context(), session.Actor{}, "wiki"); err != nil {
			s.Fatal(err)
		}
		s.is("userinfo, when the client is removed", len(s.userinfo(got.AccessToken)), 0)
		s.passes(time.Second)
		second := register()
		s.is("userinfo, when another one has its id", len(s.userinfo(got.AccessToken)), 0)
		_, refused := s.program(openid.PathToken, codeForm(code), basic("wiki", second))
		s.is("the code", refused.Error, "invalid_grant")
		_, refused = s.program(openid.PathToken, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.RefreshToken}}, basic("wiki", second))
		s.is("the refresh token", refused.Error, "invalid_grant")
		page := ann.authorizes(offline...)
		if strings.Contains(page.body, "now also asks") {
			s.Error("the page says that ann has let it in before")
		}
		ann.back(ann.lets(page, "allow"))
		s.is("allowed, and not asked again", ann.authorizes(offline...).status, 302)
	})
}

// TestSecretOfTheConfiguration: a secret that somebody has made with openssl has characters that Basic authentication
// escapes. Some programs escape them (RFC 6749, 2.3.1), and many don't.
func TestSecretOfTheConfiguration(t *testing.T) {
	const made = "q+2Y/8b1m+Vd0kUu3n4Zx5w6A7c8E9f0G1h2I3j4K5l="
	s := newScene(t, stores["memstore"], clientOf(t, func(c *openid.Client) { c.Secrets = []openid.Secret{{Hash: store.HashOf(made)}} }))
	ann := s.user("ann")
	for what, auth := range map[string]func(*http.Request){
		"escaped": basic("grafana", url.QueryEscape(made)), "as it is": basic("grafana", made),
	} {
		status, got := s.program(openid.PathToken, codeForm(ann.code()), auth)
		s.is(what, fmt.Sprint(status, " ", got.Error), "200 ")
	}
	_, got := s.program(openid.PathToken, codeForm(ann.code()), basic("grafana", strings.ReplaceAll(made, "+", " ")))
	s.is("with blanks", got.Error, "invalid_client")
}
