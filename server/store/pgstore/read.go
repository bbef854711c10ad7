package pgstore

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/keypeg/keypeg/server/store"
)

// Every read is one statement: one round trip.

// query reads rows. It reads them again if the connection breaks.
func query[T any](ctx context.Context, s *Store, sql string, args []any, collect func(pgx.Rows) (T, error)) (T, error) {
	var found T
	err := s.patiently(ctx, isLost, func(ctx context.Context) error {
		rows, err := s.db.pool.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		if found, err = collect(rows); err != nil {
			return err
		}
		return rows.Err()
	})
	return found, err
}

// one collects a single record.
func one[T any](scan func(pgx.Rows) (T, error)) func(pgx.Rows) (T, error) {
	return func(rows pgx.Rows) (record T, err error) {
		if !rows.Next() {
			if err := rows.Err(); err != nil {
				return record, err
			}
			return record, store.ErrNotFound
		}
		return scan(rows)
	}
}

func many[T any](scan func(pgx.Rows) (T, error)) func(pgx.Rows) ([]T, error) {
	return func(rows pgx.Rows) (list []T, err error) {
		for rows.Next() {
			record, err := scan(rows)
			if err != nil {
				return nil, err
			}
			list = append(list, record)
		}
		return list, nil
	}
}

// storable reports whether PostgreSQL can store a text. A text that it cannot store is not
// found.
func storable(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// moment reads a time. NULL is the zero time.
func moment(t pgtype.Timestamptz) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

// at writes a time. The zero time is NULL.
func at(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()} }

// orNil returns nil for an empty list, as the other backends do.
func orNil[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

// some returns an empty list for nil, because columns are NOT NULL.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
