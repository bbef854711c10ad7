package installation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/store"
)

// policiesKey remembers, in the installation's own store, the policies under which no
// tenant's users were locked out.
const policiesKey = "policies"

// checkPolicies refuses settings that would leave users of a tenant without a sign-in method.
// Tenants are opened for it only where policies changed since they were last checked.
func (o *opened) checkPolicies(ctx context.Context, log *slog.Logger) error {
	policies := store.Link{Key: policiesKey, Hash: store.HashOf(o.policies()), Expires: time.Now().Add(account.PolicyRemembered)}
	known, err := o.root.Link(ctx, policiesKey)
	if err == nil && known.Hash == policies.Hash {
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
			continue // its first request checks, or nobody is there yet
		}
		address, err := o.Settings.Address(t)
		if err != nil {
			continue // nobody reaches it, and the router says so
		}
		own, err := o.Settings.Organisation(t)
		if err != nil {
			return err
		}
		db, err := o.organisation(ctx, t.Name)
		if err != nil {
			log.Error("the policy of a tenant could not be checked", "tenant", t.Name, "cause", err)
			continue // as at its first request
		}
		err = refuseLockout(account.New(own.rules(db, address)).LocksNobodyOut(ctx))
		if err := errors.Join(err, o.release(db)); err != nil {
			return fmt.Errorf("the tenant %s: %w", t.Name, err)
		}
	}
	if err := o.root.Apply(ctx, store.Batch{store.PutLink{Link: policies}}); err != nil {
		return fmt.Errorf("remembering the policies: %w", err)
	}
	return nil
}

// policies is the same for settings that give every tenant the same policy.
func (o *opened) policies() string {
	of := func(name string) string {
		own, err := o.Settings.Organisation(tenant.Tenant{Name: name})
		if err != nil {
			return "" // the settings were refused for it
		}
		return account.New(own.rules(nil, server.Address{})).Policy().String()
	}
	all := []string{of("")}
	for _, name := range o.Settings.WithTheirOwn() {
		all = append(all, name+": "+of(name))
	}
	return strings.Join(all, "\n")
}
