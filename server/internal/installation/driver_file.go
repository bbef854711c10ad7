package installation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/namedfile"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
)

// file is a bbolt file. In the cloud edition each tenant has another file beside it. One
// process opens them exclusively, so commands reach a running server by a socket.
type file struct{ path, socket string }

func isFile(string) bool { return true }

func newFile(path, socket string) Driver {
	if socket == "" {
		socket = path + ".sock"
	}
	return file{path, socket}
}

// otherKind matches the URL of a database of a kind that isn't supported.
var otherKind = regexp.MustCompile(`(?i)^([a-z][a-z0-9+.-]+)://`)

// Check implements [Driver].
func (f file) Check() error {
	const write = "write the path of a file, or postgres://user@host:5432/database"
	if found := otherKind.FindStringSubmatch(f.path); found != nil {
		return fmt.Errorf("there is no kind of database called %q: "+write, strings.ToLower(found[1]))
	}
	if err := namedfile.Check(f.path); err != nil {
		return fmt.Errorf("the database %w: "+write, err)
	}
	return nil
}

// String implements [Driver].
func (f file) String() string { return f.path }

// HasPassword implements [Driver].
func (file) HasPassword() bool { return false }

// Exists implements [Driver].
func (f file) Exists(context.Context) error {
	info, err := namedfile.Look(f.path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("there is no database at %s: %s", seenFromHere(f.path), nameTheServers)
	case err == nil && info.Size() == 0: // Open would make a new database of it
		return fmt.Errorf("the database %s is empty: %s", seenFromHere(f.path), nameTheServers)
	case errors.Is(err, os.ErrPermission):
		return notAllowed(f.path, err)
	}
	return err
}

// seenFromHere adds to a relative path the folder in which it begins, because a wrong
// folder is the usual mistake.
func seenFromHere(path string) string {
	folder, err := os.Getwd()
	if filepath.IsAbs(path) || err != nil {
		return path
	}
	return path + " in the folder " + folder
}

// MayBeFilled implements [Driver]. Opening a file migrates nothing.
func (file) MayBeFilled(context.Context) error { return nil }

// Open implements [Driver]. It opens no file; Organisation does.
func (f file) Open(_ context.Context, now store.Clock) (Database, error) {
	return openFiles{f, now}, nil
}

// of returns the path of an organisation's file.
func (f file) of(organisation string) string {
	if organisation == rootName {
		return f.path
	}
	return filepath.Join(filepath.Dir(f.path), "tenants", organisation+".db")
}

// OpenReadOnly implements [Driver].
func (f file) OpenReadOnly(_ context.Context, organisation string, now store.Clock) (store.Store, error) {
	db, err := boltstore.OpenReadOnly(f.of(organisation), now)
	if err != nil {
		return nil, err // not a Store that contains nil
	}
	return db, nil
}

// Backup implements [Driver]. It copies the file, by the server if that has it open.
func (f file) Backup(ctx context.Context, organisation, part string, _ Report) error {
	return writeDurably(part, func(to io.Writer) error {
		running, err := f.Dial(ctx)
		switch {
		case err == nil && organisation != rootName:
			return running.Tenant(organisation).Backup(ctx, to)
		case err == nil:
			return running.Backup(ctx, to)
		case !errors.Is(err, control.ErrNoServer):
			return err
		}
		if err := f.Exists(ctx); err != nil {
			return err
		}
		return boltstore.Copy(f.of(organisation), to)
	})
}

