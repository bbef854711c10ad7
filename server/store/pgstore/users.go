package pgstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/keypeg/keypeg/server/store"
)

const userColumns = `u.id, u.revision, u.name, u.display_name, u.handle, u.disabled, u.created, u.last_sign_in, u.password, u.recovery_codes, u.recovery_codes_made,
	u.email, u.email_verified, u.email_reserved, u.language, u.groups, u.role, u.helps, u.external_id, u.password_set, u.invited, u.invited_by, u.first_passkey, u.held_until, u.changed, ` + identitiesOfUser + `,
	p.id, p.credential_id, p.public_key, p.name, p.aaguid, p.format, p.attachment, p.transports, p.flags, p.sign_count, p.verified, p.rp_id, p.attested, p.created, p.last_used`

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

const userByName = `SELECT ` + userColumns + ` FROM users u` + withPasskeys +
	`WHERE u.organisation = $1 AND u.id = (SELECT id FROM users WHERE organisation = $1 AND name = $2) ORDER BY p.position`

// UserByName implements [store.Store].
func (s *Store) UserByName(ctx context.Context, name string) (store.User, error) {
	if !storable(name) {
		return store.User{}, store.ErrNotFound
	}
	return s.user(ctx, userByName, name)
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

// UserByEmail implements [store.Store].
func (s *Store) UserByEmail(ctx context.Context, address string) (store.User, error) {
	if !storable(address) {
		return store.User{}, store.ErrNotFound
	}
	return s.user(ctx, `SELECT `+userColumns+` FROM users u`+withPasskeys+
		`WHERE u.organisation = $1 AND u.id = (SELECT id FROM users WHERE organisation = $1 AND email_key = $2) ORDER BY p.position`, store.EmailKey(address))
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

// scanUsers reads users from rows of one passkey each, or of none.
func scanUsers(rows pgx.Rows) ([]store.User, error) { return scanUsersAfter(rows, nil) }

// scanUsersAfter is scanUsers for rows with other columns before those of users.
func scanUsersAfter(rows pgx.Rows, before []any) (users []store.User, err error) {
	for rows.Next() {
		var (
			u                   store.User
			created, made, used pgtype.Timestamptz
			lastSignIn          pgtype.Timestamptz
			groups, helps       []string
			codes               [][]byte
			codesMade           pgtype.Timestamptz
			passwordSet         pgtype.Timestamptz
			invited, enrolled   pgtype.Timestamptz
			heldUntil, changed  pgtype.Timestamptz
			identities          []identityRow
			id, name, format    *string
			attachment, rpID    *string
			credential, key     []byte
			aaguid              pgtype.UUID
			transports          []string
			flags               *int16
			count               *int64
			verified, attested  *bool
			revision            int64
		)
		err := rows.Scan(append(slices.Clone(before),
			&u.ID, &revision, &u.Name, &u.DisplayName, &u.Handle, &u.Disabled, &created, &lastSignIn, &u.Password, &codes, &codesMade,
			&u.Email, &u.EmailVerified, &u.EmailReserved, &u.Language, &groups, &u.Role, &helps, &u.ExternalID,
			&passwordSet, &invited, &u.InvitedBy, &enrolled, &heldUntil, &changed, &identities,
			&id, &credential, &key, &name, &aaguid, &format, &attachment, &transports, &flags, &count, &verified, &rpID, &attested, &made, &used)...)
		if err != nil {
			return nil, err
		}

		if len(users) == 0 || users[len(users)-1].ID != u.ID {
			u.Revision, u.Created, u.Handle = uint64(revision), moment(created), orNil(u.Handle)
			u.RecoveryCodesMade, u.LastSignIn = moment(codesMade), moment(lastSignIn)
			u.PasswordSet, u.Invited, u.FirstPasskey = moment(passwordSet), moment(invited), moment(enrolled)
			u.HeldUntil, u.Changed = moment(heldUntil), moment(changed)
			u.Groups, u.Helps = orNil(groups), orNil(helps)
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
				Verified: *verified, RPID: *rpID, Attested: *attested, Created: moment(made), LastUsed: moment(used),
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

// writtenOfUser are the columns of users that putUser writes, in the order of its values, besides
// the organisation, the id and the revision.
var writtenOfUser = []string{
	"name", "display_name", "handle", "disabled", "created", "last_sign_in", "password", "recovery_codes", "recovery_codes_made",
	"email", "email_key", "email_verified", "email_reserved", "language", "groups", "role", "helps", "external_id",
	"password_set", "invited", "invited_by", "first_passkey", "held_until", "changed", "counted", "entries",
}

var insertUser, updateUser = func() (insert, update string) {
	places, assignments := make([]string, len(writtenOfUser)), make([]string, len(writtenOfUser))
	for i, column := range writtenOfUser {
		places[i] = fmt.Sprintf("$%d", i+3)
		assignments[i] = column + " = " + places[i]
	}
	return fmt.Sprintf(`INSERT INTO users (organisation, id, revision, %s) VALUES ($1, $2, 1, %s)`, strings.Join(writtenOfUser, ", "), strings.Join(places, ", ")),
		fmt.Sprintf(`UPDATE users SET revision = revision + 1, %s WHERE organisation = $1 AND id = $2 AND revision = $%d`, strings.Join(assignments, ", "), len(writtenOfUser)+3)
}()

// emailKey is NULL for an address that isn't the user's own, which many users may have.
func emailKey(u store.User) *string {
	if key := u.UniqueEmail(); key != "" {
		return &key
	}
	return nil
}

func (w *writer) putUser(u store.User) {
	codes := make([][]byte, len(u.RecoveryCodes))
	for i := range codes {
		codes[i] = u.RecoveryCodes[i][:]
	}
	values := []any{u.ID, u.Name, u.DisplayName, some(u.Handle), u.Disabled, at(u.Created), at(u.LastSignIn), u.Password, codes, at(u.RecoveryCodesMade),
		u.Email, emailKey(u), u.EmailVerified, u.EmailReserved, u.Language, some(u.Groups), string(u.Role), some(u.Helps), u.ExternalID,
		at(u.PasswordSet), at(u.Invited), u.InvitedBy, at(u.FirstPasskey), at(u.HeldUntil), at(u.Changed), u.Counted(), u.Entries()}
	if u.Revision == 0 {
		w.add(nil, insertUser, values...)
	} else {
		w.add(store.ErrStale, updateUser, append(values, int64(u.Revision))...)
		w.keepOnly(u)
	}
	w.locked[u.ID] = true
	for i, p := range u.Passkeys {
		w.putPasskey(u.ID, i, p)
	}
	for i, identity := range u.Identities {
		w.putIdentity(u.ID, i, identity)
	}
}

// keepOnly removes the passkeys and identities that the user no longer has.
func (w *writer) keepOnly(u store.User) {
	passkeys, identities := make([]string, len(u.Passkeys)), make([]string, len(u.Identities))
	for i, p := range u.Passkeys {
		passkeys[i] = p.ID
	}
	for i, identity := range u.Identities {
		identities[i] = identity.ID
	}
	w.add(nil, `WITH others AS (DELETE FROM identities WHERE organisation = $1 AND user_id = $2 AND NOT (id = ANY ($4)))
		DELETE FROM passkeys WHERE organisation = $1 AND user_id = $2 AND NOT (id = ANY ($3))`, u.ID, passkeys, identities)
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
	w.add(nil, `INSERT INTO passkeys AS p (organisation, user_id, id, position, credential_id, public_key, name, aaguid, format, attachment, transports, flags, sign_count, verified, rp_id, attested, created, last_used)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT (organisation, user_id, id) DO UPDATE SET
			position = excluded.position, credential_id = excluded.credential_id, public_key = excluded.public_key, name = excluded.name,
			aaguid = excluded.aaguid, format = excluded.format, attachment = excluded.attachment, transports = excluded.transports,
			flags = excluded.flags, sign_count = excluded.sign_count, verified = excluded.verified, rp_id = excluded.rp_id, attested = excluded.attested, created = excluded.created, last_used = excluded.last_used
		WHERE (p.position, p.credential_id, p.public_key, p.name, p.aaguid, p.format, p.attachment, p.transports, p.flags, p.sign_count, p.verified, p.rp_id, p.attested, p.created, p.last_used)
			IS DISTINCT FROM (excluded.position, excluded.credential_id, excluded.public_key, excluded.name, excluded.aaguid, excluded.format, excluded.attachment,
				excluded.transports, excluded.flags, excluded.sign_count, excluded.verified, excluded.rp_id, excluded.attested, excluded.created, excluded.last_used)`,
		userID, p.ID, position, some(p.CredentialID), some(p.PublicKey), p.Name, pgtype.UUID{Bytes: p.AAGUID, Valid: true}, p.Format, p.Attachment,
		some(p.Transports), int16(p.Flags), int64(p.SignCount), p.Verified, p.RPID, p.Attested, at(p.Created), at(p.LastUsed))
}

func (w *writer) removeUser(op store.RemoveUser) {
	w.lock(op.ID)
	for _, table := range []string{"passkeys", "identities"} {
		w.add(nil, `DELETE FROM `+table+` WHERE organisation = $1 AND user_id = $2`, op.ID)
	}
	w.endSessions(store.EndSessions{UserID: op.ID})
	w.add(nil, `DELETE FROM items WHERE organisation = $1 AND owner = $2`, op.ID)
	if op.Revision == 0 {
		w.add(nil, `DELETE FROM users WHERE organisation = $1 AND id = $2`, op.ID)
	} else {
		w.add(store.ErrStale, `DELETE FROM users WHERE organisation = $1 AND id = $2 AND revision = $3`, op.ID, int64(op.Revision))
	}
	w.add(nil, `DELETE FROM events WHERE organisation = $1 AND user_id = $2`, op.ID)
	w.add(nil, forgetGroups, store.CountGroup("")+"%")
}

// forgetGroups deletes the counts of groups without users: the name of a group may say who was in it.
// The rows of a group are locked before they are added up, and a row that somebody inserts meanwhile
// stays, so no count is lost.
const forgetGroups = `
WITH none AS (SELECT category FROM counts WHERE organisation = $1 AND category LIKE $2 GROUP BY category HAVING sum(n) = 0),
	locked AS (SELECT category, n FROM counts WHERE organisation = $1 AND category IN (SELECT category FROM none) ORDER BY category, slot FOR UPDATE),
	still AS (SELECT category FROM locked GROUP BY category HAVING sum(n) = 0)
DELETE FROM counts WHERE organisation = $1 AND category IN (SELECT category FROM still)`
