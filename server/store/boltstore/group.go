package boltstore

import (
	"errors"
	"runtime"
	"time"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
)

// Writes that arrive at the same time share a transaction, and so one wait for the disk.

// write waits for its transaction.
type write struct {
	check check
	done  chan error
}

// check checks whether something may be written. It returns a refusal, or the function that writes.
type check func(*writing) (apply, error)

// apply writes. It fails only if the file can't be written.
type apply func(*writing) error

// writing is the transaction of a group, with what is written once for all of it at the end.
type writing struct {
	*bbolt.Tx
	s      *Store
	now    time.Time
	passed time.Time // what ended before may be removed

	users   map[string]bool // to tidy up, by their ids as bytes
	entries []store.Event   // new in the order of all events
	counts  map[string]int  // differences, by category
	removed bool            // a user was
}

func (s *Store) newWriting(tx *bbolt.Tx) *writing {
	now := s.now()
	return &writing{Tx: tx, s: s, now: now, passed: s.passedBy(now), users: map[string]bool{}, counts: map[string]int{}}
}

// finish writes what belongs to the group as a whole.
func (w *writing) finish() error {
	for raw := range w.users {
		if err := w.tidy([]byte(raw)); err != nil {
			return err
		}
	}
	return errors.Join(w.putEntries(), w.putCounts(), w.putEraseMark())
}

// maxGroup limits how many writes share a transaction.
const maxGroup = 512

// submit gives a write to the writer and waits until it is on the disk.
func (s *Store) submit(check check) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosed
	}
	if s.readOnly {
		return errReadOnly
	}
	w := write{check, make(chan error, 1)}
	s.writes <- w
	return <-w.done
}

// write is the only writer. While it writes one group, the next group collects in the channel.
func (s *Store) write() {
	for first := range s.writes {
		s.commit([]write{first}, s.gatherer())
	}
}

const (
	// A group of at least manyWriters waits a moment for more writes, since others must be
	// close. A smaller one is written at once.
	manyWriters = 8
	enough      = 40
	moment      = 2 * time.Millisecond
)

// gatherer returns a function that adds waiting writes to one group. All its calls together
// wait for one moment at most.
func (s *Store) gatherer() func([]write) []write {
	var until time.Time
	return func(group []write) []write {
		group, open := s.waiting(group)
		if !open || len(group) < manyWriters || len(group) >= enough {
			return group
		}
		if until.IsZero() {
			until = time.Now().Add(moment)
		}
		over := time.NewTimer(time.Until(until))
		defer over.Stop()
		for len(group) < enough {
			select {
			case w, open := <-s.writes:
				if !open {
					return group
				}
				group = append(group, w)
			case <-over.C:
				return group
			}
		}
		return group
	}
}

// waiting adds the writes that wait already. Open reports whether more can come.
func (s *Store) waiting(group []write) (_ []write, open bool) {
	for yielded := false; len(group) < maxGroup; {
		select {
		case w, open := <-s.writes:
			if !open {
				return group, false
			}
			group, yielded = append(group, w), false
			continue
		default:
		}
		if yielded {
			break
		}
		// Goroutines that are about to write come first, and then share the transaction.
		// Without any, this takes no time.
		runtime.Gosched()
		yielded = true
	}
	return group, true
}

// commit writes a group in one transaction, with the writes that arrive before it is done. Each
// write is checked against the result of those before it. A refused write changes nothing, and
// the others continue. If the transaction fails, each write gets a transaction of its own, so
// that one bad write cannot fail the others.
func (s *Store) commit(group []write, gather func([]write) []write) {
	var refusals []error
	removed := false
	err := s.db.Update(func(tx *bbolt.Tx) error {
		w, accepted := s.newWriting(tx), 0
		for i := 0; i < len(group); i++ {
			if i == len(group)-1 {
				group = gather(group)
			}
			apply, refusal := group[i].check(w)
			refusals = append(refusals, refusal)
			if refusal != nil {
				continue
			}
			if err := apply(w); err != nil {
				return err
			}
			accepted++
		}
		if accepted == 0 {
			return errNothingToWrite
		}
		removed = w.removed
		return w.finish()
	})
	if err != errNothingToWrite {
		s.written.Add(1)
	}
	if err == nil && removed {
		s.erase.Store(true)
		s.eraseIfDue() // after an error, Probe tries again and reports it
	}

	if err != nil && err != errNothingToWrite {
		err = fault(s.db.Path(), err)
	}
	if err != nil && err != errNothingToWrite && len(group) > 1 {
		for _, w := range group {
			s.commit([]write{w}, func(alone []write) []write { return alone })
		}
		return
	}
	s.wrote = s.wrote || err == nil
	for i, w := range group {
		refusal := err
		if i < len(refusals) && refusals[i] != nil {
			refusal = refusals[i]
		}
		w.done <- refusal
	}
}

// Writes implements [store.WriteCounter].
func (s *Store) Writes() uint64 { return s.written.Load() }

// errNothingToWrite rolls back a transaction that changes nothing, which saves its fsync.
var errNothingToWrite = errors.New("boltstore: nothing to write")
