package installation

import (
	"context"
	"log/slog"
	"net"

	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/store"
)

// Driver is a database of one kind, as a setting names it. It is the one place that knows
// what the kinds differ in: nothing outside of their own files asks for the kind. Errors are
// sentences for IT, and hold no password.
type Driver interface {
	// Check refuses a text that can't name a database, before anything is made. It repeats
	// nothing of the text: there may be a password in it.
	Check() error
	// String names the database for logs and messages, without a password.
	String() string
	// HasPassword reports whether the text that names the database holds its password.
	HasPassword() bool

	// Exists refuses a database in which there is nothing of Keypeg yet. It makes nothing.
	Exists(ctx context.Context) error
	// MayBeFilled refuses a target that can be known in advance to be in use. To open it would
	// bring it up to date, before it is refused because it isn't empty.
	MayBeFilled(ctx context.Context) error
	// Open opens the database, and makes what is missing.
	Open(ctx context.Context, now store.Clock) (Database, error)
	// OpenReadOnly opens one organisation, and writes nothing: Apply fails.
	OpenReadOnly(ctx context.Context, organisation string, now store.Clock) (store.Store, error)

	// Backup writes an organisation as it is at one moment into the file part, also while
	// servers run.
	Backup(ctx context.Context, organisation, part string, report Report) error
	// Restore makes an organisation of a backup, without what lets somebody in: [letsIn]. It
	// refuses one that has users.
	Restore(ctx context.Context, backup string, into tenant.Tenant, report Report) error

	// Listen opens the socket for commands where a server has the database to itself, and
	// returns nil where commands open it beside the server.
	Listen(log *slog.Logger) net.Listener
	// Dial reaches that server. The error is [control.ErrNoServer] where there is none, or
	// where none is needed.
	Dial(ctx context.Context) (*control.Client, error)
	// Explain adds to an error what to do where a server has the database to itself, and Dial
	// doesn't reach it.
	Explain(err error) error
}

// Database is an open database, with the organisations in it.
type Database interface {
	// Organisation opens the records of one organisation. Close its store before the database.
	Organisation(name string) (store.Store, error)
	// Has reports whether an organisation can be opened without making it.
	Has(name string) bool
	// IsUnused refuses a name under which there are records already.
	IsUnused(ctx context.Context, name string) error
	// Erase deletes the records of a tenant that nobody here has open. It may be called again.
	Erase(ctx context.Context, t tenant.Tenant) error
	// Follow tells what other processes change, until ctx ends: it runs watch, which looks for
	// changed tenants, and calls tell with an organisation and a user of it. It returns at once
	// where there are no other processes.
	Follow(ctx context.Context, watch func(context.Context), tell func(organisation, userID string))
	Close() error
}

// drivers are the kinds that there are. The first that takes a text is meant by it.
var drivers = []struct {
	takes func(text string) bool
	of    func(text, socket string) Driver
}{
	{isPostgres, newPostgres},
	{isFile, newFile},
}

// DriverOf returns the driver of the database that a setting names. Socket is where a server
// that has the database to itself takes commands; "" stands for a place beside it.
func DriverOf(text, socket string) Driver {
	for _, kind := range drivers {
		if kind.takes(text) {
			return kind.of(text, socket)
		}
	}
	panic("the last driver takes every text")
}
