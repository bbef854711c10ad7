package server_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
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
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/shared"
)

const (
	origin   = "http://localhost:8080"
	password = "correct horse battery"
)

var siteURL = &url.URL{Scheme: "http", Host: "localhost:8080"}

// stores are the backends that every claim at the HTTP level is held against.
var stores = map[string]func(*testing.T, store.Clock) store.Store{
	"memstore": func(_ *testing.T, now store.Clock) store.Store { return memstore.New(now) },
	"boltstore": func(t *testing.T, now store.Clock) store.Store {
		s, err := boltstore.Open(filepath.Join(t.TempDir(), "keypeg.db"), now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	},
	"pgstore": func(t *testing.T, now store.Clock) store.Store {
		s, err := pgstore.Open(t.Context(), pgtest.Database(t), pgtest.Name(), now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	},
}

func onEveryStore(t *testing.T, test func(*site)) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) { test(newSite(t, open, nil)) })
	}
}

// site is a server with its clock and its log.
type site struct {
	*testing.T
	store    store.Store
	accounts *account.Service
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
	s.accounts = account.New(account.Config{Store: s.store, Now: s.now, Log: log, PasswordCost: account.Cost{MemoryKiB: 64, Time: 1, Threads: 1}})
	address, err := server.ParseAddress(origin, "", true)
	if err != nil {
		t.Fatal(err)
	}
	config := server.Config{
		Store: s.store, Accounts: s.accounts, Live: hub, Now: s.now, Log: log,
		Address: address, Product: "Keypeg", Contact: "IT desk",
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
	handler, err := server.New(s.Context(), s.config)
	if err != nil {
		s.Fatal(err)
	}
	s.handler = handler
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
	device *passkeytest.Device
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
	if _, err := s.accounts.AddUser(s.Context(), account.NewUser{Name: name, DisplayName: strings.ToUpper(name), Password: password}); err != nil {
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
	r := httptest.NewRequestWithContext(v.Context(), method, origin+path, content)
	r.Header.Set("Origin", origin)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, cookie := range v.jar.Cookies(siteURL) {
		r.AddCookie(cookie)
	}
	for _, c := range change {
		c(r)
	}

	w := httptest.NewRecorder()
	v.ServeHTTP(w, r)
	v.jar.SetCookies(siteURL, w.Result().Cookies())
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
	credential, err := v.device.Create(begun.PublicKey)
	if err != nil {
		v.Fatal(err)
	}
	return v.sends("POST", shared.PathRegisterFinish, shared.FinishRegistration{FinishCeremony: shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}, Name: name})
}

func (v *visitor) registers(name string) shared.Passkey {
	v.Helper()
	return into[shared.Passkey](v, v.finishesRegistration(name), 201)
}

func (v *visitor) proves(begun shared.Ceremony) shared.FinishCeremony {
	v.Helper()
	credential, err := v.device.Get(begun.PublicKey)
	if err != nil {
		v.Fatal(err)
	}
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

// members are the names in a JSON object, with those of objects in it.
func members(t *testing.T, body []byte) []string {
	t.Helper()
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	var names []string
	for name, value := range object {
		names = append(names, name)
		if value[0] == '{' && name != "publicKey" {
			for _, inner := range members(t, value) {
				names = append(names, name+"."+inner)
			}
		}
	}
	slices.Sort(names)
	return names
}

func TestWire(t *testing.T) {
	onEveryStore(t, func(s *site) {
		ann := s.user("ann")
		shape := func(what string, a answer, status int, want ...string) {
			s.Helper()
			slices.Sort(want)
			if got := members(s.T, a.body); a.status != status || !reflect.DeepEqual(got, want) {
				s.Errorf("%s: %s with members %q, want %d with %q", what, a, got, status, want)
			}
			if kind := a.header.Get("Content-Type"); kind != "application/json" {
				s.Errorf("%s: type %q", what, kind)
			}
			if cache := a.header.Get("Cache-Control"); cache != "no-store" {
				s.Errorf("%s: Cache-Control %q", what, cache)
			}
		}
		row := []string{"id", "credentialId", "name", "created", "kind", "synced"}

		shape("account", ann.sends("GET", shared.PathAccount, nil), 200,
			"user", "user.id", "user.name", "user.displayName", "product", "contact", "passkeysOn", "rpId", "hasPassword", "passkeys", "recoveryCodes", "signedInWith", "signedInAt")
		shape("an empty list", ann.sends("GET", shared.PathPasskeys, nil), 200, "passkeys", "hasPassword", "rpId", "userHandle", "endsSessions")
		shape("begin registration", ann.sends("POST", shared.PathRegisterBegin, nil), 200, "ticket", "publicKey")
		added := ann.finishesRegistration("Laptop")
		details := []string{"signals", "signals.currentUserDetails", "signals.currentUserDetails.rpId", "signals.currentUserDetails.userId",
			"signals.currentUserDetails.name", "signals.currentUserDetails.displayName"}
		shape("finish registration", added, 201, append(details, row...)...)
		id := into[shared.Passkey](ann, added, 201).ID
		shape("rename", ann.sends("PATCH", shared.PathPasskey+id, `{"name":"Phone","unknown":1}`), 200, row...)
		shape("sessions", ann.sends("GET", shared.PathSessions, nil), 200, "sessions")
		shape("end others", ann.sends("POST", shared.PathEndOthers, nil), 200, "sessions")
		shape("activity", ann.sends("GET", shared.PathActivity, nil), 200, "events")
		ann.refused(ann.sends("GET", shared.PathActivity+"?before=x", nil), 400, shared.CodeInvalidRequest)
		ann.refused(ann.sends("DELETE", shared.PathSession+"x", nil), 404, shared.CodeNotFound)
		ann.refused(ann.sends("POST", shared.PathPassword, `{"password":"short"}`), 422, shared.CodeInvalidPassword)
		if a := ann.sends("POST", shared.PathPassword, shared.ChangePassword{Password: password}); a.status != 204 {
			s.Errorf("change password: %s", a)
		}
		shape("begin confirmation", ann.sends("POST", shared.PathConfirmBegin, nil), 200, "ticket", "publicKey")
		confirmation := into[shared.Ceremony](ann, ann.sends("POST", shared.PathConfirmBegin, nil), 200)
		shape("finish confirmation", ann.sends("POST", shared.PathConfirmFinish, ann.proves(confirmation)), 200, "until")
		shape("confirm with a password", ann.sends("POST", shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password}), 200, "until")
		shape("begin a silent registration", ann.sends("POST", shared.PathRegisterBegin, `{"mediation":"conditional"}`), 200, "ticket", "publicKey", "mediation")
		ann.refused(ann.sends("POST", shared.PathRegisterBegin, `{"mediation":"silent"}`), 400, shared.CodeInvalidRequest)
		shape("begin sign-in", ann.sends("POST", shared.PathSignInBegin, `{}`), 200, "ticket", "publicKey")
		shape("begin sign-in without a body", ann.sends("POST", shared.PathSignInBegin, nil), 200, "ticket", "publicKey")
		shape("begin sign-in by autofill", ann.sends("POST", shared.PathSignInBegin, `{"mediation":"conditional"}`), 200, "ticket", "publicKey", "mediation")
		shape("finish sign-in", ann.signsInWithPasskey(), 200, "user", "user.id", "user.name", "user.displayName")
		if rows := ann.lists().Passkeys; len(rows) != 1 || !rows[0].Current || rows[0].LastUsed == nil || rows[0].Name != "Phone" {
			s.Errorf("rows %+v", rows)
		}
		user, _ := s.store.UserByName(s.Context(), "ann")
		user.Admin = true
		if err := s.store.Apply(s.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
			s.Fatal(err)
		}
		link := []string{"url", "qr", "qr.size", "qr.path", "expires"}
		shape("phone link", ann.sends("POST", shared.PathPhoneLink, nil), 200, link...)
		shape("users", ann.sends("GET", shared.PathUsers, nil), 200, "users")
		invited := ann.sends("POST", shared.PathUsers, `{"name":"carl"}`)
		within := []string{"user", "user.id", "user.name", "user.displayName", "user.hasPassword", "user.passkeys", "user.identities", "user.invited", "user.created", "user.linkUntil", "link"}
		for _, member := range link {
			within = append(within, "link."+member)
		}
		shape("invite", invited, 201, within...)
		carl := shared.PathUser + into[shared.Invited](ann, invited, 201).User.ID
		shape("invite again", ann.sends("POST", carl+shared.PathInvitation, nil), 200, link...)
		shape("recovery link", ann.sends("POST", carl+shared.PathRecoveryLink, nil), 200, link...)
		shape("disable", ann.sends("PATCH", carl, `{"disabled":true}`), 200,
			"id", "name", "displayName", "disabled", "hasPassword", "passkeys", "identities", "invited", "created")
		shape("remove", ann.sends("DELETE", shared.PathPasskey+id, nil), 200, append(details, "passkeys", "hasPassword", "rpId", "userHandle", "endsSessions",
			"signals.unknownCredential", "signals.unknownCredential.rpId", "signals.unknownCredential.credentialId")...)
		if out := ann.sends("POST", shared.PathSignOut, nil); out.status != 204 || len(out.body) != 0 {
			s.Errorf("sign-out: %s", out)
		}
		ann.refused(ann.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
		shape("sign-in with a password", ann.sends("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: "ann", Password: password}), 200,
			"user", "user.id", "user.name", "user.displayName", "user.admin")
	})
}

func TestSessions(t *testing.T) {
	onEveryStore(t, func(s *site) {
		ann := s.user("ann")
		ann.registers("x")
		first := ann.token()

		s.Run("the token is another after every sign-in and confirmation", func(t *testing.T) {
			seen := map[string]bool{first: true}
			for what, do := range map[string]func(){
				"password": ann.signsInWithPassword,
				"passkey":  func() { into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200) },
				"confirmation": func() {
					into[shared.Confirmed](ann, ann.sends("POST", shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password}), 200)
				},
			} {
				do()
				if seen[ann.token()] {
					t.Errorf("after %s the token is the old one", what)
				}
				seen[ann.token()] = true
			}
		})
		s.Run("a request that was on its way during a confirmation is answered, and proves nothing", func(t *testing.T) {
			before := ann.token()
			late := func(method, path string) answer {
				return s.visitor().sends(method, path, nil, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "keypeg", Value: before}) })
			}
			for range 2 {
				into[shared.Confirmed](ann, ann.sends("POST", shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password}), 200)
				a := late("GET", shared.PathAccount)
				into[shared.Account](ann, a, 200)
				for _, cookie := range a.header.Values("Set-Cookie") {
					if strings.HasPrefix(cookie, "keypeg=") {
						t.Errorf("it would take the new token away: %s", cookie)
					}
				}
				ann.refused(late("POST", shared.PathRegisterBegin), 403, shared.CodeConfirmRequired)
			}
			s.passes(11 * time.Second)
			ann.refused(late("GET", shared.PathAccount), 401, shared.CodeUnauthenticated)
			into[shared.Ceremony](ann, ann.sends("POST", shared.PathRegisterBegin, nil), 200)
		})
		s.Run("an old token is nobody's", func(t *testing.T) {
			old := s.visitor()
			a := old.sends("GET", shared.PathAccount, nil, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "keypeg", Value: first}) })
			old.refused(a, 401, shared.CodeUnauthenticated)
		})
		s.Run("signing out ends it on the server", func(t *testing.T) {
			token := ann.token()
			ann.sends("POST", shared.PathSignOut, nil)
			if ann.token() != "" {
				t.Error("the browser still has the cookie")
			}
			a := ann.sends("GET", shared.PathAccount, nil, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "keypeg", Value: token}) })
			ann.refused(a, 401, shared.CodeUnauthenticated)
		})
	})
	t.Run("a clock that is set back signs nobody out, and lets everybody in", func(t *testing.T) {
		onEveryStore(t, func(s *site) {
			ann := s.user("ann")
			ann.registers("x")
			s.passes(-time.Hour)
			ann.lists()
			into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
			ann.signsInWithPassword()
			s.passes(2 * time.Hour)
			ann.lists()
			into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
		})
	})
	t.Run("over https the cookie has the prefix that browsers protect", func(t *testing.T) {
		s := newSite(t, stores["memstore"], func(c *server.Config) {
			address, err := server.ParseAddress("https://id.example.com", "", true)
			if err != nil {
				t.Fatal(err)
			}
			c.Address = address
		})
		if _, err := s.accounts.AddUser(t.Context(), account.NewUser{Name: "ann", DisplayName: "Ann", Password: password}); err != nil {
			t.Fatal(err)
		}
		a := s.visitor().sends("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: "ann", Password: password}, func(r *http.Request) { r.Host = "id.example.com" })
		for i, name := range []string{"__Host-keypeg=", "__Host-keypeg-known="} {
			cookie := a.header.Values("Set-Cookie")[i]
			for _, part := range []string{name, "; Path=/;", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
				if !strings.Contains(cookie, part) {
					t.Errorf("cookie %q lacks %q", cookie, part)
				}
			}
		}
		if a.header.Get("Strict-Transport-Security") == "" {
			t.Error("no Strict-Transport-Security")
		}
	})
}

