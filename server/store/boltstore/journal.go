package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"iter"
	"time"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// The order of all events is a list of entries: the id of the event, its user, and its kind.
// An entry is written with its event. It isn't removed with it: an entry whose event is gone or
// has another kind counts for nothing.
//
// New entries lie in bucketRecent, which stays so small that a sign-in writes one or two pages
// of it: the event's id and the user's id -> the kind. Spent tickets lie there too, by their
// ids, which have another length. Now and then the old entries are folded into blocks of
// bucketArchive. Those are small, since bbolt fills pages badly with large values.

const (
	// foldAfter is how many new entries come before the next fold.
	foldAfter = 64
	// foldOlder is the age of what is folded. It is more than the life of a ticket, so that a
	// fold meets no tickets that it must leave.
	foldOlder = 15 * time.Minute
	// foldMost bounds one fold, so that no sign-in waits long.
	foldMost = 4096

	// shortLength is how much of a user's id an entry in the archive has. Two users with the
	// same beginning cost a look, and nothing else.
	shortLength = 5
	idLength    = len(store.EventID{})
)

// entry is a line of the order.
type entry struct {
	id   store.EventID
	user [shortLength]byte // the beginning of the user's id
	kind shared.EventKind
}

func (e entry) key() []byte { return append(append([]byte(nil), e.id[:]...), e.user[:]...) }

// putEntries writes the new entries, and folds old ones if it is time.
func (w *writing) putEntries() error {
	recent := w.Bucket(bucketRecent)
	for _, v := range w.entries {
		key := append(append([]byte(nil), v.ID[:]...), rawOf(v.UserID)...)
		if err := recent.Put(key, []byte(v.Kind)); err != nil {
			return err
		}
		if err := w.markKind(v); err != nil {
			return err
		}
		if bytes.Compare(key, w.s.folded) < 0 {
			w.s.folded = key // it comes late, as in a copy
		}
	}
	w.s.unfolded += len(w.entries)
	if w.s.unfolded < foldAfter {
		return nil
	}
	w.s.unfolded = 0
	return w.fold(w.s.folded)
}

// fold moves old entries into the archive, and removes expired tickets, from a key on. The next
// one goes on where it ended, so that tickets that may not be removed yet, as the clock may be
// wrong, are met once. A sweep begins at the front.
func (w *writing) fold(from []byte) error {
	recent, until := w.Bucket(bucketRecent), uint64(w.now.Add(-foldOlder).UnixNano())
	var old []entry
	var gone [][]byte
	cursor := recent.Cursor()
	for key, value := cursor.Seek(from); key != nil && timeOf(key) < until && len(gone) < foldMost; key, value = cursor.Next() {
		w.s.folded = bytes.Clone(key)
		e, isEntry := entryOf(key, value)
		switch {
		case isEntry:
			old = append(old, e)
		case !hasEnded(value, w.passed):
			continue
		}
		gone = append(gone, bytes.Clone(key))
	}
	if err := archive(w.Tx).insert(old); errors.Is(err, errDamaged) {
		return nil // they stay here: a damaged block keeps nobody out
	} else if err != nil {
		return err
	}
	for _, key := range gone {
		if err := recent.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// mayFold reports whether a fold from the front would find something.
func (s *Store) mayFold(tx *bbolt.Tx, now time.Time) bool {
	until, passed := uint64(now.Add(-foldOlder).UnixNano()), s.passedBy(now)
	cursor := tx.Bucket(bucketRecent).Cursor()
	for key, value := cursor.First(); key != nil && timeOf(key) < until; key, value = cursor.Next() {
		if _, isEntry := entryOf(key, value); isEntry || hasEnded(value, passed) {
			return true
		}
	}
	return false
}

// entryOf reads an entry of bucketRecent. It reports false for a ticket.
func entryOf(key, value []byte) (e entry, is bool) {
	if len(key) != idLength+rawLength {
		return entry{}, false
	}
	return entry{store.EventID(key[:idLength]), [shortLength]byte(key[idLength:]), shared.EventKind(value)}, true
}

func archive(tx *bbolt.Tx) blocks[entry] {
	return blocks[entry]{tx.Bucket(bucketArchive), nil, archiveCodec}
}

// archiveCodec writes each entry as the time since the one before, the number of its id, the
// beginning of its user's id, and its kind.
var archiveCodec = blockCodec[entry]{
	most: 24,
	key:  entry.key,
	same: func(a, b entry) bool { return a == b },
	encode: func(entries []entry) (b []byte) {
		before := entries[0].id
		for _, e := range entries {
			b = append(appendID(b, before, e.id), e.user[:]...)
			b = appendKind(b, e.kind)
			before = e.id
		}
		return b
	},
	decode: func(key, value []byte) (entries []entry, err error) {
		if len(key) != idLength+shortLength {
			return nil, errDamaged
		}
		r := reader{rest: value}
		before := store.EventID(key[:idLength])
		for len(r.rest) > 0 {
			e := entry{id: r.id(before)}
			before = e.id
			copy(e.user[:], r.bytes(shortLength))
			e.kind = r.kind()
			if r.damaged {
				return nil, errDamaged
			}
			entries = append(entries, e)
		}
		return entries, nil
	},
}

// usualKind is by far the most frequent kind, which takes one byte.
const usualKind = shared.EventSignedIn

func appendKind(b []byte, kind shared.EventKind) []byte {
	if kind == usualKind {
		return append(b, 0)
	}
	return append(binary.AppendUvarint(b, uint64(len(kind)+1)), kind...)
}

func (r *reader) kind() shared.EventKind {
	if n := r.number(); n > 0 {
		return shared.EventKind(r.bytes(n - 1))
	}
	return usualKind
}

// entriesFrom lists all entries from an id on, newest first. The zero id is the newest.
func entriesFrom(tx *bbolt.Tx, id store.EventID) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		var key []byte
		end := bytes.Repeat([]byte{0xff}, idLength+rawLength)
		if id != (store.EventID{}) {
			copy(end, id[:])
			key = end[:idLength+shortLength]
		}
		recent := tx.Bucket(bucketRecent).Cursor()
		at, kind := seekBack(recent, end)
		newer := func(than entry) bool { // gives the recent entries that are newer
			for ; at != nil; at, kind = recent.Prev() {
				e, is := entryOf(at, kind)
				if is && bytes.Compare(e.key(), than.key()) < 0 {
					return true
				}
				if is && !yield(e, nil) {
					return false
				}
			}
			return true
		}
		for e, err := range archive(tx).backwards(key) {
			if err == nil && !newer(e) || !yield(e, err) {
				return
			}
		}
		newer(entry{})
	}
}

// events returns the events of an entry, mostly one: those with its id and kind whose users' ids
// have its beginning.
func (e entry) events(tx *bbolt.Tx) (found []store.Event, err error) {
	cursor := tx.Bucket(bucketPeople).Cursor()
	for key, _ := cursor.Seek(e.user[:]); bytes.HasPrefix(key, e.user[:]); {
		raw, _, _, ok := cutKey(key)
		if !ok {
			return nil, errDamaged
		}
		v, err := getEvent(tx, raw, e.id)
		if err == nil && v.Kind == e.kind {
			found = append(found, v)
		} else if err != nil && err != store.ErrNotFound {
			return nil, err
		}
		key, _ = nextUser(cursor, raw)
	}
	return found, nil
}
