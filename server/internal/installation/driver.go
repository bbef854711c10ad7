package installation

import (
	"context"
	"log/slog"
	"net"

	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/store"
)

// Driver is a database of one kind, as a setting names it. Only drivers know how the kinds
// differ; nothing else asks for the kind. Errors are sentences for IT, without a password.
type Driver interface {
	// Check refuses a text that can't name a database, before anything is made. Its errors
	// repeat nothing of the text, because it may contain a password.
	Check() error
	// String returns the name of the database for logs and messages, without a password.
	String() string
	// HasPassword reports whether the text that names the database contains its password.
	HasPassword() bool

	// Exists refuses a database without data of Keypeg. It makes nothing.
	Exists(ctx context.Context) error
	// MayBeFilled refuses a target that is in use, as far as that can be seen without
	// opening it. Opening would migrate the target before it is refused because it isn't
	// empty.
	MayBeFilled(ctx context.Context) error
	// Open opens the database, and makes what is missing.
	Open(ctx context.Context, now store.Clock) (Database, error)
	// OpenReadOnly opens one organisation for reading: Apply fails.
	OpenReadOnly(ctx context.Context, organisation string, now store.Clock) (store.Store, error)

	// Facts looks at the database from outside, for keypeg doctor.
	Facts(ctx context.Context) (DatabaseFacts, error)

	// Backup writes a snapshot of an organisation into the file part, also while servers
	// are running.
	Backup(ctx context.Context, organisation, part string, report Report) error
	// Restore makes an organisation from a backup, without the records that let somebody
	// in: [letsIn]. It refuses an organisation that has users.
	Restore(ctx context.Context, backup string, into tenant.Tenant, report Report) error

	// Listen opens the socket for commands if a server needs the database exclusively. It
	// returns nil if commands can open the database beside the server.
	Listen(log *slog.Logger) net.Listener
	// Dial connects to that server. The error is [control.ErrNoServer] if none is running,
	// or if none is needed.
	Dial(ctx context.Context) (*control.Client, error)
	// Explain adds to an error what to do if a server has the database exclusively and Dial
	// doesn't reach it.
	Explain(err error) error
}

// Database is an open database, with the organisations in it.
type Database interface {
	// Organisation opens the records of one organisation. Close its store before the
	// database.
	Organisation(name string) (store.Store, error)
	// Has reports whether an organisation exists, so that opening it makes nothing.
	Has(name string) bool
	// IsUnused refuses a name under which there are records.
	IsUnused(ctx context.Context, name string) error
	// Erase deletes the records of a tenant that isn't open in this process. It may be
	// called again.
	Erase(ctx context.Context, t tenant.Tenant) error
	// Follow watches for changes of other processes, until ctx ends: it runs watch, which
	// looks for changed tenants, and calls notify with an organisation and one of its users.
	// It returns at once if there can be no other process.
	Follow(ctx context.Context, watch func(context.Context), notify func(organisation, userID string))
	// Size returns how large it is.
	Size(ctx context.Context) (Size, error)
	Close() error
}

// Size is the size of a database, and of the disk on which it is, in bytes. The disk is 0 if it isn't one of
// this machine.
type Size struct{ Database, DiskFree, Disk int64 }

// drivers are the kinds of databases. The first one that accepts a text is used.
var drivers = []struct {
	takes func(text string) bool
	of    func(text, socket string) Driver
}{
	{isPostgres, newPostgres},
	{isFile, newFile},
}

// DriverOf returns the driver for the database that a setting names. Socket is the path at
// which a server with an exclusive database takes commands; "" means a path beside the
// database.
func DriverOf(text, socket string) Driver {
	for _, kind := range drivers {
		if kind.takes(text) {
			return kind.of(text, socket)
		}
	}
	panic("the last driver takes every text")
}
