package tenant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// OpenTenant is a tenant whose store is open. On premise there is one, without a name.
type OpenTenant struct {
	Server   *server.Server
	Accounts *account.Service // for commands; nil if the users are those of a program
	Domains  *account.Service // the rules of its relying party ids: Accounts, unless the users are a program's
	Address  server.Address   // where people reach it
	Related  []server.Related // and where else
	Store    store.Store
	Renew    func()       // reads files again that have changed; may be nil
	Close    func() error // closes its store
}

// RouterConfig is what a [Router] needs.
type RouterConfig struct {
	Registry *Registry
	Log      *slog.Logger
	// Open opens a tenant.
	Open func(context.Context, Tenant) (*OpenTenant, error)
	// Erase deletes the records of a tenant that isn't open.
	Erase func(context.Context, Tenant) error
	// Suspended makes the handler for requests to a suspended tenant.
	Suspended func(Tenant) (http.Handler, error)
	// Gates returns the protected hosts of a tenant. Nil: there are none.
	Gates func(Tenant) []forwardauth.Gate
	// Unknown handles requests to a host that no tenant has.
	Unknown http.Handler
}

// Router is the http.Handler of all tenants. It is safe for concurrent use.
//
// The first request to a tenant opens it, and it stays open. So an installation with a
// thousand tenants starts as fast as one with none.
type Router struct {
	c      RouterConfig
	health *httpapi.Health

	reading     sync.Mutex                // held while the list is read
	listed      atomic.Pointer[directory] // the list of tenants
	lastUnknown atomic.Int64              // when the list was last read because of an unknown host

	unserved *warning.Seldom[Tenant]   // limits how often the log names a tenant that can't be served
	unread   *warning.Seldom[struct{}] // limits how often the log says that the list can't be read

	mu       sync.Mutex // guards the fields below; locked after the lock of an entry
	entries  map[string]*entry
	draining bool
	ended    bool // the streams have ended, because the server is shutting down
	closed   bool
}

// directory is the list of tenants as it was read last.
type directory struct {
	byHost    map[string]addressed // by host name, because a port doesn't distinguish tenants
	byRPID    map[string]Tenant    // those with several addresses
	byGate    map[string]Tenant    // by the name of a protected host
	byName    map[string]Tenant
	suspended sync.Map // handlers of suspended tenants, by name
}

// addressed is a tenant with its parsed address.
type addressed struct {
	Tenant
	address server.Address
}

func (d *directory) at(host string) (Tenant, bool) {
	found := d.byHost[server.HostName(host)]
	return found.Tenant, found.address.IsHost(host) && found.Name != ""
}

// of returns the tenant that a request is for. Browsers ask for the list of its origins at the host of the relying
// party id, which may be a domain above that of the tenant. A proxy that asks whether a request may pass can name any
// host of ours: what counts is the host that it asks about.
func (d *directory) of(r *http.Request) (Tenant, bool) {
	if host, is := forwardauth.OriginalHost(r); is {
		t, found := d.byGate[server.HostName(host)]
		return t, found
	}
	t, found := d.at(r.Host)
	if !found && strings.HasPrefix(r.URL.Path, shared.GateOwn) {
		t, found = d.byGate[server.HostName(r.Host)]
	}
	if !found && r.URL.Path == shared.PathRelatedOrigins {
		t, found = d.byRPID[server.HostName(r.Host)]
	}
	return t, found
}

// entry is a tenant in this process, whether it is open or not. Each request to the tenant
// locks mu for reading, so whoever locks it for writing knows that no request is running.
type entry struct {
	mu     sync.RWMutex
	tenant Tenant      // as it was when it was opened
	open   *OpenTenant // nil while it isn't open
}

// Origin returns the address of the tenant that has a host, whatever port it is asked for at, or "".
func (rt *Router) Origin(host string) string {
	return rt.listed.Load().byHost[server.HostName(host)].address.Origin
}

// Lists reports whether browsers read the list of origins of a tenant at a host.
func (rt *Router) Lists(host string) bool {
	_, found := rt.listed.Load().byRPID[server.HostName(host)]
	return found
}

// NewRouter returns a Router that has read the list of tenants.
func NewRouter(ctx context.Context, c RouterConfig) (*Router, error) {
	rt := &Router{
		c: c, entries: map[string]*entry{}, health: httpapi.NewHealth(c.Registry.store, c.Log, time.Now),
		unserved: warning.NewSeldom[Tenant](warning.Again, time.Now),
		unread:   warning.NewSeldom[struct{}](time.Minute, time.Now),
	}
	rt.listed.Store(&directory{})
	return rt, rt.Refresh(ctx)
}

