package pgstore

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/keypeg/keypeg/server/store"
)

// Records implements [store.Store].
func (s *Store) Records(ctx context.Context, kind store.Kind, after []byte, limit int) ([]store.Record, error) {
	sql, args, collect := recordsQuery(s.organisation, s.now(), kind, after, limit)
	return query(ctx, s, sql, args, collect)
}

// recordsQuery returns the query for a page of records of a kind.
func recordsQuery(organisation string, now time.Time, kind store.Kind, after []byte, limit int) (sql string, args []any, collect func(pgx.Rows) ([]store.Record, error)) {
	page := func(columns, table string) string {
		return fmt.Sprintf(`SELECT %s FROM %s WHERE organisation = $1 AND ($2 OR %%s) AND expires > $5 ORDER BY %%s LIMIT $4`, columns, table)
	}
	first := after == nil
	switch kind {
	case store.KindUser:
		return `SELECT ` + userColumns + ` FROM
			(SELECT * FROM users WHERE organisation = $1 AND ($2 OR id > $3) ORDER BY id LIMIT $4) u` + withPasskeys + `ORDER BY u.id, p.position`,
			[]any{organisation, first, string(after), limit},
			func(rows pgx.Rows) ([]store.Record, error) {
				users, err := scanUsers(rows)
				records := make([]store.Record, len(users))
				for i, user := range users {
					records[i] = store.RecordOf(store.PutUser{User: user})
				}
				return records, err
			}
	case store.KindSession:
		return fmt.Sprintf(page(sessionColumns, "sessions"), "id > $3", "id"), []any{organisation, first, some(after), limit, now},
			recordsFrom(scanSession, func(v store.Session) store.Op { return store.AddSession{Session: v} })
	case store.KindEvent:
		user, id, _ := bytes.Cut(after, []byte{0})
		return `SELECT ` + eventColumns + ` FROM events WHERE organisation = $1 AND ($2 OR (user_id, id) > ($3, $4)) AND expires > $6 ORDER BY user_id, id LIMIT $5`,
			[]any{organisation, first, string(user), some(id), limit, now},
			recordsFrom(scanEvent, func(v store.Event) store.Op { return store.AddEvent{Event: v} })
	case store.KindLink:
		return fmt.Sprintf(page("key, hash, expires", "links"), "key > $3", "key"), []any{organisation, first, string(after), limit, now},
			recordsFrom(scanLink, func(v store.Link) store.Op { return store.PutLink{Link: v} })
	case store.KindTicket:
		return fmt.Sprintf(page("id, expires", "spent_tickets"), "id > $3", "id"), []any{organisation, first, some(after), limit, now},
			recordsFrom(scanTicket, func(v store.SpentTicket) store.Op { return store.SpendTicket{Ticket: v} })
	default:
		return `SELECT name, value FROM secrets WHERE organisation = $1 AND ($2 OR name > $3) ORDER BY name LIMIT $4`,
			[]any{organisation, first, string(after), limit},
			recordsFrom(func(rows pgx.Rows) (v store.AddSecret, err error) { return v, rows.Scan(&v.Name, &v.Value) },
				func(v store.AddSecret) store.Op { return v })
	}
}

func recordsFrom[T any](scan func(pgx.Rows) (T, error), op func(T) store.Op) func(pgx.Rows) ([]store.Record, error) {
	return many(func(rows pgx.Rows) (store.Record, error) {
		v, err := scan(rows)
		if err != nil {
			return store.Record{}, err
		}
		return store.RecordOf(op(v)), nil
	})
}

func scanTicket(rows pgx.Rows) (v store.SpentTicket, err error) {
	var id []byte
	var expires pgtype.Timestamptz
	err = rows.Scan(&id, &expires)
	copy(v.ID[:], id)
	v.Expires = moment(expires)
	return v, err
}

// Snapshot has the records as they were at one moment, while others write.
type Snapshot struct {
	organisation string
	tx           pgx.Tx
	now          time.Time
}

// Snapshot begins a snapshot. Close it soon: PostgreSQL cannot remove old rows meanwhile.
func (s *Store) Snapshot(ctx context.Context) (*Snapshot, error) {
	tx, err := s.db.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, err
	}
	return &Snapshot{s.organisation, tx, s.now()}, nil
}

// Records is that of [store.Store], at that moment.
func (sn *Snapshot) Records(ctx context.Context, kind store.Kind, after []byte, limit int) ([]store.Record, error) {
	sql, args, collect := recordsQuery(sn.organisation, sn.now, kind, after, limit)
	rows, err := sn.tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return collect(rows)
}

// Close ends the snapshot.
func (sn *Snapshot) Close() error { return sn.tx.Rollback(context.Background()) }
