// Package recent remembers values of the last minutes in bounded memory.
//
// A [Map] has two generations. A value that is put or found goes into the young generation.
// When that is full or old enough, it becomes the old generation, and the previous old one
// is dropped as a whole. So there is no timer and no list to keep in order, and strangers
// can't make the memory grow.
package recent

import "time"

// Map remembers values by key. It is not safe for concurrent use.
type Map[K comparable, V any] struct {
	life time.Duration
	most int

	young, old map[K]V
	turned     time.Time // when the young generation began
}

// NewMap returns a Map that remembers a key for at least life after its last use, and for
// at most twice as long. It forgets keys sooner only while more than most keys are used
// within one life. It never has more than twice most keys.
func NewMap[K comparable, V any](life time.Duration, most int) *Map[K, V] {
	return &Map[K, V]{life: life, most: most, young: map[K]V{}}
}

// Get returns the value of key, if it is remembered. It counts as use of the key.
func (m *Map[K, V]) Get(key K, now time.Time) (V, bool) {
	m.turn(now)
	value, found := m.young[key]
	if found {
		return value, true
	}
	if value, found = m.old[key]; found {
		m.young[key] = value
		delete(m.old, key)
	}
	return value, found
}

// Put sets the value of key.
func (m *Map[K, V]) Put(key K, value V, now time.Time) {
	m.turn(now)
	m.young[key] = value
	delete(m.old, key)
}

// Len returns how many keys are in memory, expired ones too.
func (m *Map[K, V]) Len() int { return len(m.young) + len(m.old) }

func (m *Map[K, V]) turn(now time.Time) {
	age := now.Sub(m.turned)
	if age < m.life && len(m.young) < m.most {
		return
	}
	m.young, m.old, m.turned = map[K]V{}, m.young, now
	if age >= 2*m.life {
		m.old = nil
	}
}
