package pgstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keypeg/keypeg/server/store"
)

// Records implements [store.Store].
func (s *Store) Records(ctx context.Context, kind store.Kind, after []byte, limit int) ([]store.Record, error) {
	sql, args, collect := recordsQuery(s.organisation, s.now(), kind, after, limit)
	return query(ctx, s, sql, args, collect)
}

// recordsQuery returns the query for a page of records of a kind. Each reads a range of a primary
// key. A first page is after empty texts, which no record has.
func recordsQuery(organisation string, now time.Time, kind store.Kind, after []byte, limit int) (sql string, args []any, collect func(pgx.Rows) ([]store.Record, error)) {
	switch kind {
	case store.KindUser:
		return `SELECT ` + userColumns + ` FROM
			(SELECT * FROM users WHERE organisation = $1 AND id > $2 ORDER BY id LIMIT $3) u` + withPasskeys + `ORDER BY u.id, p.position`,
			[]any{organisation, string(after), limit},
			func(rows pgx.Rows) ([]store.Record, error) {
				users, err := scanUsers(rows)
				records := make([]store.Record, len(users))
				for i, user := range users {
					records[i] = store.RecordOf(store.PutUser{User: user})
				}
				return records, err
			}
	case store.KindSession:
		return `SELECT ` + sessionColumns + ` FROM sessions WHERE organisation = $1 AND id > $2 AND expires > $3 ORDER BY id LIMIT $4`,
			[]any{organisation, some(after), now, limit},
			recordsFrom(scanSession, func(v store.Session) store.Op { return store.AddSession{Session: v} })
	case store.KindEvent:
		user, id, _ := store.CutEventKey(after)
		return `SELECT ` + eventColumns + ` FROM events WHERE organisation = $1 AND user_id >= $2 AND (user_id > $2 OR id < $3) AND expires > $4
			ORDER BY user_id, id DESC LIMIT $5`,
			[]any{organisation, user, id[:], now, limit},
			recordsFrom(scanEvent, func(v store.Event) store.Op { return store.AddEvent{Event: v} })
	default:
		owner, collection, key, _ := store.CutItemKey(after)
		return `SELECT ` + itemColumns + ` FROM items WHERE organisation = $1 AND (owner, collection, key) > ($2, $3, $4) AND (expires IS NULL OR expires > $5)
			ORDER BY owner, collection, key LIMIT $6`,
			[]any{organisation, owner, collection, key, now, limit},
			recordsFrom(scanItem, func(v store.Item) store.Op { return store.PutItem{Item: v} })
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
