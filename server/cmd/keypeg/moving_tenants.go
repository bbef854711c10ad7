package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/transfer"
	"github.com/keypeg/keypeg/server/tenant"
)

// Backups and copies in the cloud edition: each tenant is a database like any other,
// and one more has the list of tenants.

// ofTenantOrList is what backups are made of.
type ofTenantOrList struct{ TenantList bool }

func (c *ofTenantOrList) takes(l *commandLine) {
	ofTenant(l)
	l.BoolVar(&c.TenantList, "tenant-list", false, "In the cloud edition: the list of tenants, with their addresses.")
}

// which tells which tenant of a list is meant; none where it is the list itself, or there are
// none.
func (c *ofTenantOrList) which(ctx context.Context, s *settings, list func(context.Context) ([]tenant.Tenant, error)) (t tenant.Tenant, err error) {
	switch {
	case c.TenantList && !s.isCloud():
		return t, errors.New("there is a list of tenants in the cloud edition only: leave out --tenant-list, or set --edition cloud")
	case c.TenantList && s.tenant != "":
		return t, errors.New("--tenant and --tenant-list are two backups: make one after the other")
	case c.TenantList:
		return t, nil
	}
	if err := s.checkTenant(); err != nil {
		if s.isCloud() {
			err = fmt.Errorf("%w; or --tenant-list for the list itself", err)
		}
		return t, err
	}
	if !s.isCloud() {
		return t, nil
	}
	all, err := list(ctx)
	if err != nil {
		return t, err
	}
	return tenant.Find(all, s.tenant)
}

// makeRoom removes a tenant's file that has no user yet, so that a backup can be
// restored in its place. It keeps one that has.
func makeRoom(ctx context.Context, file, name string) error {
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	db, err := boltstore.Open(file, time.Now)
	if errors.Is(err, boltstore.ErrInUse) {
		return fmt.Errorf("the running server has the tenant open: run keypeg tenant disable %s, restore, and enable it", name)
	}
	if err != nil {
		return err
	}
	defer db.Close()
	if err := hasNoUser(ctx, db, name); err != nil {
		return err
	}
	return os.Remove(file) // while nobody else can open it
}

// makeRoomShared does the same in PostgreSQL, where others may have it open, so that
// the tenant must be switched off. What an interrupted restore left stays.
func makeRoomShared(ctx context.Context, rows *pgstore.Database, to store.Store, t tenant.Tenant) error {
	switch err := transfer.Unfinished(ctx, to); {
	case errors.Is(err, transfer.ErrUnfinished):
		return nil
	case err != nil:
		return err
	}
	if err := hasNoUser(ctx, to, t.Name); err != nil {
		return err
	}
	secrets, err := to.Records(ctx, store.KindSecret, nil, 1)
	if err != nil {
		return err
	}
	if len(secrets) > 0 && t.IsOn() {
		return fmt.Errorf("servers may have the tenant open: run keypeg tenant disable %s, restore, and enable it", t.Name)
	}
	return rows.Remove(ctx, t.Name)
}

func hasNoUser(ctx context.Context, db store.Store, name string) error {
	users, err := db.Users(ctx, "", 1)
	if err == nil && len(users) > 0 {
		return fmt.Errorf("the tenant %s has users already: remove and add it before you restore a backup in its place", name)
	}
	return err
}

// copyTenants copies all tenants and, last, their list: until then nothing finds a
// tenant in the target. Called again after an interruption it passes over those that
// are there.
func (c *storeCopy) copyTenants(ctx context.Context, t terminal) error {
	from, err := openSource(ctx, c.From, organisation, nothingExpires)
	if err != nil {
		return err
	}
	defer from.Close()
	if is, err := tenant.Exists(ctx, from); err != nil || !is {
		return errors.Join(err, errors.New("the source has no list of tenants: copy it with --edition on-premise"))
	}
	all, err := (&tenant.Registry{Store: from, Now: time.Now}).List(ctx)
	if err != nil {
		return err
	}
	if err := mayBeFilled(ctx, c.To); err != nil { // once for all: they share it
		return err
	}
	for _, one := range all {
		if one.Removing {
			continue
		}
		fmt.Fprintf(t.Out, "%s: ", one.Name)
		if err := c.copyTenant(ctx, t, one.Name); err != nil {
			return fmt.Errorf("the tenant %s: %w", one.Name, err)
		}
	}
	to, err := openAny(ctx, c.To, organisation, nothingExpires)
	if err != nil {
		return err
	}
	defer to.Close()
	fmt.Fprint(t.Out, "The list of tenants: ")
	if err := copies(ctx, t, from, to); err != nil {
		return err
	}
	tellSignalsHeld(t.Out, " --all-tenants")
	return nil
}

func (c *storeCopy) copyTenant(ctx context.Context, t terminal, name string) error {
	from, err := openSource(ctx, c.From, name, nothingExpires)
	if errors.Is(err, os.ErrNotExist) {
		fmt.Fprintln(t.Out, "There is nothing yet.")
		return nil
	}
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := openAny(ctx, c.To, name, nothingExpires)
	if err != nil {
		return err
	}
	defer to.Close()
	err = copies(ctx, t, from, to)
	if !errors.Is(err, transfer.ErrNotEmpty) {
		return err
	}
	theirs, failed := transfer.AddUp(ctx, from)
	if failed != nil {
		return failed
	}
	if ours, failed := transfer.AddUp(ctx, to); failed != nil || !ours.Same(theirs) {
		return errors.Join(err, failed)
	}
	fmt.Fprintf(t.Out, "It is there already, with %s.\n", tally(theirs.Counts))
	return nil
}
