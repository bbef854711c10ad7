package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/storetest/backends"
	"github.com/keypeg/keypeg/shared"
)

const (
	origin   = "http://localhost:8080"
	password = "correct horse battery"
)

var siteURL = &url.URL{Scheme: "http", Host: "localhost:8080"}

// stores are those that every claim at the HTTP level is held against.
var stores = backends.One

func onEveryStore(t *testing.T, test func(*site)) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newSite(t, open, nil))
		})
	}
}

// site is a server with its clock and its log.
type site struct {
	*testing.T
	store    store.Store
	accounts *account.Service
	rules    account.Config // of accounts
	handler  *server.Server
	log      *proxytest.Output
	config   server.Config

	mu    sync.Mutex
	clock time.Time
}

func newSite(t *testing.T, open func(*testing.T, store.Clock) store.Store, change func(*server.Config)) *site {
	s := &site{T: t, clock: time.Now(), log: &proxytest.Output{}}
	hub := live.NewHub()
	s.store = hub.Store(open(t, s.now))
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.rules = account.Config{Store: s.store, Now: s.now, Log: log, PasswordCost: account.Cost{MemoryKiB: 64, Time: 1, Threads: 1}}
	address, err := server.ParseAddress(origin, "", true)
	if err != nil {
		t.Fatal(err)
	}
	config := server.Config{
		Store: s.store, Accounts: account.New(s.rules), Live: hub, Now: s.now, Log: log,
		Address: address, Product: "Keypeg", Contact: "IT desk",
		Examine: func(_ context.Context, found server.Found) string {
			found(shared.Check{ID: "Address/port", Group: "Address", Title: "port", State: shared.CheckFailed, Compared: "nothing answers", Mend: []shared.Mend{{In: "nginx", Line: "listen 443 ssl;"}}})
			return "the text"
		},
		Asset: func(name string) string { return "/static/" + name },
		App: server.App{
			Pages: []shared.PagePattern{"/", "/passkeys", "/users/{id}"},
			Page:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "the app") }),
			Files: map[string]http.Handler{
				"/static/": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "a file") }),
			},
		},
	}
	s.config = config
	if change == nil {
		change = func(*server.Config) {}
	}
	s.restarts(change)
	return s
}

// restarts lets the server begin anew, with other settings.
func (s *site) restarts(change func(*server.Config)) {
	s.Helper()
	change(&s.config)
	s.accounts = s.config.Accounts
	handler, err := server.New(s.Context(), s.config)
	if err != nil {
		s.Fatal(err)
	}
	s.handler = handler
}

// changesRules lets the server begin anew, with other rules for its accounts.
func (s *site) changesRules(change func(*account.Config)) {
	s.Helper()
	s.accounts.Activity().Close(s.Context())
	change(&s.rules)
	s.restarts(func(c *server.Config) { c.Accounts = account.New(s.rules) })
}

// it acts for the user of this name at the command line.
func it(t testing.TB, accounts *account.Service, name string) session.Actor {
	t.Helper()
	who, err := accounts.IT(t.Context(), name)
	if err != nil {
		t.Errorf("IT doesn't find %s: %v", name, err)
	}
	return who
}

func (s *site) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

func (s *site) passes(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(d)
}

// visitor is a browser with cookies and a device, for one person.
type visitor struct {
	*site
	name   string
	jar    http.CookieJar
	device *passkeytest.Device // on a page of the address that the browser is at
}

func (s *site) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	return &visitor{site: s, jar: jar, device: passkeytest.New(origin)}
}

