package tenant_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// testRouter is a router whose tenants live in memory.
type testRouter struct {
	*testing.T
	*tenant.Router
	own      *memstore.Store // the registry's
	registry *tenant.Registry

	mu     sync.Mutex
	stores map[string]*memstore.Store // that are open
	opened atomic.Int64
	erased atomic.Int64
	fails  atomic.Bool   // opening does
	inside chan struct{} // a request at /static/held sends one
	held   chan struct{}
}

func newTestRouter(t *testing.T) *testRouter { return newTestRouterThatLogs(t, io.Discard) }

func newTestRouterThatLogs(t *testing.T, to io.Writer) *testRouter {
	own := memstore.New(time.Now)
	s := &testRouter{T: t, own: own, registry: tenant.NewRegistry(own, time.Now), stores: map[string]*memstore.Store{}, inside: make(chan struct{}, 9), held: make(chan struct{})}
	hasher := account.NewHasher(account.Cost{MemoryKiB: 64, Time: 1, Threads: 1}, 0)
	log := slog.New(slog.NewTextHandler(to, nil))
	router, err := tenant.NewRouter(t.Context(), tenant.RouterConfig{
		Registry: s.registry, Log: log,
		Open: func(ctx context.Context, one tenant.Tenant) (*tenant.OpenTenant, error) {
			if s.fails.Load() {
				return nil, errors.New("the disk is full")
			}
			address, err := one.Address()
			if err != nil {
				return nil, err
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.stores[one.Name] != nil {
				s.Errorf("%s was opened twice", one.Name)
			}
			db := memstore.New(time.Now)
			s.stores[one.Name] = db
			s.opened.Add(1)
			hub := live.NewHub()
			accounts := account.New(account.Config{Store: db, Now: time.Now, Log: log, Hasher: hasher})
			handler, err := server.New(ctx, server.Config{
				Store: db, Accounts: accounts, Live: hub, Now: time.Now, Log: log, Address: address, Product: one.Name,
				Gates: gatesOf(one), TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
				Asset: func(name string) string { return "/static/" + name },
				App: server.App{Files: map[string]http.Handler{
					"/static/name": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.isUsable(w, r, one, db) }),
					"/static/held": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						s.inside <- struct{}{}
						<-s.held
						s.isUsable(w, r, one, db)
					}),
				}},
			})
			return &tenant.OpenTenant{Server: handler, Close: func() error {
				s.mu.Lock()
				defer s.mu.Unlock()
				delete(s.stores, one.Name)
				return db.Close()
			}}, err
		},
		Erase: func(_ context.Context, one tenant.Tenant) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.stores[one.Name] != nil {
				s.Errorf("%s was erased while it was open", one.Name)
			}
			s.erased.Add(1)
			return nil
		},
		Gates:   gatesOf,
		Unknown: server.NewUnknown(server.Config{Log: log, Product: "Keypeg", Asset: func(name string) string { return name }}),
		Suspended: func(one tenant.Tenant) (http.Handler, error) {
			address, err := one.Address()
			return server.NewSuspended(server.Config{Now: time.Now, Log: log, Address: address, Product: one.Name, Contact: one.Contact, Asset: func(name string) string { return name }}), err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Router = router
	t.Cleanup(router.Close)
	return s
}

// isUsable answers with the tenant's name, if its store is still open.
func (s *testRouter) isUsable(w http.ResponseWriter, r *http.Request, one tenant.Tenant, db store.Store) {
	if _, err := db.HasAdministrator(r.Context()); err != nil {
		s.Errorf("the store of %s was closed while somebody was inside", one.Name)
	}
	io.WriteString(w, one.Name)
}

func (s *testRouter) adds(name string) {
	s.Helper()
	adds(s.T, s.registry, name, "http://"+name+".localhost:8080")
	if err := s.Refresh(s.Context()); err != nil {
		s.Fatal(err)
	}
}

