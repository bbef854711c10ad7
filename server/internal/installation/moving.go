package installation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/transfer"
)

// What moves and keeps whole databases makes something that is either whole or recognisably
// not: a file has the ending .part until it is complete and checked, and a database that was
// not filled to its end refuses to be used. In the cloud edition each tenant is a database
// like any other, and one more has the list of tenants.

// Report hears how something goes that takes long, for whoever waits for it.
type Report interface {
	// Begins names one of several organisations, before its outcome is told.
	Begins(what string)
	// Bar begins to show how many records are done, until end is called.
	Bar() (shows func(done, total int), end func())

	// Copied tells that an organisation was copied and compared.
	Copied(transfer.Sum)
	// IsThere tells that an earlier try has copied it, with so many records.
	IsThere(counts map[store.Kind]int)
	// HasNothing tells that there is nothing to copy.
	HasNothing()
	// Restored tells that a file was made of a backup and checked.
	Restored(counts map[store.Kind]int, file string)
}

// nothingExpires is the clock of databases that are moved: by the one of this machine, which
// may be wrong, something would be left behind that counts again once it is set right.
func nothingExpires() time.Time { return time.Unix(0, 0) }

// Copy copies the database of one organisation into an empty one, and goes on where it was
// interrupted. Both are named as a setting names them.
func Copy(ctx context.Context, source, target string, report Report) error {
	from, err := openSource(ctx, source, rootName, nothingExpires)
	if err != nil {
		return err
	}
	defer from.Close()
	if err := refuseCloud(ctx, from); err != nil {
		return err
	}
	if err := mayBeFilled(ctx, target); err != nil {
		return err
	}
	return copyInto(ctx, from, target, rootName, report)
}

// CopyTenants copies all tenants and, last, their list: until then nothing finds a
// tenant in the target. Called again after an interruption it passes over those that
// are there.
func CopyTenants(ctx context.Context, source, target string, report Report) error {
	from, err := openSource(ctx, source, rootName, nothingExpires)
	if err != nil {
		return err
	}
	defer from.Close()
	registry := tenant.NewRegistry(from, time.Now)
	if is, err := registry.Exists(ctx); err != nil || !is {
		return errors.Join(err, errors.New("the source has no list of tenants: copy it with --edition on-premise"))
	}
	all, err := registry.List(ctx)
	if err != nil {
		return err
	}
	if err := mayBeFilled(ctx, target); err != nil { // once for all: they share it
		return err
	}
	for _, one := range all {
		if one.Removing {
			continue
		}
		report.Begins(one.Name)
		if err := copyTenant(ctx, source, target, one.Name, report); err != nil {
			return fmt.Errorf("the tenant %s: %w", one.Name, err)
		}
	}
	report.Begins("The list of tenants")
	return copyInto(ctx, from, target, rootName, report)
}

func copyTenant(ctx context.Context, source, target, name string, report Report) error {
	from, err := openSource(ctx, source, name, nothingExpires)
	if errors.Is(err, os.ErrNotExist) {
		report.HasNothing()
		return nil
	}
	if err != nil {
		return err
	}
	defer from.Close()
	err = copyInto(ctx, from, target, name, report)
	if !errors.Is(err, transfer.ErrNotEmpty) {
		return err
	}
	theirs, failed := transfer.AddUp(ctx, from)
	if failed != nil {
		return failed
	}
	to, failed := OpenStore(ctx, target, name, nothingExpires)
	if failed != nil {
		return failed
	}
	defer to.Close()
	if ours, failed := transfer.AddUp(ctx, to); failed != nil || !ours.Same(theirs) {
		return errors.Join(err, failed)
	}
	report.IsThere(theirs.Counts)
	return nil
}

// copyInto copies all records into an organisation of a database.
func copyInto(ctx context.Context, from transfer.Source, target, name string, report Report) error {
	to, err := OpenStore(ctx, target, name, nothingExpires)
	if err != nil {
		return err
	}
	defer to.Close()
	sum, err := copyAll(ctx, from, to, report)
	if err != nil {
		return err
	}
	report.Copied(sum)
	return nil
}

