package tenant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Organisation is a tenant that is open.
type Organisation struct {
	Server   *server.Server
	Accounts *account.Service // for commands
	Address  server.Address   // where people reach it
	Store    store.Store
	Close    func() error // releases its store
}

// RouterConfig is what a [Router] needs.
type RouterConfig struct {
	Registry *Registry
	Log      *slog.Logger
	// Open opens a tenant, and Erase deletes its records while it isn't open.
	Open  func(context.Context, Tenant) (*Organisation, error)
	Erase func(context.Context, Tenant) error
	// Closed serves those who come to a tenant that is switched off.
	Closed func(Tenant) (http.Handler, error)
	// Unknown serves those who come to a host that no tenant has.
	Unknown http.Handler
}

// Router is the http.Handler of all tenants. It is safe for concurrent use.
//
// A tenant is opened by whoever comes first and stays open, so an installation with
// a thousand of them starts as fast as one with none.
type Router struct {
	RouterConfig
	health *server.Health

	reading sync.Mutex // held while the list is read
	known   atomic.Pointer[directory]
	strange atomic.Int64 // when the list was last read because of an unknown host

	unserved *warning.Seldom[Tenant]   // when to tell of those that nobody reaches
	unread   *warning.Seldom[struct{}] // when to tell that the list can't be read

	mu       sync.Mutex // guards what follows; taken after a slot's
	slots    map[string]*slot
	draining bool
	ended    bool // streams have: we are shutting down
	closed   bool
}

// directory is the list of tenants as it was read last.
type directory struct {
	byHost map[string]resident // by the host's name; a port is no difference between tenants
	byName map[string]Tenant
	closed sync.Map // handlers of those that are switched off, by name
}

type resident struct {
	Tenant
	address server.Address
}

func (d *directory) at(host string) (Tenant, bool) {
	found := d.byHost[server.HostName(host)]
	return found.Tenant, found.address.IsHost(host) && found.Name != ""
}

// slot is where a tenant is open, or not. What is served in it holds mu for
// reading; so whoever has all of it knows that nobody is inside.
type slot struct {
	mu     sync.RWMutex
	tenant Tenant        // as it was when it was opened
	open   *Organisation // nil while it isn't
}

// NewRouter returns a Router that has read the list of tenants.
func NewRouter(ctx context.Context, c RouterConfig) (*Router, error) {
	rt := &Router{
		RouterConfig: c, slots: map[string]*slot{}, health: &server.Health{Store: c.Registry.Store, Log: c.Log, Now: time.Now},
		unserved: warning.NewSeldom[Tenant](warning.Again, time.Now),
		unread:   warning.NewSeldom[struct{}](time.Minute, time.Now),
	}
	rt.known.Store(&directory{})
	return rt, rt.Refresh(ctx)
}

// Refresh reads the list of tenants, and closes those that were switched off,
// removed or changed. It returns without waiting until they are closed.
func (rt *Router) Refresh(ctx context.Context) error {
	rt.reading.Lock()
	defer rt.reading.Unlock()
	all, err := rt.Registry.List(ctx)
	if err != nil {
		return err
	}
	d := &directory{byHost: map[string]resident{}, byName: map[string]Tenant{}}
	// Of early tenants whose hosts turn out to be equal, the older one is served.
	slices.SortStableFunc(all, func(a, b Tenant) int { return a.Created.Compare(b.Created) })
	for _, t := range all {
		address, err := t.Address()
		if err != nil {
			rt.tellUnserved(t, err)
			continue
		}
		d.byName[t.Name] = t
		name := server.HostName(address.Host)
		if older, taken := d.byHost[name]; taken {
			rt.tellUnserved(t, fmt.Errorf("its host %s is that of the tenant %s", name, older.Name))
			continue
		}
		d.byHost[name] = resident{t, address}
	}
	rt.known.Store(d)

	for _, s := range rt.all() {
		if rt.mayBeStale(s) {
			go rt.shutIfStale(s)
		}
	}
	return nil
}

// refresh is [Router.Refresh] for whom the list that was read last will do.
func (rt *Router) refresh(ctx context.Context) {
	if err := rt.Refresh(ctx); err != nil && ctx.Err() == nil && rt.unread.Due(struct{}{}) {
		rt.Log.Error("reading the list of tenants failed", "cause", err)
	}
}

