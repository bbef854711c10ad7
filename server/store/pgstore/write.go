package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/keypeg/keypeg/server/store"
)

// A batch is one transaction in one message: its statements and the commit are sent together,
// and the answers return together. The next statement runs before the program has the answer
// of the one before. So a condition that isn't true must itself break the transaction: see
// [statement.text].

// statement is one step of a batch.
type statement struct {
	sql  string
	args []any
	// unless is the error if no row was changed or locked, or nil if that is allowed.
	unless error
}

// text returns the SQL. A statement that must change or lock a row divides by the number of such
// rows, so that it fails with none.
func (st statement) text() string {
	if st.unless == nil {
		return st.sql
	}
	returning := ` RETURNING 1`
	if strings.HasPrefix(st.sql, `SELECT`) {
		returning = ``
	}
	return `WITH touched AS (` + st.sql + returning + `) SELECT 1 / count(*) FROM touched`
}

// taken has the error of each unique constraint.
var taken = map[string]error{
	"users_pkey": store.ErrUserExists, "users_name": store.ErrNameExists, "users_email": store.ErrEmailExists,
	"passkeys_credential": store.ErrCredentialExists, "identities_subject": store.ErrIdentityExists,
}

// Apply implements [store.Store].
func (s *Store) Apply(ctx context.Context, batch store.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(batch) == 0 {
		return nil
	}
	if s.db.readOnly {
		return errReadOnly
	}
	if err := batch.Check(); err != nil {
		return err
	}
	list := s.statements(batch)
	// After it was sent it is finished even if the browser has disconnected, so that the
	// outcome is known.
	ctx = context.WithoutCancel(ctx)
	err := s.patiently(ctx, isUndone, func(ctx context.Context) error { return s.send(ctx, list) })
	if err == nil {
		s.db.publish(s.organisation, batch.Users())
	}
	return err
}

// Probe implements [store.Prober]. It writes an existing row without a change.
func (s *Store) Probe(ctx context.Context) error {
	return s.patiently(ctx, isUndone, func(ctx context.Context) error {
		_, err := s.db.pool.Exec(ctx, `UPDATE keypeg_schema SET applied = applied WHERE number = 1`)
		return (statement{}).meaning(err)
	})
}

// send runs the statements in one implicit transaction.
func (s *Store) send(ctx context.Context, list []statement) error {
	if s.db.pooled {
		return s.sendSingly(ctx, list)
	}
	var pipeline pgx.Batch
	for _, st := range list {
		pipeline.Queue(st.text(), st.args...)
	}
	results := s.db.pool.SendBatch(ctx, &pipeline)
	for _, st := range list {
		if _, err := results.Exec(); err != nil {
			results.Close() // it returns the same error again
			return st.meaning(err)
		}
	}
	return results.Close() // the commit
}

// sendSingly waits for the answer of each statement. PgBouncer may confuse the answers when
// one of several statements in a message fails (pgbouncer #759), and a refused batch fails.
func (s *Store) sendSingly(ctx context.Context, list []statement) error {
	return pgx.BeginFunc(ctx, s.db.pool, func(tx pgx.Tx) error {
		for _, st := range list {
			if _, err := tx.Exec(ctx, st.text(), st.args...); err != nil {
				return st.meaning(err)
			}
		}
		return nil
	})
}

// meaning translates an error of PostgreSQL.
func (st statement) meaning(err error) error {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok:
		return err
	case refusal.Code == divisionByZero && st.unless != nil:
		return st.unless
	case refusal.Code == uniqueViolation && taken[refusal.ConstraintName] != nil:
		return taken[refusal.ConstraintName]
	case refusal.Code == diskFull:
		return fmt.Errorf("the disk of the database server is full: make room on it (%w)", err)
	default:
		return err
	}
}

// statements returns the statements of a batch.
func (s *Store) statements(batch store.Batch) []statement {
	w := writer{organisation: s.organisation, now: at(s.now()), locked: map[string]bool{}}
	for _, op := range batch {
		w.op(op)
	}
	w.addEvents()
	return w.list
}

// writer collects the statements of a batch.
type writer struct {
	organisation string
	now          pgtype.Timestamptz
	list         []statement
	locked       map[string]bool // users whose row this transaction holds
	events       []store.Event   // to write at the end
}

func (w *writer) add(unless error, sql string, args ...any) {
	w.list = append(w.list, statement{sql, append([]any{w.organisation}, args...), unless})
}

// lock locks a user's row until the commit. So transactions that add, replace or end sessions
// of a user run one after the other. Without it, a session that is replaced while all are
// ended would stay.
func (w *writer) lock(userID string) {
	if !w.locked[userID] {
		w.locked[userID] = true
		w.add(nil, lockUser, userID)
	}
}

const lockUser = `SELECT 1 FROM users WHERE organisation = $1 AND id = $2 FOR UPDATE`

func (w *writer) op(op store.Op) {
	switch op := op.(type) {
	case store.PutUser:
		w.putUser(op.User)
	case store.RemoveUser:
		w.removeUser(op)
	case store.HasUser:
		w.locked[op.ID] = true
		if op.Revision == 0 {
			w.add(store.ErrNotFound, lockUser, op.ID)
		} else {
			w.add(store.ErrStale, `SELECT 1 FROM users WHERE organisation = $1 AND id = $2 AND revision = $3 FOR UPDATE`, op.ID, int64(op.Revision))
		}
	case store.AddSession:
		w.lock(op.Session.UserID)
		w.makeRoom(op)
		w.addSession(op.Session)
	case store.ReplaceSession:
		w.lock(op.Session.UserID)
		w.replaceSession(op)
	case store.EndSession:
		w.add(nil, `DELETE FROM sessions WHERE organisation = $1 AND id = $2`, op.ID[:])
	case store.EndSessions:
		w.lock(op.UserID)
		w.endSessions(op)
	case store.AddEvent:
		w.events = append(w.events, op.Event)
	case store.PutItem:
		w.putItem(op.Item)
	case store.RemoveItem:
		w.removeItem(op)
	default:
		panic(fmt.Sprintf("pgstore: an operation of type %T", op)) // the contract has no others
	}
}

// excluded returns the assignments that replace a row by the one that ON CONFLICT excluded.
func excluded(columns string) string {
	list := strings.Split(columns, ", ")
	for i, column := range list {
		list[i] = column + " = excluded." + column
	}
	return strings.Join(list, ", ")
}
