package pgstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// PgBouncer may stand between a node and its database. What it says itself comes as
// protocolViolation, whatever it is, so its words decide.

// behindPooler reports whether a pooler such as PgBouncer stands in between. In its
// transaction mode each statement may run on another connection, so that nothing may be
// kept on one: no prepared statement, and no LISTEN. The process that answers is another
// than the one that the pooler named then.
func behindPooler(ctx context.Context, conn *pgx.Conn) (bool, error) {
	var process uint32
	err := conn.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&process)
	return process != conn.PgConn().PID(), err
}

// poolersOwn is what a pooler says while it has no connection to the database. It has passed
// nothing on then.
var poolersOwn = []string{"server_login_retry", "server login failed", "cannot connect to server", "query_wait_timeout"}

// isPoolerAlone reports whether a pooler answered that has no database.
func isPoolerAlone(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refusal.Code == protocolViolation &&
		slices.ContainsFunc(poolersOwn, func(words string) bool { return strings.Contains(refusal.Message, words) })
}

// toldPooler adds to what a pooler says what IT can do.
func toldPooler(err error) error {
	if isPoolerAlone(err) {
		return fmt.Errorf("PgBouncer reaches no database: if that runs, write server_login_retry = 1 in pgbouncer.ini, else PgBouncer waits for 15 s before it tries again: %w", err)
	}
	return err
}

// poolerSentence says what IT can do about a pooler that refuses to be used, or nothing.
func poolerSentence(where, message string) error {
	switch parameter, unsupported := strings.CutPrefix(message, "unsupported startup parameter"); {
	case unsupported:
		_, name, _ := strings.Cut(parameter, ": ")
		return fmt.Errorf("PgBouncer at %s passes the parameter %s of the URL on to nobody: take it out of the URL and write ALTER ROLE … SET in the database, or name it in ignore_startup_parameters of pgbouncer.ini, which leaves it out", where, name)
	case strings.Contains(message, "statement pooling mode"):
		return fmt.Errorf("PgBouncer at %s takes no transactions: write pool_mode = transaction in pgbouncer.ini", where)
	}
	return nil
}