// Refresh reads the list of tenants, and closes those that were suspended, removed or
// changed. It doesn't wait until they are closed.
func (rt *Router) Refresh(ctx context.Context) error {
	rt.reading.Lock()
	defer rt.reading.Unlock()
	all, err := rt.c.Registry.List(ctx)
	if err != nil {
		return err
	}
	d := &directory{byHost: map[string]addressed{}, byRPID: map[string]Tenant{}, byGate: map[string]Tenant{}, byName: map[string]Tenant{}}
	// Tenants of early versions may have the same host. The older one is served.
	slices.SortStableFunc(all, func(a, b Tenant) int { return a.Created.Compare(b.Created) })
	for _, t := range all {
		address, err := t.Address()
		if err != nil {
			rt.logUnserved(t, err)
			continue
		}
		d.byName[t.Name] = t
		name := server.HostName(address.Host)
		if older, taken := d.byHost[name]; taken {
			rt.logUnserved(t, fmt.Errorf("its host %s is that of the tenant %s", name, older.Name))
			continue
		}
		d.byHost[name] = addressed{t, address}
		related, err := t.Related()
		if err != nil {
			rt.logUnserved(t, err)
		}
		for _, other := range related {
			d.byRPID[address.RPID], d.byRPID[other.RPID] = t, t
			if name := server.HostName(other.Host); d.byHost[name].Name == "" {
				d.byHost[name] = addressed{t, other.Address}
			}
		}
		if rt.c.Gates != nil {
			for _, g := range rt.c.Gates(t) {
				d.byGate[server.HostName(g.Host)] = t // the settings have each once
			}
		}
	}
	rt.listed.Store(d)

	for _, e := range rt.all() {
		if rt.mayBeStale(e) {
			go rt.shutIfStale(e)
		}
	}
	return nil
}

// refresh is [Router.Refresh] where an error doesn't matter, because the list that was read
// before is still in use. It logs the error.
func (rt *Router) refresh(ctx context.Context) {
	if err := rt.Refresh(ctx); err != nil && ctx.Err() == nil && rt.unread.Due(struct{}{}) {
		rt.c.Log.Error("reading the list of tenants failed", "cause", err)
	}
}

// logUnserved logs that nobody can reach a tenant. It does so seldom, because the list is
// read every few seconds.
func (rt *Router) logUnserved(t Tenant, cause error) {
	if t.IsActive() && rt.unserved.Due(t) {
		rt.c.Log.Error("a tenant can't be served: move its users to one with another address, or remove it", "tenant", t.Name, "url", t.PublicURL, "cause", cause)
	}
}

// refreshEvery is the time after which a node sees a change that another node has made.
const refreshEvery = 2 * time.Second

// Watch reads the list every few seconds until ctx ends, because other nodes may change it.
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

// NoticedAfter is the time after which every node that watches has certainly seen a change.
const NoticedAfter = 3 * refreshEvery

// find returns the tenant of a host. If there is none it reads the list again, at most once
// a second, because another node may have added it.
func (rt *Router) find(r *http.Request) (Tenant, bool) {
	t, found := rt.listed.Load().of(r)
	now, before := time.Now().UnixNano(), rt.lastUnknown.Load()
	if found || now-before < int64(time.Second) || !rt.lastUnknown.CompareAndSwap(before, now) {
		return t, found
	}
	rt.refresh(r.Context())
	return rt.listed.Load().of(r)
}

// ServeHTTP implements http.Handler.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if shared.IsHealthCheck(r.URL.Path) && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		rt.health.ServeHTTP(w, r)
		return
	}
	for range 3 { // the tenant may be changed after it was found
		t, found := rt.find(r)
		if !found {
			rt.c.Unknown.ServeHTTP(w, r)
			return
		}
		if !t.IsActive() {
			rt.serveSuspended(w, r, t)
			return
		}
		err := rt.use(t, func(o *OpenTenant) { o.Server.ServeHTTP(w, r) })
		if err == nil {
			return
		}
		if !errors.Is(err, errChanged) {
			rt.c.Log.Error("opening a tenant failed", "tenant", t.Name, "cause", err)
			break
		}
	}
	http.Error(w, "This organisation can't be served at the moment. Please try again in a minute.", http.StatusServiceUnavailable)
}

func (rt *Router) serveSuspended(w http.ResponseWriter, r *http.Request, t Tenant) {
	made := &rt.listed.Load().suspended
	if h, found := made.Load(t.Name); found {
		h.(http.Handler).ServeHTTP(w, r)
		return
	}
	h, err := rt.c.Suspended(t)
	if err != nil {
		rt.c.Log.Error("a tenant can't be served", "tenant", t.Name, "cause", err)
		http.Error(w, "This organisation is switched off. Please ask IT.", http.StatusForbidden)
		return
	}
	made.Store(t.Name, h)
	h.ServeHTTP(w, r)
}

// errChanged means that the tenant was changed after it was found.
var errChanged = errors.New("the tenant was changed meanwhile")

// use calls do with the open tenant, which stays open until do returns.
func (rt *Router) use(t Tenant, do func(*OpenTenant)) error {
	e := rt.entry(t.Name)
	used := func() bool {
		e.mu.RLock()
		defer e.mu.RUnlock() // also when a handler panics
		if e.open == nil || e.tenant != t {
			return false
		}
		do(e.open)
		return true
	}
	for !used() {
		rt.shutIfStale(e)
		// Not with the context of the first request: it may be cancelled while others wait.
		if err := rt.open(context.Background(), e, t); err != nil {
			return err
		}
	}
	return nil
}

