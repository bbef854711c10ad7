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
// organisations. However many of them a process opens, they share its pool, its
// sweep, and its one connection that hears of changes.
type Database struct {
	pool   *pgxpool.Pool
	now    store.Clock
	pooled bool // others' connections are used in turn: see behindPooler

	readOnly bool // see [OpenReadOnly]

	mu            sync.Mutex
	organisations map[string]int // how often each is open

	closing  sync.Once
	stop     chan struct{} // closed by Close
	finished sync.WaitGroup
	news     chan change // what this node changed
}

// openTimeout is how long OpenDatabase tries to reach the database. What comes afterwards has
// limits of its own: answerWithin for questions, and lockWithin.
const openTimeout = 10 * time.Second

// OpenDatabase connects to a database by its URL, and brings its tables up to date.
//
// The URL is libpq's: postgres://user@host/database. Several hosts with
// target_session_attrs=read-write find the primary, whichever it is;
// pool_max_conns is how many connections a node may have. Errors are sentences for
// IT, and hold no password.
func OpenDatabase(ctx context.Context, url string, now store.Clock) (*Database, error) {
	d, err := connect(ctx, url, now, false)
	if err != nil {
		return nil, err
	}
	d.finished.Go(d.publishNews)
	d.finished.Go(d.sweepNowAndThen)
	return d, nil
}

// connect connects to a database whose tables are of this program's version, or are brought
// up to date where it may write.
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
	return &Database{pool: pool, now: now, pooled: pooled, readOnly: readOnly, organisations: map[string]int{}, stop: make(chan struct{}), news: make(chan change, 1024)}, nil
}

// IsKeypegs reports whether a database has tables of Keypeg's, of whatever version. It makes
// none. Errors are those of [OpenDatabase].
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

// connectFirst connects while nothing is known yet of what is in between, and finds out
// whether that is a pooler. It waits for a database that is starting, as a machine has it that
// starts both.
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

// disconnect ends a connection, also one that no longer answers.
func disconnect(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn.Close(ctx)
}

// Organisation opens the records of one organisation. It asks the database nothing.
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

// opened lists the organisations that are open.
func (d *Database) opened() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Keys(d.organisations))
}

// Close ends everything. Stores of the database can't be used afterwards.
func (d *Database) Close() error {
	d.closing.Do(func() {
		close(d.stop)
		d.finished.Wait()
		d.pool.Close()
	})
	return nil
}

// removeStep bounds what one statement of Remove removes, so that others don't wait
// for it.
const removeStep = 5000

// Remove deletes all records of an organisation, step by step. Interrupted, it is
// called again. Nobody should have the organisation open.
func (d *Database) Remove(ctx context.Context, organisation string) error {
	rows, err := d.pool.Query(ctx, `SELECT table_name::text FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'organisation'`)
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
