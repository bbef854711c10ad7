package boltstore

import (
	"bytes"
	"errors"
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

// tidy removes what has expired of a user, and packs the user's events.
func (w *writing) tidy(raw []byte) error {
	var gone [][]byte
	cursor := w.Bucket(bucketPeople).Cursor()
	for key, value := cursor.Seek(keyOf(raw, partItems)); bytes.HasPrefix(key, raw); key, value = cursor.Next() {
		if isEnded(key, value, w.passed) {
			gone = append(gone, bytes.Clone(key))
		}
	}
	for _, key := range gone {
		if err := w.drop(key); err != nil {
			return err
		}
	}
	return w.packEvents(raw)
}

// isEnded reports whether an item, session or single event has expired.
func isEnded(key, value []byte, now time.Time) bool {
	raw, part, rest, _ := cutKey(key)
	if part != partEvents {
		return part != partUser && hasEnded(value, now)
	}
	event, err := decodeEvent(raw, eventIDOf(rest), value)
	return err == nil && !now.Before(event.Expires)
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

// sweep looks at the next part of the file and removes what has expired there. Done reports
// whether it reached the end of the file.
func (s *Store) sweep() (done bool, err error) {
	var users, items [][]byte
	next := position{}
	err = s.read(func(tx *bbolt.Tx) error {
		if !s.swept.rest {
			users, next = s.expiredUsers(tx, s.swept.user)
		} else {
			items, next = s.expiredItems(tx, s.swept.item)
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	done = s.swept.rest && !next.rest
	err = s.submit(func(w *writing) (apply, error) {
		if len(users)+len(items) == 0 && !done {
			return nil, errNothingToWrite
		}
		return func(w *writing) error {
			for _, raw := range users {
				w.users[string(raw)] = true
				if err := w.dropPast(raw, w.expired); err != nil {
					return err
				}
			}
			for _, name := range items {
				if items := w.Bucket(bucketItems); w.expired(endOf(items.Get(name))) {
					if err := items.Delete(name); err != nil {
						return err
					}
				}
			}
			if !done {
				return nil
			}
			return errors.Join(w.fold(nil), w.forgetEntries(), w.forgetDays())
		}, nil
	})
	if err != nil && !errors.Is(err, errNothingToWrite) {
		return false, err
	}
	s.swept = next
	return done, nil
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
		if isEnded(key, value, passed) {
			return true
		}
	}
	of := past(tx, raw)
	key, value := of.bucket.Cursor().Seek(raw)
	if !bytes.HasPrefix(key, raw) {
		return false
	}
	events, _ := of.read(key, value)
	left, err := notEnded(raw, events, func(end time.Time) bool { return !passed.Before(end) })
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

// forgetEntries removes old blocks of the order that lead to no event any more.
func (w *writing) forgetEntries() error {
	blocks := w.Bucket(bucketArchive)
	until := uint64(w.now.Add(-store.EventsKept).UnixNano())
	var gone [][]byte
	cursor := blocks.Cursor()
	for key, value := cursor.First(); key != nil && timeOf(key) < until && len(gone) < sweepMost; key, value = cursor.Next() {
		lead, err := w.leadSomewhere(key, value)
		if err != nil {
			return err
		}
		if !lead {
			gone = append(gone, bytes.Clone(key))
		}
	}
	for _, key := range gone {
		if err := blocks.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// leadSomewhere reports whether a block has an entry whose event is still there.
func (w *writing) leadSomewhere(key, value []byte) (bool, error) {
	entries, err := archive(w.Tx).read(key, value)
	for _, e := range entries {
		found, err := e.events(w.Tx)
		if err != nil || len(found) > 0 {
			return true, err
		}
	}
	return false, err
}
