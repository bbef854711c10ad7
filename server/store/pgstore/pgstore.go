// Package pgstore keeps records in PostgreSQL, 15 or later. It is the store of an organisation
// that runs several Keypeg nodes, and that replicates, backs up and monitors this database as
// it does its others.
//
// Its tables are plain ones that IT may read with SQL (migrations). A read is one round trip
// (read.go). A batch is one transaction in one message (write.go). Each kind of record has a
// file with its reads and writes (users.go, sessions.go, events.go, items.go). Calls that can be tried
// again without harm are tried again, so that users don't notice a restart or a failover;
// other calls fail (patience.go). Nodes notify each other of changes (changes.go). Begin with
// [Open], with [OpenDatabase] if one process serves several organisations, or with
// [OpenReadOnly] to only read a database.
//
// Other engines with PostgreSQL's protocol may lack three things that it uses: advisory locks
// for migrations, triggers, and LISTEN. Without LISTEN it reads the events.
package pgstore

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/keypeg/keypeg/server/store"
)

// Store implements [store.Store].
type Store struct {
	db           *Database
	organisation string
	now          store.Clock
	owner        bool // db was made for this store alone and is closed with it

	closing sync.Once
	stop    chan struct{} // closed by Close
	calls   sync.RWMutex  // held for reading while a call runs; guards closed
	closed  bool
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.Prober   = (*Store)(nil)
	_ store.Clocked  = (*Store)(nil)
	_ store.Notifier = (*Store)(nil)
)

// Open connects to a database by its URL, as [OpenDatabase] does, for one
// organisation alone. The name "" is an organisation too.
func Open(ctx context.Context, url, organisation string, now store.Clock) (*Store, error) {
	db, err := OpenDatabase(ctx, url, now)
	if err != nil {
		return nil, err
	}
	return db.only(organisation), nil
}

// only opens one organisation. Closing its store closes the database.
func (d *Database) only(organisation string) *Store {
	s := d.Organisation(organisation)
	s.owner = true
	return s
}

// Close implements [store.Store]. Stores of other organisations of the same [Database] stay
// open.
func (s *Store) Close() error {
	s.closing.Do(func() {
		close(s.stop) // calls are not tried again
		s.calls.Lock()
		s.closed = true
		s.calls.Unlock()
		s.db.forget(s.organisation)
		if s.owner {
			s.db.Close()
		}
	})
	return nil
}

var errClosed = errors.New("pgstore: closed")

// enter begins a call. Close waits until leave is called.
func (s *Store) enter() (leave func(), err error) {
	s.calls.RLock()
	if s.closed {
		s.calls.RUnlock()
		return nil, errClosed
	}
	return s.calls.RUnlock, nil
}

func (s *Store) stopped() bool { return isClosed(s.stop) || isClosed(s.db.stop) }

