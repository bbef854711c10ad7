package installation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/openid"
)

// Users calls do with the users of one organisation. It uses the server that is running, or
// else opens the database in this process. On premise the organisation is "".
func (i Installation) Users(ctx context.Context, name string, do func(control.Users) error) error {
	if err := i.CheckTenant(name); err != nil {
		return err
	}
	running, err := i.driver().Dial(ctx)
	switch {
	case err == nil && i.Cloud:
		return do(control.At[control.Accounts](running.Tenant(name)))
	case err == nil:
		return do(control.At[control.Accounts](running))
	case !errors.Is(err, control.ErrNoServer):
		return err
	}
	if !i.Cloud { // open nothing if links would have no address
		if _, err := i.Settings.Address(tenant.Tenant{}); err != nil {
			return err
		}
	}
	o, err := i.openExisting(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	return o.usersOf(ctx, name, do)
}

// CheckTenant refuses a tenant's name on premise, and requires one in the cloud edition.
func (i Installation) CheckTenant(name string) error {
	switch {
	case !i.Cloud && name != "":
		return errors.New("there are tenants in the cloud edition only: leave out --tenant, or set --edition cloud")
	case i.Cloud && name == "":
		return errors.New("in the cloud edition a command must say which tenant is meant: add --tenant NAME; keypeg tenant list shows all")
	case i.Cloud:
		return tenant.CheckName(name) // it becomes a path
	}
	return nil
}

// UsersOfAll calls do with the users of each tenant, one after the other. It skips tenants that
// are being removed, and stops at the first error, which names the tenant.
func (i Installation) UsersOfAll(ctx context.Context, do func(name string, users control.Users) error) error {
	all, err := i.ListTenants(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.Removing {
			continue
		}
		if err := i.Users(ctx, t.Name, func(users control.Users) error { return do(t.Name, users) }); err != nil {
			return fmt.Errorf("the tenant %s: %w", t.Name, err)
		}
	}
	return nil
}

// usersOf is [Installation.Users] for an installation that this process has open.
func (o *opened) usersOf(ctx context.Context, name string, do func(control.Users) error) error {
	var t tenant.Tenant
	if o.Cloud {
		var err error
		if t, err = o.registry.Usable(ctx, name); err != nil {
			return err
		}
	}
	address, err := o.Settings.Address(t)
	if err != nil {
		return err
	}
	db, err := o.organisation(ctx, t.Name)
	if err != nil {
		return err
	}
	defer o.release(db)
	org, err := o.Settings.Organisation(t)
	if err != nil {
		return err
	}
	if err := refuseOtherUsers(ctx, db, org.Host); err != nil {
		return err
	}
	if org.Host != nil {
		program, err := hostedServer(ctx, org, address, db)
		if err != nil {
			return err
		}
		defer program.Close(context.WithoutCancel(ctx))
		return do(control.Here(control.Accounts{Program: program, Domains: account.New(org.rules(db, address, nil)), Store: db, Address: address}))
	}
	mails := org.mails(db, address, slog.Default()) // a running server sends them
	accounts := account.New(org.rules(mails.Store(db), address, mails))
	clients := openid.NewRegistry(accounts.Activity().Store(), org.Clients, time.Now)
	return do(control.Here(control.Accounts{Service: accounts, Store: db, Address: address, Clients: clients, Issuer: address.Origin}))
}

// Tenants calls do with the tenants of the cloud edition. It uses the server that is
// running, or else opens the database in this process.
func (i Installation) Tenants(ctx context.Context, do func(Tenants) error) error {
	if !i.Cloud {
		return errors.New("there are tenants in the cloud edition only: set --edition cloud")
	}
	running, err := i.driver().Dial(ctx)
	if err == nil {
		return do(control.At[*tenants](running))
	}
	if !errors.Is(err, control.ErrNoServer) {
		return err
	}
	o, err := i.openExisting(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	return do(control.Here(&tenants{opened: o}))
}

// ListTenants lists all tenants.
func (i Installation) ListTenants(ctx context.Context) (all []tenant.Tenant, err error) {
	err = i.Tenants(ctx, func(tenants Tenants) error {
		all, err = ListTenants(ctx, tenants, control.None{})
		return err
	})
	return all, err
}

// ReadTenants lists all tenants for a command that only reads. If no server is running, it
// writes nothing to the database, and doesn't migrate it.
func (i Installation) ReadTenants(ctx context.Context) ([]tenant.Tenant, error) {
	running, err := i.driver().Dial(ctx)
	if err == nil {
		return ListTenants(ctx, control.At[*tenants](running), control.None{})
	}
	if !errors.Is(err, control.ErrNoServer) {
		return nil, err
	}
	if err := i.driver().Exists(ctx); err != nil {
		return nil, err
	}
	db, err := openSource(ctx, i.Database, rootName, time.Now)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	registry := tenant.NewRegistry(db, time.Now)
	if is, err := registry.Exists(ctx); err != nil {
		return nil, err
	} else if !is {
		return nil, errNoTenants
	}
	return registry.List(ctx)
}