func TestConfirmation(t *testing.T) {
	onEveryStore(t, func(s *site) {
		ann := s.user("ann")
		id := ann.registers("x").ID
		s.passes(10 * time.Minute)

		s.Run("a wrong password doesn't confirm, and ends nothing", func(t *testing.T) {
			ann.refused(ann.sends("POST", shared.PathConfirmPassword, `{"password":"wrong"}`), 401, shared.CodeSignInRefused)
			ann.lists()
		})
		s.Run("one's own passkey does", func(t *testing.T) {
			begun := into[shared.Ceremony](ann, ann.sends("POST", shared.PathConfirmBegin, nil), 200)
			into[shared.Confirmed](ann, ann.sends("POST", shared.PathConfirmFinish, ann.proves(begun)), 200)
			into[shared.PasskeyList](ann, ann.sends("DELETE", shared.PathPasskey+id, nil), 200)
		})
	})
}

func TestWithoutSession(t *testing.T) {
	onEveryStore(t, func(s *site) {
		hers := s.user("ann").registers("hers")
		s.Run("without a session there is nothing", func(t *testing.T) {
			nobody := s.visitor()
			for _, request := range [][2]string{
				{"GET", shared.PathAccount}, {"GET", shared.PathPasskeys}, {"GET", shared.PathSessions}, {"DELETE", shared.PathSession + "x"}, {"POST", shared.PathEndOthers}, {"GET", shared.PathActivity}, {"POST", shared.PathPassword}, {"PATCH", shared.PathPasskey + hers.ID}, {"DELETE", shared.PathPasskey + hers.ID},
				{"POST", shared.PathRegisterBegin}, {"POST", shared.PathRegisterFinish}, {"POST", shared.PathConfirmBegin}, {"POST", shared.PathConfirmFinish}, {"POST", shared.PathConfirmPassword},
			} {
				nobody.refused(nobody.sends(request[0], request[1], nil), 401, shared.CodeUnauthenticated)
			}
		})
	})
}

