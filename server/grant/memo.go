package grant

import (
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/internal/recent"
	"github.com/keypeg/keypeg/server/store"
)

const (
	// keptFor is how long what was found is kept, if nothing is written before.
	keptFor = time.Minute
	// mostKept bounds what is kept. One has as much as its user's record, with twenty passkeys some 10 kB.
	mostKept = 250
)

// memo holds what [Service.Find] found, so that the many requests of a page behind a proxy don't read the
// same three records again and again: reading them was more than a third of a check's CPU time.
//
// It knows nothing of what ends a grant. Any write empties it, whoever wrote what, and the next check reads
// again. So it is for a store that counts its writes ([store.WriteCounter]), which no other process
// writes to, and with another store it keeps nothing. It is safe for concurrent use.
type memo struct {
	count store.WriteCounter // nil keeps nothing

	mu    sync.Mutex
	at    uint64 // the count of writes that found belongs to
	found *recent.Map[string, found]
}

// found is what a reference stands for, and when the first of its records expires.
type found struct {
	Standing
	expires time.Time
}

func newMemo(s store.Store) *memo {
	count, _ := store.As[store.WriteCounter](s)
	return &memo{count: count}
}

// get returns what a reference stands for, if that is known. Writes is for [memo.put].
func (m *memo) get(reference string, now time.Time) (on Standing, writes uint64, is bool) {
	if m.count == nil {
		return Standing{}, 0, false
	}
	writes = m.count.Writes() // before anything is read: whatever is written from here on counts
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.found == nil || m.at != writes {
		return Standing{}, writes, false
	}
	f, is := m.found.Get(reference, now)
	return f.Standing, writes, is && now.Before(f.expires)
}

// put keeps what was read after a get with this count of writes.
func (m *memo) put(reference string, on Standing, expires time.Time, writes uint64, now time.Time) {
	if m.count == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.found == nil || m.at < writes {
		m.at, m.found = writes, recent.NewMap[string, found](keptFor, mostKept)
	}
	if m.at == writes {
		m.found.Put(reference, found{on, expires}, now)
	}
}
