package boltstore

import (
	"bytes"
	"time"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
)

// What has expired is removed by whoever writes a record of the same user, from pages that are
// written anyway. A slow sweep through the whole file finds the rest: records of users who
// don't come back, items without an owner, and blocks of the order of events.

const (
	sweepEvery = time.Minute
	// sweepStep is how many users, or items, one step looks at: a million in an hour.
	sweepStep = 20_000
	// sweepMost bounds what one step removes, so that no sign-in waits long.
	sweepMost = 256
)

// tidy removes what has expired of a user, and packs the user's events, after one walk over what
// lies beside the record.
func (w *writing) tidy(raw []byte) error {
	var gone [][]byte
	var oldest kept
	singles := 0
	cursor := w.Bucket(bucketPeople).Cursor()
	for key, value := cursor.Seek(keyOf(raw, partItems)); bytes.HasPrefix(key, raw); key, value = cursor.Next() {
		_, part, rest, ok := cutKey(key)
		switch {
		case !ok: // Check names it
		case part == partEvents:
			singles++
			oldest = kept{eventIDOf(rest), value}
		case hasEnded(value, w.passed):
			gone = append(gone, bytes.Clone(key))
		}
	}
	if singles > 0 && hasPassed(raw, oldest, w.passed) {
		if err := w.dropSingles(raw); err != nil {
			return err
		}
	}
	for _, key := range gone {
		if err := w.drop(key); err != nil {
			return err
		}
	}
	if singles <= singlesMost {
		return nil
	}
	return w.packEvents(raw)
}

func (s *Store) sweepNowAndThen(every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case at := <-ticker.C:
			s.sweepIfSteady(at)
		}
	}
}

// sweepIfSteady sweeps one step, unless the clock may be wrong.
func (s *Store) sweepIfSteady(at time.Time) {
	if s.look(at, s.now()) {
		s.sweep() // after an error the next step tries again, and a user's write will report the fault
	}
}

// look reports whether the clock is steady, and keeps what it says. Until the next look, nothing
// is removed that has ended only since: the clock may have jumped. While the clock is not
// steady, nothing is removed.
func (s *Store) look(at, now time.Time) bool {
	s.clock.Look(at, now)
	if !s.clock.IsSteady() {
		s.passed.Store(0)
		return false
	}
	s.passed.Store(now.UnixMicro())
	return true
}

// passedBy returns the time before which records may be removed that have ended.
func (s *Store) passedBy(now time.Time) time.Time {
	if passed := time.UnixMicro(s.passed.Load()); passed.Before(now) {
		return passed
	}
	return now
}

// position is where the next step of a sweep begins.
type position struct {
	user []byte // the id of the next user, nil for the first one
	item []byte // the name of the next item without an owner, after all users
	rest bool   // items come next
}

// ended is what one step of a sweep has found.
type ended struct {
	users, items, blocks [][]byte
	entries              bool // some are to be folded, or tickets with them
	marks                bool // some are of spans before all entries
}

func (e ended) isEmpty() bool {
	return len(e.users)+len(e.items)+len(e.blocks) == 0 && !e.entries && !e.marks
}

// sweep looks at the next part of the file and removes what has expired there. It looks within a
// read, so that no sign-in waits, and writes nothing if there is nothing. Done reports whether it
// reached the end of the file.
func (s *Store) sweep() (done bool, err error) {
	var found ended
	next := position{}
	err = s.read(func(tx *bbolt.Tx) error {
		if !s.swept.rest {
			found.users, next = s.expiredUsers(tx, s.swept.user)
			return nil
		}
		if found.items, next = s.expiredItems(tx, s.swept.item); next.rest {
			return nil
		}
		done = true
		now := s.now()
		found.entries = s.mayFold(tx, now)
		found.blocks, found.marks = deadBlocks(tx, s.passedBy(now)), len(deadMarks(tx)) > 0
		return nil
	})
	if err != nil {
		return false, err
	}
	if !found.isEmpty() {
		err = s.submit(func(*writing) (apply, error) {
			return func(w *writing) error { return w.remove(found) }, nil
		})
	}
	if err != nil {
		return false, err
	}
	s.swept = next
	return done, nil
}