// tellUnserved says seldom that nobody reaches a tenant. The list is read every few seconds.
func (rt *Router) tellUnserved(t Tenant, cause error) {
	if t.IsOn() && rt.unserved.Due(t) {
		rt.Log.Error("a tenant can't be served: move its users to one with another address, or remove it", "tenant", t.Name, "url", t.PublicURL, "cause", cause)
	}
}

// refreshEvery is after what time a change on another node is noticed.
const refreshEvery = 2 * time.Second

// Watch reads the list every few seconds until ctx ends: other nodes may change it.
func (rt *Router) Watch(ctx context.Context) {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			rt.refresh(ctx)
		}
	}
}

// NoticedAfter is when every node that watches has long noticed a change.
const NoticedAfter = 3 * refreshEvery

// find returns the tenant of a host. Where there is none it reads the list again,
// at most once a second: it may have been added on another node.
func (rt *Router) find(ctx context.Context, host string) (Tenant, bool) {
	t, found := rt.known.Load().at(host)
	now, before := time.Now().UnixNano(), rt.strange.Load()
	if found || now-before < int64(time.Second) || !rt.strange.CompareAndSwap(before, now) {
		return t, found
	}
	rt.refresh(ctx)
	t, found = rt.known.Load().at(host)
	return t, found
}

// ServeHTTP implements http.Handler.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if shared.IsHealthCheck(r.URL.Path) && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		rt.health.ServeHTTP(w, r)
		return
	}
	for range 3 { // it may be closed and opened while we look
		t, found := rt.find(r.Context(), r.Host)
		if !found {
			rt.Unknown.ServeHTTP(w, r)
			return
		}
		if !t.IsOn() {
			rt.serveClosed(w, r, t)
			return
		}
		err := rt.use(t, func(o *Organisation) { o.Server.ServeHTTP(w, r) })
		if err == nil {
			return
		}
		if !errors.Is(err, errChanged) {
			rt.Log.Error("opening a tenant failed", "tenant", t.Name, "cause", err)
			break
		}
	}
	http.Error(w, "This organisation can't be served at the moment. Please try again in a minute.", http.StatusServiceUnavailable)
}

func (rt *Router) serveClosed(w http.ResponseWriter, r *http.Request, t Tenant) {
	made := &rt.known.Load().closed
	if h, found := made.Load(t.Name); found {
		h.(http.Handler).ServeHTTP(w, r)
		return
	}
	h, err := rt.Closed(t)
	if err != nil {
		rt.Log.Error("a tenant can't be served", "tenant", t.Name, "cause", err)
		http.Error(w, "This organisation is switched off.", http.StatusForbidden)
		return
	}
	made.Store(t.Name, h)
	h.ServeHTTP(w, r)
}

// errChanged means that a tenant isn't any more what it was when it was found.
var errChanged = errors.New("the tenant was changed meanwhile")

// use lets do work with an open tenant, which stays open until do returns.
func (rt *Router) use(t Tenant, do func(*Organisation)) error {
	s := rt.slot(t.Name)
	used := func() bool {
		s.mu.RLock()
		defer s.mu.RUnlock() // also when a handler panics
		if s.open == nil || s.tenant != t {
			return false
		}
		do(s.open)
		return true
	}
	for !used() {
		rt.shutIfStale(s)
		// Not with the context of whoever was first: they may go away, others stay.
		if err := rt.open(context.Background(), s, t); err != nil {
			return err
		}
	}
	return nil
}

func (rt *Router) slot(name string) *slot {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.slots[name] == nil {
		rt.slots[name] = &slot{}
	}
	return rt.slots[name]
}

func (rt *Router) all() (slots []*slot) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	for _, s := range rt.slots {
		slots = append(slots, s)
	}
	return slots
}

// open opens a tenant in its slot, unless it is open or was changed.
func (rt *Router) open(ctx context.Context, s *slot, t Tenant) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rt.known.Load().byName[t.Name] != t || t.Removing {
		return errChanged
	}
	if s.open != nil {
		return nil
	}
	rt.mu.Lock()
	closed := rt.closed
	rt.mu.Unlock()
	if closed {
		return errors.New("the server is stopping")
	}
	began := time.Now()
	opened, err := rt.Open(ctx, t)
	if err != nil {
		return err
	}
	rt.Log.Debug("opened a tenant", "tenant", t.Name, "took", time.Since(began))
	s.open, s.tenant = opened, t

	rt.mu.Lock()
	draining, ended := rt.draining, rt.ended
	rt.mu.Unlock()
	if draining {
		opened.Server.Drain()
	}
	if ended {
		opened.Server.EndStreams()
	}
	return nil
}

