package pgstore

import (
	"context"
	"errors"
	"fmt"

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
	// unless is the error if no row was changed, or nil if that is allowed.
	unless error
}

// text returns the SQL. A statement that must change a row divides by the number of changed
// rows, so that it fails with none.
func (st statement) text() string {
	if st.unless == nil {
		return st.sql
	}
	return `WITH touched AS (` + st.sql + ` RETURNING 1) SELECT 1 / count(*) FROM touched`
}

// taken has the error of each unique constraint.
var taken = map[string]error{
	"users_pkey": store.ErrUserExists, "users_name": store.ErrNameExists,
	"passkeys_credential": store.ErrCredentialExists, "identities_subject": store.ErrIdentityExists, "secrets_pkey": store.ErrSecretExists,
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
	return w.list
}

// writer collects the statements of a batch.
type writer struct {
	organisation string
	now          pgtype.Timestamptz
	list         []statement
	locked       map[string]bool // users whose row this transaction holds
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
		w.add(nil, `SELECT 1 FROM users WHERE organisation = $1 AND id = $2 FOR UPDATE`, userID)
	}
}

func (w *writer) op(op store.Op) {
	switch op := op.(type) {
	case store.PutUser:
		w.putUser(op.User)
	case store.RemoveUser:
		w.lock(op.ID)
		for _, table := range []string{"passkeys", "identities", "sessions", "events"} {
			w.add(nil, `DELETE FROM `+table+` WHERE organisation = $1 AND user_id = $2`, op.ID)
		}
		if op.Revision == 0 {
			w.add(nil, `DELETE FROM users WHERE organisation = $1 AND id = $2`, op.ID)
		} else {
			w.add(store.ErrStale, `DELETE FROM users WHERE organisation = $1 AND id = $2 AND revision = $3`, op.ID, int64(op.Revision))
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
		w.add(nil, `DELETE FROM sessions WHERE organisation = $1 AND user_id = $2 AND id <> $3 AND ($4 = '' OR passkey_id = $4)`,
			op.UserID, op.Except[:], op.Passkey)
	case store.AddEvent:
		e := op.Event
		w.add(nil, `INSERT INTO events (organisation, user_id, id, kind, time, method, passkey_id, passkey, browser, system, address, expires, provider, by_name, count, last, mark)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
			ON CONFLICT (organisation, user_id, id) DO UPDATE SET
				kind = excluded.kind, time = excluded.time, method = excluded.method, passkey_id = excluded.passkey_id, passkey = excluded.passkey,
				browser = excluded.browser, system = excluded.system, address = excluded.address, expires = excluded.expires,
				provider = excluded.provider, by_name = excluded.by_name, count = excluded.count, last = excluded.last, mark = excluded.mark`,
			e.UserID, e.ID[:], string(e.Kind), at(e.Time), e.Method, e.PasskeyID, e.Passkey, e.Client.Browser, e.Client.System, e.Client.Address, at(e.Expires), e.Provider, e.By, int64(e.Count), at(e.Last), e.Client.Mark)
	case store.SpendTicket:
		w.add(store.ErrTicketSpent, `INSERT INTO spent_tickets AS t (organisation, id, expires) VALUES ($1, $2, $3)
			ON CONFLICT (organisation, id) DO UPDATE SET expires = excluded.expires WHERE t.expires <= $4`,
			op.Ticket.ID[:], at(op.Ticket.Expires), w.now)
	case store.PutLink:
		w.add(nil, `INSERT INTO links (organisation, key, hash, expires) VALUES ($1, $2, $3, $4)
			ON CONFLICT (organisation, key) DO UPDATE SET hash = excluded.hash, expires = excluded.expires`,
			op.Link.Key, op.Link.Hash[:], at(op.Link.Expires))
	case store.TakeLink:
		w.add(store.ErrNotFound, `DELETE FROM links WHERE organisation = $1 AND key = $2 AND hash = $3 AND expires > $4`,
			op.Key, op.Hash[:], w.now)
	case store.AddSecret:
		w.add(nil, `INSERT INTO secrets (organisation, name, value) VALUES ($1, $2, $3)`, op.Name, some(op.Value))
	case store.ReplaceSecret:
		w.add(store.ErrStale, `UPDATE secrets SET value = $4 WHERE organisation = $1 AND name = $2 AND value = $3`, op.Name, some(op.Old), some(op.Value))
	default:
		panic(fmt.Sprintf("pgstore: an operation of type %T", op)) // the contract has no others
	}
}

func (w *writer) putUser(u store.User) {
	codes := make([][]byte, len(u.RecoveryCodes))
	for i := range codes {
		codes[i] = u.RecoveryCodes[i][:]
	}
	if u.Revision == 0 {
		w.add(nil, `INSERT INTO users (organisation, id, revision, name, display_name, handle, admin, disabled, created, password, recovery_codes, recovery_codes_made)
			VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			u.ID, u.Name, u.DisplayName, some(u.Handle), u.Admin, u.Disabled, at(u.Created), u.Password, codes, at(u.RecoveryCodesMade))
	} else {
		w.add(store.ErrStale, `UPDATE users SET revision = revision + 1, name = $3, display_name = $4, handle = $5, admin = $6, disabled = $7, created = $8, password = $9,
				recovery_codes = $11, recovery_codes_made = $12
			WHERE organisation = $1 AND id = $2 AND revision = $10`,
			u.ID, u.Name, u.DisplayName, some(u.Handle), u.Admin, u.Disabled, at(u.Created), u.Password, int64(u.Revision), codes, at(u.RecoveryCodesMade))
		passkeys, identities := make([]string, len(u.Passkeys)), make([]string, len(u.Identities))
		for i, p := range u.Passkeys {
			passkeys[i] = p.ID
		}
		for i, identity := range u.Identities {
			identities[i] = identity.ID
		}
		w.add(nil, `DELETE FROM passkeys WHERE organisation = $1 AND user_id = $2 AND NOT (id = ANY ($3))`, u.ID, passkeys)
		w.add(nil, `DELETE FROM identities WHERE organisation = $1 AND user_id = $2 AND NOT (id = ANY ($3))`, u.ID, identities)
	}
	w.locked[u.ID] = true
	for i, p := range u.Passkeys {
		w.putPasskey(u.ID, i, p)
	}
	for i, identity := range u.Identities {
		w.putIdentity(u.ID, i, identity)
	}
}

// putIdentity writes an identity if it is new or has changed.
func (w *writer) putIdentity(userID string, position int, i store.Identity) {
	w.add(nil, `INSERT INTO identities AS i (organisation, user_id, id, position, issuer, subject, name, created, last_used)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (organisation, user_id, id) DO UPDATE SET
			position = excluded.position, issuer = excluded.issuer, subject = excluded.subject, name = excluded.name,
			created = excluded.created, last_used = excluded.last_used
		WHERE (i.position, i.issuer, i.subject, i.name, i.created, i.last_used)
			IS DISTINCT FROM (excluded.position, excluded.issuer, excluded.subject, excluded.name, excluded.created, excluded.last_used)`,
		userID, i.ID, position, i.Issuer, i.Subject, i.Name, at(i.Created), at(i.LastUsed))
}

// putPasskey writes a passkey if it is new or has changed. At a sign-in only the
// one that was used has.
func (w *writer) putPasskey(userID string, position int, p store.Passkey) {
	w.add(nil, `INSERT INTO passkeys AS p (organisation, user_id, id, position, credential_id, public_key, name, aaguid, format, attachment, transports, flags, sign_count, verified, rp_id, created, last_used)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (organisation, user_id, id) DO UPDATE SET
			position = excluded.position, credential_id = excluded.credential_id, public_key = excluded.public_key, name = excluded.name,
			aaguid = excluded.aaguid, format = excluded.format, attachment = excluded.attachment, transports = excluded.transports,
			flags = excluded.flags, sign_count = excluded.sign_count, verified = excluded.verified, rp_id = excluded.rp_id, created = excluded.created, last_used = excluded.last_used
		WHERE (p.position, p.credential_id, p.public_key, p.name, p.aaguid, p.format, p.attachment, p.transports, p.flags, p.sign_count, p.verified, p.rp_id, p.created, p.last_used)
			IS DISTINCT FROM (excluded.position, excluded.credential_id, excluded.public_key, excluded.name, excluded.aaguid, excluded.format, excluded.attachment,
				excluded.transports, excluded.flags, excluded.sign_count, excluded.verified, excluded.rp_id, excluded.created, excluded.last_used)`,
		userID, p.ID, position, some(p.CredentialID), some(p.PublicKey), p.Name, pgtype.UUID{Bytes: p.AAGUID, Valid: true}, p.Format, p.Attachment,
		some(p.Transports), int16(p.Flags), int64(p.SignCount), p.Verified, p.RPID, at(p.Created), at(p.LastUsed))
}

// makeRoom ends the sessions that are too many with a new one.
func (w *writer) makeRoom(op store.AddSession) {
	if op.Most > 0 {
		w.add(nil, `DELETE FROM sessions WHERE organisation = $1 AND id IN (
			SELECT id FROM sessions WHERE organisation = $1 AND user_id = $2 AND expires > $3 ORDER BY seen DESC, id DESC OFFSET $4)`,
			op.Session.UserID, w.now, op.Most-1)
	}
}

func (w *writer) addSession(v store.Session) {
	// An expired session with this id may not be swept yet.
	w.add(store.ErrSessionExists, `INSERT INTO sessions AS s (organisation, `+sessionColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (organisation, id) DO UPDATE SET
			user_id = excluded.user_id, method = excluded.method, passkey_id = excluded.passkey_id, browser = excluded.browser, system = excluded.system,
			address = excluded.address, created = excluded.created, seen = excluded.seen, authenticated = excluded.authenticated, expires = excluded.expires,
			provider = excluded.provider, mark = excluded.mark
		WHERE s.expires <= $15`, append(sessionValues(v), w.now)...)
}

func (w *writer) replaceSession(op store.ReplaceSession) {
	if op.Old == op.Session.ID {
		w.add(store.ErrNotFound, `UPDATE sessions SET user_id = $3, method = $4, passkey_id = $5, browser = $6, system = $7,
			address = $8, created = $9, seen = $10, authenticated = $11, expires = $12, provider = $13, mark = $14
			WHERE organisation = $1 AND id = $2 AND expires > $15`, append(sessionValues(op.Session), w.now)...)
		return
	}
	w.add(store.ErrNotFound, `DELETE FROM sessions WHERE organisation = $1 AND id = $2 AND expires > $3`, op.Old[:], w.now)
	w.addSession(op.Session)
}

// sessionValues returns the values of sessionColumns.
func sessionValues(v store.Session) []any {
	return []any{
		v.ID[:], v.UserID, v.Method, v.PasskeyID, v.Client.Browser, v.Client.System, v.Client.Address,
		at(v.Created), at(v.Seen), at(v.Authenticated), at(v.Expires), v.Provider, v.Client.Mark,
	}
}
