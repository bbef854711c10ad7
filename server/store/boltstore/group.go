package boltstore

import (
	"errors"
	"runtime"
	"time"

	"go.etcd.io/bbolt"
)

// Writes that come at the same time share a transaction, and so a trip to the disk.

// write is something that waits for its place in a transaction.
type write struct {
	check check
	done  chan error
}

// check looks whether something can be written, and returns a refusal, or what writes it.
type check func(*bbolt.Tx) (apply, error)

// apply writes. It fails by a fault only.
type apply func(*bbolt.Tx) error

// maxGroup is how many writes share a transaction at most.
const maxGroup = 512

// submit hands a write to the writer and waits until it is on disk.
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

// write is the only writer. While one group is on its way to the disk, the next
// gathers in the channel.
func (s *Store) write() {
	for first := range s.writes {
		s.commit([]write{first}, s.gatherer())
	}
}

const (
	// company are so many writers that more of them must be near. A group of at least
	// these waits for enough, but never longer than for a moment; a smaller one goes at once.
	company = 8
	enough  = 40
	moment  = 2 * time.Millisecond
)

// gatherer returns what adds to one group whoever waits to write. However often it is
// called, the moment is one.
func (s *Store) gatherer() func([]write) []write {
	var until time.Time
	return func(group []write) []write {
		group, open := s.waiting(group)
		if !open || len(group) < company || len(group) >= enough {
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

// waiting adds whoever waits already. Open tells whether more may come.
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
		// Whoever is about to write can do so first, and then shares the trip to the
		// disk. Alone, this takes no time.
		runtime.Gosched()
		yielded = true
	}
	return group, true
}

// commit writes a group in one transaction, and whoever gathers before all of it is done.
// Each write is checked against what the ones before it left; a refused one changes
// nothing, and the others go on. When a fault breaks the transaction, each write gets one
// of its own, so that one bad write can't fail its neighbours.
func (s *Store) commit(group []write, gather func([]write) []write) {
	var refusals []error
	err := s.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range growing {
			tx.Bucket(name).FillPercent = 0.9
		}
		accepted := 0
		for i := 0; i < len(group); i++ {
			if i == len(group)-1 {
				group = gather(group)
			}
			apply, refusal := group[i].check(tx)
			refusals = append(refusals, refusal)
			if refusal != nil {
				continue
			}
			if err := apply(tx); err != nil {
				return err
			}
			accepted++
		}
		if accepted == 0 {
			return errNothingToWrite
		}
		return nil
	})

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

// errNothingToWrite rolls a transaction back that would change nothing, and so
// saves its fsync.
var errNothingToWrite = errors.New("boltstore: nothing to write")
