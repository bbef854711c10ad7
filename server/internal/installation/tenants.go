package installation

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/tenant"
)

// tenants is the target of commands about tenants.
type tenants struct {
	*opened
	router *tenant.Router // nil if this process isn't a server
}

// Tenants are the tenants of an installation of the cloud edition, for commands. Their errors
// are sentences.
type Tenants = control.Target[*tenants]

// tenantCommands are all commands about tenants.
var tenantCommands control.Set[*tenants]

// AddedTenant is a new tenant.
type AddedTenant struct {
	tenant.Tenant
	SetupLink string `json:"setupLink,omitempty"`
	Secret    string `json:"secret,omitempty"` // of its program
}

// AddTenant adds a tenant. It makes the set-up link for its first administrator, or the secret of its program.
var AddTenant = control.Ask(&tenantCommands, "/add-tenant", func(ctx context.Context, all *tenants, t tenant.Tenant) (AddedTenant, error) {
	added, err := all.add(ctx, t)
	if err != nil {
		return AddedTenant{}, err
	}
	if added.Arrive != "" {
		secret, err := all.newSecret(ctx, added.Name, false)
		if err != nil {
			err = fmt.Errorf("the tenant %s was added, but its secret couldn't be made: run keypeg tenant rotate %s (%w)", t.Name, t.Name, err)
		}
		return AddedTenant{Tenant: added, Secret: secret}, err
	}
	var link control.Link
	err = all.users(ctx, t.Name, func(users control.Users) (err error) {
		link, err = control.NewSetupLink(ctx, users, control.None{})
		return err
	})
	if err != nil {
		err = fmt.Errorf("the tenant %s was added, but its set-up link couldn't be made: run keypeg setup-link --tenant %s (%w)", t.Name, t.Name, err)
	}
	return AddedTenant{Tenant: added, SetupLink: link.URL}, err
})

func (all *tenants) add(ctx context.Context, t tenant.Tenant) (added tenant.Tenant, err error) {
	if err := tenant.CheckName(t.Name); err != nil {
		return added, err
	}
	if _, err := all.registry.Tenant(ctx, t.Name); err != nil { // otherwise Add refuses the name
		// Records without a tenant in the list must not become those of another tenant.
		if err := all.db.IsUnused(ctx, t.Name); err != nil {
			return added, err
		}
	}
	if added, err = all.registry.Add(ctx, t); err == nil && all.router != nil {
		err = all.router.Refresh(ctx)
	}
	return added, err
}

// ListTenants returns all tenants by name.
var ListTenants = control.Ask(&tenantCommands, "/tenants", func(ctx context.Context, all *tenants, _ control.None) ([]tenant.Tenant, error) {
	return all.registry.List(ctx)
})

// SuspendTenant asks to suspend a tenant, or to make it active again.
type SuspendTenant struct {
	Name      string `json:"name"`
	Suspended bool   `json:"disabled"`
}

// SetTenantSuspended suspends a tenant, or makes it active again. None of its records is
// lost.
var SetTenantSuspended = control.Do(&tenantCommands, "/set-tenant-disabled", func(ctx context.Context, all *tenants, in SuspendTenant) error {
	if all.router != nil {
		return all.router.SetSuspended(ctx, in.Name, in.Suspended)
	}
	return all.registry.SetSuspended(ctx, in.Name, in.Suspended)
})

// RemoveTenant deletes a suspended tenant, with its records.
var RemoveTenant = control.Do(&tenantCommands, "/remove-tenant", func(ctx context.Context, all *tenants, name string) error {
	if all.router != nil {
		return all.router.Remove(ctx, name)
	}
	return all.registry.Remove(ctx, name, all.erase)
})

// erase deletes the records of a tenant that isn't open in this process.
func (o *opened) erase(ctx context.Context, t tenant.Tenant) error {
	if err := tenant.CheckName(t.Name); err != nil { // it becomes a path
		return err
	}
	return o.db.Erase(ctx, t)
}

// users calls do with the users of one tenant, which may be open in this process.
func (all *tenants) users(ctx context.Context, name string, do func(control.Users) error) error {
	if all.router == nil {
		return all.usersOf(ctx, name, do)
	}
	var failed error
	err := all.router.Command(ctx, name, func(o *tenant.OpenTenant) { failed = do(control.Here(accountsOf(o))) })
	return errors.Join(err, failed)
}

// handler serves the commands about tenants on the socket, and those about the users of
// each tenant.
func (all *tenants) handler() http.Handler {
	mux := tenantCommands.Handler(all, backupOf(all.root))
	control.HandleTenants(mux, func(ctx context.Context, name string, do func(http.Handler)) error {
		return all.router.Command(ctx, name, func(o *tenant.OpenTenant) { do(socketOf(o)) })
	})
	return mux
}