func (s *testRouter) gets(host, path string) (int, string) {
	r := httptest.NewRequest("GET", path, nil)
	r.Host = host
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// signsIn adds a user to an open tenant, and returns the token of their session.
func (s *testRouter) signsIn(name string) (token string) {
	s.Helper()
	s.mu.Lock()
	db := s.stores[name]
	s.mu.Unlock()
	now, ann := time.Now(), store.NewUserID()
	token = store.NewSessionToken(ann)
	err := db.Apply(s.Context(), store.Batch{
		store.PutUser{User: store.User{ID: ann, Name: "ann", Handle: []byte("1")}},
		store.AddSession{Session: store.Session{ID: store.SessionID(token), UserID: ann, Created: now, Seen: now, Authenticated: now, Expires: now.Add(time.Hour)}},
	})
	if err != nil {
		s.Fatal(err)
	}
	return token
}

// streams is an open page of somebody who is signed in.
func (s *testRouter) streams(name string) io.Reader {
	s.Helper()
	token := s.signsIn(name)
	front := httptest.NewServer(s)
	s.Cleanup(front.Close)
	r, err := http.NewRequestWithContext(s.Context(), "GET", front.URL+shared.PathLive, nil)
	if err != nil {
		s.Fatal(err)
	}
	r.Host = name + ".localhost:8080"
	r.AddCookie(&http.Cookie{Name: "keypeg", Value: token})
	response, err := front.Client().Do(r)
	if err != nil || response.StatusCode != 200 {
		s.Fatalf("streaming: %v %v", response, err)
	}
	s.Cleanup(func() { response.Body.Close() })
	return response.Body
}

func (s *testRouter) expects(host, path string, status int, says string) {
	s.Helper()
	if got, body := s.gets(host, path); got != status || !strings.Contains(body, says) {
		s.Errorf("%s at %s: got %d %q, want %d and %q", path, host, got, body, status, says)
	}
}

// TestRouter checks which tenant is opened for a request, and when.
func TestRouter(t *testing.T) {
	t.Run("a tenant is opened once, at its first request, by however many come", func(t *testing.T) {
		s := newTestRouter(t)
		s.adds("acme")
		s.adds("beta")
		if n := s.opened.Load(); n != 0 {
			t.Errorf("%d were opened before anybody came", n)
		}
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() { s.expects("acme.localhost:8080", "/static/name", 200, "acme") })
		}
		all.Wait()
		if n := s.opened.Load(); n != 1 {
			t.Errorf("%d were opened", n)
		}
		s.expects("beta.localhost:8080", "/static/name", 200, "beta")
	})
	t.Run("a tenant that was added elsewhere is found at the first request for it", func(t *testing.T) {
		s := newTestRouter(t)
		adds(t, s.registry, "acme", "http://acme.localhost:8080")
		s.expects("acme.localhost:8080", "/static/name", 200, "acme")
	})
	t.Run("its host is found however it is written", func(t *testing.T) {
		s := newTestRouter(t)
		s.adds("acme")
		adds(t, s.registry, "books", "https://bücher.example.")
		adds(t, s.registry, "beta", "http://beta.localhost")
		if err := s.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, host := range []string{"acme.localhost:8080", "ACME.localhost:8080", "acme.localhost.:8080"} {
			s.expects(host, "/static/name", 200, "acme")
		}
		for _, host := range []string{"xn--bcher-kva.example", "XN--BCHER-KVA.Example", "xn--bcher-kva.example.", "xn--bcher-kva.example:443", "bücher.example"} {
			s.expects(host, "/static/name", 200, "books")
			s.expects(host, "/sign-in", 200, "books")
		}
		for _, host := range []string{"beta.localhost", "BETA.localhost.:80"} {
			s.expects(host, "/static/name", 200, "beta")
		}
		for _, host := range []string{"beta.localhost:443", "acme.localhost", "acme.localhost:443", "acme.localhost:80", "xn--bcher-kva.example:80", "bcher.example", ""} {
			s.expects(host, "/static/name", 421, "No organisation is served at this address.")
		}
		if err := s.SetSuspended(t.Context(), "books", true); err != nil {
			t.Fatal(err)
		}
		s.expects("xn--bcher-kva.example:443", "/sign-in", 403, "This organisation is switched off. Please ask IT.")
	})
	t.Run("of early tenants with equal hosts the older one is served, and the log has once what can't be reached", func(t *testing.T) {
		var log bytes.Buffer
		s := newTestRouterThatLogs(t, &log)
		for name, stored := range map[string]string{
			"a": `{"name":"a","publicURL":"https://xn--bcher-kva.example","created":"2026-02-01T00:00:00Z"}`,
			"b": `{"name":"b","publicURL":"https://bücher.example","created":"2026-01-01T00:00:00Z"}`,
			"c": `{"name":"c","publicURL":"https://c_c.example","created":"2026-01-01T00:00:00Z"}`,
			"d": `{"name":"d","publicURL":"https://d.example.","created":"2026-01-01T00:00:00Z"}`,
		} {
			put := store.PutItem{Item: store.Item{Collection: "tenant", Key: name, Value: []byte(stored)}}
			if err := s.own.Apply(t.Context(), store.Batch{put}); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			if err := s.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		s.expects("xn--bcher-kva.example", "/static/name", 200, "b")
		s.expects("d.example", "/static/name", 200, "d")
		s.expects("c_c.example", "/static/name", 421, "No organisation is served at this address.")
		for _, line := range []string{"its host xn--bcher-kva.example is that of the tenant b", "write https://c-c.example"} {
			if n := strings.Count(log.String(), line); n != 1 {
				t.Errorf("%q is logged %d times, want once:\n%s", line, n, &log)
			}
		}
		adds(t, s.registry, "e", "https://e.example") // what can't be reached is in nobody's way
	})
	t.Run("the list is asked at most once a second because of unknown hosts", func(t *testing.T) {
		s := newTestRouter(t)
		s.expects("nobody.localhost:8080", "/", 421, "No organisation is served at this address.")
		adds(t, s.registry, "acme", "http://acme.localhost:8080")
		s.expects("acme.localhost:8080", "/static/name", 421, "No organisation is served at this address.")
	})
	t.Run("a tenant that can't be opened breaks no other, and comes back", func(t *testing.T) {
		s := newTestRouter(t)
		s.adds("acme")
		s.adds("beta")
		s.expects("beta.localhost:8080", "/static/name", 200, "beta")
		s.fails.Store(true)
		s.expects("acme.localhost:8080", "/static/name", 503, "can't be served at the moment")
		s.expects("beta.localhost:8080", "/static/name", 200, "beta")
		s.expects("nobody", "/healthz", 200, "ok")
		s.fails.Store(false)
		s.expects("acme.localhost:8080", "/static/name", 200, "acme")
	})
}

