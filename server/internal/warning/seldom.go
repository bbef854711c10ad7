package warning

import (
	"maps"
	"sync"
	"time"
)

// Seldom limits how often the same thing is logged. It is safe for concurrent use. It
// remembers at most a thousand keys; while it can't remember another key, that one isn't
// logged.
type Seldom[K comparable] struct {
	every time.Duration
	now   func() time.Time

	mu       sync.Mutex
	reported map[K]time.Time
}

// mostKeys bounds the memory, because a key may have text of an identity provider.
const mostKeys = 1000

// NewSeldom returns a Seldom that lets each key pass once in every.
func NewSeldom[K comparable](every time.Duration, now func() time.Time) *Seldom[K] {
	return &Seldom[K]{every: every, now: now, reported: map[K]time.Time{}}
}

// Due reports whether to log key now: it wasn't logged before, or long ago. A caller that
// gets true must log it, because the key counts as logged from then on.
func (s *Seldom[K]) Due(key K) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if last, found := s.reported[key]; found && now.Sub(last) < s.every {
		return false
	}
	if len(s.reported) >= mostKeys {
		maps.DeleteFunc(s.reported, func(_ K, last time.Time) bool { return now.Sub(last) >= s.every })
	}
	if _, found := s.reported[key]; !found && len(s.reported) >= mostKeys {
		return false
	}
	s.reported[key] = now
	return true
}

// Forget forgets the keys that are over, so that they are logged at once when they come
// again.
func (s *Seldom[K]) Forget(isOver func(K) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.reported {
		if isOver(key) {
			delete(s.reported, key)
		}
	}
}