// mayBeStale looks without waiting.
func (rt *Router) mayBeStale(s *slot) bool {
	if !s.mu.TryRLock() {
		return true
	}
	defer s.mu.RUnlock()
	return rt.isStale(s)
}

func (rt *Router) isStale(s *slot) bool {
	return s.open != nil && rt.known.Load().byName[s.tenant.Name] != s.tenant
}

// shutIfStale closes what is open in a slot, if it isn't what the list says by now.
// It waits until nobody is inside.
func (rt *Router) shutIfStale(s *slot) {
	rt.shut(s, func() bool { return rt.isStale(s) })
}

func (rt *Router) shut(s *slot, condition func() bool) {
	s.mu.RLock()
	var shall *Organisation
	if condition() {
		shall = s.open
		shall.Server.EndStreams()
	}
	s.mu.RUnlock()
	if shall == nil {
		return
	}

	// Even if it was switched on again meanwhile: without streams it is of no use.
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open != shall {
		return
	}
	if err := s.open.Close(); err != nil {
		rt.Log.Error("closing a tenant failed", "tenant", s.tenant.Name, "cause", err)
	}
	s.open = nil
}

// Command lets do carry out a command for one tenant, switched on or off.
func (rt *Router) Command(ctx context.Context, name string, do func(*Organisation)) error {
	t, err := rt.Registry.Usable(ctx, name)
	if err != nil {
		return err
	}
	if rt.known.Load().byName[name] != t {
		if err := rt.Refresh(ctx); err != nil {
			return err
		}
	}
	err = rt.use(t, do)
	if !t.IsOn() {
		s := rt.slot(name)
		rt.shut(s, func() bool { return s.open != nil && !s.tenant.IsOn() })
	}
	return err
}

// SetDisabled switches a tenant off or on, here at once: what is being answered comes
// to its end, streams end, and nothing new begins.
func (rt *Router) SetDisabled(ctx context.Context, name string, disabled bool) error {
	if err := rt.Registry.SetDisabled(ctx, name, disabled); err != nil {
		return err
	}
	return rt.Refresh(ctx)
}

// Remove removes a tenant that is switched off, as [Registry.Remove] does.
func (rt *Router) Remove(ctx context.Context, name string) error {
	err := rt.Registry.Remove(ctx, name, func(ctx context.Context, t Tenant) error {
		if err := rt.Refresh(ctx); err != nil { // nobody opens it from now on
			return err
		}
		s := rt.slot(name)
		rt.shutIfStale(s)
		s.mu.Lock()
		defer s.mu.Unlock()
		return rt.Erase(ctx, t)
	})
	return errors.Join(err, rt.Refresh(ctx))
}

// Drain says by /healthz that this node is about to stop, and lets connections end
// after their next answer.
func (rt *Router) Drain() {
	rt.health.Drain()
	rt.mu.Lock()
	rt.draining = true
	rt.mu.Unlock()
	rt.eachOpen((*server.Server).Drain)
}

// EndStreams ends every open stream, so that the server can shut down.
func (rt *Router) EndStreams() {
	rt.mu.Lock()
	rt.ended = true
	rt.mu.Unlock()
	rt.eachOpen((*server.Server).EndStreams)
}

func (rt *Router) eachOpen(do func(*server.Server)) {
	for _, s := range rt.all() {
		s.mu.RLock()
		if s.open != nil {
			do(s.open.Server)
		}
		s.mu.RUnlock()
	}
}

// closeAtOnce is how many tenants are closed at the same time: each may wait for the
// disk.
const closeAtOnce = 16

// Close closes all tenants, when nobody is inside any more.
func (rt *Router) Close() {
	rt.mu.Lock()
	rt.closed = true
	rt.mu.Unlock()
	turns := make(chan struct{}, closeAtOnce)
	var closing sync.WaitGroup
	for _, s := range rt.all() {
		turns <- struct{}{}
		closing.Go(func() {
			defer func() { <-turns }()
			rt.shut(s, func() bool { return s.open != nil })
		})
	}
	closing.Wait()
}
