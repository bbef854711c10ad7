package pgstore

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/keypeg/keypeg/server/store"
)

// Each list reads a range of one index in its order. So a page takes no longer in a large
// organisation: see table listed.
const (
	allNames = `SELECT name, id FROM users WHERE organisation = $1 AND name >= $2 ORDER BY name LIMIT $3`

	entriesOfList = `SELECT entry, user_id FROM listed
		WHERE organisation = $1 AND (entry, user_id) > ($2, $4) AND entry >= $5 AND entry < $5 || U&'\+10FFFF' ORDER BY entry, user_id LIMIT $3`

	countEntries = `SELECT count(*) FROM (SELECT FROM listed WHERE organisation = $1 AND entry >= $2 AND entry < $2 || U&'\+10FFFF' LIMIT $3) counted`

	usersOfPage = `SELECT ` + userColumns + ` FROM users u` + withPasskeys + `WHERE u.organisation = $1 AND u.id = ANY ($2) ORDER BY u.id, p.position`
)

// Users implements [store.Store].
func (s *Store) Users(ctx context.Context, q store.UserQuery, limit int) (page []store.User, next string, err error) {
	if err := q.Check(); err != nil {
		return nil, "", err
	}
	if !storable(strings.Join(q.Find, "")) || !storable(q.In) || !storable(q.After) {
		return nil, "", nil
	}
	search, err := q.Search(limit, func(prefix string, most int) (int, error) { return s.countEntries(ctx, prefix, most) })
	if err != nil {
		return nil, "", err
	}
	if err := s.readEntries(ctx, search, limit+1); err != nil || len(search.Found) == 0 {
		return nil, search.Next(), err
	}
	ids := make([]string, len(search.Found))
	for i, found := range search.Found {
		ids[i] = found.UserID
	}
	users, err := query(ctx, s, usersOfPage, []any{s.organisation, ids}, scanUsers)
	byID := map[string]store.User{}
	for _, user := range users {
		byID[user.ID] = user
	}
	for _, found := range search.Found {
		if user, is := byID[found.UserID]; is && search.Keeps(found, user) { // one may have been removed since
			page = append(page, user)
		}
	}
	return page, search.Next(), err
}

func (s *Store) countEntries(ctx context.Context, prefix string, most int) (int, error) {
	return query(ctx, s, countEntries, []any{s.organisation, prefix, most}, one(func(rows pgx.Rows) (n int, err error) { return n, rows.Scan(&n) }))
}

// listed is a row of the table, or a user by the sign-in name.
type listed struct{ entry, id string }

// readEntries gives the search its entries, at first as many as suffice for one word.
func (s *Store) readEntries(ctx context.Context, search *store.Search, step int) error {
	from := listed{search.From, search.FromID}
	for {
		sql, args := allNames, []any{s.organisation, from.entry, step}
		if search.Prefix != "" {
			sql, args = entriesOfList, append(args, from.id, search.Prefix)
		}
		rows, err := query(ctx, s, sql, args, many(func(rows pgx.Rows) (l listed, err error) { return l, rows.Scan(&l.entry, &l.id) }))
		if err != nil {
			return err
		}
		for _, from = range rows {
			if !search.Take(from.entry, from.id) {
				return nil
			}
		}
		if len(rows) < step {
			return nil
		}
		step = max(step, 1000)
	}
}

// HasAdministrator implements [store.Store].
func (s *Store) HasAdministrator(ctx context.Context) (bool, error) {
	some, err := s.countEntries(ctx, store.ListOf(store.CountAdministrators), 1)
	return some > 0, err
}
