// Package live notifies the open pages of a user when something of theirs has changed:
// their passkeys, their sessions, their account.
//
// A notice doesn't say what has changed. The page asks again for what it shows, and the
// usual rules apply. So a lost notice loses nothing, and a page learns nothing that its
// user may not know. [Hub.Store] notices changes at the store, which all of them pass;
// [Hub.Listen] is for open pages.
package live

import (
	"sync/atomic"

	"github.com/keypeg/keypeg/server/store"
)

// Hub connects changes with listeners. It is safe for concurrent use.
type Hub struct {
	streams *Streams
	watch   atomic.Pointer[func(userID string)]
}

// NewHub returns a Hub with [Streams] of its own.
func NewHub() *Hub { return NewStreams(defaultMost, nil).NewHub() }

// Listener gets a notice when one user changes. Several changes before it reads are one
// notice.
type Listener struct {
	C <-chan struct{}
	// Ended is closed when the listener had to make room for a newer one.
	Ended <-chan struct{}

	signal, ended chan struct{}
	others        chan struct{} // notices about other users, or nil
	streams       *Streams
	to            user
	session       string
	number        uint64 // later listeners have larger numbers
}

// Listen begins to listen to a user's changes, until Close. Session identifies the session
// of the page. The listeners of a session, of a user and of the process are bounded; see
// [Streams].
func (h *Hub) Listen(userID, session string) *Listener {
	signal, ended := make(chan struct{}, 1), make(chan struct{})
	l := &Listener{C: signal, Ended: ended, signal: signal, ended: ended, streams: h.streams, to: user{h, userID}, session: session}
	h.streams.add(l)
	return l
}

// Others begins to listen to the changes of all other users too, until Close. Their notices
// come through the channel that it returns.
func (l *Listener) Others() <-chan struct{} {
	l.streams.mu.Lock()
	defer l.streams.mu.Unlock()
	l.others = make(chan struct{}, 1)
	if _, is := l.streams.open[l.to][l]; is { // otherwise it has ended to make room
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

// Watch makes the hub call do with the id of each user of whom something changes, on this node or another one. Do must
// not wait. There is one at most.
func (h *Hub) Watch(do func(userID string)) { h.watch.Store(&do) }

// Notify sends a notice to all listeners of a user. It never waits.
func (h *Hub) Notify(userID string) {
	if do := h.watch.Load(); do != nil {
		(*do)(userID)
	}
	h.streams.mu.Lock()
	defer h.streams.mu.Unlock()
	h.streams.marks.add(user{h, userID})
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
	default: // the notice before hasn't been read yet
	}
}

// Store returns s with notices: each batch that succeeds notifies the users whom it is
// about.
func (h *Hub) Store(s store.Store) store.Store {
	return store.Applied(s, func(batch store.Batch) {
		for _, userID := range batch.Users() {
			h.Notify(userID)
		}
	})
}
