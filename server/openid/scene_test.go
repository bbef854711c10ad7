package openid_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/storetest/backends"
	"github.com/keypeg/keypeg/shared"
)

const (
	password = "correct horse battery"
	secret   = "kp_a-secret-of-the-program-for-tests-0123456789"
	redirect = "https://grafana.example.com/login/generic_oauth"
)

var stores = backends.One

// scene is a provider that listens, with its clock and its log.
type scene struct {
	*testing.T
	issuer   string
	store    store.Store
	accounts *account.Service
	server   *server.Server
	log      *proxytest.Output
	exchange []string // what went over the wire, for the log of a failure

	mu    sync.Mutex
	clock time.Time
}

func (s *scene) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

func (s *scene) passes(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(d)
}

// clientOf returns a client that the configuration registers, as changed.
func clientOf(t testing.TB, change func(*openid.Client)) openid.Client {
	t.Helper()
	c := openid.Client{
		ID: "grafana", Name: "Grafana", Redirects: []string{redirect}, SignedOut: []string{"https://grafana.example.com/signed-out"},
		Secrets: []openid.Secret{{Hash: store.HashOf(secret)}},
		Scopes:  []string{shared.ScopeProfile, shared.ScopeEmail, shared.ScopeGroups, shared.ScopeOffline},
	}
	if change != nil {
		change(&c)
	}
	checked, err := c.Check()
	if err != nil {
		t.Fatal(err)
	}
	return checked
}

func onEveryStoreScene(t *testing.T, test func(*scene), clients ...openid.Client) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newScene(t, open, clients...))
		})
	}
}

// newScene starts a provider with these clients, or with Grafana.
func newScene(t *testing.T, open func(*testing.T, store.Clock) store.Store, clients ...openid.Client) *scene {
	t.Helper()
	return newSceneWith(t, open, func(*server.Config) {}, clients...)
}

// newSceneWith starts one with other settings.
func newSceneWith(t *testing.T, open func(*testing.T, store.Clock) store.Store, change func(*server.Config), clients ...openid.Client) *scene {
	t.Helper()
	if len(clients) == 0 {
		clients = []openid.Client{clientOf(t, nil)}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	s := &scene{T: t, issuer: "http://localhost:" + port, clock: time.Now(), log: &proxytest.Output{}}
	hub := live.NewHub()
	s.store = hub.Store(open(t, s.now))
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.accounts = account.New(account.Config{Store: s.store, Now: s.now, Log: log, PasswordCost: account.Cost{MemoryKiB: 64, Time: 1, Threads: 1}})
	address, err := server.ParseAddress(s.issuer, "", true)
	if err != nil {
		t.Fatal(err)
	}
	config := server.Config{
		Store: s.store, Accounts: s.accounts, Live: hub, Now: s.now, Log: log, Address: address, Product: "Keypeg", Contact: "IT desk", Clients: clients,
		Asset: func(name string) string { return "/static/" + name },
		App: server.App{
			Pages: []shared.PagePattern{"/", "/passkeys"},
			Page:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "the app") }),
			Files: map[string]http.Handler{"/static/": http.NotFoundHandler()},
		},
	}
	change(&config)
	s.server, err = server.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	listening := &http.Server{Handler: s.server}
	go listening.Serve(listener)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() { defer close(ended); s.server.RunPrograms(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended
		listening.Close()
		s.server.Close(context.WithoutCancel(t.Context()))
		if t.Failed() {
			t.Logf("the exchange:\n%s", strings.Join(s.exchange, "\n"))
		}
	})
	return s
}

// person is a user with a browser.
type person struct {
	*scene
	name   string
	user   store.User
	jar    http.CookieJar
	device *passkeytest.Device
}

// user adds a user, and signs them in with their password.
func (s *scene) user(name string) *person {
	s.Helper()
	user, err := s.accounts.AddUser(s.Context(), session.Actor{}, account.NewUser{Name: name, DisplayName: strings.ToUpper(name[:1]) + name[1:] + " Miller", Password: password})
	if err != nil {
		s.Fatal(err)
	}
	p := s.browser()
	p.name, p.user = name, user
	p.signsIn()
	return p
}

// browser is one in which nobody is signed in.
func (s *scene) browser() *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	return &person{scene: s, jar: jar, device: passkeytest.New(s.issuer)}
}