func isClosed(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

const oldestVersion = 15

func checkVersion(ctx context.Context, conn *pgx.Conn) error {
	var version string
	if err := conn.QueryRow(ctx, `SELECT version()`).Scan(&version); err != nil {
		return err
	}
	var major int
	if n, _ := fmt.Sscanf(version, "PostgreSQL %d", &major); n == 1 && major < oldestVersion {
		return fmt.Errorf("the database is PostgreSQL %d, and Keypeg needs %d or later", major, oldestVersion)
	}
	return nil
}

// checkEncoding refuses a database whose encoding lacks some names.
func checkEncoding(ctx context.Context, conn *pgx.Conn) error {
	var encoding, name string
	err := conn.QueryRow(ctx, `SELECT current_setting('server_encoding'), current_database()`).Scan(&encoding, &name)
	if err == nil && encoding != "UTF8" {
		return fmt.Errorf("the database %q has the encoding %s, which can't hold all names: make another with createdb --encoding=UTF8 --template=template0", name, encoding)
	}
	return err
}

// checkSchema refuses a search_path without a schema for permanent tables.
func checkSchema(ctx context.Context, conn *pgx.Conn) error {
	var usable bool
	var path, user string
	err := conn.QueryRow(ctx, `SELECT coalesce(current_schema() NOT LIKE 'pg\_%' AND current_schema() <> 'information_schema', false), current_setting('search_path'), current_user`).Scan(&usable, &path, &user)
	if err == nil && !usable {
		return fmt.Errorf("the search_path of the database user is %s, which leads to no schema where tables can be: make the schema, or write ALTER ROLE %s SET search_path = public", path, pgx.Identifier{user}.Sanitize())
	}
	return err
}

// migrateIfAble doesn't migrate on a connection that can only read, such as a standby's.
func migrateIfAble(ctx context.Context, conn *pgx.Conn, within time.Duration) error {
	err := migrate(ctx, conn, within)
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && refusal.Code == readOnlyTransaction {
		var standby bool
		var user string
		if err := conn.QueryRow(ctx, `SELECT pg_is_in_recovery(), current_user`).Scan(&standby, &user); err == nil && !standby {
			return fmt.Errorf("the database takes no writes of this user, because default_transaction_read_only is on: take it out of the URL or of postgresql.conf, or write ALTER ROLE %s SET default_transaction_read_only = off", pgx.Identifier{user}.Sanitize())
		}
		return errors.New("the database is read-only, because it is a standby: name all hosts in the URL, and add target_session_attrs=read-write")
	}
	return err
}

// limits has the settings that end a session or a statement, by the condition that reports
// it.
var limits = map[string]string{
	queryCanceled:      "statement_timeout",
	idleInTransaction:  "idle_in_transaction_session_timeout",
	transactionTimeout: "transaction_timeout",
}

// sentence returns an error that says what IT can do about a database that cannot be used.
func sentence(config *pgx.ConnConfig, err error) error {
	where := host{config.Host, config.Port}.String()
	if explained := explainPooler(err); explained != err {
		return explained
	}
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		if known := poolerSentence(where, refusal.Message); known != nil {
			return known
		}
		user, database := pgx.Identifier{config.User}.Sanitize(), pgx.Identifier{config.Database}.Sanitize()
		switch refusal.Code {
		case invalidAuthorization:
			if strings.Contains(refusal.Message, "pg_hba.conf") {
				return fmt.Errorf("the database at %s takes no connection like this one: add a line to its pg_hba.conf, or if it says «no encryption», sslmode=require to the URL (%s)", where, refusal.Message)
			}
			fallthrough
		case invalidPassword:
			return fmt.Errorf("the database at %s doesn't let %q in: check user and password in the URL, or in the file that PGPASSFILE names (%s)", where, config.User, refusal.Message)
		case unknownDatabase:
			return fmt.Errorf("there is no database %q at %s: make one with createdb", config.Database, where)
		case insufficientPrivilege:
			return fmt.Errorf("the database user %q may not do what Keypeg needs (%s): make it the owner of the database %q", config.User, refusal.Message, config.Database)
		case tooManyConnections:
			switch refusal.Routine { // unlike the message it isn't translated
			case "InitializeSessionUserId":
				return fmt.Errorf("the database user %q has no connection left at %s: write ALTER ROLE %s CONNECTION LIMIT -1 or a larger number, or lower pool_max_conns in the URL", config.User, where, user)
			case "CheckMyDatabase":
				return fmt.Errorf("the database %q has no connection left at %s: write ALTER DATABASE %s CONNECTION LIMIT -1 or a larger number, or lower pool_max_conns in the URL", config.Database, where, database)
			}
			return fmt.Errorf("the database at %s has no connection left: raise its max_connections, or lower pool_max_conns in the URL", where)
		case lockNotAvailable: // the limit is ours: see migrate
			return fmt.Errorf("another node, or a program such as pg_dump, holds Keypeg's tables in the database at %s: wait until it is done, and start again", where)
		}
		if limit := limits[refusal.Code]; limit != "" {
			return fmt.Errorf("the database at %s ended a statement of the start too early (%s): write ALTER ROLE %s SET %s = 0, or leave it out of the URL", where, refusal.Message, user, limit)
		}
		return fmt.Errorf("the database at %s refuses: %s", where, refusal.Message)
	}
	if _, connecting := errors.AsType[*pgconn.ConnectError](err); connecting || errors.Is(err, context.DeadlineExceeded) || brokenOff(err) {
		if strings.Contains(err.Error(), "read only") || strings.Contains(err.Error(), "ValidateConnect") {
			return fmt.Errorf("no host in the database URL takes writes: start the primary, promote a standby, or set default_transaction_read_only to off")
		}
		if errors.Is(err, context.DeadlineExceeded) && !connecting {
			return fmt.Errorf("the database at %s takes connections and doesn't answer within %s: look at its load and its log, and start again", where, answerWithin)
		}
		if known := whyUnreachable(where, config, err); known != nil {
			return known
		}
		return fmt.Errorf("the database at %s can't be reached: check host and port in the URL, and that it runs", where)
	}
	return err
}

// whyUnreachable returns the reason why there is no connection, if it is known.
func whyUnreachable(where string, config *pgx.ConnConfig, err error) error {
	unknown, isUnknown := errors.AsType[x509.UnknownAuthorityError](err)
	name, isName := errors.AsType[x509.HostnameError](err)
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	dns, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case strings.Contains(err.Error(), "refused TLS"):
		return fmt.Errorf("the database at %s offers no TLS: turn it on there (ssl = on), or write sslmode=disable in the URL where nobody can listen on the line", where)
	case isUnknown:
		return fmt.Errorf("the certificate of the database at %s isn't trusted: name its authority's with sslrootcert=FILE in the URL (%s)", where, unknown)
	case isName:
		return fmt.Errorf("the certificate of the database at %s is for another name: use that in the URL (%s)", where, name)
	case isInvalid:
		return fmt.Errorf("the certificate of the database at %s can't be used: give it a new one, and look at the clocks (%s)", where, invalid)
	case isDNS && dns.IsNotFound:
		return fmt.Errorf("there is no host %q: check the host in the database URL", config.Host)
	case strings.HasPrefix(config.Host, "/") && errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the database at %s can't be reached: no database's socket is in that folder; check it and the port in the URL, and that the database runs", where)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nobody listens at %s: check host and port in the database URL, and that the database runs", where)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the database at %s doesn't answer within %s: check host and port in the URL, and firewalls in between", where, openTimeout)
	}
	return nil
}

// brokenOff reports whether a connection ended during a request, which may have arrived.
func brokenOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, pgconn.ErrConnClosed)
}
