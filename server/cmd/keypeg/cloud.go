package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/control"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/transfer"
	"github.com/keypeg/keypeg/server/tenant"
)

// installation is one of the cloud edition with its own store open, which has the
// list of tenants. Their stores are files of their own beside it, or in PostgreSQL
// organisations of their own.
type installation struct {
	root     store.Store
	registry *tenant.Registry
	rows     *pgstore.Database // nil where tenants are files
	database string
}

// openInstallation opens the installation whose own store the settings name.
func (s *settings) openInstallation(ctx context.Context) (*installation, error) {
	i := &installation{database: s.Database}
	if s.isShared() {
		rows, err := pgstore.OpenDatabase(ctx, s.Database, time.Now)
		if err != nil {
			return nil, err
		}
		i.rows, i.root = rows, rows.Organisation(organisation)
	} else {
		root, err := openAnyStore(ctx, s.Database, time.Now)
		if err != nil {
			return nil, err
		}
		i.root = root
	}
	i.registry = &tenant.Registry{Store: i.root, Now: time.Now}
	if err := errors.Join(transfer.Unfinished(ctx, i.root), refuseOnPremise(ctx, i.root)); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

// refuseOnPremise keeps an installation for one organisation from losing its users
// because it was started with the wrong edition.
func refuseOnPremise(ctx context.Context, root store.Store) error {
	users, err := root.Users(ctx, "", 1)
	if err == nil && len(users) > 0 {
		return errors.New("this database belongs to one organisation, and has its users: set --edition on-premise, or name another database")
	}
	return err
}

// Close closes the installation's own store, and the connection to PostgreSQL.
func (i *installation) Close() error {
	err := i.root.Close()
	if i.rows != nil {
		err = errors.Join(err, i.rows.Close())
	}
	return err
}

// fileOf is a tenant's database file, or the installation's own.
func fileOf(database, name string) string {
	if name == organisation {
		return database
	}
	return filepath.Join(filepath.Dir(database), "tenants", name+".db")
}

// open opens a tenant's store, if it is whole.
func (i *installation) open(ctx context.Context, name string) (store.Store, error) {
	if err := tenant.CheckName(name); err != nil { // it becomes a path
		return nil, err
	}
	var db store.Store
	if i.rows != nil {
		db = i.rows.Organisation(name)
	} else if file, err := openDatabaseFile(fileOf(i.database, name), time.Now); err != nil {
		return nil, err
	} else {
		db = file
	}
	if err := transfer.Unfinished(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// erase deletes a tenant's records, which nobody here has open.
func (i *installation) erase(ctx context.Context, t tenant.Tenant) error {
	if err := tenant.CheckName(t.Name); err != nil {
		return err
	}
	if i.rows != nil {
		// Nodes that don't know yet that it was switched off would go on writing.
		select {
		case <-time.After(time.Until(t.Disabled.Add(tenant.NoticedAfter))):
		case <-ctx.Done():
			return ctx.Err()
		}
		return i.rows.Remove(ctx, t.Name)
	}
	file := fileOf(i.database, t.Name)
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(filepath.Dir(file)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return syncFolder(filepath.Dir(file))
}

// isUnused refuses a name under which there are records that no tenant in the list
// has: they are somebody's, and must not become another's.
func (i *installation) isUnused(ctx context.Context, name string) error {
	if i.rows == nil {
		file := fileOf(i.database, name)
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("there is a database at %s already, of a tenant that isn't in the list: move it away, or choose another name", file)
		}
		return nil
	}
	db := i.rows.Organisation(name)
	defer db.Close()
	users, err := db.Users(ctx, "", 1)
	if err == nil && len(users) > 0 {
		return fmt.Errorf("there are users in the database already, of a tenant %s that isn't in the list: choose another name", name)
	}
	return err
}

// landlord carries out what IT wants of tenants.
type landlord struct {
	*installation
	settings *settings
	router   *tenant.Router // nil where no server runs in this process
}

var _ control.Tenants = (*landlord)(nil)

// AddTenant implements [control.Tenants].
func (l *landlord) AddTenant(ctx context.Context, t tenant.Tenant) (control.AddedTenant, error) {
	if err := tenant.CheckName(t.Name); err != nil {
		return control.AddedTenant{}, err
	}
	if _, err := l.registry.Tenant(ctx, t.Name); err != nil { // else Add says that it is taken
		if err := l.isUnused(ctx, t.Name); err != nil {
			return control.AddedTenant{}, err
		}
	}
	added, err := l.registry.Add(ctx, t)
	if err != nil {
		return control.AddedTenant{}, err
	}
	if l.router != nil {
		if err := l.router.Refresh(ctx); err != nil {
			return control.AddedTenant{}, err
		}
	}
	var link string
	err = l.commands(ctx, t.Name, func(c control.Commands) (err error) {
		link, err = c.NewSetupLink(ctx)
		return err
	})
	if err != nil {
		err = fmt.Errorf("the tenant %s was added, but its set-up link couldn't be made: run keypeg setup-link --tenant %s (%w)", t.Name, t.Name, err)
	}
	return control.AddedTenant{Tenant: added, SetupLink: link}, err
}

// Tenants implements [control.Tenants].
func (l *landlord) Tenants(ctx context.Context) ([]tenant.Tenant, error) { return l.registry.List(ctx) }

// SetTenantDisabled implements [control.Tenants].
func (l *landlord) SetTenantDisabled(ctx context.Context, name string, disabled bool) error {
	if l.router != nil {
		return l.router.SetDisabled(ctx, name, disabled)
	}
	return l.registry.SetDisabled(ctx, name, disabled)
}

// RemoveTenant implements [control.Tenants].
func (l *landlord) RemoveTenant(ctx context.Context, name string) error {
	if l.router != nil {
		return l.router.Remove(ctx, name)
	}
	return l.registry.Remove(ctx, name, l.erase)
}

// commands runs do with the accounts of one tenant.
func (l *landlord) commands(ctx context.Context, name string, do func(control.Commands) error) error {
	if l.router != nil {
		var failed error
		err := l.router.Command(ctx, name, func(o *tenant.Organisation) { failed = do(o.Commands.(*opened).accounts) })
		return errors.Join(err, failed)
	}
	t, err := l.registry.Usable(ctx, name)
	if err != nil {
		return err
	}
	address, err := t.Address()
	if err != nil {
		return err
	}
	db, err := l.open(ctx, name)
	if err != nil {
		return err
	}
	defer db.Close()
	own, err := l.settings.of(t)
	if err != nil {
		return err
	}
	accounts := account.New(l.settings.rules(db, address, own, l.settings.tables[name].providers))
	return do(control.Accounts{Service: accounts, Address: address})
}

// opened is what the socket has of an open tenant.
type opened struct {
	http.Handler
	accounts control.Commands
}

// runCloud serves all tenants.
func (c *serveCommand) runCloud(ctx context.Context, t terminal, s *settings) (err error) {
	files, err := openFiles()
	if err != nil {
		return err
	}
	log, flush := s.logger(t.Err)
	defer flush()
	s.tell(log)
	defer surviveSignals(ctx, log)()
	defer watchClock(ctx, log)()
	i, err := s.openInstallation(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	defer watchDatabaseClock(ctx, log, i.root)()

	if err := i.registry.Begin(ctx); err != nil {
		return err
	}
	if err := i.checkPolicies(ctx, s, log); err != nil {
		return err
	}
	builder := newBuilder(s, files, log, c.Gallery)
	streams, err := newStreams(log)
	if err != nil {
		return err
	}
	var hubs sync.Map // of those that are open, by name
	router, err := tenant.NewRouter(ctx, tenant.RouterConfig{
		Registry: i.registry, Log: log, Erase: i.erase,
		Open: func(ctx context.Context, t tenant.Tenant) (*tenant.Organisation, error) {
			return i.serve(ctx, builder, streams.NewHub(), logOf(log, t), &hubs, t)
		},
		Unknown: server.NewUnknown(builder.config(log, server.Address{}, s.organisationSettings)),
		Closed: func(t tenant.Tenant) (http.Handler, error) {
			own, address, err := s.ofReached(t)
			if err != nil {
				return nil, err
			}
			return server.NewClosed(builder.config(logOf(log, t), address, own)), nil
		},
	})
	if err != nil {
		return err
	}
	defer router.Close()
	if i.rows != nil {
		defer inBackground(ctx, router.Watch)()
		defer inBackground(ctx, func(ctx context.Context) {
			i.rows.Changes(ctx, func(name, userID string) {
				if hub, open := hubs.Load(name); open {
					hub.(*live.Hub).Tell(userID)
				}
			})
		})()
	}

	public, err := s.listen(log)
	if err != nil {
		return err
	}
	listeners := map[net.Listener]http.Handler{public: router}
	if i.rows == nil {
		l := &landlord{installation: i, settings: s, router: router}
		keptPrivate(log, s.Database)
		s.takeCommands(log, listeners, control.TenantsHandler(l, i.root.(io.WriterTo), func(ctx context.Context, name string, do func(http.Handler)) error {
			return router.Command(ctx, name, func(o *tenant.Organisation) { do(o.Commands) })
		}))
	}

	all, err := i.registry.List(ctx)
	if err != nil {
		public.Close()
		return err
	}
	announceTenants(t.Out, s.Listen, len(all))
	defer inBackground(ctx, func(ctx context.Context) { s.checkProvidersOf(ctx, log, all) })()
	log.Info("serving", "version", version(), "edition", s.Edition, "tenants", len(all), "listen", public.Addr().String(), "database", nameOf(s.Database))
	return serveAll(ctx, log, router, s.DrainDelay, listeners)
}

// logOf is the log of one tenant: its lines say whose they are.
func logOf(log *slog.Logger, t tenant.Tenant) *slog.Logger { return log.With("tenant", t.Name) }

// announceTenants tells whom the server is for.
func announceTenants(out io.Writer, listen string, n int) {
	if n > 0 {
		fmt.Fprintf(out, "Keypeg runs at %s, for %d tenant%s\n", listen, n, either(n == 1, "", "s"))
		return
	}
	fmt.Fprintf(out, "Keypeg runs at %s, for no tenant yet\n\nAdd the first one, with the address that its people will use:\n\n  keypeg tenant add acme https://id.acme.example\n\n", listen)
}

// serve opens a tenant for the router.
func (i *installation) serve(ctx context.Context, b *builder, hub *live.Hub, log *slog.Logger, hubs *sync.Map, t tenant.Tenant) (_ *tenant.Organisation, err error) {
	own, address, err := b.settings.ofReached(t)
	if err != nil {
		return nil, err
	}
	db, err := i.open(ctx, t.Name)
	if err != nil {
		return nil, err
	}
	handler, accounts, err := b.build(ctx, log, hub, db, address, own, b.settings.tables[t.Name].providers)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := refuseLockout(accounts.CheckPolicy(ctx)); err != nil {
		log.Error("users are locked out", "cause", err) // to shut all others out too would help nobody
	}
	hubs.Store(t.Name, hub)
	commands := control.Accounts{Service: accounts, Address: address}
	o := &opened{accounts: commands}
	if file, is := db.(io.WriterTo); is {
		o.Handler = control.Handler(commands, file)
	}
	return &tenant.Organisation{Server: handler, Commands: o, Close: func() error {
		handler.Close(context.WithoutCancel(ctx))
		hubs.Delete(t.Name)
		return db.Close()
	}}, nil
}