// Restore implements [Driver]. The file gets its name when it is complete. It has no
// sessions or links, and signals are held back.
func (f file) Restore(ctx context.Context, backup string, into tenant.Tenant, report Report) error {
	path := f.of(into.Name)
	if into.Name != rootName {
		if err := makeRoom(ctx, path, into.Name); err != nil {
			return err
		}
	}
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("there is a database at %s already: stop its server and move it away, or name another with --database", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return namedfile.Explain(filepath.Dir(path), err)
	}
	counts, err := makeWhole(ctx, path, func(part string) error {
		from, err := namedfile.Open(backup)
		if err != nil {
			return err
		}
		defer from.Close()
		err = writeDurably(part, func(to io.Writer) error {
			_, err := io.Copy(to, from)
			return err
		})
		if err != nil {
			return err
		}
		restored, err := boltstore.Open(part, nothingExpires)
		if err != nil {
			return err
		}
		return errors.Join(endAccess(ctx, restored), restored.Apply(ctx, store.Batch{store.HoldSignals()}), restored.Close())
	})
	if err != nil {
		return err
	}
	report.Restored(counts, path)
	return nil
}

// makeRoom removes a tenant's file without users, so that a backup can be restored in its
// place. It refuses to remove a file with users.
func makeRoom(ctx context.Context, path, name string) error {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	db, err := boltstore.Open(path, time.Now)
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
	return os.Remove(path) // while it is locked, so that no other process can open it
}

// Listen implements [Driver]. If the socket can't be opened, people are served anyway.
func (f file) Listen(log *slog.Logger) net.Listener {
	keptPrivate(log, f.path)
	private, err := control.Listen(f.socket)
	if err != nil {
		log.Error("commands can't reach this server while it is running: name a place that can hold a socket with --socket /run/keypeg.sock, here and for commands", "cause", err)
		return nil
	}
	return private
}

// Explain implements [Driver].
func (f file) Explain(err error) error {
	if errors.Is(err, boltstore.ErrInUse) {
		return fmt.Errorf("%w; a Keypeg server that has it open doesn't answer at %s: give this command the same --socket, or stop the server first", err, f.socket)
	}
	return err
}

// Dial implements [Driver].
func (f file) Dial(ctx context.Context) (*control.Client, error) { return control.Dial(ctx, f.socket) }

// openFiles are the files of an installation, each opened separately.
type openFiles struct {
	file
	now store.Clock
}

// Organisation implements [Database]. It makes the file if there is none.
func (d openFiles) Organisation(name string) (store.Store, error) {
	path := d.of(name)
	_, missing := os.Stat(path)
	db, err := boltstore.Open(path, d.now)
	if err != nil {
		return nil, notAllowed(path, err)
	}
	if errors.Is(missing, os.ErrNotExist) {
		if err := giveToServer(path); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

// Has implements [Database].
func (d openFiles) Has(name string) bool {
	_, err := os.Stat(d.of(name))
	return !errors.Is(err, os.ErrNotExist)
}

// IsUnused implements [Database].
func (d openFiles) IsUnused(_ context.Context, name string) error {
	if d.Has(name) {
		return fmt.Errorf("there is a database at %s already, of a tenant that isn't in the list: move it away, or choose another name", d.of(name))
	}
	return nil
}

// Erase implements [Database].
func (d openFiles) Erase(_ context.Context, t tenant.Tenant) error {
	path := d.of(t.Name)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return syncFolder(filepath.Dir(path))
}

// Follow implements [Database]. No other process has the files open.
func (openFiles) Follow(context.Context, func(context.Context), func(organisation, userID string)) {}

// Size implements [Database].
func (d openFiles) Size(context.Context) (s Size, err error) {
	others, err := filepath.Glob(filepath.Join(filepath.Dir(d.path), "tenants", "*.db"))
	if err != nil {
		return s, err
	}
	for _, path := range append(others, d.path) {
		info, err := os.Stat(path)
		if errors.Is(err, os.ErrNotExist) { // a tenant was removed
			continue
		}
		if err != nil {
			return s, err
		}
		s.Database += info.Size()
	}
	s.DiskFree, s.Disk, err = diskOf(filepath.Dir(d.path))
	return s, err
}

// Close implements [Database].
func (openFiles) Close() error { return nil }

// checkFile reads every record and every index entry of a file, and counts the records.
func checkFile(path string) (map[store.Kind]int, error) { return boltstore.Check(path, time.Now()) }
