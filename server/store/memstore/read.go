package memstore

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// read locks the store for reading, unless ctx or the store has ended.
func (s *Store) read(ctx context.Context) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return nil, errClosed
	}
	return s.mu.RUnlock, nil
}

// User implements [store.Store].
func (s *Store) User(ctx context.Context, id string) (store.User, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return store.User{}, err
	}
	defer unlock()
	return s.user(id)
}

func (s *Store) user(id string) (store.User, error) {
	encoded, ok := s.users[id]
	if !ok {
		return store.User{}, store.ErrNotFound
	}
	return store.DecodeUser(encoded)
}

// UserByName implements [store.Store].
func (s *Store) UserByName(ctx context.Context, name string) (store.User, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return store.User{}, err
	}
	defer unlock()
	return s.user(s.names[name])
}

// UserByCredential implements [store.Store].
func (s *Store) UserByCredential(ctx context.Context, credentialID []byte) (store.User, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return store.User{}, err
	}
	defer unlock()
	return s.user(s.credentials[string(credentialID)])
}

// UserByIdentity implements [store.Store].
func (s *Store) UserByIdentity(ctx context.Context, issuer, subject string) (store.User, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return store.User{}, err
	}
	defer unlock()
	return s.user(s.identities[[2]string{issuer, subject}])
}

// UserByEmail implements [store.Store].
func (s *Store) UserByEmail(ctx context.Context, address string) (store.User, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return store.User{}, err
	}
	defer unlock()
	return s.user(s.emails[store.EmailKey(address)])
}

// Users implements [store.Store].
func (s *Store) Users(ctx context.Context, query store.UserQuery, limit int) (found []store.User, next string, err error) {
	if err := query.Check(); err != nil {
		return nil, "", err
	}
	unlock, err := s.read(ctx)
	if err != nil {
		return nil, "", err
	}
	defer unlock()

	entries := map[[2]string]store.User{} // by entry and id
	for id := range s.users {
		user, err := s.user(id)
		if err != nil {
			return nil, "", err
		}
		for _, entry := range append(user.Entries(), user.Name) {
			entries[[2]string{entry, id}] = user
		}
	}
	inOrder := slices.SortedFunc(maps.Keys(entries), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	search, err := query.Search(limit, func(prefix string, most int) (n int, err error) {
		for _, at := range inOrder {
			if strings.HasPrefix(at[0], prefix) {
				n++
			}
		}
		return min(n, most), nil
	})
	if err != nil {
		return nil, "", err
	}
	for _, at := range inOrder {
		isName := at[0] == entries[at].Name
		if search.Prefix == "" != isName || !strings.HasPrefix(at[0], search.Prefix) || slices.Compare(at[:], []string{search.From, search.FromID}) <= 0 {
			continue
		}
		if !search.Take(at[0], at[1]) {
			break
		}
	}
	for _, f := range search.Found {
		user, err := s.user(f.UserID)
		if err != nil {
			return nil, "", err
		}
		if search.Keeps(f, user) {
			found = append(found, user)
		}
	}
	return found, search.Next(), nil
}

func page[T any](all []T, limit int, order func(a, b T) int) []T {
	slices.SortFunc(all, order)
	return all[:min(len(all), max(limit, 0))]
}

// HasAdministrator implements [store.Store].
func (s *Store) HasAdministrator(ctx context.Context) (bool, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()

	for id := range s.users {
		user, err := s.user(id)
		if err != nil || user.IsAdministrator() {
			return user.IsAdministrator(), err
		}
	}
	return false, nil
}

// Session implements [store.Store].
func (s *Store) Session(ctx context.Context, id store.Hash) (store.Session, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return store.Session{}, err
	}
	defer unlock()
	return s.session(id)
}

func (s *Store) session(id store.Hash) (store.Session, error) {
	return unexpired(s, s.sessions[id], store.DecodeSession, func(v store.Session) time.Time { return v.Expires })
}

// SessionUser implements [store.Store].
func (s *Store) SessionUser(ctx context.Context, id store.Hash) (store.Session, store.User, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return store.Session{}, store.User{}, err
	}
	defer unlock()
	session, err := s.session(id)
	if err != nil {
		return store.Session{}, store.User{}, err
	}
	user, err := s.user(session.UserID)
	return session, user, err
}

// unexpired decodes a record. It fails with ErrNotFound if there is none or it has expired.
func unexpired[T any](s *Store, encoded []byte, decode func([]byte) (T, error), expires func(T) time.Time) (T, error) {
	var none T
	if encoded == nil {
		return none, store.ErrNotFound
	}
	record, err := decode(encoded)
	if err != nil {
		return none, err
	}
	if !s.now().Before(expires(record)) {
		return none, store.ErrNotFound
	}
	return record, nil
}

// Sessions implements [store.Store].
func (s *Store) Sessions(ctx context.Context, userID string, after store.Hash, limit int) ([]store.Session, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()

	found := slices.DeleteFunc(s.sessionsOf(userID), func(v store.Session) bool { return bytes.Compare(v.ID[:], after[:]) <= 0 })
	return page(found, limit, func(a, b store.Session) int { return bytes.Compare(a.ID[:], b.ID[:]) }), nil
}

