package installation

import (
	"context"
	"net/http"
	"slices"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/tenant"
)

// front serves the organisations of an installation.
type front interface {
	http.Handler
	Drain()
	EndStreams()
	Close()

	// renew reads files again that have changed. It is nil if there are none.
	renew() func()
	// Watch looks for changes of other processes to the list of tenants, until ctx ends.
	Watch(ctx context.Context)
	// origin returns the address of a host that a request names, or "" if no such host is served.
	origin(host string) string
	// lists reports whether browsers read the list of origins at a host. It may have nothing else of this installation.
	lists(host string) bool
	// host returns the name of the only host, or "".
	host() string
	// hosts returns the names of all hosts, or nil where they change.
	hosts() []string
	// socket returns the handler of the socket for commands.
	socket() http.Handler
	// started says where people reach the installation, when it is served.
	started(ctx context.Context) (Started, error)
	// checkProviders warns of identity providers at which nobody can sign in: those of the
	// organisation, or of the tenants.
	checkProviders(ctx context.Context, of []tenant.Tenant)
	// sendHooks opens the programs among tenants that are told what happens: hooks may wait from before.
	sendHooks(ctx context.Context, of []tenant.Tenant)
}

// front opens what is served, unless that would leave users without a sign-in method.
func (c *composer) front(ctx context.Context) (front, error) {
	if c.Cloud {
		return c.router(ctx)
	}
	one, err := c.compose(ctx, tenant.Tenant{})
	if err != nil {
		return nil, err
	}
	alone := &alone{c, one}
	if err := c.refuseLockout(one.Domains.CheckPolicy(ctx), tenant.Tenant{}, one.Address); err != nil {
		alone.Close()
		return nil, err
	}
	return alone, nil
}

// alone is the only organisation of an installation on premise. Every request is for it,
// whatever host it names.
type alone struct {
	*composer
	one *tenant.OpenTenant
}

// ServeHTTP implements http.Handler.
func (a *alone) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.one.Server.ServeHTTP(w, r) }

func (a *alone) Drain() { a.one.Server.Drain() }

func (a *alone) EndStreams() { a.one.Server.EndStreams() }

func (a *alone) Close() {
	a.one.Close() // Serve closes the database
}

func (a *alone) renew() func() { return a.one.Renew }

func (a *alone) Watch(context.Context) {}

func (a *alone) origin(host string) string {
	name := server.HostName(host)
	for _, related := range a.one.Related {
		if name == server.HostName(related.Host) {
			return related.Origin
		}
	}
	if name != a.host() {
		return ""
	}
	return a.one.Address.Origin
}

func (a *alone) lists(host string) bool {
	name := server.HostName(host)
	return len(a.one.Related) > 0 && (name == a.one.Address.RPID || slices.ContainsFunc(a.one.Related, func(other server.Related) bool { return name == other.RPID }))
}

func (a *alone) host() string { return server.HostName(a.one.Address.Host) }

func (a *alone) hosts() []string {
	names := []string{a.host()}
	for _, related := range a.one.Related {
		if name := server.HostName(related.Host); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (a *alone) socket() http.Handler { return socketOf(a.one) }

func (a *alone) started(ctx context.Context) (s Started, err error) {
	s.Address = a.one.Address
	if a.one.Accounts == nil {
		return s, nil
	}
	ready, err := a.one.Store.HasAdministrator(ctx)
	if err == nil && !ready {
		var link control.Link
		link, err = control.NewSetupLink(ctx, control.Here(accountsOf(a.one)), control.None{})
		s.SetupLink = link.URL
	}
	return s, err
}

func (a *alone) checkProviders(ctx context.Context, _ []tenant.Tenant) {
	a.one.Server.CheckProviders(ctx)
}

func (a *alone) sendHooks(context.Context, []tenant.Tenant) {} // it is open

// router serves the tenants of a cloud installation.
type router struct {
	*composer
	*tenant.Router
}

func (c *composer) router(ctx context.Context) (front, error) {
	if err := c.registry.Begin(ctx); err != nil {
		return nil, err
	}
	if err := c.checkPolicies(ctx, c.serving.Log); err != nil {
		return nil, err
	}
	unknown, err := c.Settings.Organisation(tenant.Tenant{})
	if err != nil {
		return nil, err
	}
	nobody := c.config(c.serving.Log, server.Address{}, unknown)
	nobody.Answered = c.metrics.Organisation(rootName).Answered()
	rt, err := tenant.NewRouter(ctx, tenant.RouterConfig{
		Registry: c.registry, Log: c.serving.Log, Erase: c.erase,
		Open: func(ctx context.Context, t tenant.Tenant) (*tenant.OpenTenant, error) {
			o, err := c.compose(ctx, t)
			if err != nil {
				return nil, err
			}
			if err := c.refuseLockout(o.Domains.CheckPolicy(ctx), t, o.Address); err != nil {
				c.logOf(t).Error("users are locked out", "cause", err) // refusing everybody else too would help nobody
			}
			return o, nil
		},
		Gates: func(t tenant.Tenant) []forwardauth.Gate {
			org, err := c.Settings.Organisation(t)
			if err != nil {
				return nil // Open says that
			}
			return org.Gates
		},
		Unknown: server.NewUnknown(nobody),
		Suspended: func(t tenant.Tenant) (http.Handler, error) {
			org, address, err := c.reached(t)
			if err != nil {
				return nil, err
			}
			config := c.config(c.logOf(t), address, org)
			config.Answered = c.metrics.Organisation(t.Name).Answered()
			return server.NewSuspended(config), nil
		},
	})
	if err != nil {
		return nil, err
	}
	return &router{c, rt}, nil
}

func (r *router) renew() func() { return nil }

func (r *router) origin(host string) string { return r.Router.Origin(host) }

func (r *router) lists(host string) bool { return r.Router.Lists(host) }

func (r *router) host() string { return "" }

func (r *router) hosts() []string { return nil }

func (r *router) socket() http.Handler { return (&tenants{r.opened, r.Router}).handler() }

func (r *router) started(ctx context.Context) (s Started, err error) {
	s.Tenants, err = r.registry.List(ctx)
	return s, err
}

// checkProviders checks one tenant after the other, because many may have the same
// provider.
func (r *router) checkProviders(ctx context.Context, all []tenant.Tenant) {
	for _, t := range all {
		org, address, err := r.reached(t)
		if len(org.Providers) == 0 || !t.Suspended.IsZero() {
			continue
		}
		if err != nil {
			r.logOf(t).Error("the tenant's providers can't be checked", "cause", err)
			continue
		}
		federation.CheckAll(ctx, r.logOf(t), protocolsOf(org, address))
	}
}

func (r *router) sendHooks(ctx context.Context, all []tenant.Tenant) {
	for _, t := range all {
		if t.Hooks == "" || !t.IsActive() {
			continue
		}
		if err := r.Command(ctx, t.Name, func(*tenant.OpenTenant) {}); err != nil && ctx.Err() == nil {
			r.logOf(t).Error("the tenant can't be opened, so its hooks wait", "cause", err)
		}
	}
}
