package warning

import (
	"sync"
	"time"
)

// Seldom keeps the log readable: what happens again and again is told once in a while. It is
// safe for concurrent use. It remembers each key that it was asked about, so there must be
// few, and strangers must not choose them.
type Seldom[K comparable] struct {
	every time.Duration
	now   func() time.Time

	mu   sync.Mutex
	told map[K]time.Time
}

// NewSeldom returns a Seldom that has told nothing yet.
func NewSeldom[K comparable](every time.Duration, now func() time.Time) *Seldom[K] {
	return &Seldom[K]{every: every, now: now, told: map[K]time.Time{}}
}

// Due reports whether to tell of key now: it wasn't told before, or long ago. Whoever is
// told so tells it.
func (s *Seldom[K]) Due(key K) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if last, told := s.told[key]; told && now.Sub(last) < s.every {
		return false
	}
	s.told[key] = now
	return true
}

// Forget is for what is over: a key that it reports comes as if for the first time.
func (s *Seldom[K]) Forget(isOver func(K) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.told {
		if isOver(key) {
			delete(s.told, key)
		}
	}
}
