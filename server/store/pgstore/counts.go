package pgstore

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/keypeg/keypeg/server/store"
)

// Counts implements [store.Store]. Users and events are written with the categories in which
// they count, and triggers of the database add up the differences: see 0001_records.sql.
func (s *Store) Counts(ctx context.Context) (store.Counts, error) {
	now := s.now()
	return query(ctx, s, `SELECT category, sum(n)::bigint FROM counts WHERE organisation = $1 GROUP BY category HAVING sum(n) <> 0`,
		[]any{s.organisation}, func(rows pgx.Rows) (store.Counts, error) {
			counts := store.Counts{}
			for rows.Next() {
				var category string
				var n int
				if err := rows.Scan(&category, &n); err != nil {
					return nil, err
				}
				if store.IsCounted(category, now) {
					counts[category] = n
				}
			}
			return counts, nil
		})
}
