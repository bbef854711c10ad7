// Package federationtest runs a real OpenID provider for tests: a library that others build
// providers with, some people who sign in without a password, and methods that make it
// slow, unavailable or wrong.
//
// Tests that run the whole program start the command in the folder provider.
package federationtest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Person is a person who can sign in at the provider.
type Person struct {
	Subject       string `json:"sub"`
	Name          string `json:"name"`
	Username      string `json:"preferred_username"`
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
}

// Client is a program that is registered at the provider.
type Client struct {
	ID            string
	Secret        string
	Key           crypto.PublicKey // instead of a secret
	RedirectURIs  []string
	SignedOutURIs []string
	ClaimsInToken bool // name and e-mail are in the ID token, not only at the userinfo endpoint
}

// Provider is an OpenID provider. It is safe for concurrent use.
type Provider struct {
	URL     string // the issuer
	storage *storage
	op      *op.Provider

	away   atomic.Bool
	iss    atomic.Bool
	wait   atomic.Pointer[func(*http.Request)]
	lie    atomic.Pointer[Lie]
	change sync.Map     // of answers, func(*Answer) by path
	Visits atomic.Int64 // requests to the addresses of discovery and keys
}

// New returns a provider for this issuer, an http or https address without a path.
func New(issuer string, people ...Person) (*Provider, error) {
	p := &Provider{URL: issuer, storage: &storage{
		people: people, clients: map[string]Client{}, requests: map[string]*request{},
		codes: map[string]string{}, tokens: map[string]*request{}, key: newSigningKey(),
	}}
	provider, err := op.NewProvider(&op.Config{
		CryptoKey: sha256.Sum256([]byte(issuer)), CodeMethodS256: true, AuthMethodPrivateKeyJWT: true,
		DefaultLogoutRedirectURI: pathSignedOut,
	}, p.storage, op.StaticIssuer(issuer), op.WithAllowInsecure())
	if err != nil {
		return nil, err
	}
	p.op = provider
	return p, nil
}

// Start runs a provider until the test ends.
func Start(t testing.TB, people ...Person) *Provider {
	t.Helper()
	var handler atomic.Pointer[Provider]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.Load().ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	p, err := New(strings.Replace(server.URL, "127.0.0.1", "localhost", 1), people...)
	if err != nil {
		t.Fatal(err)
	}
	handler.Store(p)
	return p
}

// Register registers a program at the provider.
func (p *Provider) Register(c Client) {
	p.storage.mu.Lock()
	defer p.storage.mu.Unlock()
	p.storage.clients[c.ID] = c
}

// Rotate makes the provider sign with a new key from now on, and forget the old one.
func (p *Provider) Rotate() {
	p.storage.mu.Lock()
	defer p.storage.mu.Unlock()
	p.storage.key = newSigningKey()
}

// IsAway makes every answer a 503.
func (p *Provider) IsAway(yes bool) { p.away.Store(yes) }

// Waits makes the provider call wait before each answer; nil ends that.
func (p *Provider) Waits(wait func(*http.Request)) {
	if wait == nil {
		p.wait.Store(nil)
		return
	}
	p.wait.Store(&wait)
}

// Lie changes the claims and the signature of ID tokens.
type Lie struct {
	Claims     map[string]any // in the place of the true ones; nil removes one
	ForeignKey bool           // signed with a key that isn't the provider's
	Unsigned   bool           // "alg": "none"
	KeyID      *string        // in the place of the true one; "" leaves it out
}

// Answer is an answer of the provider, which a test may change.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Set sets a member of a JSON answer; nil removes it.
func (a *Answer) Set(name string, value any) {
	said := map[string]any{}
	must(0, json.Unmarshal(a.Body, &said))
	said[name] = value
	if value == nil {
		delete(said, name)
	}
	a.Body = must(json.Marshal(said))
}

// Says replaces an answer.
func (a *Answer) Says(status int, kind, body string) {
	a.Status, a.Body = status, []byte(body)
	a.Header.Set("Content-Type", kind)
}

// Redirects makes an answer a redirect.
func (a *Answer) Redirects(status int, to string) {
	a.Status = status
	a.Header.Set("Location", to)
}

// Changes makes the provider call change with each answer at a path before it is sent; nil
// ends that.
func (p *Provider) Changes(path string, change func(*Answer)) {
	if change == nil {
		p.change.Delete(path)
		return
	}
	p.change.Store(path, change)
}

// Lies makes the provider lie from now on; nil ends that.
func (p *Provider) Lies(lie *Lie) { p.lie.Store(lie) }

// NamesItself adds iss to authorization responses (RFC 9207), and says so in the metadata.
func (p *Provider) NamesItself(yes bool) { p.iss.Store(yes) }

// Ended returns the clients that have requested the end of a session at the provider.
func (p *Provider) Ended() []string {
	p.storage.mu.Lock()
	defer p.storage.mu.Unlock()
	return append([]string(nil), p.storage.ended...)
}

// The provider's paths.
const (
	PathAuthorize = "/authorize"
	PathToken     = "/oauth/token"
	PathKeys      = "/keys"
	PathUserinfo  = "/userinfo"
	PathDiscovery = "/.well-known/openid-configuration"

	pathLogin     = "/login"
	pathSignedOut = "/signed-out"
	pathAnswer    = "/authorize/callback"
)

