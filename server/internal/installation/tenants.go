package installation

import (
	"context"
	"errors"
	"fmt"

	"github.com/keypeg/keypeg/server/control"
	"github.com/keypeg/keypeg/server/tenant"
)

// tenants carries out what IT wants of tenants.
type tenants struct {
	*opened
	router *tenant.Router // nil where no server runs in this process
}

var _ control.Tenants = (*tenants)(nil)

// AddTenant implements [control.Tenants].
func (l *tenants) AddTenant(ctx context.Context, t tenant.Tenant) (control.AddedTenant, error) {
	if err := tenant.CheckName(t.Name); err != nil {
		return control.AddedTenant{}, err
	}
	if _, err := l.registry.Tenant(ctx, t.Name); err != nil { // else Add says that it is taken
		// Records that no tenant in the list has are somebody's, and must not become another's.
		if err := l.db.IsUnused(ctx, t.Name); err != nil {
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
	err = l.commandsOf(ctx, t.Name, func(c control.Commands) (err error) {
		link, err = c.NewSetupLink(ctx)
		return err
	})
	if err != nil {
		err = fmt.Errorf("the tenant %s was added, but its set-up link couldn't be made: run keypeg setup-link --tenant %s (%w)", t.Name, t.Name, err)
	}
	return control.AddedTenant{Tenant: added, SetupLink: link}, err
}

// commandsOf runs do with the accounts of one tenant, which may be open in this process.
func (l *tenants) commandsOf(ctx context.Context, name string, do func(control.Commands) error) error {
	if l.router == nil {
		return l.commands(ctx, name, do)
	}
	var failed error
	err := l.router.Command(ctx, name, func(o *tenant.Organisation) { failed = do(accountsOf(o)) })
	return errors.Join(err, failed)
}

// Tenants implements [control.Tenants].
func (l *tenants) Tenants(ctx context.Context) ([]tenant.Tenant, error) { return l.registry.List(ctx) }

// SetTenantDisabled implements [control.Tenants].
func (l *tenants) SetTenantDisabled(ctx context.Context, name string, disabled bool) error {
	if l.router != nil {
		return l.router.SetDisabled(ctx, name, disabled)
	}
	return l.registry.SetDisabled(ctx, name, disabled)
}

// RemoveTenant implements [control.Tenants].
func (l *tenants) RemoveTenant(ctx context.Context, name string) error {
	if l.router != nil {
		return l.router.Remove(ctx, name)
	}
	return l.registry.Remove(ctx, name, l.erase)
}

// erase deletes a tenant's records, which nobody here has open.
func (o *opened) erase(ctx context.Context, t tenant.Tenant) error {
	if err := tenant.CheckName(t.Name); err != nil { // it becomes a path
		return err
	}
	return o.db.Erase(ctx, t)
}
