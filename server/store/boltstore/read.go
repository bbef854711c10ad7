package boltstore

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"
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
	err = s.read(func(tx *bbolt.Tx) error {
		result, err = read(tx)
		return err
	})
	return result, err
}

// read runs a read transaction. No other code of this package may begin one, because free pages
// are overwritten while there is none.
func (s *Store) read(do func(*bbolt.Tx) error) error {
	s.readers.RLock()
	defer s.readers.RUnlock()
	return s.db.View(do)
}

// all is a limit that is none.
const all = math.MaxInt

// User implements [store.Store].
func (s *Store) User(ctx context.Context, id string) (store.User, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (store.User, error) { return getUser(tx, rawOf(id)) })
}

// UserByName implements [store.Store].
func (s *Store) UserByName(ctx context.Context, name string) (store.User, error) {
	return s.userBy(ctx, bucketNames, []byte(name))
}

// UserByCredential implements [store.Store].
func (s *Store) UserByCredential(ctx context.Context, credentialID []byte) (store.User, error) {
	return s.userBy(ctx, bucketCredentials, credentialID)
}

// UserByIdentity implements [store.Store].
func (s *Store) UserByIdentity(ctx context.Context, issuer, subject string) (store.User, error) {
	return s.userBy(ctx, bucketIdentities, identityKey(issuer, subject))
}

// UserByEmail implements [store.Store].
func (s *Store) UserByEmail(ctx context.Context, address string) (store.User, error) {
	return s.userBy(ctx, bucketEmails, []byte(store.EmailKey(address)))
}

func (s *Store) userBy(ctx context.Context, index, key []byte) (store.User, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (store.User, error) { return getUser(tx, tx.Bucket(index).Get(key)) })
}

func getUser(tx *bbolt.Tx, raw []byte) (store.User, error) {
	value := tx.Bucket(bucketPeople).Get(userKey(raw))
	if value == nil {
		return store.User{}, store.ErrNotFound
	}
	return decodeUser(raw, value)
}

// Session implements [store.Store].
func (s *Store) Session(ctx context.Context, id store.Hash) (store.Session, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (store.Session, error) { return getSession(tx, id, s.now()) })
}

// SessionUser implements [store.Store].
func (s *Store) SessionUser(ctx context.Context, id store.Hash) (session store.Session, user store.User, err error) {
	user, err = view(ctx, s, func(tx *bbolt.Tx) (store.User, error) {
		if session, err = getSession(tx, id, s.now()); err != nil {
			return store.User{}, err
		}
		return getUser(tx, id[:rawLength])
	})
	return session, user, err
}

// getSession returns a session that has not expired.
func getSession(tx *bbolt.Tx, id store.Hash, now time.Time) (store.Session, error) {
	value := tx.Bucket(bucketPeople).Get(sessionKey(id))
	if value == nil || hasEnded(value, now) {
		return store.Session{}, store.ErrNotFound
	}
	session, err := decodeSession(id, value)
	if err == nil && !now.Before(session.Expires) {
		err = store.ErrNotFound
	}
	return session, err
}

// Sessions implements [store.Store].
func (s *Store) Sessions(ctx context.Context, userID string, after store.Hash, limit int) ([]store.Session, error) {
	return view(ctx, s, func(tx *bbolt.Tx) ([]store.Session, error) { return sessionsOf(tx, userID, after, limit, s.now()) })
}

func sessionsOf(tx *bbolt.Tx, userID string, after store.Hash, limit int, now time.Time) (sessions []store.Session, err error) {
	prefix := keyOf(rawOf(userID), partSessions)
	if prefix == nil {
		return nil, nil
	}
	from := prefix
	if after != (store.Hash{}) {
		from = sessionKey(after)
	}
	cursor := tx.Bucket(bucketPeople).Cursor()
	for key, value := cursor.Seek(from); bytes.HasPrefix(key, prefix) && len(sessions) < limit; key, value = cursor.Next() {
		if _, _, _, ok := cutKey(key); !ok {
			continue // Check names it
		}
		id := store.Hash(append(bytes.Clone(key[:rawLength]), key[len(prefix):]...))
		if id == after || hasEnded(value, now) {
			continue
		}
		session, err := decodeSession(id, value)
		if err != nil {
			return nil, err
		}
		sessions = append(sessions, session)
	}
	return sessions, nil
}