// ServeHTTP implements http.Handler.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	change, changes := p.change.Load(r.URL.Path)
	if !changes {
		p.answer(w, r)
		return
	}
	truth := httptest.NewRecorder()
	p.answer(truth, r)
	answer := Answer{truth.Code, truth.Header(), truth.Body.Bytes()}
	change.(func(*Answer))(&answer)
	truth.Code = answer.Status
	pass(w, truth, answer.Body)
}

func (p *Provider) answer(w http.ResponseWriter, r *http.Request) {
	if wait := p.wait.Load(); wait != nil {
		(*wait)(r)
	}
	if p.away.Load() {
		http.Error(w, "away", http.StatusServiceUnavailable)
		return
	}
	switch r.URL.Path {
	case pathLogin:
		p.login(w, r)
	case pathSignedOut:
		w.Write([]byte("You are signed out.\n"))
	case PathToken:
		p.token(w, r)
	case PathDiscovery, PathKeys:
		p.Visits.Add(1)
		p.named(w, r)
	case pathAnswer:
		p.named(w, r)
	default:
		p.op.ServeHTTP(w, r)
	}
}

var loginPage = template.Must(template.New("login").Parse(`<!doctype html><html lang="en"><title>Test provider</title>
<h1>Who are you?</h1><form method="post"><input type="hidden" name="id" value="{{.ID}}">
{{range .People}}<p><button name="subject" value="{{.Subject}}">{{.Name}}</button></p>{{end}}
<p><button name="subject" value="">Cancel</button></p></form></html>`))

// login asks for the person, and requires no proof.
func (p *Provider) login(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("id")
	if r.Method != http.MethodPost {
		loginPage.Execute(w, map[string]any{"ID": id, "People": p.storage.people})
		return
	}
	subject := r.FormValue("subject")
	if subject == "" {
		p.cancel(w, r, id)
		return
	}
	if err := p.storage.signsIn(id, subject); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, op.AuthCallbackURL(p.op)(op.ContextWithIssuer(r.Context(), p.URL), id), http.StatusFound)
}

// cancel redirects the person with an error (RFC 6749, 4.1.2.1).
func (p *Provider) cancel(w http.ResponseWriter, r *http.Request, id string) {
	request, err := p.storage.AuthRequestByID(r.Context(), id)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	query := url.Values{"error": {"access_denied"}, "state": {request.GetState()}}
	http.Redirect(w, r, request.GetRedirectURI()+"?"+query.Encode(), http.StatusFound)
}

// named adds iss (RFC 9207), if that is on.
func (p *Provider) named(w http.ResponseWriter, r *http.Request) {
	if !p.iss.Load() {
		p.op.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	p.op.ServeHTTP(answer, r)
	if to := answer.Header().Get("Location"); to != "" {
		answer.Header().Set("Location", to+"&iss="+url.QueryEscape(p.URL))
	}
	body := answer.Body.Bytes()
	if r.URL.Path == PathDiscovery {
		body = bytes.Replace(body, []byte("{"), []byte(`{"authorization_response_iss_parameter_supported":true,`), 1)
	}
	pass(w, answer, body)
}

// pass sends a recorded answer with another body.
func pass(w http.ResponseWriter, answer *httptest.ResponseRecorder, body []byte) {
	maps.Copy(w.Header(), answer.Header())
	w.Header().Del("Content-Length")
	w.WriteHeader(answer.Code)
	w.Write(body)
}

// token answers as the library does, or with a lie. For a wrong client assertion it answers
// invalid_client (RFC 7523, 3.2), where the library answers invalid_grant as for a code.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	must(0, r.ParseForm())
	answer := httptest.NewRecorder()
	p.op.ServeHTTP(answer, r)
	body, lie := answer.Body.Bytes(), p.lie.Load()
	switch {
	case answer.Code == http.StatusOK && lie != nil:
		body = lie.in(body, p.key(r.Context()))
	case answer.Code != http.StatusOK && r.PostForm.Has("client_assertion") && bytes.Contains(body, []byte("signature")):
		answer.Code, body = http.StatusUnauthorized, []byte(`{"error":"invalid_client"}`)
	}
	pass(w, answer, body)
}

func (p *Provider) key(ctx context.Context) signingKey {
	key, _ := p.storage.SigningKey(ctx)
	return key.(signingKey)
}

// in returns the token response with another ID token.
func (l *Lie) in(body []byte, key signingKey) []byte {
	answer, claims := map[string]any{}, map[string]any{}
	must(0, json.Unmarshal(body, &answer))
	payload := strings.Split(answer["id_token"].(string), ".")[1]
	must(0, json.Unmarshal(must(base64.RawURLEncoding.DecodeString(payload)), &claims))
	for name, value := range l.Claims {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	said := must(json.Marshal(claims))

	if l.Unsigned {
		encode := base64.RawURLEncoding.EncodeToString
		answer["id_token"] = encode([]byte(`{"alg":"none"}`)) + "." + encode(said) + "."
		return must(json.Marshal(answer))
	}
	if l.KeyID != nil {
		key.id = *l.KeyID
	}
	if l.ForeignKey {
		key.private = newSigningKey().private
	}
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key.private, KeyID: key.id}}, nil))
	answer["id_token"] = must(must(signer.Sign(said)).CompactSerialize())
	return must(json.Marshal(answer))
}

// must is for calls that can't fail with the library's own answers.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
