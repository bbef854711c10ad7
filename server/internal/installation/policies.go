package installation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/store"
)

// checkedPolicies has, in the installation's store, a hash of the policies that were last
// found to lock no tenant's users out.
var checkedPolicies = store.Collection[store.Hash]{Name: "checked-policies"}

// checkPolicies refuses settings that would leave users of a tenant without a sign-in
// method. It opens tenants only if their policies have changed since the last check.
func (o *opened) checkPolicies(ctx context.Context, log *slog.Logger) error {
	policies := store.HashOf(o.policies())
	known, err := checkedPolicies.Get(ctx, o.root, "", "")
	if err == nil && known.Value == policies {
		return nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("looking up the last policies: %w", err)
	}

	all, err := o.registry.List(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		if !t.IsActive() || !o.db.Has(t.Name) {
			continue // its first request checks it, or it has no records yet
		}
		address, err := o.Settings.Address(t)
		if err != nil {
			continue // nobody can reach it, and the router logs that
		}
		org, err := o.Settings.Organisation(t)
		if err != nil {
			return err
		}
		if org.Host != nil {
			continue // nobody signs in here
		}
		db, err := o.organisation(ctx, t.Name)
		if err != nil {
			log.Error("the policy of a tenant could not be checked", "tenant", t.Name, "cause", err)
			continue // its first request will log the same
		}
		err = account.New(org.rules(db, address, nil)).LocksNobodyOut(ctx)
		if _, is := errors.AsType[*account.ForeignPasskeys](err); is {
			err = nil // its own address is the cause, and not these settings; opening it logs that
		}
		err = o.refuseLockout(err, t, address)
		if err := errors.Join(err, o.release(db)); err != nil {
			return fmt.Errorf("the tenant %s: %w", t.Name, err)
		}
	}
	checked := store.Entry[store.Hash]{Value: policies, Version: store.AnyVersion}
	if err := o.root.Apply(ctx, store.Batch{checkedPolicies.Put(checked)}); err != nil {
		return fmt.Errorf("remembering the policies: %w", err)
	}
	return nil
}

// policies returns a text that is the same for settings with the same policy for every
// tenant.
func (o *opened) policies() string {
	of := func(name string) string {
		org, err := o.Settings.Organisation(tenant.Tenant{Name: name})
		if err != nil {
			return "" // its settings are invalid
		}
		return account.New(org.rules(nil, server.Address{}, nil)).Policy().String()
	}
	all := []string{of("")}
	for _, name := range o.Settings.WithOverrides() {
		all = append(all, name+": "+of(name))
	}
	return strings.Join(all, "\n")
}
