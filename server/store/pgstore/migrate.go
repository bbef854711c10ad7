package pgstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Migrations are numbered files. Each is run once, in order, by the first node that starts.
// During a rolling update nodes of two versions run at the same time.
//
// So the rule is: the version before a migration works after it. A migration adds tables,
// columns with a default, and indexes. What is no longer needed is removed one release later,
// and a column is renamed by adding another. A migration that must break this rule names the
// first version of the schema whose programs can use its result, in a first line such as
// "-- needs 7". Older programs then refuse to start, and running ones must be stopped before.
//
//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one step of the schema.
type migration struct {
	number int
	needs  int // the least that a program must know after it
	sql    string
}

func migrations() ([]migration, error) {
	entries, err := migrationFiles.ReadDir("migrations")
	if err != nil {
		return nil, err
	}
	var list []migration
	for _, entry := range entries {
		head, _, _ := strings.Cut(entry.Name(), "_")
		number, err := strconv.Atoi(head)
		if err != nil {
			return nil, fmt.Errorf("migration %s has no number", entry.Name())
		}
		sql, err := migrationFiles.ReadFile("migrations/" + entry.Name())
		if err != nil {
			return nil, err
		}
		m := migration{number: number, sql: string(sql)}
		fmt.Sscanf(m.sql, "-- needs %d", &m.needs)
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b migration) int { return a.number - b.number })
	for i, m := range list {
		if m.number != i+1 {
			return nil, fmt.Errorf("there is no migration %d", i+1)
		}
	}
	return list, nil
}

// migrationLock is a key of PostgreSQL's advisory locks: "keypeg" in ASCII.
const migrationLock = 0x6b6579706567

// errNewer is for a database of a version that this program cannot use.
var errNewer = errors.New("the database was made by a newer Keypeg: update this program")

// errOlder is for a database of a program before the first release. There is no way from its
// tables to these.
var errOlder = errors.New("this database was made by an earlier Keypeg, which this program doesn't read: keep it for that program, and name a new database")

// hasTables is the query whether Keypeg's tables exist.
const hasTables = `SELECT to_regclass('keypeg_schema') IS NOT NULL`

// createSchemaTable makes the table that lists the migrations that were run.
const createSchemaTable = `CREATE TABLE keypeg_schema (number integer PRIMARY KEY, needs integer NOT NULL, applied timestamptz NOT NULL DEFAULT now())`

// lockWithin is how long a migration waits for a lock of another node that migrates, or of a
// program that reads a table, such as pg_dump. While it waits for a table, requests of running
// nodes wait too, so it is shorter than answerWithin.
const lockWithin = 20 * time.Second

// migrate updates the schema to this program's version. It accepts a later schema that this
// program can use. It waits for a lock for the time of within. The migrations themselves have
// no limit of time.
func migrate(ctx context.Context, conn *pgx.Conn, within time.Duration) error {
	list, err := migrations()
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT set_config('lock_timeout', $1, true)`, strconv.FormatInt(within.Milliseconds(), 10)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
			return err
		}
		var exists bool
		if err := tx.QueryRow(ctx, hasTables).Scan(&exists); err != nil {
			return err
		}
		if !exists {
			if _, err := tx.Exec(ctx, createSchemaTable); err != nil {
				return err
			}
		}
		done, needs, err := schemaVersion(ctx, tx)
		if err != nil {
			return err
		}
		if needs > len(list) {
			return errNewer
		}
		for _, m := range list[min(done, len(list)):] {
			if _, err := tx.Exec(ctx, m.sql); err != nil {
				return fmt.Errorf("migration %d: %w", m.number, err)
			}
			if _, err := tx.Exec(ctx, `INSERT INTO keypeg_schema (number, needs) VALUES ($1, $2)`, m.number, m.needs); err != nil {
				return fmt.Errorf("migration %d: %w", m.number, err)
			}
		}
		return nil
	})
}

// schemaVersion returns the last migration that was run, and the least version that a program
// must have. It fails with errOlder.
func schemaVersion(ctx context.Context, on interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}) (done, needs int, err error) {
	var isOlder bool
	err = on.QueryRow(ctx, `SELECT coalesce(max(number), 0), coalesce(max(needs), 0), to_regclass('spent_tickets') IS NOT NULL FROM keypeg_schema`).Scan(&done, &needs, &isOlder)
	if err == nil && isOlder { // it has a table that became part of items
		err = errOlder
	}
	return done, needs, err
}
