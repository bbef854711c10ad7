package installation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/internal/transfer"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/pgstore"
)

// postgres is the URL of a PostgreSQL database. Any number of servers and commands use it
// at the same time, and all organisations share its tables.
type postgres string

func isPostgres(text string) bool { return pgstore.IsURL(text) }

func newPostgres(url, _ string) Driver { return postgres(url) }

// Check implements [Driver].
func (p postgres) Check() error { return pgstore.Check(string(p)) }

// String implements [Driver].
func (p postgres) String() string { return pgstore.Describe(string(p)) }

// HasPassword implements [Driver].
func (p postgres) HasPassword() bool { return pgstore.HasPassword(string(p)) }

// Exists implements [Driver].
func (p postgres) Exists(ctx context.Context) error {
	has, err := pgstore.IsKeypegs(ctx, string(p))
	if err == nil && !has {
		return fmt.Errorf("there is nothing of Keypeg in the database %s: %s", p, nameTheServers)
	}
	return err
}

// MayBeFilled implements [Driver]. It refuses a database with tables of an earlier version,
// because another Keypeg uses it.
func (p postgres) MayBeFilled(ctx context.Context) error {
	is, err := pgstore.IsKeypegs(ctx, string(p))
	if err != nil || !is {
		return err
	}
	db, err := pgstore.OpenReadOnly(ctx, string(p), rootName, nothingExpires)
	if err != nil {
		return err
	}
	return db.Close()
}

// Open implements [Driver].
func (p postgres) Open(ctx context.Context, now store.Clock) (Database, error) {
	rows, err := pgstore.OpenDatabase(ctx, string(p), now)
	if err != nil {
		return nil, err
	}
	return openPostgres{rows}, nil
}

// OpenReadOnly implements [Driver].
func (p postgres) OpenReadOnly(ctx context.Context, organisation string, now store.Clock) (store.Store, error) {
	db, err := pgstore.OpenReadOnly(ctx, string(p), organisation, now)
	if err != nil {
		return nil, err // not a Store that contains nil
	}
	return db, nil
}

// Facts implements [Driver].
func (p postgres) Facts(ctx context.Context) (DatabaseFacts, error) {
	f, err := pgstore.LookAt(ctx, string(p))
	return DatabaseFacts{Server: p.String(), Version: f.Version, Encoding: f.Encoding, Encrypted: f.Encrypted, Local: f.Local, Standbys: f.Standbys}, err
}

// Backup implements [Driver].
func (p postgres) Backup(ctx context.Context, organisation, part string, report Report) error {
	if err := p.Exists(ctx); err != nil {
		return err
	}
	from, err := pgstore.OpenReadOnly(ctx, string(p), organisation, nothingExpires)
	if err != nil {
		return err
	}
	defer from.Close()
	if err := transfer.Unfinished(ctx, from); err != nil {
		return err
	}
	moment, err := from.Snapshot(ctx)
	if err != nil {
		return fmt.Errorf("reading the database: %w", err)
	}
	defer moment.Close()

	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	to, err := boltstore.Open(part, nothingExpires)
	if err != nil {
		return err
	}
	_, err = copyAll(ctx, moment, to, report)
	return errors.Join(err, to.Close())
}

// Restore implements [Driver]. It copies one record after the other, and continues an
// interrupted restore.
func (p postgres) Restore(ctx context.Context, backup string, into tenant.Tenant, report Report) error {
	from, err := openSource(ctx, backup, rootName, nothingExpires)
	if err != nil {
		return err
	}
	defer from.Close()
	if err := p.MayBeFilled(ctx); err != nil {
		return err
	}
	rows, err := pgstore.OpenDatabase(ctx, string(p), nothingExpires)
	if err != nil {
		return err
	}
	defer rows.Close()
	to := rows.Organisation(into.Name)
	defer to.Close()
	if into.Name != rootName {
		if err := makeRoomInTables(ctx, rows, to, into); err != nil {
			return err
		}
	}
	sum, err := copyAll(ctx, withoutAccess{from}, to, report)
	if err != nil {
		return err
	}
	report.Copied(sum)
	return nil
}

// makeRoomInTables removes the records of a tenant without users, so that a backup can be
// restored in its place. The tenant must be suspended, because other processes may have it
// open. The records of an interrupted restore stay.
func makeRoomInTables(ctx context.Context, rows *pgstore.Database, to store.Store, t tenant.Tenant) error {
	switch err := transfer.Unfinished(ctx, to); {
	case errors.Is(err, transfer.ErrUnfinished):
		return nil
	case err != nil:
		return err
	}
	if err := hasNoUser(ctx, to, t.Name); err != nil {
		return err
	}
	secrets, err := store.Secrets.List(ctx, to, "", "", 1)
	if err != nil {
		return err
	}
	if len(secrets) > 0 && t.IsActive() {
		return fmt.Errorf("servers may have the tenant open: run keypeg tenant disable %s, restore, and enable it", t.Name)
	}
	return rows.Remove(ctx, t.Name)
}

// Listen implements [Driver].
func (postgres) Listen(*slog.Logger) net.Listener { return nil }

// Explain implements [Driver].
func (postgres) Explain(err error) error { return err }

// Dial implements [Driver].
func (postgres) Dial(context.Context) (*control.Client, error) { return nil, control.ErrNoServer }

// openPostgres is an open PostgreSQL database.
type openPostgres struct{ rows *pgstore.Database }

// Organisation implements [Database].
func (d openPostgres) Organisation(name string) (store.Store, error) {
	return d.rows.Organisation(name), nil
}

// Has implements [Database]. Opening an organisation makes nothing.
func (openPostgres) Has(string) bool { return true }

// IsUnused implements [Database].
func (d openPostgres) IsUnused(ctx context.Context, name string) error {
	db := d.rows.Organisation(name)
	defer db.Close()
	users, _, err := db.Users(ctx, store.UserQuery{}, 1)
	if err == nil && len(users) > 0 {
		return fmt.Errorf("there are users in the database already, of a tenant %s that isn't in the list: choose another name", name)
	}
	return err
}

// Erase implements [Database]. It waits until other nodes know that the tenant is
// suspended, because they would go on writing.
func (d openPostgres) Erase(ctx context.Context, t tenant.Tenant) error {
	select {
	case <-time.After(time.Until(t.Suspended.Add(tenant.NoticedAfter))):
	case <-ctx.Done():
		return ctx.Err()
	}
	return d.rows.Remove(ctx, t.Name)
}

// Follow implements [Database].
func (d openPostgres) Follow(ctx context.Context, watch func(context.Context), notify func(organisation, userID string)) {
	var watching sync.WaitGroup
	watching.Go(func() { watch(ctx) })
	d.rows.Changes(ctx, notify)
	watching.Wait()
}

// Size implements [Database].
func (d openPostgres) Size(ctx context.Context) (Size, error) {
	bytes, err := d.rows.Bytes(ctx)
	return Size{Database: bytes}, err
}

// Close implements [Database].
func (d openPostgres) Close() error { return d.rows.Close() }
