package warning

import (
	"maps"
	"sync"
	"time"
)

// Seldom keeps the log readable: what happens again and again is told once in a while. It is
// safe for concurrent use. It remembers a thousand keys at most; while it can't remember
// another, that one isn't told.
type Seldom[K comparable] struct {
	every time.Duration
	now   func() time.Time

	mu   sync.Mutex
	told map[K]time.Time
}

// mostKeys bounds the memory: a key may hold what an identity provider says.
const mostKeys = 1000

// NewSeldom returns a Seldom that has told nothing yet.
func NewSeldom[K comparable](every time.Duration, now func() time.Time) *Seldom[K] {
	return &Seldom[K]{every: every, now: now, told: map[K]time.Time{}}
}

// Due reports whether to tell of key now: it wasn't told before, or long ago. A caller who
// gets true must tell, for the key counts as told from then on.
func (s *Seldom[K]) Due(key K) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if last, told := s.told[key]; told && now.Sub(last) < s.every {
		return false
	}
	if len(s.told) >= mostKeys {
		maps.DeleteFunc(s.told, func(_ K, last time.Time) bool { return now.Sub(last) >= s.every })
	}
	if _, told := s.told[key]; !told && len(s.told) >= mostKeys {
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
