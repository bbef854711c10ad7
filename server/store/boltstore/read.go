package boltstore

import (
	"bytes"
	"context"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
)

// view runs a read. A result must be decoded or copied, since bbolt's bytes are valid only
// during the transaction.
func view[T any](ctx context.Context, s *Store, read func(*bbolt.Tx) (T, error)) (result T, err error) {
	if err := ctx.Err(); err != nil {
		return result, err
	}
	err = s.db.View(func(tx *bbolt.Tx) error {
		result, err = read(tx)
		return err
	})
	return result, err
}

// User implements [store.Store].
func (s *Store) User(ctx context.Context, id string) (store.User, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (store.User, error) { return getUser(tx, []byte(id)) })
}

// UserByName implements [store.Store].
func (s *Store) UserByName(ctx context.Context, name string) (store.User, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (store.User, error) {
		return getUser(tx, tx.Bucket(bucketNames).Get([]byte(name)))
	})
}

// UserByCredential implements [store.Store].
func (s *Store) UserByCredential(ctx context.Context, credentialID []byte) (store.User, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (store.User, error) {
		return getUser(tx, tx.Bucket(bucketCredentials).Get(credentialID))
	})
}

// UserByIdentity implements [store.Store].
func (s *Store) UserByIdentity(ctx context.Context, issuer, subject string) (store.User, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (store.User, error) {
		return getUser(tx, tx.Bucket(bucketIdentities).Get(identityKey(issuer, subject)))
	})
}

// identityKey begins with the issuer, which is a URL and so has no zero byte.
func identityKey(issuer, subject string) []byte { return []byte(issuer + "\x00" + subject) }

func getUser(tx *bbolt.Tx, id []byte) (store.User, error) {
	encoded := tx.Bucket(bucketUsers).Get(userKey(string(id)))
	if encoded == nil {
		return store.User{}, store.ErrNotFound
	}
	return store.DecodeUser(encoded)
}

// Users implements [store.Store].
func (s *Store) Users(ctx context.Context, after string, limit int) ([]store.User, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (users []store.User, err error) {
		cursor := tx.Bucket(bucketNames).Cursor()
		for name, id := cursor.Seek([]byte(after)); name != nil && len(users) < limit; name, id = cursor.Next() {
			if string(name) == after {
				continue
			}
			user, err := getUser(tx, id)
			if err != nil {
				return nil, err
			}
			users = append(users, user)
		}
		return users, nil
	})
}

// HasAdministrator implements [store.Store].
func (s *Store) HasAdministrator(ctx context.Context) (bool, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (bool, error) {
		first, _ := tx.Bucket(bucketAdmins).Cursor().First()
		return first != nil, nil
	})
}

// Session implements [store.Store].
func (s *Store) Session(ctx context.Context, id store.Hash) (store.Session, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (store.Session, error) { return s.getSession(tx, id[:]) })
}

// SessionUser implements [store.Store].
func (s *Store) SessionUser(ctx context.Context, id store.Hash) (session store.Session, user store.User, err error) {
	user, err = view(ctx, s, func(tx *bbolt.Tx) (store.User, error) {
		if session, err = s.getSession(tx, id[:]); err != nil {
			return store.User{}, err
		}
		return getUser(tx, []byte(session.UserID))
	})
	return session, user, err
}

// getSession returns a session that has not expired.
func (s *Store) getSession(tx *bbolt.Tx, id []byte) (store.Session, error) {
	encoded := tx.Bucket(bucketSessions).Get(id)
	if encoded == nil {
		return store.Session{}, store.ErrNotFound
	}
	session, err := store.DecodeSession(encoded)
	if err == nil && !s.now().Before(session.Expires) {
		err = store.ErrNotFound
	}
	return session, err
}

// Sessions implements [store.Store].
func (s *Store) Sessions(ctx context.Context, userID string, after store.Hash, limit int) ([]store.Session, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (sessions []store.Session, err error) {
		for id := range sessionsOf(tx, userID, after[:]) {
			if len(sessions) >= limit {
				break
			}
			session, err := s.getSession(tx, id)
			if err == store.ErrNotFound {
				continue
			}
			if err != nil {
				return nil, err
			}
			sessions = append(sessions, session)
		}
		return sessions, nil
	})
}

