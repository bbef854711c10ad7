package installation

import (
	"context"

	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/tenant"
)

// MoveTenant asks to make another address the main one of a tenant.
type MoveTenant struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	RPID string `json:"rpId,omitempty"` // "" for the one that [server.ParseMove] chooses
}

// SetTenantAddress makes another address the main one. The present one becomes a former address.
var SetTenantAddress = control.Ask(&tenantCommands, "/move-tenant", func(ctx context.Context, all *tenants, in MoveTenant) (tenant.Tenant, error) {
	return all.changed(ctx)(all.registry.Move(ctx, in.Name, in.URL, in.RPID))
})

// AddTenantAddress adds a further address to a tenant, for ever.
var AddTenantAddress = control.Ask(&tenantCommands, "/add-tenant-address", func(ctx context.Context, all *tenants, in MoveTenant) (tenant.Tenant, error) {
	return all.changed(ctx)(all.registry.AddAddress(ctx, in.Name, in.URL))
})

// RemoveTenantAddress takes a further address from a tenant that has another one for the same passkeys.
var RemoveTenantAddress = control.Ask(&tenantCommands, "/remove-tenant-address", func(ctx context.Context, all *tenants, in MoveTenant) (tenant.Tenant, error) {
	return all.changed(ctx)(all.registry.RemoveAddress(ctx, in.Name, in.URL))
})

// EndTenantDomain ends a relying party id of a tenant, if nobody needs it to sign in.
var EndTenantDomain = control.Ask(&tenantCommands, "/end-tenant-domain", func(ctx context.Context, all *tenants, in MoveTenant) (tenant.Tenant, error) {
	err := all.users(ctx, in.Name, func(users control.Users) error { return control.EndDomain(ctx, users, in.RPID) })
	if err != nil {
		return tenant.Tenant{}, err
	}
	return all.changed(ctx)(all.registry.RemoveDomain(ctx, in.Name, in.RPID))
})

// changed has a running server serve a tenant as it is now.
func (all *tenants) changed(ctx context.Context) func(tenant.Tenant, error) (tenant.Tenant, error) {
	return func(t tenant.Tenant, err error) (tenant.Tenant, error) {
		if err == nil && all.router != nil {
			err = all.router.Refresh(ctx)
		}
		return t, err
	}
}
