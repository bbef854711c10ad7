package installation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/store"
)

// ChangeTenant asks to change what is set of a tenant.
type ChangeTenant struct {
	Name string `json:"name"`
	tenant.Change
}

// ChangedTenant is a tenant after a change, with the secret of its program if it has just got the first one.
type ChangedTenant struct {
	tenant.Tenant
	Secret string `json:"secret,omitempty"`
}

// SetTenant changes what is set of a tenant. A tenant with users of its own doesn't become one of a program, nor the
// other way round.
var SetTenant = control.Ask(&tenantCommands, "/change-tenant", func(ctx context.Context, all *tenants, in ChangeTenant) (changed ChangedTenant, err error) {
	if in.Arrive != nil {
		err := all.records(ctx, in.Name, func(db store.Store) error {
			var program *Host
			if *in.Arrive != "" {
				program = &Host{Arrive: *in.Arrive}
			}
			return refuseOtherUsers(ctx, db, program)
		})
		if err != nil {
			return changed, err
		}
	}
	changed.Tenant, err = all.changed(ctx)(all.registry.Change(ctx, in.Name, in.Change))
	if err == nil && changed.Arrive != "" && changed.SecretMade.IsZero() {
		changed.Secret, err = all.newSecret(ctx, in.Name, false)
	}
	return changed, err
})

// RotateTenant asks for a new secret of a tenant's program. The one before is accepted until the next, unless it ends now.
type RotateTenant struct {
	Name string `json:"name"`
	Now  bool   `json:"now,omitempty"`
}

// RotateTenantSecret makes a new secret, which nothing tells again.
var RotateTenantSecret = control.Ask(&tenantCommands, "/rotate-tenant", func(ctx context.Context, all *tenants, in RotateTenant) (AddedTenant, error) {
	t, err := all.registry.Usable(ctx, in.Name)
	if err != nil {
		return AddedTenant{}, err
	}
	if t.Arrive == "" {
		return AddedTenant{}, fmt.Errorf("the tenant %s has users of its own, and no program that shares a secret with Keypeg: to make it one, run keypeg tenant change %s --arrive URL", t.Name, t.Name)
	}
	secret, err := all.newSecret(ctx, t.Name, in.Now)
	return AddedTenant{Tenant: t, Secret: secret}, err
})

// newSecret makes a secret of a tenant's program, and has each node use it.
func (all *tenants) newSecret(ctx context.Context, name string, endOthers bool) (secret string, err error) {
	err = all.records(ctx, name, func(db store.Store) (err error) {
		secret, err = embed.NewSecret(ctx, db, time.Now(), endOthers)
		return err
	})
	if err == nil {
		_, err = all.changed(ctx)(all.registry.NoteSecret(ctx, name))
	}
	return secret, err
}

// records calls do with the records of one tenant, which may be open in this process.
func (all *tenants) records(ctx context.Context, name string, do func(store.Store) error) (err error) {
	if all.router != nil {
		var failed error
		err := all.router.Command(ctx, name, func(o *tenant.OpenTenant) { failed = do(o.Store) })
		return errors.Join(err, failed)
	}
	t, err := all.registry.Usable(ctx, name)
	if err != nil {
		return err
	}
	db, err := all.organisation(ctx, t.Name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.release(db)) }()
	return do(db)
}