// user adds a user and signs them in with their password.
func (s *site) user(name string) *visitor {
	s.Helper()
	if _, err := s.accounts.AddUser(s.Context(), session.Actor{}, account.NewUser{Name: name, DisplayName: strings.ToUpper(name), Password: password}); err != nil {
		s.Fatal(err)
	}
	v := s.visitor()
	v.name = name
	v.signsInWithPassword()
	return v
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// sends makes a request as a browser on our own page does.
func (v *visitor) sends(method, path string, body any, change ...func(*http.Request)) answer {
	v.Helper()
	var content io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(body)
	default:
		encoded, err := json.Marshal(body)
		if err != nil {
			v.Fatal(err)
		}
		content = bytes.NewReader(encoded)
	}
	at, err := url.Parse(v.device.Origin)
	if err != nil {
		v.Fatal(err)
	}
	r := httptest.NewRequestWithContext(v.Context(), method, at.String()+path, content)
	r.Header.Set("Origin", at.String())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, cookie := range v.jar.Cookies(at) {
		r.AddCookie(cookie)
	}
	for _, c := range change {
		c(r)
	}

	w := httptest.NewRecorder()
	v.ServeHTTP(w, r)
	v.jar.SetCookies(at, w.Result().Cookies())
	return answer{w.Code, w.Header(), w.Body.Bytes()}
}

func (v *visitor) submits(path string, form url.Values, change ...func(*http.Request)) answer {
	v.Helper()
	asForm := func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }
	return v.sends("POST", path, form.Encode(), append(change, asForm)...)
}

func (v *visitor) token() string {
	for _, cookie := range v.jar.Cookies(siteURL) {
		if cookie.Name == "keypeg" {
			return cookie.Value
		}
	}
	return ""
}

func into[T any](v *visitor, a answer, status int) (out T) {
	v.Helper()
	if a.status != status {
		v.Fatalf("got %s, want %d", a, status)
	}
	if err := json.Unmarshal(a.body, &out); err != nil {
		v.Fatalf("decoding %s: %v", a.body, err)
	}
	return out
}

func (v *visitor) refused(a answer, status int, code shared.Code) {
	v.Helper()
	var problem shared.Problem
	if err := json.Unmarshal(a.body, &problem); err != nil || a.status != status || problem.Code != code || problem.Status != status || problem.Detail == "" {
		v.Errorf("got %s, want %d %s", a, status, code)
	}
	if kind := a.header.Get("Content-Type"); kind != "application/problem+json" {
		v.Errorf("a problem of type %q", kind)
	}
}

func (v *visitor) signsInWithPassword() {
	v.Helper()
	into[shared.SignedIn](v, v.sends("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: v.name, Password: password}), 200)
}

func (v *visitor) finishesRegistration(name string) answer {
	v.Helper()
	begun := into[shared.Ceremony](v, v.sends("POST", shared.PathRegisterBegin, nil), 200)
	credential := v.takes(v.device.Create, begun.PublicKey)
	return v.sends("POST", shared.PathRegisterFinish, shared.FinishRegistration{FinishCeremony: shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}, Name: name})
}

func (v *visitor) registers(name string) shared.Passkey {
	v.Helper()
	return into[shared.Passkey](v, v.finishesRegistration(name), 201)
}

func (v *visitor) proves(begun shared.Ceremony) shared.FinishCeremony {
	v.Helper()
	credential := v.takes(v.device.Get, begun.PublicKey)
	return shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}
}

func (v *visitor) signsInWithPasskey() answer {
	v.Helper()
	begun := into[shared.Ceremony](v, v.sends("POST", shared.PathSignInBegin, shared.BeginSignIn{}), 200)
	return v.sends("POST", shared.PathSignInFinish, v.proves(begun))
}

func (v *visitor) lists() shared.PasskeyList {
	v.Helper()
	return into[shared.PasskeyList](v, v.sends("GET", shared.PathPasskeys, nil), 200)
}

// takes asks the browser for a credential, and for the alternatives of the options where it gives none.
func (v *visitor) takes(ask func(json.RawMessage, ...passkeytest.Lie) (json.RawMessage, error), options json.RawMessage) json.RawMessage {
	v.Helper()
	credential, err := passkeytest.Take(ask, options)
	if err != nil {
		v.Fatal(err)
	}
	return credential
}
