// Package live tells the open pages of a user that something of theirs has
// changed: their passkeys, their sessions, their account.
//
// It says that, and not what: a page asks again for what it shows, through the
// same rules as always. So nothing is lost when a message is, and nobody is told
// what they may not know. [Hub.Store] hears of changes where all of them pass,
// at the store; [Hub.Listen] is for whoever waits.
package live

import (
	"context"
	"sync"

	"github.com/keypeg/keypeg/server/store"
)

// Hub joins those who change with those who wait. It is safe for concurrent use.
type Hub struct {
	mu        sync.Mutex
	listeners map[string]map[*Listener]struct{} // by user id
}

// NewHub returns a Hub.
func NewHub() *Hub { return &Hub{listeners: map[string]map[*Listener]struct{}{}} }

// Listener hears of the changes of one user. However many come while nobody
// listens, they are one.
type Listener struct {
	C      <-chan struct{}
	signal chan struct{}
	hub    *Hub
	userID string
}

// Listen begins to hear of a user's changes, until Close.
func (h *Hub) Listen(userID string) *Listener {
	signal := make(chan struct{}, 1)
	l := &Listener{C: signal, signal: signal, hub: h, userID: userID}

	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners[userID] == nil {
		h.listeners[userID] = map[*Listener]struct{}{}
	}
	h.listeners[userID][l] = struct{}{}
	return l
}

// Close ends listening.
func (l *Listener) Close() {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	delete(l.hub.listeners[l.userID], l)
	if len(l.hub.listeners[l.userID]) == 0 {
		delete(l.hub.listeners, l.userID)
	}
}

// Tell wakes everybody who listens to a user. It never waits.
func (h *Hub) Tell(userID string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners[userID] {
		select {
		case l.signal <- struct{}{}:
		default: // it has not yet heard of the one before
		}
	}
}

// Store returns s, with every batch that was applied told to the users whom it is
// about.
func (h *Hub) Store(s store.Store) store.Store { return &watched{s, h} }

type watched struct {
	store.Store
	hub *Hub
}

// Probe implements [store.Prober].
func (w *watched) Probe(ctx context.Context) error { return store.Probe(ctx, w.Store) }

// Apply implements [store.Store].
func (w *watched) Apply(ctx context.Context, batch store.Batch) error {
	if err := w.Store.Apply(ctx, batch); err != nil {
		return err
	}
	for _, userID := range batch.Users() {
		w.hub.Tell(userID)
	}
	return nil
}
