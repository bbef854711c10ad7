package installation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/internal/transfer"
	"github.com/keypeg/keypeg/server/store"
)

// Commands that move databases make something that is either complete or recognisably not:
// a file has the suffix .part until it is complete and checked, and a database that wasn't
// filled completely refuses to be used. In the cloud edition each tenant is a database, and
// one more has the list of tenants.

// Report shows the progress of something that takes long.
type Report interface {
	// Begins names the organisation whose outcome comes next, if there are several.
	Begins(what string)
	// Bar begins to show how many records are done, until end is called.
	Bar() (shows func(done, total int), end func())

	// Copied says that an organisation was copied and compared.
	Copied(transfer.Sum)
	// IsThere says that an earlier try has copied it, with this many records.
	IsThere(counts map[store.Kind]int)
	// HasNothing says that there is nothing to copy.
	HasNothing()
	// Restored says that a file was made from a backup and checked.
	Restored(counts map[store.Kind]int, file string)
}

// nothingExpires is the clock of databases that are moved. The clock of this machine may be
// wrong, and records that seem expired would be left behind.
func nothingExpires() time.Time { return time.Unix(0, 0) }

// Copy copies the database of one organisation into an empty one. It continues an
// interrupted copy. Both names are settings.
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

// CopyTenants copies all tenants and then their list. Before that nothing finds a tenant in
// the target. After an interruption it skips the tenants that are there.
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
	if err := mayBeFilled(ctx, target); err != nil { // once, because all tenants share it
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

// openSource opens an organisation's database for reading. It refuses an incomplete one,
// because the copy of it would look complete.
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

// Backup writes a snapshot of one organisation into a new file, and checks it. It returns
// how many records there are. In the cloud edition "" means the list of tenants.
func (i Installation) Backup(ctx context.Context, name, file string, report Report) (counts map[store.Kind]int, err error) {
	return makeWhole(ctx, file, func(part string) error { return i.driver().Backup(ctx, name, part, report) })
}

// CheckBackup reads every record and every index entry of a file. It refuses an incomplete
// copy, in which only records are missing. It returns how many records there are.
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

// Restored is an organisation that was made from a backup.
type Restored struct {
	database Installation
	name     string
	previous store.Store // the database that it replaces; nil if IT named none
}

// Restore makes an organisation from a backup, which it only reads. Previous names the
// database that was in use, or is "". See [Restored.Differences].
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

// openPrevious opens the database that a backup replaces, for reading. It refuses one
// without users, because it can't be the one that was in use.
func openPrevious(ctx context.Context, database, name string) (store.Store, error) {
	previous, err := openSource(ctx, database, name, time.Now)
	if err != nil {
		return nil, fmt.Errorf("the previous database: %w", err)
	}
	users, _, err := previous.Users(ctx, store.UserQuery{}, 1)
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

// Differences returns lines for IT about each user who signs in differently than in the
// previous database. There are none only if all users sign in as before.
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
	users, _, err := db.Users(ctx, store.UserQuery{}, 1)
	if err == nil && len(users) > 0 {
		return fmt.Errorf("the tenant %s has users already: remove and add it before you restore a backup in its place", name)
	}
	return err
}