// equalHosts are https://id.example.com in a Host header, as clients and proxies write it.
var equalHosts = []string{"id.example.com", "id.example.com:443", "ID.Example.COM", "id.example.com.", "Id.Example.com.:443", "id.example.com:0443"}

func atExample(c *server.Config) {
	c.Address = server.Address{Origin: "https://id.example.com", Host: "id.example.com", RPID: "id.example.com", Secure: true}
}

func TestHygiene(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann := s.user("ann")
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	t.Run("another site changes nothing", func(t *testing.T) {
		for _, change := range []func(*http.Request){
			header("Sec-Fetch-Site", "cross-site"), header("Sec-Fetch-Site", "same-site"),
			func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "https://evil.test") },
			func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "null") },
		} {
			ann.refused(ann.sends("POST", shared.PathSignOut, nil, change), 403, shared.CodeCrossSite)
			if a := ann.sends("POST", shared.PageSignIn, nil, change); a.status != 403 || !strings.Contains(string(a.body), "came from another site.") || !strings.Contains(a.header.Get("Content-Type"), "text/html") {
				t.Errorf("the form: %s", a)
			}
		}
		ann.lists()
	})
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
			t.Error("IT isn't told what to do")
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
			if _, err := s.accounts.AddUser(t.Context(), account.NewUser{Name: "ann", DisplayName: "Ann", Password: password}); err != nil {
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
	t.Run("a body must be JSON, one value, of the right types, and small", func(t *testing.T) {
		for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"} {
			ann.refused(ann.sends("POST", shared.PathSignInPassword, `{}`, header("Content-Type", kind)), 415, shared.CodeUnsupportedType)
		}
		for _, body := range []string{"", "{", "[]", `"x"`, `{} {}`, `{}x`, `{"name":1}`, strings.Repeat("[", 20_000)} {
			ann.refused(ann.sends("POST", shared.PathSignInPassword, body, header("Content-Type", "application/json")), 400, shared.CodeInvalidRequest)
		}
		ann.refused(ann.sends("POST", shared.PathSignInPassword, `{"name":"`+strings.Repeat("x", 10<<20)+`"}`), 413, shared.CodeTooLarge)
		ann.refused(ann.sends("POST", shared.PathSignInFinish, `{"ticket":"x","credential":{"id":[1]}}`), 400, shared.CodeCeremonyRefused)
		ann.refused(ann.sends("POST", shared.PathSignInBegin, `{"mediation":"silent"}`), 400, shared.CodeInvalidRequest)
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
	t.Run("every answer has the headers that protect it", func(t *testing.T) {
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
	})
	t.Run("a page that panics is a logged 500, and others are served on", func(t *testing.T) {
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
	})
	t.Run("answers and log hold no secret", func(t *testing.T) {
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
		ann.sends("GET", "/setup?token="+link, nil)
		for what, secret := range map[string]string{"challenge": options.Challenge, "ticket": begun.Ticket, "token": ann.token(), "password": "a wrong password", "set-up token": link} {
			if strings.Contains(s.log.String(), secret) {
				t.Errorf("the log holds the %s", what)
			}
			if strings.Contains(string(refusal.body), secret) {
				t.Errorf("the refusal holds the %s", what)
			}
		}
	})
	t.Run("with passkeys off their paths say so, and passwords work", func(t *testing.T) {
		off := newSite(t, stores["memstore"], func(c *server.Config) { c.Accounts.Policy.PasskeysOff = true })
		bob := off.user("bob")
		bob.refused(bob.sends("GET", shared.PathPasskeys, nil), 403, shared.CodePasskeysOff)
		bob.refused(bob.sends("POST", shared.PathSignInBegin, `{}`), 403, shared.CodePasskeysOff)
		if a := off.visitor().sends("GET", "/sign-in", nil); strings.Contains(string(a.body), "use-passkey") || strings.Contains(string(a.body), "webauthn") {
			t.Errorf("the sign-in page offers one: %s", a)
		}
	})
}

// streams asks for the stream of changes at a running server.
func (v *visitor) streams(at string) *http.Response {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), "GET", at+shared.PathLive, nil)
	if err != nil {
		v.Fatal(err)
	}
	r.Host = siteURL.Host
	for _, cookie := range v.jar.Cookies(siteURL) {
		r.AddCookie(cookie)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		v.Fatal(err)
	}
	v.Cleanup(func() { response.Body.Close() })
	return response
}

