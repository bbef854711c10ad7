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

// PgBouncer may stand between a node and its database. All its own errors have the condition
// protocolViolation, so its messages decide.

// behindPooler reports whether a pooler such as PgBouncer stands in between. In its
// transaction mode each statement may run on another connection, so a connection can have
// neither prepared statements nor LISTEN. With a pooler, the process that answers differs from
// the process that the connection was given.
func behindPooler(ctx context.Context, conn *pgx.Conn) (bool, error) {
	var process uint32
	err := conn.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&process)
	return process != conn.PgConn().PID(), err
}

// poolerAlone matches the messages of a pooler without a connection to the database. Then it
// has forwarded nothing.
var poolerAlone = []string{"server_login_retry", "server login failed", "cannot connect to server", "query_wait_timeout"}

// isPoolerAlone reports whether the error is that of a pooler without a database.
func isPoolerAlone(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refusal.Code == protocolViolation &&
		slices.ContainsFunc(poolerAlone, func(words string) bool { return strings.Contains(refusal.Message, words) })
}

// explainPooler adds what IT can do to an error of a pooler.
func explainPooler(err error) error {
	if isPoolerAlone(err) {
		return fmt.Errorf("PgBouncer reaches no database: if that runs, write server_login_retry = 1 in pgbouncer.ini, else PgBouncer waits for 15 s before it tries again: %w", err)
	}
	return err
}

// poolerSentence returns what IT can do about a pooler that refuses to be used, or "".
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
