package pgstore

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
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

const userColumns = `u.id, u.revision, u.name, u.display_name, u.handle, u.admin, u.disabled, u.created, u.password, u.recovery_codes, u.recovery_codes_made, ` + identitiesOfUser + `,
	p.id, p.credential_id, p.public_key, p.name, p.aaguid, p.format, p.attachment, p.transports, p.flags, p.sign_count, p.verified, p.rp_id, p.created, p.last_used`

// identitiesOfUser is one JSON value or NULL, because few users have identities and a second
// join would multiply the rows.
const identitiesOfUser = `(SELECT json_agg(i ORDER BY i.position) FROM identities i WHERE i.organisation = u.organisation AND i.user_id = u.id)`

const withPasskeys = ` LEFT JOIN passkeys p ON p.organisation = u.organisation AND p.user_id = u.id `

// User implements [store.Store].
func (s *Store) User(ctx context.Context, id string) (store.User, error) {
	if !storable(id) {
		return store.User{}, store.ErrNotFound
	}
	return s.user(ctx, `SELECT `+userColumns+` FROM users u`+withPasskeys+
		`WHERE u.organisation = $1 AND u.id = $2 ORDER BY p.position`, id)
}

// UserByName implements [store.Store].
func (s *Store) UserByName(ctx context.Context, name string) (store.User, error) {
	if !storable(name) {
		return store.User{}, store.ErrNotFound
	}
	return s.user(ctx, `SELECT `+userColumns+` FROM users u`+withPasskeys+
		`WHERE u.organisation = $1 AND u.name = $2 ORDER BY p.position`, name)
}

// UserByCredential implements [store.Store].
func (s *Store) UserByCredential(ctx context.Context, credentialID []byte) (store.User, error) {
	return s.user(ctx, `SELECT `+userColumns+` FROM users u`+withPasskeys+
		`WHERE u.organisation = $1 AND u.id = (SELECT user_id FROM passkeys WHERE organisation = $1 AND credential_id = $2) ORDER BY p.position`,
		some(credentialID))
}

// UserByIdentity implements [store.Store].
func (s *Store) UserByIdentity(ctx context.Context, issuer, subject string) (store.User, error) {
	if !storable(issuer) || !storable(subject) {
		return store.User{}, store.ErrNotFound
	}
	return s.user(ctx, `SELECT `+userColumns+` FROM users u`+withPasskeys+
		`WHERE u.organisation = $1 AND u.id = (SELECT user_id FROM identities WHERE organisation = $1 AND issuer = $2 AND subject = $3) ORDER BY p.position`,
		issuer, subject)
}

func (s *Store) user(ctx context.Context, sql string, key ...any) (store.User, error) {
	users, err := query(ctx, s, sql, append([]any{s.organisation}, key...), scanUsers)
	if err == nil && len(users) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.User{}, err
	}
	return users[0], nil
}

// Users implements [store.Store].
func (s *Store) Users(ctx context.Context, after string, limit int) ([]store.User, error) {
	return query(ctx, s, `SELECT `+userColumns+` FROM
		(SELECT * FROM users WHERE organisation = $1 AND name > $2 ORDER BY name LIMIT $3) u`+withPasskeys+
		`ORDER BY u.name, p.position`, []any{s.organisation, after, limit}, scanUsers)
}

// scanUsers reads users from rows of one passkey each, or of none.
func scanUsers(rows pgx.Rows) ([]store.User, error) { return scanUsersAfter(rows, nil) }

// scanUsersAfter is scanUsers for rows with other columns before those of users.
func scanUsersAfter(rows pgx.Rows, before []any) (users []store.User, err error) {
	for rows.Next() {
		var (
			u                   store.User
			created, made, used pgtype.Timestamptz
			codes               [][]byte
			codesMade           pgtype.Timestamptz
			identities          []identityRow
			id, name, format    *string
			attachment, rpID    *string
			credential, key     []byte
			aaguid              pgtype.UUID
			transports          []string
			flags               *int16
			count               *int64
			verified            *bool
			revision            int64
		)
		err := rows.Scan(append(slices.Clone(before),
			&u.ID, &revision, &u.Name, &u.DisplayName, &u.Handle, &u.Admin, &u.Disabled, &created, &u.Password, &codes, &codesMade, &identities,
			&id, &credential, &key, &name, &aaguid, &format, &attachment, &transports, &flags, &count, &verified, &rpID, &made, &used)...)
		if err != nil {
			return nil, err
		}

		if len(users) == 0 || users[len(users)-1].ID != u.ID {
			u.Revision, u.Created, u.Handle = uint64(revision), moment(created), orNil(u.Handle)
			u.RecoveryCodesMade = moment(codesMade)
			for _, code := range codes {
				u.RecoveryCodes = append(u.RecoveryCodes, store.Hash(code))
			}
			for _, i := range identities {
				u.Identities = append(u.Identities, i.identity())
			}
			users = append(users, u)
		}
		if id != nil {
			owner := &users[len(users)-1]
			owner.Passkeys = append(owner.Passkeys, store.Passkey{
				ID: *id, CredentialID: credential, PublicKey: orNil(key), Name: *name, AAGUID: aaguid.Bytes,
				Format: *format, Attachment: *attachment, Transports: orNil(transports), Flags: byte(*flags), SignCount: uint32(*count),
				Verified: *verified, RPID: *rpID, Created: moment(made), LastUsed: moment(used),
			})
		}
	}
	return users, rows.Err()
}