// listens opens a stream, and returns its events as they come.
func (v *visitor) listens(at string) <-chan string {
	v.Helper()
	response := v.streams(at)
	if kind := response.Header.Get("Content-Type"); response.StatusCode != 200 || kind != "text/event-stream" {
		v.Fatalf("got %d %q", response.StatusCode, kind)
	}
	lines := make(chan string, 16)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(response.Body); scanner.Scan(); {
			if strings.HasPrefix(scanner.Text(), "event:") && scanner.Text() != "event: "+shared.LiveReady {
				lines <- scanner.Text()
			}
		}
	}()
	return lines
}

// hears waits for an event, or with "" for the end of the stream.
func (v *visitor) hears(lines <-chan string, what string) {
	v.Helper()
	select {
	case line, open := <-lines:
		if (what == "" && open) || line != what {
			v.Errorf("heard %q (open %t), want %q", line, open, what)
		}
	case <-time.After(2 * time.Minute):
		v.Errorf("heard nothing, want %q", what)
	}
}

func TestLive(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann, bob := s.user("ann"), s.user("bob")
	running := httptest.NewUnstartedServer(s)
	running.Config.WriteTimeout = time.Second // streams outlive it
	running.Start()
	t.Cleanup(running.Close)

	// A stream that is only asked about ends, and leaves the connection to others.
	if a := ann.sends("HEAD", shared.PathLive, nil); a.status != 200 || a.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("HEAD: %s", a)
	}

	hers, his := ann.listens(running.URL), bob.listens(running.URL)
	ann.registers("x")
	ann.hears(hers, "event: changed")
	if len(his) != 0 {
		t.Error("another user heard of it")
	}
	ann.sends("POST", shared.PathSignOut, nil)
	for range hers {
		// The stream may tell of it before it ends.
	}
	ann.refused(ann.sends("GET", shared.PathLive, nil), 401, shared.CodeUnauthenticated)
	s.handler.EndStreams()
	bob.hears(his, "")
}