// changes lets IT change the user's record.
func (p *person) changes(change func(*store.User)) {
	p.Helper()
	err := store.Update(p.Context(), p.store, p.user.ID, func(user store.User) (store.Batch, error) {
		change(&user)
		return store.Batch{store.PutUser{User: user}}, nil
	})
	if err != nil {
		p.Fatal(err)
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) String() string { return fmt.Sprintf("%d %v %.600s", a.status, a.header, a.body) }

// sends makes a request without following redirects. Change comes before it is sent.
func (p *person) sends(method, address, kind, body string, change ...func(*http.Request)) answer {
	p.Helper()
	if strings.HasPrefix(address, "/") {
		address = p.issuer + address
	}
	r, err := http.NewRequestWithContext(p.Context(), method, address, strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for _, c := range change {
		c(r)
	}
	client := &http.Client{Jar: p.jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	got, err := client.Do(r)
	if err != nil {
		p.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		p.Fatal(err)
	}
	a := answer{got.StatusCode, got.Header, string(text)}
	p.exchange = append(p.exchange, fmt.Sprintf("→ %s %.160s %.160s\n← %d %.160s %.160s", method, r.URL.String(), body, a.status, a.header.Get("Location"), a.body))
	return a
}

const asForm, asJSON = "application/x-www-form-urlencoded", "application/json"

// own are the headers that a browser sends from our own pages.
func own(p *person) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Origin", p.issuer)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
}

func (p *person) gets(address string) answer { p.Helper(); return p.sends("GET", address, "", "") }

func (p *person) submits(path string, form url.Values) answer {
	p.Helper()
	return p.sends("POST", path, asForm, form.Encode(), own(p))
}

func (p *person) api(path string, body any) answer {
	p.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		p.Fatal(err)
	}
	return p.sends("POST", path, asJSON, string(encoded), own(p))
}

func (p *person) signsIn() {
	p.Helper()
	if a := p.api(shared.PathSignInPassword, shared.PasswordSignIn{Name: p.name, Password: password}); a.status != 200 {
		p.Fatal(a)
	}
}

// registers adds a passkey.
func (p *person) registers() {
	p.Helper()
	var begun shared.Ceremony
	p.decodes(p.api(shared.PathRegisterBegin, nil), &begun)
	credential, err := passkeytest.Take(p.device.Create, begun.PublicKey)
	if err != nil {
		p.Fatal(err)
	}
	if a := p.api(shared.PathRegisterFinish, shared.FinishRegistration{FinishCeremony: shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}}); a.status != 201 {
		p.Fatal(a)
	}
}

// uses signs in or confirms with the passkey.
func (p *person) uses(begin, finish string) {
	p.Helper()
	var begun shared.Ceremony
	p.decodes(p.api(begin, nil), &begun)
	credential, err := passkeytest.Take(p.device.Get, begun.PublicKey)
	if err != nil {
		p.Fatal(err)
	}
	if a := p.api(finish, shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}); a.status != 200 {
		p.Fatal(a)
	}
}

func (p *person) decodes(a answer, into any) {
	p.Helper()
	if a.status != 200 && a.status != 201 {
		p.Fatalf("got %s", a)
	}
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		p.Fatalf("decoding %s: %v", a, err)
	}
}

const (
	verifier  = "a-code-verifier-of-forty-three-characters-or-more"
	challenge = "ahPqLsi7P3zVk_x_mrtpwuI1ckS-ixx0SqLQLE0lQXA"
)

// request returns the parameters of an ordinary authorization request, as changed.
func request(changes ...string) url.Values {
	sent := url.Values{
		"client_id": {"grafana"}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {"openid profile"}, "state": {"a state"}, "nonce": {"a nonce"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "" {
			sent.Del(changes[i])
		} else {
			sent.Set(changes[i], changes[i+1])
		}
	}
	return sent
}

// authorizes sends an authorization request.
func (p *person) authorizes(changes ...string) answer {
	p.Helper()
	return p.gets(openid.PathAuthorize + "?" + request(changes...).Encode())
}

var (
	sealedField = regexp.MustCompile(`name="request" value="([^"]+)"`)
	onward      = regexp.MustCompile(`id="onward"[^>]* href="([^"]+)"|href="([^"]+)"[^>]*id="onward"`)
)

// field returns the sealed request of a page.
func (p *person) field(a answer) string {
	p.Helper()
	found := sealedField.FindStringSubmatch(a.body)
	if a.status != 200 || found == nil {
		p.Fatalf("no page with a request: %s", a)
	}
	return html.UnescapeString(found[1])
}

// lets answers the page of consent.
func (p *person) lets(page answer, with string) answer {
	p.Helper()
	return p.submits(shared.PageConsent, url.Values{"request": {p.field(page)}, "answer": {with}})
}

// back returns the parameters with which a browser is sent to the program, by a redirect or from our page.
func (p *person) back(a answer) url.Values {
	p.Helper()
	to := a.header.Get("Location")
	if a.status == 200 {
		if found := onward.FindStringSubmatch(a.body); found != nil {
			to = html.UnescapeString(found[1] + found[2])
		}
	}
	at, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, redirect) {
		p.Fatalf("isn't sent back to the program: %s", a)
	}
	values := at.Query()
	if values.Get("iss") != p.issuer {
		p.Errorf("the answer has iss %q (RFC 9207)", values.Get("iss"))
	}
	return values
}