// remove removes what a sweep has found, if it still has expired.
func (w *writing) remove(found ended) error {
	for _, raw := range found.users {
		w.users[string(raw)] = true
		if err := w.dropPast(raw); err != nil {
			return err
		}
	}
	for _, name := range found.items {
		if items := w.Bucket(bucketItems); hasEnded(items.Get(name), w.passed) {
			if err := items.Delete(name); err != nil {
				return err
			}
		}
	}
	if found.entries {
		if err := w.fold(nil); err != nil {
			return err
		}
	}
	if err := w.forgetEntries(found.blocks); err != nil {
		return err
	}
	for _, key := range deadMarks(w.Tx) {
		if err := w.Bucket(bucketKinds).Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// expiredUsers lists users who have something that has expired.
func (s *Store) expiredUsers(tx *bbolt.Tx, from []byte) (due [][]byte, next position) {
	looked := 0
	for raw := range everyUser(tx, from) {
		if looked++; looked > sweepStep || len(due) == sweepMost {
			return due, position{user: bytes.Clone(raw)}
		}
		if s.hasExpired(tx, raw) {
			due = append(due, bytes.Clone(raw))
		}
	}
	return due, position{rest: true}
}

func (s *Store) hasExpired(tx *bbolt.Tx, raw []byte) bool {
	cursor, passed := tx.Bucket(bucketPeople).Cursor(), s.passedBy(s.now())
	for key, value := cursor.Seek(keyOf(raw, partItems)); bytes.HasPrefix(key, raw); key, value = cursor.Next() {
		_, part, rest, ok := cutKey(key)
		if ok && (part == partEvents && hasPassed(raw, kept{eventIDOf(rest), value}, passed) || part != partEvents && hasEnded(value, passed)) {
			return true
		}
	}
	of := past(tx, raw)
	key, value := of.bucket.Cursor().Seek(raw)
	if !bytes.HasPrefix(key, raw) {
		return false
	}
	events, err := of.read(key, value)
	if err != nil {
		return false // Check names it
	}
	left, err := notEnded(raw, events, passed)
	return err == nil && len(left) == 0 // as a whole: a user who comes back has the others dropped
}

// expiredItems lists items without an owner that have expired.
func (s *Store) expiredItems(tx *bbolt.Tx, from []byte) (due [][]byte, next position) {
	cursor, looked, passed := tx.Bucket(bucketItems).Cursor(), 0, s.passedBy(s.now())
	for name, value := cursor.Seek(from); name != nil; name, value = cursor.Next() {
		if looked++; looked > sweepStep || len(due) == sweepMost {
			return due, position{item: bytes.Clone(name), rest: true}
		}
		if hasEnded(value, passed) {
			due = append(due, bytes.Clone(name))
		}
	}
	return due, position{}
}

// deadBlocks lists old blocks of the order that lead to no event any more. It looks at the oldest
// ones: where all events are kept for the same time, the others lead somewhere.
func deadBlocks(tx *bbolt.Tx, now time.Time) (dead [][]byte) {
	until, looked := uint64(now.Add(-store.ShortestKept).UnixNano()), 0
	cursor := tx.Bucket(bucketArchive).Cursor()
	for key, value := cursor.First(); key != nil && timeOf(key) < until && looked < sweepMost; key, value = cursor.Next() {
		if looked++; !leadsSomewhere(tx, key, value) {
			dead = append(dead, bytes.Clone(key))
		}
	}
	return dead
}

// forgetEntries removes blocks of the order that still lead to no event.
func (w *writing) forgetEntries(dead [][]byte) error {
	blocks := w.Bucket(bucketArchive)
	for _, key := range dead {
		if value := blocks.Get(key); value != nil && !leadsSomewhere(w.Tx, key, value) {
			if err := blocks.Delete(key); err != nil {
				return err
			}
		}
	}
	return nil
}

// leadsSomewhere reports whether a block has an entry whose event is still there, or is damaged.
func leadsSomewhere(tx *bbolt.Tx, key, value []byte) bool {
	entries, err := archive(tx).read(key, value)
	for _, e := range entries {
		found, err := e.events(tx)
		if err != nil || len(found) > 0 {
			return true
		}
	}
	return err != nil
}
