package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/store"
)

// refuseLockout says what to do about settings that would leave users without a way in.
func refuseLockout(err error) error {
	if _, is := errors.AsType[*account.LockedOut](err); is {
		return fmt.Errorf("%w. Start with the settings as they were and give them another way in, or disable them; or change rp-id, passkeys, password-sign-in, user-verification or the providers back", err)
	}
	return err
}

// policiesKey remembers, in the installation's own store, the policies under which no
// tenant's users were locked out.
const policiesKey = "policies"

// checkPolicies refuses settings that would leave users of a tenant without a way in.
// Tenants are opened for it only where policies changed since they were last checked.
func (i *installation) checkPolicies(ctx context.Context, s *settings, log *slog.Logger) error {
	policies := store.Link{Key: policiesKey, Hash: store.HashOf(s.policies()), Expires: time.Now().Add(account.PolicyRemembered)}
	known, err := i.root.Link(ctx, policiesKey)
	if err == nil && known.Hash == policies.Hash {
		return nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("looking up the last policies: %w", err)
	}

	all, err := i.registry.List(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		if !t.IsOn() || i.rows == nil && isMissing(fileOf(i.database, t.Name)) {
			continue // its first request checks, or nobody is there yet
		}
		address, err := t.Address()
		if err != nil {
			continue // nobody reaches it, and the router says so
		}
		own, err := s.of(t)
		if err != nil {
			return err
		}
		db, err := i.open(ctx, t.Name)
		if err != nil {
			log.Error("the policy of a tenant could not be checked", "tenant", t.Name, "cause", err)
			continue // as at its first request
		}
		err = refuseLockout(account.New(s.rules(db, address, own, s.tables[t.Name].providers)).LocksNobodyOut(ctx))
		if err := errors.Join(err, db.Close()); err != nil {
			return fmt.Errorf("the tenant %s: %w", t.Name, err)
		}
	}
	if err := i.root.Apply(ctx, store.Batch{store.PutLink{Link: policies}}); err != nil {
		return fmt.Errorf("remembering the policies: %w", err)
	}
	return nil
}

// policies is the same for settings that give every tenant the same policy.
func (s *settings) policies() string {
	of := func(own organisationSettings, providers []provider) string {
		return account.New(s.rules(nil, server.Address{}, own, providers)).Policy.String()
	}
	all := []string{of(s.organisationSettings, nil)}
	for _, name := range slices.Sorted(maps.Keys(s.tables)) {
		own := s.organisationSettings
		if err := own.set(s.tables[name].values); err != nil {
			continue // the settings were refused for it
		}
		all = append(all, name+": "+of(own, s.tables[name].providers))
	}
	return strings.Join(all, "\n")
}

func isMissing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist)
}