// TestRouterCloses checks what happens to requests when a tenant, or the router, stops.
func TestRouterCloses(t *testing.T) {
	t.Run("a request that is running when the tenant is suspended is answered, and no other is", func(t *testing.T) {
		s := newTestRouter(t)
		s.adds("acme")
		s.expects("acme.localhost:8080", "/static/name", 200, "acme")
		var inside sync.WaitGroup
		inside.Go(func() { s.expects("acme.localhost:8080", "/static/held", 200, "acme") })
		<-s.inside
		if err := s.SetSuspended(t.Context(), "acme", true); err != nil {
			t.Fatal(err)
		}
		s.expects("acme.localhost:8080", "/sign-in", 403, "This organisation is switched off. Please ask IT.")
		close(s.held)
		inside.Wait()
	})
	t.Run("a tenant that is resumed at once begins anew, because its streams have ended", func(t *testing.T) {
		s := newTestRouter(t)
		s.adds("acme")
		var inside sync.WaitGroup
		inside.Go(func() { s.expects("acme.localhost:8080", "/static/held", 200, "acme") })
		<-s.inside
		streamed := s.streams("acme")
		if err := s.SetSuspended(t.Context(), "acme", true); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, streamed); err != nil {
			t.Errorf("the stream didn't end by itself: %v", err)
		}
		if err := s.SetSuspended(t.Context(), "acme", false); err != nil {
			t.Fatal(err)
		}
		close(s.held)
		inside.Wait()
		// It is closed in the background.
		for deadline := time.Now().Add(2 * time.Minute); s.opened.Load() == 1; {
			s.expects("acme.localhost:8080", "/static/name", 200, "acme")
			if time.Now().After(deadline) {
				t.Fatal("it goes on without streams")
			}
		}
	})
	t.Run("draining and health are the installation's", func(t *testing.T) {
		s := newTestRouter(t)
		s.adds("acme")
		s.Drain()
		s.expects("acme.localhost:8080", "/healthz", 503, "stopping")
		r := httptest.NewRequest("GET", "/static/name", nil)
		r.Host = "acme.localhost:8080"
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 200 || w.Header().Get("Connection") != "close" {
			t.Errorf("a tenant that was opened while we drain: %d %v", w.Code, w.Header())
		}
	})
	t.Run("after Close nothing is opened", func(t *testing.T) {
		s := newTestRouter(t)
		s.adds("acme")
		s.Close()
		s.expects("acme.localhost:8080", "/static/name", 503, "can't be served")
	})
}

// TestRouterRaces asks for tenants while they are suspended and resumed, removed and added
// again. Nobody ever meets a closed store or another tenant, and no record is deleted
// while its store is open.
func TestRouterRaces(t *testing.T) {
	s := newTestRouter(t)
	const tenants, rounds = 4, 30
	for i := range tenants {
		s.adds(fmt.Sprint("t", i))
	}
	done := make(chan struct{})
	var visiting, changing sync.WaitGroup
	var served atomic.Int64
	for i := range tenants {
		name := fmt.Sprint("t", i)
		for range 4 {
			visiting.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
					}
					switch status, body := s.gets(name+".localhost:8080", "/static/name"); {
					case status == 200 && body == name:
						served.Add(1)
					case status != 403 && status != 421 && status != 503:
						t.Errorf("%s: %d %s", name, status, body)
					}
				}
			})
		}
		changing.Go(func() {
			for round := range rounds {
				if err := s.SetSuspended(t.Context(), name, true); err != nil {
					t.Error(err)
				}
				if round%3 == 0 {
					if err := s.Remove(t.Context(), name); err != nil {
						t.Error(err)
					}
					adds(t, s.registry, name, "http://"+name+".localhost:8080")
					if err := s.Refresh(t.Context()); err != nil {
						t.Error(err)
					}
				} else if err := s.SetSuspended(t.Context(), name, false); err != nil {
					t.Error(err)
				}
				for before := served.Load(); served.Load() == before; {
					time.Sleep(time.Millisecond) // until somebody was served again
				}
			}
		})
	}
	changing.Wait()
	close(done)
	visiting.Wait()
	for i := range tenants {
		s.expects(fmt.Sprintf("t%d.localhost:8080", i), "/static/name", 200, fmt.Sprint("t", i))
	}
	if n := s.erased.Load(); n != tenants*rounds/3 {
		t.Errorf("%d were erased", n)
	}
	t.Logf("%d served, %d opened", served.Load(), s.opened.Load())
}
