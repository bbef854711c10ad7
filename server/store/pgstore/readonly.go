package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/keypeg/keypeg/server/store"
)

// OpenReadOnly connects to a database as [Open] does, and never writes to it: it makes no
// tables, updates none, and removes nothing that has expired. Apply fails. It refuses a
// database without Keypeg's tables, and a database with tables of an earlier version, because
// that may be in use.
func OpenReadOnly(ctx context.Context, url, organisation string, now store.Clock) (*Store, error) {
	db, err := connect(ctx, url, now, true)
	if err != nil {
		return nil, err
	}
	return db.only(organisation), nil
}

// errReadOnly is the error of a write to a store of OpenReadOnly.
var errReadOnly = errors.New("pgstore: opened for reading only")

// isOurs refuses a database that this program would have to change before it could use it.
func isOurs(ctx context.Context, conn *pgx.Conn, url string) error {
	list, err := migrations()
	if err != nil {
		return err
	}
	var exists bool
	if err := conn.QueryRow(ctx, hasTables).Scan(&exists); err != nil {
		return err
	}
	if !exists {
		return fmt.Errorf("there is nothing of Keypeg in the database %s: correct its URL", Describe(url))
	}
	done, needs, err := schemaVersion(ctx, conn)
	switch {
	case err != nil:
		return err
	case needs > len(list):
		return errNewer
	case done < len(list):
		return fmt.Errorf("the database %s is of an earlier version of Keypeg: use the keypeg of that version, or bring it up to date with keypeg serve of this one", Describe(url))
	}
	return nil
}

// refuseWrites makes a connection refuse writes, in case of a mistake in this program. It must
// not be used on a connection of a pooler, because other clients have it next.
func refuseWrites(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SET default_transaction_read_only = on`)
	return err
}
