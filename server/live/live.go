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

	"github.com/keypeg/keypeg/server/store"
)

// Hub joins those who change with those who wait. It is safe for concurrent use.
type Hub struct{ streams *Streams }

// NewHub returns a Hub with [Streams] of its own, at most [DefaultMost].
func NewHub() *Hub { return NewStreams(DefaultMost, nil).NewHub() }

// Listener hears of the changes of one user. However many come while nobody
// listens, they are one.
type Listener struct {
	C <-chan struct{}
	// Ended is closed when the listener had to make room for a newer one.
	Ended <-chan struct{}

	signal, ended chan struct{}
	others        chan struct{} // of other users' changes; nil for who doesn't hear of them
	streams       *Streams
	to            user
	session       string
	number        uint64 // a larger one began later
}

// Listen begins to hear of a user's changes, until Close. Session is whose page it is: a
// session, a user and all together have a bounded number of listeners; see [Streams].
func (h *Hub) Listen(userID, session string) *Listener {
	signal, ended := make(chan struct{}, 1), make(chan struct{})
	l := &Listener{C: signal, Ended: ended, signal: signal, ended: ended, streams: h.streams, to: user{h, userID}, session: session}
	h.streams.add(l)
	return l
}

// Others begins to hear of the changes of all other users too, until Close. They are told
// apart from the listener's own.
func (l *Listener) Others() <-chan struct{} {
	l.streams.mu.Lock()
	defer l.streams.mu.Unlock()
	l.others = make(chan struct{}, 1)
	if _, is := l.streams.open[l.to][l]; is { // else it had to make room already
		l.streams.curious[l] = struct{}{}
	}
	return l.others
}

// Close ends listening.
func (l *Listener) Close() {
	l.streams.mu.Lock()
	defer l.streams.mu.Unlock()
	l.streams.remove(l)
}

// Tell wakes everybody who listens to a user. It never waits.
func (h *Hub) Tell(userID string) {
	h.streams.mu.Lock()
	defer h.streams.mu.Unlock()
	for l := range h.streams.open[user{h, userID}] {
		wake(l.signal)
	}
	for l := range h.streams.curious {
		if l.to.hub == h && l.to.id != userID {
			wake(l.others)
		}
	}
}

func wake(signal chan struct{}) {
	select {
	case signal <- struct{}{}:
	default: // it has not yet heard of the one before
	}
}

// Store returns s, with every batch that was applied told to the users whom it is
// about.
func (h *Hub) Store(s store.Store) store.Store {
	w := &watched{s, h}
	if prober, can := s.(store.Prober); can {
		return &watchedProber{w, prober}
	}
	return w
}

type watched struct {
	store.Store
	hub *Hub
}

// watchedProber is a watched store that can be probed. Not all can.
type watchedProber struct {
	*watched
	store.Prober
}

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