// TestLiveForAdministrators has one look at the users while others change.
func TestLiveForAdministrators(t *testing.T) {
	s := newScene(t, stores["memstore"])
	s.promotes(s.ann)
	running := httptest.NewServer(s)
	t.Cleanup(running.Close)
	hers := s.ann.listens(running.URL)
	his := s.bob.listens(running.URL)
	s.invites("carl")
	s.ann.hears(hers, "event: changed")
	s.recovers(s.bob) // soon after, when she has just looked
	s.ann.hears(hers, "event: changed")
	s.bob.hears(his, "event: changed")
	if len(his) != 0 {
		t.Error("who is no administrator heard of others")
	}
}

// What a program puts around its handlers: a writer that remembers, and passes on no more
// than it must.
type (
	plainWriter    struct{ http.ResponseWriter }
	flushingWriter struct{ plainWriter }
	openWriter     struct{ plainWriter }
)

func (w flushingWriter) Flush()                  { w.ResponseWriter.(http.Flusher).Flush() }
func (w openWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestLiveBehindMiddleware(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann := s.user("ann")
	behind := func(wrap func(http.ResponseWriter) http.ResponseWriter) string {
		running := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.ServeHTTP(wrap(w), r) }))
		t.Cleanup(running.Close)
		return running.URL
	}
	t.Run("one that can flush, or shows the writer that it wraps, is enough", func(t *testing.T) {
		flushing := ann.listens(behind(func(w http.ResponseWriter) http.ResponseWriter { return flushingWriter{plainWriter{w}} }))
		open := ann.listens(behind(func(w http.ResponseWriter) http.ResponseWriter { return openWriter{plainWriter{w}} }))
		ann.registers("x")
		ann.hears(flushing, "event: changed")
		ann.hears(open, "event: changed")
	})
	t.Run("one that does neither is a fault, before the stream begins, which the log tells once", func(t *testing.T) {
		plain := behind(func(w http.ResponseWriter) http.ResponseWriter { return plainWriter{w} })
		for range 3 {
			response := ann.streams(plain)
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			ann.refused(answer{response.StatusCode, response.Header, body}, 500, shared.CodeInternal)
		}
		if said := strings.Count(s.log.String(), "level=ERROR"); said != 1 || !strings.Contains(s.log.String(), "Unwrap") {
			t.Errorf("the log has %d errors:\n%s", said, s.log)
		}
	})
	s.handler.EndStreams()
}