func (rt *Router) entry(name string) *entry {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.entries[name] == nil {
		rt.entries[name] = &entry{}
	}
	return rt.entries[name]
}

func (rt *Router) all() []*entry {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return slices.Collect(maps.Values(rt.entries))
}

// open opens a tenant, unless it is open already or was changed.
func (rt *Router) open(ctx context.Context, e *entry, t Tenant) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if rt.listed.Load().byName[t.Name] != t || t.Removing {
		return errChanged
	}
	if e.open != nil {
		return nil
	}
	rt.mu.Lock()
	closed := rt.closed
	rt.mu.Unlock()
	if closed {
		return errors.New("the server is stopping")
	}
	began := time.Now()
	opened, err := rt.c.Open(ctx, t)
	if err != nil {
		return err
	}
	rt.c.Log.Debug("opened a tenant", "tenant", t.Name, "took", time.Since(began))
	e.open, e.tenant = opened, t

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

// mayBeStale is isStale without waiting for the lock. It is true if the lock is taken.
func (rt *Router) mayBeStale(e *entry) bool {
	if !e.mu.TryRLock() {
		return true
	}
	defer e.mu.RUnlock()
	return rt.isStale(e)
}

// isStale reports whether a tenant is open that the list doesn't have any more in this form.
func (rt *Router) isStale(e *entry) bool {
	return e.open != nil && rt.listed.Load().byName[e.tenant.Name] != e.tenant
}

// shutIfStale closes the tenant if isStale. It waits until no request to it is running.
func (rt *Router) shutIfStale(e *entry) {
	rt.shut(e, func() bool { return rt.isStale(e) })
}

// shut closes the tenant if the condition holds. It ends the streams first, so that no
// request runs for ever.
func (rt *Router) shut(e *entry, condition func() bool) {
	e.mu.RLock()
	var shall *OpenTenant
	if condition() {
		shall = e.open
		shall.Server.EndStreams()
	}
	e.mu.RUnlock()
	if shall == nil {
		return
	}

	// Even if it was made active again meanwhile: its Server has ended its streams for good.
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.open != shall {
		return
	}
	if err := e.open.Close(); err != nil {
		rt.c.Log.Error("closing a tenant failed", "tenant", e.tenant.Name, "cause", err)
	}
	e.open = nil
}

// Command calls do with one tenant, for a command. The tenant may be suspended; then it is
// closed again afterwards.
func (rt *Router) Command(ctx context.Context, name string, do func(*OpenTenant)) error {
	t, err := rt.c.Registry.Usable(ctx, name)
	if err != nil {
		return err
	}
	if rt.listed.Load().byName[name] != t {
		if err := rt.Refresh(ctx); err != nil {
			return err
		}
	}
	err = rt.use(t, do)
	if !t.IsActive() {
		e := rt.entry(name)
		rt.shut(e, func() bool { return e.open != nil && !e.tenant.IsActive() })
	}
	return err
}

// SetSuspended suspends a tenant, or makes it active again. On this node it takes effect at
// once: running requests are answered, streams end, and new requests are refused.
func (rt *Router) SetSuspended(ctx context.Context, name string, suspended bool) error {
	if err := rt.c.Registry.SetSuspended(ctx, name, suspended); err != nil {
		return err
	}
	return rt.Refresh(ctx)
}

// Remove removes a suspended tenant, as [Registry.Remove] does.
func (rt *Router) Remove(ctx context.Context, name string) error {
	err := rt.c.Registry.Remove(ctx, name, func(ctx context.Context, t Tenant) error {
		if err := rt.Refresh(ctx); err != nil { // no request opens it from now on
			return err
		}
		e := rt.entry(name)
		rt.shutIfStale(e)
		e.mu.Lock()
		defer e.mu.Unlock()
		return rt.c.Erase(ctx, t)
	})
	return errors.Join(err, rt.Refresh(ctx))
}

// Drain makes /healthz report that this node is about to stop, and makes connections end
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
	for _, e := range rt.all() {
		e.mu.RLock()
		if e.open != nil {
			do(e.open.Server)
		}
		e.mu.RUnlock()
	}
}

// closeAtOnce is how many tenants are closed at the same time, because each may wait for the
// disk.
const closeAtOnce = 16

// Close closes all tenants. It waits for their running requests.
func (rt *Router) Close() {
	rt.mu.Lock()
	rt.closed = true
	rt.mu.Unlock()
	turns := make(chan struct{}, closeAtOnce)
	var closing sync.WaitGroup
	for _, e := range rt.all() {
		turns <- struct{}{}
		closing.Go(func() {
			defer func() { <-turns }()
			rt.shut(e, func() bool { return e.open != nil })
		})
	}
	closing.Wait()
}
