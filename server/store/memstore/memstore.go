// Package memstore keeps records in memory, for tests and trials. Nothing survives the process.
//
// It is the simplest implementation of the contract: maps of encoded records behind one lock.
// Because records are encoded, no caller shares memory with another.
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

// eventKey identifies an event. Two users may have events with the same id.
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

// Close implements [store.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}
