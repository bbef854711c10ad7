// Package memstore keeps records in memory, for tests and trials. Nothing survives the process.
//
// It is the simplest implementation of the contract: maps of encoded records behind one lock.
// Because records are encoded, no caller shares memory with another. It has no index that
// could be wrong: whatever isn't found by its key is found by a look at all records.
package memstore

import (
	"errors"
	"sync"

	"github.com/keypeg/keypeg/server/store"
)

// Store implements [store.Store].
type Store struct {
	now store.Clock

	mu          sync.RWMutex
	closed      bool
	writes      uint64
	versions    uint64               // of items, so far
	users       map[string][]byte    // by id
	names       map[string]string    // sign-in name to id
	credentials map[string]string    // credential id to user id
	identities  map[[2]string]string // issuer and subject to user id
	emails      map[string]string    // see store.User.UniqueEmail, to user id
	sessions    map[store.Hash][]byte
	events      map[store.EventMark][]byte
	items       map[itemName][]byte
}

type itemName struct{ owner, collection, key string }

var (
	_ store.Store        = (*Store)(nil)
	_ store.WriteCounter = (*Store)(nil)
)

var errClosed = errors.New("memstore: closed")

// New returns an empty store.
func New(now store.Clock) *Store {
	return &Store{
		now:   now,
		users: map[string][]byte{}, names: map[string]string{}, credentials: map[string]string{}, identities: map[[2]string]string{}, emails: map[string]string{},
		sessions: map[store.Hash][]byte{}, events: map[store.EventMark][]byte{}, items: map[itemName][]byte{},
	}
}

// Writes implements [store.WriteCounter].
func (s *Store) Writes() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.writes
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}
