// Package memstore keeps records in memory: for tests, and for trying things
// out. Nothing survives the process.
//
// It is the contract's plainest reading: maps of encoded records behind one
// lock. Encoding gives every caller bytes of its own.
package memstore

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// Store implements [store.Store].
type Store struct {
	now store.Clock

	mu          sync.RWMutex
	closed      bool
	users       map[string][]byte    // by id
	names       map[string]string    // sign-in name to id
	credentials map[string]string    // credential id to user id
	identities  map[[2]string]string // issuer and subject to user id
	sessions    map[store.Hash][]byte
	events      map[eventKey][]byte
	links       map[string][]byte
	secrets     map[string][]byte
	tickets     map[[16]byte][]byte
}

// eventKey names an event: each user has ids of their own.
type eventKey struct {
	userID string
	id     store.EventID
}

var _ store.Store = (*Store)(nil)

var errClosed = errors.New("memstore: closed")

// New returns an empty store.
func New(now store.Clock) *Store {
	return &Store{
		now:   now,
		users: map[string][]byte{}, names: map[string]string{}, credentials: map[string]string{}, identities: map[[2]string]string{},
		sessions: map[store.Hash][]byte{}, events: map[eventKey][]byte{},
		links: map[string][]byte{}, secrets: map[string][]byte{}, tickets: map[[16]byte][]byte{},
	}
}

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

// unexpired decodes a record, if there is one and its time has not come.
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

// sessionsOf are those of a user that have not expired.
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

// opsOf are the operations that write what there is of a kind.
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

// each decodes what is kept of a kind, but for what doesn't live.
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

// Apply implements [store.Store].
func (s *Store) Apply(ctx context.Context, batch store.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}

	for _, op := range batch {
		if err := s.check(op); err != nil {
			return err
		}
	}
	for _, op := range batch {
		s.do(op)
	}
	return nil
}

func (s *Store) check(op store.Op) error {
	switch op := op.(type) {
	case store.PutUser:
		return s.checkUser(op.User)
	case store.RemoveUser:
		return op.MayRemove(s.user(op.ID))
	case store.AddSession:
		return s.free(op.Session.ID)
	case store.ReplaceSession:
		if _, err := s.session(op.Old); err != nil {
			return err
		}
		if op.Session.ID != op.Old {
			return s.free(op.Session.ID)
		}
	case store.SpendTicket:
		_, err := unexpired(s, s.tickets[op.Ticket.ID], store.DecodeSpentTicket, func(v store.SpentTicket) time.Time { return v.Expires })
		return taken(err, store.ErrTicketSpent)
	case store.TakeLink:
		link, err := s.link(op.Key)
		if err == nil && link.Hash != op.Hash {
			err = store.ErrNotFound
		}
		return err
	case store.AddSecret:
		if _, ok := s.secrets[op.Name]; ok {
			return store.ErrSecretExists
		}
	case store.ReplaceSecret:
		if value, ok := s.secrets[op.Name]; !ok || !bytes.Equal(value, op.Old) {
			return store.ErrStale
		}
	}
	return nil
}

// taken turns "it isn't there" into success, and "it is" into exists.
func taken(err, exists error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		return exists
	}
	return err
}

func (s *Store) free(id store.Hash) error {
	_, err := s.session(id)
	return taken(err, store.ErrSessionExists)
}

func (s *Store) checkUser(u store.User) error {
	if err := u.MayReplace(s.user(u.ID)); err != nil {
		return err
	}

	if id, ok := s.names[u.Name]; ok && id != u.ID {
		return store.ErrNameExists
	}
	for _, p := range u.Passkeys {
		if id, ok := s.credentials[string(p.CredentialID)]; ok && id != u.ID {
			return store.ErrCredentialExists
		}
	}
	for _, i := range u.Identities {
		if id, ok := s.identities[[2]string{i.Issuer, i.Subject}]; ok && id != u.ID {
			return store.ErrIdentityExists
		}
	}
	return nil
}

func (s *Store) do(op store.Op) {
	switch op := op.(type) {
	case store.PutUser:
		s.putUser(op.User)
	case store.RemoveUser:
		s.removeUser(op.ID)
	case store.AddSession:
		for _, old := range op.Ends(s.sessionsOf(op.Session.UserID)) {
			delete(s.sessions, old.ID)
		}
		s.sessions[op.Session.ID] = op.Session.Encode()
	case store.ReplaceSession:
		delete(s.sessions, op.Old)
		s.sessions[op.Session.ID] = op.Session.Encode()
	case store.EndSession:
		delete(s.sessions, op.ID)
	case store.EndSessions:
		s.endSessions(op)
	case store.AddEvent:
		s.events[eventKey{op.Event.UserID, op.Event.ID}] = op.Event.Encode()
	case store.SpendTicket:
		s.tickets[op.Ticket.ID] = op.Ticket.Encode()
	case store.PutLink:
		s.links[op.Link.Key] = op.Link.Encode()
	case store.TakeLink:
		delete(s.links, op.Key)
	case store.AddSecret:
		s.secrets[op.Name] = slices.Clone(op.Value)
	case store.ReplaceSecret:
		s.secrets[op.Name] = slices.Clone(op.Value)
	}
}

func (s *Store) putUser(u store.User) {
	s.dropUser(u.ID)
	u.Revision++
	s.users[u.ID] = u.Encode()
	s.names[u.Name] = u.ID
	for _, p := range u.Passkeys {
		s.credentials[string(p.CredentialID)] = u.ID
	}
	for _, i := range u.Identities {
		s.identities[[2]string{i.Issuer, i.Subject}] = u.ID
	}
}

// dropUser removes a user's record, if it is there, and what leads to it.
func (s *Store) dropUser(id string) {
	old, err := s.user(id)
	if err != nil {
		return
	}
	delete(s.users, id)
	delete(s.names, old.Name)
	for _, p := range old.Passkeys {
		delete(s.credentials, string(p.CredentialID))
	}
	for _, i := range old.Identities {
		delete(s.identities, [2]string{i.Issuer, i.Subject})
	}
}

func (s *Store) removeUser(id string) {
	s.dropUser(id)
	s.endSessions(store.EndSessions{UserID: id})
	maps.DeleteFunc(s.events, func(key eventKey, _ []byte) bool { return key.userID == id })
}

func (s *Store) endSessions(op store.EndSessions) {
	for id, encoded := range s.sessions {
		session, err := store.DecodeSession(encoded)
		if err == nil && op.Ends(session) {
			delete(s.sessions, id)
		}
	}
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}