func TestSignInPages(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann := s.user("ann")
	t.Run("the form signs in without a script", func(t *testing.T) {
		v := s.visitor()
		page := string(v.sends("GET", "/sign-in?next=/passkeys", nil).body)
		for _, part := range []string{`<form method="post" action="/sign-in"`, `name="next" value="/passkeys"`, `autocomplete="username webauthn"`, `type="password"`, "IT desk"} {
			if !strings.Contains(page, part) {
				t.Errorf("the page lacks %s", part)
			}
		}
		a := v.submits("/sign-in", url.Values{"name": {"ann"}, "password": {password}, "next": {"/passkeys"}})
		if a.status != 303 || a.header.Get("Location") != "/signed-in?next=%2Fpasskeys" {
			t.Errorf("got %s to %q", a, a.header.Get("Location"))
		}
		if a := v.sends("GET", a.header.Get("Location"), nil); a.status != 303 || a.header.Get("Location") != "/passkeys" {
			t.Errorf("with its cookie, it goes on to %q: %s", a.header.Get("Location"), a)
		}
		if a := v.sends("GET", "/passkeys", nil); string(a.body) != "the app" {
			t.Errorf("a page of the app: %s", a)
		}
		if a := v.sends("GET", "/sign-in", nil); a.status != 303 || a.header.Get("Location") != "/" {
			t.Errorf("signed in, the sign-in page leads to %q", a.header.Get("Location"))
		}
	})
	t.Run("a wrong password keeps the name, escaped, and says nothing of which was wrong", func(t *testing.T) {
		a := s.visitor().submits("/sign-in", url.Values{"name": {`"><script>x</script>`}, "password": {"wrong"}})
		if page := string(a.body); a.status != 401 || strings.Contains(page, "<script>x") || !strings.Contains(page, "&lt;script&gt;") || !strings.Contains(page, "The user name or the password is not right.") {
			t.Errorf("got %s", a)
		}
	})
	t.Run("next leads to a page of the app and nowhere else", func(t *testing.T) {
		for _, next := range []string{"https://evil.test", "//evil.test", "/\\evil.test", "/sign-in", "/api/v1/account", "javascript:alert(1)", "/users/{id}", "/users//evil.test", ""} {
			a := s.visitor().submits("/sign-in", url.Values{"name": {"ann"}, "password": {password}, "next": {next}})
			if to := a.header.Get("Location"); a.status != 303 || to != "/signed-in" {
				t.Errorf("next %q leads to %q", next, to)
			}
		}
	})
	t.Run("strangers at the app's pages are sent to the sign-in page, and back", func(t *testing.T) {
		for path, want := range map[string]string{
			"/": "/sign-in", "/passkeys": "/sign-in?next=%2Fpasskeys", "/users/Zm9v-_8": "/sign-in?next=%2Fusers%2FZm9v-_8",
		} {
			if a := s.visitor().sends("GET", path, nil); a.status != 303 || a.header.Get("Location") != want {
				t.Errorf("%s leads to %q", path, a.header.Get("Location"))
			}
		}
		v := s.visitor()
		v.submits("/sign-in", url.Values{"name": {"ann"}, "password": {password}})
		if a := v.sends("GET", "/signed-in?next=%2Fusers%2FZm9v-_8", nil); a.status != 303 || a.header.Get("Location") != "/users/Zm9v-_8" {
			t.Errorf("signed in, it goes on to %q: %s", a.header.Get("Location"), a)
		}
		if a := v.sends("GET", "/users/Zm9v-_8", nil); a.status != 200 || string(a.body) != "the app" {
			t.Errorf("a page with a parameter: %s", a)
		}
	})
	t.Run("the shell is for everybody, and the service worker keeps it", func(t *testing.T) {
		if a := s.visitor().sends("GET", shared.PageShell, nil); a.status != 200 || string(a.body) != "the app" {
			t.Errorf("got %s", a)
		}
	})
	t.Run("a parameter that is no id is nowhere, signed in or not", func(t *testing.T) {
		for _, path := range []string{"/users/", "/users/a%2Fb", "/users/%22%3E%3Cscript%3E", "/users/a%20b", "/users/a/b"} {
			for _, v := range []*visitor{s.visitor(), ann} {
				a := v.sends("GET", path, nil)
				if a.status != 404 || strings.Contains(string(a.body), "<script>") || !strings.Contains(string(a.body), "There is nothing at this address.") {
					t.Errorf("%s: %s", path, a)
				}
			}
			next, _ := url.PathUnescape(path)
			if a := s.visitor().submits("/sign-in", url.Values{"name": {"ann"}, "password": {password}, "next": {next}}); a.header.Get("Location") != "/signed-in" {
				t.Errorf("next %q leads to %q", next, a.header.Get("Location"))
			}
		}
	})
	t.Run("there is no set-up page without the link, and none for others", func(t *testing.T) {
		for _, path := range []string{"/setup", "/setup?token=", "/setup?token=wrong"} {
			if a := s.visitor().sends("GET", path, nil); a.status != 404 || strings.Contains(string(a.body), "<form") {
				t.Errorf("%s: %s", path, a)
			}
		}
	})
	t.Run("the link makes the administrator, whose page then is the app", func(t *testing.T) {
		fresh := newSite(t, stores["memstore"], nil)
		token, err := fresh.accounts.NewSetupLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first := fresh.visitor()
		if a := first.sends("GET", "/setup?token="+token, nil); a.status != 303 || a.header.Get("Location") != "/setup?opened" {
			t.Fatalf("the link: %s to %q", a, a.header.Get("Location"))
		}
		if a := fresh.visitor().sends("GET", "/setup", nil); a.status != 404 {
			t.Errorf("for another browser: %s", a)
		}
		if a := first.sends("GET", "/setup", nil); a.status != 200 || !strings.Contains(string(a.body), `action="/setup"`) {
			t.Fatalf("the page: %s", a)
		}
		bad := first.submits("/setup", url.Values{"name": {"ann"}, "display-name": {"<b>Ann"}, "password": {"short"}})
		if page := string(bad.body); bad.status != 422 || !strings.Contains(page, "at least 12") || !strings.Contains(page, "&lt;b&gt;Ann") || strings.Contains(page, "short\"") {
			t.Errorf("a short password: %s", bad)
		}
		for input, typed := range map[string]url.Values{
			"name":         {"name": {"an n"}, "display-name": {"Ann"}, "password": {password}},
			"display-name": {"name": {"ann"}, "display-name": {" "}, "password": {password}},
			"password":     {"name": {"ann"}, "display-name": {"Ann"}, "password": {"short"}},
		} {
			page := string(first.submits("/setup", typed).body)
			focused := regexp.MustCompile(`<input[^>]* autofocus[^>]*>`).FindAllString(page, -1)
			if len(focused) != 1 || !strings.Contains(focused[0], `name="`+input+`"`) || !strings.Contains(focused[0], `aria-invalid="true"`) {
				t.Errorf("when %s is refused, the focus is on %s", input, focused)
			}
		}
		good := first.submits("/setup", url.Values{"name": {"ann"}, "display-name": {"Ann"}, "password": {password}})
		if good.status != 303 || good.header.Get("Location") != "/signed-in" {
			t.Fatalf("got %s", good)
		}
		if account := into[shared.Account](first, first.sends("GET", shared.PathAccount, nil), 200); !account.User.Admin {
			t.Errorf("account %+v", account)
		}
		if a := first.sends("GET", "/setup?token="+token, nil); a.status != 404 {
			t.Errorf("the link again: %s", a)
		}
	})
	_ = ann
}