func copyAll(ctx context.Context, from transfer.Source, to store.Store, report Report) (transfer.Sum, error) {
	shows, end := report.Bar()
	defer end()
	return transfer.Copy(ctx, from, to, shows)
}

func mayBeFilled(ctx context.Context, target string) error {
	return DriverOf(target, "").MayBeFilled(ctx)
}

// openSource opens an organisation's database that is only read, and is whole: half of one
// would pass for all there is where it comes to.
func openSource(ctx context.Context, database, name string, now store.Clock) (store.Store, error) {
	driver := DriverOf(database, "")
	if err := driver.Check(); err != nil {
		return nil, err
	}
	db, err := driver.OpenReadOnly(ctx, name, now)
	if err != nil {
		return nil, err
	}
	if err := transfer.Unfinished(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", driver, err), db.Close())
	}
	return db, nil
}

// Backup writes one organisation, as it is at one moment, into a new file, and checks it. It
// returns how many records there are. In the cloud edition "" is the list of tenants.
func (i Installation) Backup(ctx context.Context, name, file string, report Report) (counts map[store.Kind]int, err error) {
	return makeWhole(ctx, file, func(part string) error { return i.driver().Backup(ctx, name, part, report) })
}

// CheckBackup reads every record and every index entry of a file, which must not be half a
// copy: that has nothing wrong but what it lacks. It returns how many records there are.
func CheckBackup(ctx context.Context, file string) (counts map[store.Kind]int, err error) {
	if counts, err = checkFile(file); err != nil {
		return nil, err
	}
	db, err := openSource(ctx, file, rootName, nothingExpires)
	if err != nil {
		return nil, err
	}
	return counts, db.Close()
}

// Restored is an organisation that was made of a backup.
type Restored struct {
	database Installation
	name     string
	previous store.Store // in whose place it comes; nil where IT named none
}

// Restore makes an organisation of a backup, which is only read. Previous names the database
// that was in use, or is "". See [Restored.Differences].
func (i Installation) Restore(ctx context.Context, backup, previous string, into tenant.Tenant, report Report) (*Restored, error) {
	r := &Restored{database: i, name: into.Name}
	if previous != "" {
		var err error
		if r.previous, err = openPrevious(ctx, previous, into.Name); err != nil {
			return nil, err
		}
	}
	if err := i.driver().Restore(ctx, backup, into, report); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// openPrevious opens the database in whose place a backup comes, only to read. One without
// users is no such database: everybody would seem to be back.
func openPrevious(ctx context.Context, database, name string) (store.Store, error) {
	previous, err := openSource(ctx, database, name, time.Now)
	if err != nil {
		return nil, fmt.Errorf("the previous database: %w", err)
	}
	users, err := previous.Users(ctx, "", 1)
	if err == nil && len(users) == 0 {
		of := ""
		if name != rootName {
			of = " of " + name
		}
		err = fmt.Errorf("there are no users%s in the previous database, %s: name the one that was in use, or leave out --previous", of, DriverOf(database, ""))
	}
	if err != nil {
		return nil, errors.Join(err, previous.Close())
	}
	return previous, nil
}

// HasPrevious reports whether there is a database to compare with.
func (r *Restored) HasPrevious() bool { return r.previous != nil }

// Differences are lines for IT about each user whose ways to sign in are not what they were in
// the previous database. There is none only where all users have the same in both.
func (r *Restored) Differences(ctx context.Context) ([]string, error) {
	restored, err := r.database.driver().OpenReadOnly(ctx, r.name, time.Now)
	if err != nil {
		return nil, err
	}
	defer restored.Close()
	list, err := differences(ctx, restored, r.previous)
	if err != nil {
		return nil, fmt.Errorf("comparing with the previous database: %w", err)
	}
	return list, nil
}

// Close closes the previous database.
func (r *Restored) Close() error {
	if r.previous == nil {
		return nil
	}
	return r.previous.Close()
}

func hasNoUser(ctx context.Context, db store.Store, name string) error {
	users, err := db.Users(ctx, "", 1)
	if err == nil && len(users) > 0 {
		return fmt.Errorf("the tenant %s has users already: remove and add it before you restore a backup in its place", name)
	}
	return err
}
