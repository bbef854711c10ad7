package memstore

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
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

// Users implements [store.Store].
func (s *Store) Users(ctx context.Context, after string, limit int) ([]store.User, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()

	var users []store.User
	for name, id := range s.names {
		if name > after {
			user, err := s.user(id)
			if err != nil {
				return nil, err
			}
			users = append(users, user)
		}
	}
	return page(users, limit, func(a, b store.User) int { return cmp.Compare(a.Name, b.Name) }), nil
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
		if err != nil || user.Admin {
			return user.Admin, err
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
	unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()

	var found []store.Event
	for _, encoded := range s.events {
		event, err := unexpired(s, encoded, store.DecodeEvent, func(v store.Event) time.Time { return v.Expires })
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if event.UserID == userID && (before == store.EventID{} || bytes.Compare(event.ID[:], before[:]) < 0) {
			found = append(found, event)
		}
	}
	return page(found, limit, func(a, b store.Event) int { return bytes.Compare(b.ID[:], a.ID[:]) }), nil
}

// Link implements [store.Store].
func (s *Store) Link(ctx context.Context, key string) (store.Link, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return store.Link{}, err
	}
	defer unlock()
	return s.link(key)
}

func (s *Store) link(key string) (store.Link, error) {
	return unexpired(s, s.links[key], store.DecodeLink, func(v store.Link) time.Time { return v.Expires })
}

// Secret implements [store.Store].
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()

	value, ok := s.secrets[name]
	if !ok {
		return nil, store.ErrNotFound
	}
	return slices.Clone(value), nil
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
	slices.SortFunc(records, func(a, b store.Record) int { return bytes.Compare(a.Key, b.Key) })
	return records[:min(len(records), max(limit, 0))], err
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
	case store.KindLink:
		return each(s.links, store.DecodeLink, func(v store.Link) (store.Op, bool) { return store.PutLink{Link: v}, s.lives(v.Expires) })
	case store.KindTicket:
		return each(s.tickets, store.DecodeSpentTicket, func(v store.SpentTicket) (store.Op, bool) { return store.SpendTicket{Ticket: v}, s.lives(v.Expires) })
	case store.KindSecret:
		for name, value := range s.secrets {
			ops = append(ops, store.AddSecret{Name: name, Value: slices.Clone(value)})
		}
	}
	return ops, nil
}

func (s *Store) lives(expires time.Time) bool { return s.now().Before(expires) }

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