// identityRow is a row of identities as PostgreSQL writes it in JSON.
type identityRow struct {
	ID, Issuer, Subject, Name string
	Created                   *time.Time
	LastUsed                  *time.Time `json:"last_used"`
}

func (i identityRow) identity() store.Identity {
	utc := func(t *time.Time) time.Time {
		if t == nil {
			return time.Time{}
		}
		return t.UTC()
	}
	return store.Identity{ID: i.ID, Issuer: i.Issuer, Subject: i.Subject, Name: i.Name, Created: utc(i.Created), LastUsed: utc(i.LastUsed)}
}

// HasAdministrator implements [store.Store].
func (s *Store) HasAdministrator(ctx context.Context) (bool, error) {
	return query(ctx, s, `SELECT EXISTS (SELECT 1 FROM users WHERE organisation = $1 AND admin)`, []any{s.organisation},
		one(func(rows pgx.Rows) (has bool, err error) { return has, rows.Scan(&has) }))
}

const sessionColumns = `id, user_id, method, passkey_id, browser, system, address, created, seen, authenticated, expires, provider, mark`

// Session implements [store.Store].
func (s *Store) Session(ctx context.Context, id store.Hash) (store.Session, error) {
	return query(ctx, s, `SELECT `+sessionColumns+` FROM sessions WHERE organisation = $1 AND id = $2 AND expires > $3`,
		[]any{s.organisation, id[:], s.now()}, one(scanSession))
}

// SessionUser implements [store.Store].
func (s *Store) SessionUser(ctx context.Context, id store.Hash) (store.Session, store.User, error) {
	var row sessionRow
	users, err := query(ctx, s, `SELECT `+prefixed("s", sessionColumns)+`, `+userColumns+` FROM sessions s
		JOIN users u ON u.organisation = s.organisation AND u.id = s.user_id`+withPasskeys+
		`WHERE s.organisation = $1 AND s.id = $2 AND s.expires > $3 ORDER BY p.position`,
		[]any{s.organisation, id[:], s.now()},
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
	from := after[:]
	if (after == store.Hash{}) {
		from = []byte{}
	}
	return query(ctx, s, `SELECT `+sessionColumns+` FROM sessions
		WHERE organisation = $1 AND user_id = $2 AND id > $3 AND expires > $4 ORDER BY id LIMIT $5`,
		[]any{s.organisation, userID, from, s.now(), limit}, many(scanSession))
}

func scanSession(rows pgx.Rows) (store.Session, error) {
	var row sessionRow
	err := rows.Scan(row.columns()...)
	return row.session(), err
}

// sessionRow is a row of sessionColumns.
type sessionRow struct {
	id                                    []byte
	kept                                  store.Session
	created, seen, authenticated, expires pgtype.Timestamptz
}

// columns are where to scan it to.
func (r *sessionRow) columns() []any {
	v := &r.kept
	return []any{&r.id, &v.UserID, &v.Method, &v.PasskeyID, &v.Client.Browser, &v.Client.System, &v.Client.Address, &r.created, &r.seen, &r.authenticated, &r.expires, &v.Provider, &v.Client.Mark}
}

func (r *sessionRow) session() store.Session {
	v := r.kept
	copy(v.ID[:], r.id)
	v.Created, v.Seen, v.Authenticated, v.Expires = moment(r.created), moment(r.seen), moment(r.authenticated), moment(r.expires)
	return v
}

// Events implements [store.Store].
func (s *Store) Events(ctx context.Context, userID string, before store.EventID, limit int) ([]store.Event, error) {
	until := before[:]
	if (before == store.EventID{}) {
		until = []byte(strings.Repeat("\xff", len(before)+1)) // behind all
	}
	return query(ctx, s, `SELECT `+eventColumns+` FROM events
		WHERE organisation = $1 AND user_id = $2 AND id < $3 AND expires > $4 ORDER BY id DESC LIMIT $5`,
		[]any{s.organisation, userID, until, s.now(), limit}, many(scanEvent))
}

const eventColumns = `user_id, id, kind, time, method, passkey_id, passkey, browser, system, address, expires, provider, by_name, count, last, mark`

func scanEvent(rows pgx.Rows) (v store.Event, err error) {
	var id []byte
	var kind string
	var at, expires, last pgtype.Timestamptz
	var count int64
	err = rows.Scan(&v.UserID, &id, &kind, &at, &v.Method, &v.PasskeyID, &v.Passkey, &v.Client.Browser, &v.Client.System, &v.Client.Address, &expires, &v.Provider, &v.By, &count, &last, &v.Client.Mark)
	copy(v.ID[:], id)
	v.Count, v.Last = uint64(count), moment(last)
	v.Kind, v.Time, v.Expires = shared.EventKind(kind), moment(at), moment(expires)
	return v, err
}

// Link implements [store.Store].
func (s *Store) Link(ctx context.Context, key string) (store.Link, error) {
	return query(ctx, s, `SELECT key, hash, expires FROM links WHERE organisation = $1 AND key = $2 AND expires > $3`,
		[]any{s.organisation, key, s.now()}, one(scanLink))
}

func scanLink(rows pgx.Rows) (l store.Link, err error) {
	var hash []byte
	var expires pgtype.Timestamptz
	err = rows.Scan(&l.Key, &hash, &expires)
	copy(l.Hash[:], hash)
	l.Expires = moment(expires)
	return l, err
}

// Secret implements [store.Store].
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	return query(ctx, s, `SELECT value FROM secrets WHERE organisation = $1 AND name = $2`, []any{s.organisation, name},
		one(func(rows pgx.Rows) (value []byte, err error) { return value, rows.Scan(&value) }))
}

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