// Events implements [store.Store].
func (s *Store) Events(ctx context.Context, userID string, before store.EventID, limit int) ([]store.Event, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (events []store.Event, err error) {
		raw := rawOf(userID)
		for e, err := range eventsOf(tx, raw, before) {
			if err != nil {
				return nil, err
			}
			if len(events) >= limit {
				break
			}
			event, err := decodeEvent(raw, e.id, e.value)
			if err != nil {
				return nil, err
			}
			if e.id != before && s.now().Before(event.Expires) {
				events = append(events, event)
			}
		}
		return events, nil
	})
}

// AllEvents implements [store.Store].
func (s *Store) AllEvents(ctx context.Context, query store.EventQuery, limit int) ([]store.Event, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (events []store.Event, err error) {
		var same []store.Event // of one id
		var last store.EventID
		take := func() {
			slices.SortFunc(same, func(a, b store.Event) int { return strings.Compare(b.UserID, a.UserID) })
			same = slices.CompactFunc(same, func(a, b store.Event) bool { return a.UserID == b.UserID })
			events, same = append(events, same...), nil
		}
		for e, err := range entriesOf(tx, query.Kinds, query.Before.ID) {
			if err != nil {
				return nil, err
			}
			if e.id != last {
				if take(); len(events) >= limit {
					break
				}
				last = e.id
			}
			if len(query.Kinds) > 0 && !slices.Contains(query.Kinds, e.kind) {
				continue
			}
			found, err := e.events(tx)
			if err != nil {
				return nil, err
			}
			for _, v := range found {
				if query.Selects(v) && s.now().Before(v.Expires) {
					same = append(same, v)
				}
			}
		}
		take()
		return events[:min(len(events), max(limit, 0))], nil
	})
}

// Counts implements [store.Store].
func (s *Store) Counts(ctx context.Context) (store.Counts, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (store.Counts, error) {
		counts := store.Counts{}
		for _, bucket := range [][]byte{bucketCounts, bucketDays} {
			tx.Bucket(bucket).ForEach(func(category, value []byte) error {
				if store.IsCounted(string(category), s.now()) {
					counts[string(category)] = numberOf(value)
				}
				return nil
			})
		}
		return counts, nil
	})
}

// Item implements [store.Store].
func (s *Store) Item(ctx context.Context, owner, collection, key string) (store.Item, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (store.Item, error) { return getItem(tx, owner, collection, key, s.now()) })
}

// getItem returns an item that has not expired.
func getItem(tx *bbolt.Tx, owner, collection, key string, now time.Time) (store.Item, error) {
	bucket, at := placeOf(owner, collection, key)
	value := tx.Bucket(bucket).Get(at)
	if value == nil || hasEnded(value, now) {
		return store.Item{}, store.ErrNotFound
	}
	return decodeItem(owner, collection, key, value)
}

// Items implements [store.Store].
func (s *Store) Items(ctx context.Context, owner, collection, after string, limit int) ([]store.Item, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (items []store.Item, err error) {
		prefix := append([]byte(collection), 0)
		from := append(bytes.Clone(prefix), after...)
		for name, value := range itemsFrom(tx, owner, from) {
			key := string(bytes.TrimPrefix(name, prefix))
			if !bytes.HasPrefix(name, prefix) || len(items) >= limit {
				break
			}
			if key <= after || hasEnded(value, s.now()) {
				continue
			}
			item, err := decodeItem(owner, collection, key, value)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		return items, nil
	})
}