func TestMaxPasskeys(t *testing.T) {
	onEveryStore(t, func(s *site) {
		s.restarts(func(c *server.Config) { c.MaxPasskeys = 2 })
		ann := s.user("ann")
		for _, name := range []string{"one", "two"} {
			ann.device = passkeytest.New(origin)
			ann.registers(name)
		}
		ann.refused(ann.sends("POST", shared.PathRegisterBegin, nil), 409, shared.CodeTooManyPasskeys)

		// Who has more than a new limit keeps them, and signs in with them.
		s.restarts(func(c *server.Config) { c.MaxPasskeys = 1 })
		if n := len(ann.lists().Passkeys); n != 2 {
			s.Errorf("%d passkeys are left", n)
		}
		into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
	})
}

func TestProtect(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann := s.user("ann")
	protected := s.handler.Protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, ok := server.UserFrom(r.Context())
		fmt.Fprintf(w, "%s %t", user.Name, ok)
	}))
	ask := func(token, accept string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", origin+"/report", nil)
		r.Header.Set("Accept", accept)
		r.AddCookie(&http.Cookie{Name: "keypeg", Value: token})
		w := httptest.NewRecorder()
		protected.ServeHTTP(w, r)
		return w
	}
	t.Run("the signed-in come through, and are known", func(t *testing.T) {
		if w := ask(ann.token(), "*/*"); w.Body.String() != "ann true" {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	})
	t.Run("others are sent to sign in, or refused if it isn't a page", func(t *testing.T) {
		if w := ask("x", "text/html"); w.Code != 303 || w.Header().Get("Location") != "/sign-in" {
			t.Errorf("got %d to %q", w.Code, w.Header().Get("Location"))
		}
		if w := ask("x", "application/json"); w.Code != 401 {
			t.Errorf("got %d", w.Code)
		}
	})
}

