package control

import (
	"context"
	"io"
	"net/http"

	"github.com/keypeg/keypeg/server/tenant"
)

// Tenants are what IT can have done about tenants, in the cloud edition. Errors are
// sentences.
type Tenants interface {
	// AddTenant adds a tenant and makes the link of its first administrator.
	AddTenant(ctx context.Context, t tenant.Tenant) (AddedTenant, error)
	// Tenants returns all of them by name.
	Tenants(ctx context.Context) ([]tenant.Tenant, error)
	SetTenantDisabled(ctx context.Context, name string, disabled bool) error
	// RemoveTenant deletes one that is switched off, with its records.
	RemoveTenant(ctx context.Context, name string) error
}

// AddedTenant is a new tenant.
type AddedTenant struct {
	tenant.Tenant
	SetupLink string `json:"setupLink"`
}

const (
	pathAddTenant         = "/add-tenant"
	pathTenants           = "/tenants"
	pathSetTenantDisabled = "/set-tenant-disabled"
	pathRemoveTenant      = "/remove-tenant"
	// pathTenant and a name lead to the commands of that tenant.
	pathTenant = "/tenant/"
)

// TenantsHandler offers commands about tenants on the socket, and backups of the
// database with their list. Commands for one tenant go to the handler that of finds
// for it: one of [Handler].
func TenantsHandler(c Tenants, database io.WriterTo, of func(ctx context.Context, name string, do func(http.Handler)) error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathBackup, backup(database))
	mux.HandleFunc("POST "+pathAddTenant, serve(c.AddTenant))
	mux.HandleFunc("POST "+pathTenants, serve(func(ctx context.Context, _ none) ([]tenant.Tenant, error) {
		return c.Tenants(ctx)
	}))
	mux.HandleFunc("POST "+pathSetTenantDisabled, serve(func(ctx context.Context, in disabledArgs) (none, error) {
		return none{}, c.SetTenantDisabled(ctx, in.Name, in.Disabled)
	}))
	mux.HandleFunc("POST "+pathRemoveTenant, serve(func(ctx context.Context, name string) (none, error) {
		return none{}, c.RemoveTenant(ctx, name)
	}))
	mux.HandleFunc("POST "+pathTenant+"{name}/", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		err := of(r.Context(), name, func(h http.Handler) { http.StripPrefix(pathTenant+name, h).ServeHTTP(w, r) })
		if err != nil {
			refuse(w, err)
		}
	})
	return mux
}

var _ Tenants = (*Client)(nil)

// Tenant returns a Client of the same server for the commands of one tenant.
func (c *Client) Tenant(name string) *Client { return &Client{c.http, pathTenant + name} }

// AddTenant implements [Tenants].
func (c *Client) AddTenant(ctx context.Context, t tenant.Tenant) (AddedTenant, error) {
	return call[AddedTenant](ctx, c, pathAddTenant, t)
}

// Tenants implements [Tenants].
func (c *Client) Tenants(ctx context.Context) ([]tenant.Tenant, error) {
	return call[[]tenant.Tenant](ctx, c, pathTenants, none{})
}

// SetTenantDisabled implements [Tenants].
func (c *Client) SetTenantDisabled(ctx context.Context, name string, disabled bool) error {
	_, err := call[none](ctx, c, pathSetTenantDisabled, disabledArgs{Name: name, Disabled: disabled})
	return err
}

// RemoveTenant implements [Tenants].
func (c *Client) RemoveTenant(ctx context.Context, name string) error {
	_, err := call[none](ctx, c, pathRemoveTenant, name)
	return err
}
