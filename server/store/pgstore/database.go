package pgstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keypeg/keypeg/server/store"
)

// Database is a connection to a PostgreSQL database that may hold several
// organisations. All organisations that a process opens share its pool, its sweep, and its
// connection that receives notifications.
type Database struct {
	pool   *pgxpool.Pool
	now    store.Clock
	pooled bool // a pooler shares its connections among clients: see behindPooler

	readOnly bool // see [OpenReadOnly]

	mu            sync.Mutex
	organisations map[string]int // how often each is open

	closing  sync.Once
	stop     chan struct{} // closed by Close
	finished sync.WaitGroup
	changed  chan change // by this node
}

// openTimeout is how long OpenDatabase tries to reach the database. What follows has limits of
// its own: answerWithin for queries, and lockWithin.
const openTimeout = 10 * time.Second

// OpenDatabase connects to a database by its URL, and updates its tables.
//
// The URL is libpq's: postgres://user@host/database. Several hosts with
// target_session_attrs=read-write find the primary. pool_max_conns is how many connections a
// node may have. Errors are sentences for IT, and have no password in them.
func OpenDatabase(ctx context.Context, url string, now store.Clock) (*Database, error) {
	d, err := connect(ctx, url, now, false)
	if err != nil {
		return nil, err
	}
	d.finished.Go(d.sendNotifications)
	d.finished.Go(d.sweepNowAndThen)
	return d, nil
}

// connect connects to a database. If it may write, it updates the tables to this program's
// version; otherwise they must have that version.
func connect(ctx context.Context, url string, now store.Clock, readOnly bool) (*Database, error) {
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "keypeg"
	}

	conn, pooled, err := connectFirst(ctx, config)
	if err != nil {
		return nil, sentence(config.ConnConfig, err)
	}
	defer disconnect(conn)
	asking, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	for _, check := range []func(context.Context, *pgx.Conn) error{checkVersion, checkEncoding, checkSchema} {
		if err == nil {
			err = check(asking, conn)
		}
	}
	switch {
	case err != nil:
	case readOnly:
		err = isOurs(asking, conn, url)
	default:
		err = migrateIfAble(ctx, conn, lockWithin)
	}
	if err != nil {
		return nil, sentence(config.ConnConfig, err)
	}
	if pooled {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	} else if readOnly {
		config.AfterConnect = refuseWrites
	}

	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), config)
	if err != nil {
		return nil, sentence(config.ConnConfig, err)
	}
	return &Database{pool: pool, now: now, pooled: pooled, readOnly: readOnly, organisations: map[string]int{}, stop: make(chan struct{}), changed: make(chan change, 1024)}, nil
}

// IsKeypegs reports whether a database has tables of Keypeg, of any version. It makes none.
// Errors are those of [OpenDatabase].
func IsKeypegs(ctx context.Context, url string) (is bool, err error) {
	config, err := parse(url)
	if err != nil {
		return false, err
	}
	conn, _, err := connectFirst(ctx, config)
	if err != nil {
		return false, sentence(config.ConnConfig, err)
	}
	defer disconnect(conn)
	asking, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if err := conn.QueryRow(asking, hasTables).Scan(&is); err != nil {
		return false, sentence(config.ConnConfig, err)
	}
	return is, nil
}

// connectFirst connects before it is known whether a pooler stands in between, and reports
// whether one does. It waits for a database that is starting, because a machine may start both
// at once.
func connectFirst(ctx context.Context, config *pgxpool.Config) (conn *pgx.Conn, pooled bool, err error) {
	first := config.ConnConfig.Copy()
	first.DefaultQueryExecMode = pgx.QueryExecModeExec // there may be a pooler
	deadline := time.Now().Add(patience)
	for {
		trying, cancel := context.WithTimeout(ctx, openTimeout)
		if conn, err = pgx.ConnectConfig(trying, first); err == nil {
			if pooled, err = behindPooler(trying, conn); err != nil {
				disconnect(conn)
			}
		}
		cancel()
		refusal, isRefused := errors.AsType[*pgconn.PgError](err)
		isStarting := isRefused && refusal.Code == cannotConnectNow || isPoolerAlone(err)
		if !isStarting || time.Now().After(deadline) {
			return conn, pooled, err
		}
		select {
		case <-time.After(firstStep + rand.N(10*firstStep)):
		case <-ctx.Done():
			return nil, false, err
		}
	}
}

// disconnect ends a connection, even if it no longer answers.
func disconnect(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn.Close(ctx)
}

// Organisation opens the records of one organisation. It sends no query.
func (d *Database) Organisation(name string) *Store {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.organisations[name]++
	return &Store{db: d, organisation: name, now: d.now, stop: make(chan struct{})}
}

func (d *Database) forget(organisation string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.organisations[organisation]--; d.organisations[organisation] == 0 {
		delete(d.organisations, organisation)
	}
}

// opened returns the organisations that are open.
func (d *Database) opened() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Keys(d.organisations))
}

// Close closes all connections. Stores of the database cannot be used afterwards.
func (d *Database) Close() error {
	d.closing.Do(func() {
		close(d.stop)
		d.finished.Wait()
		d.pool.Close()
	})
	return nil
}

// removeStep bounds the rows that one statement of Remove removes, so that others don't wait
// long.
const removeStep = 5000

// Bytes returns how large the database is, with what else is in it.
func (d *Database) Bytes(ctx context.Context) (bytes int64, err error) {
	err = d.pool.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&bytes)
	return bytes, err
}

// Remove deletes all records of an organisation, step by step. If it is interrupted, it can be
// called again. The organisation must not be open anywhere.
func (d *Database) Remove(ctx context.Context, organisation string) error {
	// Counts is the last one, because triggers write to it while others are emptied.
	rows, err := d.pool.Query(ctx, `SELECT table_name::text FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'organisation'
		ORDER BY table_name = 'counts'`)
	if err != nil {
		return err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, table := range tables {
		table = pgx.Identifier{table}.Sanitize()
		for removed := int64(removeStep); removed == removeStep; {
			done, err := d.pool.Exec(ctx, `DELETE FROM `+table+` WHERE ctid = ANY (ARRAY (SELECT ctid FROM `+table+` WHERE organisation = $1 LIMIT $2))`, organisation, removeStep)
			if err != nil {
				return fmt.Errorf("deleting from %s: %w", table, err)
			}
			removed = done.RowsAffected()
		}
	}
	return nil
}