// Events implements [store.Store].
func (s *Store) Events(ctx context.Context, userID string, before store.EventID, limit int) ([]store.Event, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (events []store.Event, err error) {
		prefix, end := ofUser(userID), eventKey(userID, before)
		if (before == store.EventID{}) {
			end = append([]byte(userID), 1) // after all keys of the user
		}

		cursor := tx.Bucket(bucketUsers).Cursor()
		back := cursor.Prev
		if key, _ := cursor.Seek(end); key == nil {
			back = cursor.Last // the user's keys are the last of the bucket
		}
		key, value := back()
		for ; bytes.HasPrefix(key, prefix) && len(events) < limit; key, value = cursor.Prev() {
			if kind, _, _ := partOf(key); kind != store.KindEvent {
				continue
			}
			event, err := store.DecodeEvent(value)
			if err != nil {
				return nil, err
			}
			if s.now().Before(event.Expires) {
				events = append(events, event)
			}
		}
		return events, nil
	})
}

// Link implements [store.Store].
func (s *Store) Link(ctx context.Context, key string) (store.Link, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (store.Link, error) { return s.getLink(tx, key) })
}

func (s *Store) getLink(tx *bbolt.Tx, key string) (store.Link, error) {
	encoded := tx.Bucket(bucketLinks).Get([]byte(key))
	if encoded == nil {
		return store.Link{}, store.ErrNotFound
	}
	link, err := store.DecodeLink(encoded)
	if err == nil && !s.now().Before(link.Expires) {
		err = store.ErrNotFound
	}
	return link, err
}

// Secret implements [store.Store].
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	return view(ctx, s, func(tx *bbolt.Tx) ([]byte, error) {
		value := tx.Bucket(bucketSecrets).Get([]byte(name))
		if value == nil {
			return nil, store.ErrNotFound
		}
		return slices.Clone(value), nil
	})
}

// Records implements [store.Store].
func (s *Store) Records(ctx context.Context, kind store.Kind, after []byte, limit int) ([]store.Record, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (records []store.Record, err error) {
		if kind == store.KindUser && after != nil {
			after = userKey(string(after))
		}
		cursor := tx.Bucket(bucketOf[kind]).Cursor()
		for key, value := cursor.Seek(after); key != nil && len(records) < limit; key, value = cursor.Next() {
			if after != nil && bytes.Equal(key, after) {
				continue
			}
			if !isOf(kind, key) {
				continue
			}
			op, expires, err := opOf(kind, key, value)
			if err != nil {
				return nil, err
			}
			if expires.IsZero() || s.now().Before(expires) {
				records = append(records, store.RecordOf(op))
			}
		}
		return records, nil
	})
}

// bucketOf is the bucket of each kind of record.
var bucketOf = map[store.Kind][]byte{
	store.KindUser: bucketUsers, store.KindEvent: bucketUsers, store.KindSession: bucketSessions,
	store.KindLink: bucketLinks, store.KindSecret: bucketSecrets, store.KindTicket: bucketTickets,
}

// isOf reports whether a key of a kind's bucket is that of a record of this kind.
func isOf(kind store.Kind, key []byte) bool {
	if kind != store.KindUser && kind != store.KindEvent {
		return true
	}
	part, _, _ := partOf(key)
	return part == kind
}

// opOf decodes a record as the operation that writes it. It also returns when the record
// expires, or the zero time.
func opOf(kind store.Kind, key, value []byte) (op store.Op, expires time.Time, err error) {
	switch kind {
	case store.KindUser:
		v, err := store.DecodeUser(value)
		return store.PutUser{User: v}, time.Time{}, err
	case store.KindSession:
		v, err := store.DecodeSession(value)
		return store.AddSession{Session: v}, v.Expires, err
	case store.KindEvent:
		v, err := store.DecodeEvent(value)
		return store.AddEvent{Event: v}, v.Expires, err
	case store.KindLink:
		v, err := store.DecodeLink(value)
		return store.PutLink{Link: v}, v.Expires, err
	case store.KindTicket:
		v, err := store.DecodeSpentTicket(value)
		return store.SpendTicket{Ticket: v}, v.Expires, err
	default:
		return store.AddSecret{Name: string(key), Value: bytes.Clone(value)}, time.Time{}, nil
	}
}