// code lets the program in, and returns its code.
func (p *person) code(changes ...string) string {
	p.Helper()
	a := p.authorizes(changes...)
	if a.status == 200 {
		a = p.lets(a, "allow")
	}
	values := p.back(a)
	if values.Get("code") == "" {
		p.Fatalf("no code: %s", a)
	}
	return values.Get("code")
}

// tokens is what the token endpoint answers.
type tokens struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
	Scope        string `json:"scope"`
	Error        string `json:"error"`
	Description  string `json:"error_description"`
}

// program sends a form to an endpoint as a program does, with its secret.
func (s *scene) program(path string, form url.Values, change ...func(*http.Request)) (int, tokens) {
	s.Helper()
	p := s.browser()
	if len(change) == 0 {
		change = append(change, func(r *http.Request) { r.SetBasicAuth("grafana", secret) })
	}
	a := p.sends("POST", path, asForm, form.Encode(), change...)
	var got tokens
	if a.body != "" {
		if err := json.Unmarshal([]byte(a.body), &got); err != nil {
			s.Fatalf("%s: %v", a, err)
		}
	}
	return a.status, got
}

func codeForm(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}, "code_verifier": {verifier}}
}

// exchanges gets tokens for a code.
func (s *scene) exchanges(code string) tokens {
	s.Helper()
	status, got := s.program(openid.PathToken, codeForm(code))
	if status != 200 || got.AccessToken == "" || got.TokenType != "Bearer" || got.IDToken == "" {
		s.Fatalf("got %d %+v", status, got)
	}
	return got
}

// claims checks the signature of a token with the published keys, and returns what it says.
func (s *scene) claims(token string) map[string]any {
	s.Helper()
	var set jose.JSONWebKeySet
	p := s.browser()
	p.decodes(p.gets(openid.PathKeys), &set)
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		s.Fatal(err)
	}
	keys := set.Key(signed.Signatures[0].Header.KeyID)
	if len(keys) != 1 || keys[0].Algorithm != signed.Signatures[0].Header.Algorithm {
		s.Fatalf("%d keys have the id %q", len(keys), signed.Signatures[0].Header.KeyID)
	}
	payload, err := signed.Verify(keys[0])
	if err != nil {
		s.Fatal(err)
	}
	claims := map[string]any{}
	if err := json.Unmarshal(payload, &claims); err != nil {
		s.Fatal(err)
	}
	return claims
}

// userinfo asks who the user is.
func (s *scene) userinfo(token string) map[string]any {
	s.Helper()
	p := s.browser()
	a := p.sends("GET", openid.PathUserInfo, "", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
	claims := map[string]any{}
	if a.status == 200 {
		p.decodes(a, &claims)
	} else if !strings.Contains(a.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
		s.Errorf("userinfo answers %s", a)
	}
	return claims
}

// is compares two values.
func (s *scene) is(what string, got, want any) {
	s.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// keyID returns the id of the key that has signed a token.
func (s *scene) keyID(token string) string {
	s.Helper()
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		s.Fatal(err)
	}
	return signed.Signatures[0].Header.KeyID
}

// hmacWithPublicKey signs a payload with HS256, and a public key as the shared one.
func hmacWithPublicKey(s *scene, kid, payload string) string {
	s.Helper()
	var set jose.JSONWebKeySet
	p := s.browser()
	p.decodes(p.gets(openid.PathKeys), &set)
	der, err := x509.MarshalPKIXPublicKey(set.Key(kid)[0].Key)
	if err != nil {
		s.Fatal(err)
	}
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","kid":"`+kid+`","typ":"at+jwt"}`)) + "." + payload
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// introspects asks whether a token works.
func (s *scene) introspects(token string) (status int, active bool) {
	s.Helper()
	p := s.browser()
	a := p.sends("POST", openid.PathIntrospect, asForm, url.Values{"token": {token}}.Encode(), func(r *http.Request) { r.SetBasicAuth("grafana", secret) })
	var got struct{ Active bool }
	p.decodes(a, &got)
	return a.status, got.Active
}