// What is written without an encoder is what the encoder would write.
func TestBegun(t *testing.T) {
	options := json.RawMessage(`{"challenge":"AAAA","timeout":300000}`)
	for _, begun := range []shared.Ceremony{{Ticket: "a-b_c", PublicKey: options}, {Ticket: "a-b_c", PublicKey: options, Mediation: "conditional"}} {
		want, err := json.Marshal(begun)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if err := server.RespondBegun(w, begun); err != nil {
			t.Fatal(err)
		}
		if w.Body.String() != string(want) || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s as %q, want %s", w.Body, w.Header().Get("Content-Type"), want)
		}
	}
}

// TestTwoTabsSignIn has an old page ask at the moment at which another tab signs in: its
// answer comes late, and takes nothing from the browser.
func TestTwoTabsSignIn(t *testing.T) {
	onEveryStore(t, func(s *site) {
		ann := s.user("ann")
		old := ann.copy()
		ann.signsInWithPassword() // in place of the session that the old page has
		for _, path := range []string{shared.PathAccount, shared.PathPasskeys, shared.PathLive} {
			late := old.sends("GET", path, nil)
			old.refused(late, 401, shared.CodeUnauthenticated)
			for _, line := range late.header.Values("Set-Cookie") {
				if cookie, err := http.ParseSetCookie(line); err != nil || cookie.Name == "keypeg" {
					t.Errorf("%s sets %q (%v)", path, line, err)
				}
			}
		}
		late := old.sends("GET", shared.PageHome, nil)
		if late.status != 303 {
			t.Errorf("the page answers %v", late)
		}
		for _, line := range late.header.Values("Set-Cookie") {
			if cookie, err := http.ParseSetCookie(line); err != nil || cookie.Name == "keypeg" {
				t.Errorf("the page sets %q (%v)", line, err)
			}
		}
	})
}
