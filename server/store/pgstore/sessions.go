package pgstore

import (
	"bytes"
	"context"
	"encoding/hex"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/keypeg/keypeg/server/store"
)

// A session's id begins with that of its user, so the sessions of a user are a range of the
// primary key.

const sessionColumns = `id, user_id, method, passkey_id, browser, system, address, created, seen, authenticated, expires, provider, mark, proof_method, proof_passkey_id, proof_verified, first_id`

// Session implements [store.Store].
func (s *Store) Session(ctx context.Context, id store.Hash) (store.Session, error) {
	return query(ctx, s, `SELECT `+sessionColumns+` FROM sessions WHERE organisation = $1 AND id = $2 AND expires > $3`,
		[]any{s.organisation, id[:], s.now()}, one(scanSession))
}

var sessionUser = `SELECT ` + prefixed("s", sessionColumns) + `, ` + userColumns + ` FROM sessions s
	JOIN users u ON u.organisation = s.organisation AND u.id = s.user_id` + withPasskeys +
	`WHERE s.organisation = $1 AND s.id = $2 AND s.expires > $3 ORDER BY p.position`

// SessionUser implements [store.Store].
func (s *Store) SessionUser(ctx context.Context, id store.Hash) (store.Session, store.User, error) {
	var row sessionRow
	users, err := query(ctx, s, sessionUser, []any{s.organisation, id[:], s.now()},
		func(rows pgx.Rows) ([]store.User, error) { return scanUsersAfter(rows, row.columns()) })
	if err == nil && len(users) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Session{}, store.User{}, err
	}
	return row.session(), users[0], nil
}

// prefixed names columns as a table's.
func prefixed(table, columns string) string {
	return table + "." + strings.ReplaceAll(columns, ", ", ", "+table+".")
}

// Sessions implements [store.Store].
func (s *Store) Sessions(ctx context.Context, userID string, after store.Hash, limit int) ([]store.Session, error) {
	if !store.IsUserID(userID) {
		return nil, nil
	}
	first, last := sessionsOf(userID)
	if bytes.Compare(after[:], first) > 0 {
		first = after[:]
	}
	return query(ctx, s, `SELECT `+sessionColumns+` FROM sessions
		WHERE organisation = $1 AND id > $2 AND id <= $3 AND expires > $4 ORDER BY id LIMIT $5`,
		[]any{s.organisation, first, last, s.now(), limit}, many(scanSession))
}

// sessionsOf returns the range of the ids of a user's sessions: they are greater than first, and
// at most last.
func sessionsOf(userID string) (first, last []byte) {
	first, err := hex.DecodeString(userID)
	if err != nil {
		panic("pgstore: " + userID + " is no user id") // callers check it
	}
	return first, append(bytes.Clone(first), bytes.Repeat([]byte{0xff}, len(store.Hash{})-len(first))...)
}

func scanSession(rows pgx.Rows) (store.Session, error) {
	var row sessionRow
	err := rows.Scan(row.columns()...)
	return row.session(), err
}

// sessionRow is a row of sessionColumns.
type sessionRow struct {
	id, first                             []byte
	kept                                  store.Session
	created, seen, authenticated, expires pgtype.Timestamptz
}

// columns are where to scan it to.
func (r *sessionRow) columns() []any {
	v := &r.kept
	return []any{&r.id, &v.UserID, &v.Method, &v.PasskeyID, &v.Client.Browser, &v.Client.System, &v.Client.Address, &r.created, &r.seen, &r.authenticated, &r.expires, &v.Provider, &v.Client.Mark,
		&v.Proof.Method, &v.Proof.PasskeyID, &v.Proof.UserVerified, &r.first}
}

func (r *sessionRow) session() store.Session {
	v := r.kept
	copy(v.ID[:], r.id)
	copy(v.First[:], r.first)
	v.Created, v.Seen, v.Authenticated, v.Expires = moment(r.created), moment(r.seen), moment(r.authenticated), moment(r.expires)
	return v
}

// sessionValues returns the values of sessionColumns.
func sessionValues(v store.Session) []any {
	return []any{
		v.ID[:], v.UserID, v.Method, v.PasskeyID, v.Client.Browser, v.Client.System, v.Client.Address,
		at(v.Created), at(v.Seen), at(v.Authenticated), at(v.Expires), v.Provider, v.Client.Mark,
		v.Proof.Method, v.Proof.PasskeyID, v.Proof.UserVerified, firstIDOf(v),
	}
}

// makeRoom ends the sessions that are too many with a new one.
func (w *writer) makeRoom(op store.AddSession) {
	if op.Most > 0 {
		first, last := sessionsOf(op.Session.UserID)
		w.add(nil, `DELETE FROM sessions WHERE organisation = $1 AND id IN (
			SELECT id FROM sessions WHERE organisation = $1 AND id > $2 AND id <= $3 AND expires > $4 ORDER BY seen DESC, id DESC OFFSET $5)`,
			first, last, w.now, op.Most-1)
	}
}

func (w *writer) addSession(v store.Session) {
	// An expired session with this id may not be swept yet.
	w.add(store.ErrSessionExists, `INSERT INTO sessions AS s (organisation, `+sessionColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT (organisation, id) DO UPDATE SET `+excluded(sessionColumns)+`
		WHERE s.expires <= $19`, append(sessionValues(v), w.now)...)
}

func (w *writer) replaceSession(op store.ReplaceSession) {
	if op.Old == op.Session.ID {
		w.add(store.ErrNotFound, `UPDATE sessions SET user_id = $3, method = $4, passkey_id = $5, browser = $6, system = $7,
			address = $8, created = $9, seen = $10, authenticated = $11, expires = $12, provider = $13, mark = $14, proof_method = $15,
			proof_passkey_id = $16, proof_verified = $17, first_id = $18
			WHERE organisation = $1 AND id = $2 AND expires > $19`, append(sessionValues(op.Session), w.now)...)
		return
	}
	w.add(store.ErrNotFound, `DELETE FROM sessions WHERE organisation = $1 AND id = $2 AND expires > $3`, op.Old[:], w.now)
	w.addSession(op.Session)
}

func (w *writer) endSessions(op store.EndSessions) {
	first, last := sessionsOf(op.UserID)
	w.add(nil, `DELETE FROM sessions WHERE organisation = $1 AND id > $2 AND id <= $3 AND id <> $4 AND ($5 = '' OR passkey_id = $5)`,
		first, last, op.Except[:], op.Passkey)
}

// firstIDOf returns the value of first_id: null while the session has its first id.
func firstIDOf(v store.Session) []byte {
	if v.First == (store.Hash{}) {
		return nil
	}
	return v.First[:]
}
