package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/keypeg/keypeg/server/store"
)

// Each query reads a page of one index in its order. So a page takes no longer in a large
// organisation: see table listed.
const (
	allUsers = `SELECT id, '' AS term, name FROM users WHERE organisation = $1 AND name > $2 ORDER BY name LIMIT $3`

	usersOfTerm = `SELECT user_id AS id, term, name FROM listed WHERE organisation = $1 AND term = $4 AND name > $2 ORDER BY name LIMIT $3`

	// A user whom an earlier word has found is left out.
	usersByWord = `SELECT user_id AS id, term, name FROM listed l
		WHERE organisation = $1 AND (term, name) > ($5, $2) AND term >= $4 AND term < $4 || U&'\+10FFFF' AND term = (
			SELECT min(e.term) FROM listed e WHERE e.organisation = $1 AND e.user_id = l.user_id AND starts_with(e.term, $4)
		) ORDER BY term, name LIMIT $3`
)

// Users implements [store.Store].
func (s *Store) Users(ctx context.Context, query store.UserQuery, limit int) ([]store.User, error) {
	if err := query.Check(); err != nil {
		return nil, err
	}
	if !storable(query.Find) || !storable(query.In) {
		return nil, nil
	}
	switch term, isBeginning := query.Term(); {
	case isBeginning:
		word, name := store.CutPlace(query.After)
		return s.listed(ctx, usersByWord, name, limit, term, store.TermOf(word))
	case term != "":
		return s.listed(ctx, usersOfTerm, query.After, limit, term)
	default:
		return s.listed(ctx, allUsers, query.After, limit)
	}
}

// listed returns the users of a page, in its order.
func (s *Store) listed(ctx context.Context, page string, args ...any) ([]store.User, error) {
	return query(ctx, s, usersOfPage(page), append([]any{s.organisation}, args...), scanUsers)
}

func usersOfPage(page string) string {
	return fmt.Sprintf(`SELECT `+userColumns+` FROM (%s) l JOIN users u ON u.organisation = $1 AND u.id = l.id`+withPasskeys+
		`ORDER BY l.term, l.name, p.position`, page)
}

// HasAdministrator implements [store.Store].
func (s *Store) HasAdministrator(ctx context.Context) (bool, error) {
	administrators, _ := store.UserQuery{In: store.CountAdministrators}.Term()
	return query(ctx, s, `SELECT EXISTS (SELECT 1 FROM listed WHERE organisation = $1 AND term = $2)`, []any{s.organisation, administrators},
		one(func(rows pgx.Rows) (has bool, err error) { return has, rows.Scan(&has) }))
}