// sessionsOf returns the sessions of a user that have not expired.
func (s *Store) sessionsOf(userID string) (found []store.Session) {
	for id := range s.sessions {
		if session, err := s.session(id); err == nil && session.UserID == userID {
			found = append(found, session)
		}
	}
	return found
}

// Events implements [store.Store].
func (s *Store) Events(ctx context.Context, userID string, before store.EventID, limit int) ([]store.Event, error) {
	query := store.EventQuery{}
	if before != (store.EventID{}) {
		query.Before = store.EventMark{ID: before, UserID: userID}
	}
	return s.selected(ctx, func(v store.Event) bool { return v.UserID == userID && query.Selects(v) }, limit)
}

// AllEvents implements [store.Store].
func (s *Store) AllEvents(ctx context.Context, query store.EventQuery, limit int) ([]store.Event, error) {
	return s.selected(ctx, query.Selects, limit)
}

func (s *Store) selected(ctx context.Context, is func(store.Event) bool, limit int) ([]store.Event, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()

	var found []store.Event
	for _, encoded := range s.events {
		event, err := unexpired(s, encoded, store.DecodeEvent, expiresOfEvent)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if is(event) {
			found = append(found, event)
		}
	}
	return page(found, limit, func(a, b store.Event) int { return b.Mark().Compare(a.Mark()) }), nil
}

// Counts implements [store.Store].
func (s *Store) Counts(ctx context.Context) (store.Counts, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()

	counts := store.Counts{}
	for id := range s.users {
		user, err := s.user(id)
		if err != nil {
			return nil, err
		}
		for _, category := range user.Counted() {
			counts[category]++
		}
	}
	for _, encoded := range s.events {
		event, err := store.DecodeEvent(encoded)
		if err != nil {
			return nil, err
		}
		if category, n := event.Counted(); category != "" && store.IsCounted(category, s.now()) {
			counts[category] += n
		}
	}
	return counts, nil
}

// Item implements [store.Store].
func (s *Store) Item(ctx context.Context, owner, collection, key string) (store.Item, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return store.Item{}, err
	}
	defer unlock()
	return s.item(itemName{owner, collection, key})
}

func (s *Store) item(name itemName) (store.Item, error) {
	return unexpired(s, s.items[name], store.DecodeItem, expiresOfItem)
}

// Items implements [store.Store].
func (s *Store) Items(ctx context.Context, owner, collection, after string, limit int) ([]store.Item, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()

	var found []store.Item
	for name := range s.items {
		if name.owner != owner || name.collection != collection || name.key <= after {
			continue
		}
		item, err := s.item(name)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, item)
	}
	return page(found, limit, func(a, b store.Item) int { return cmp.Compare(a.Key, b.Key) }), nil
}

// Records implements [store.Store].
func (s *Store) Records(ctx context.Context, kind store.Kind, after []byte, limit int) ([]store.Record, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()

	ops, err := s.opsOf(kind)
	var records []store.Record
	for _, op := range ops {
		if record := store.RecordOf(op); after == nil || bytes.Compare(record.Key, after) > 0 {
			records = append(records, record)
		}
	}
	return page(records, limit, func(a, b store.Record) int { return bytes.Compare(a.Key, b.Key) }), err
}

// opsOf returns the operations that write all records of a kind.
func (s *Store) opsOf(kind store.Kind) (ops store.Batch, err error) {
	switch kind {
	case store.KindUser:
		return each(s.users, store.DecodeUser, func(v store.User) (store.Op, bool) { return store.PutUser{User: v}, true })
	case store.KindSession:
		return each(s.sessions, store.DecodeSession, func(v store.Session) (store.Op, bool) { return store.AddSession{Session: v}, s.lives(v.Expires) })
	case store.KindEvent:
		return each(s.events, store.DecodeEvent, func(v store.Event) (store.Op, bool) { return store.AddEvent{Event: v}, s.lives(v.Expires) })
	default:
		return each(s.items, store.DecodeItem, func(v store.Item) (store.Op, bool) { return store.PutItem{Item: v}, s.lives(expiresOfItem(v)) })
	}
}

func (s *Store) lives(expires time.Time) bool { return s.now().Before(expires) }

func expiresOfEvent(v store.Event) time.Time { return v.Expires }

// expiresOfItem returns a time that never comes for an item that doesn't expire.
func expiresOfItem(v store.Item) time.Time {
	if v.Expires.IsZero() {
		return time.Unix(1<<40, 0)
	}
	return v.Expires
}

// each decodes all records of a kind, except those that op rejects.
func each[K comparable, V any](kept map[K][]byte, decode func([]byte) (V, error), op func(V) (store.Op, bool)) (ops store.Batch, err error) {
	for _, encoded := range kept {
		v, err := decode(encoded)
		if err != nil {
			return nil, err
		}
		if op, lives := op(v); lives {
			ops = append(ops, op)
		}
	}
	return ops, nil
}
