package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"iter"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
)

// The newest events of a user lie beside the user's record, newest first, so that a sign-in
// writes few bytes there. All earlier ones lie in bucketPast, in blocks: a year of sign-ins
// would take four times the space singly. Now and then some go from here to there. An event
// that comes late, as in a copy, goes there at once if there is a later one.

const (
	singlesMost = 16 // so many single events, then all but singlesLeft go into blocks
	singlesLeft = 2
)

// kept is an event as it lies in the file.
type kept struct {
	id    store.EventID
	value []byte
}

func past(tx *bbolt.Tx, raw []byte) blocks[kept] {
	return blocks[kept]{tx.Bucket(bucketPast), raw, pastCodec}
}

// pastCodec writes each event as the time since the one before, the number of its id, and the
// place of its value among the different values of the block, or a new value with its length.
var pastCodec = blockCodec[kept]{
	most: 100,
	key:  func(e kept) []byte { return e.id[:] },
	same: func(a, b kept) bool { return a.id == b.id },
	encode: func(events []kept) (b []byte) {
		var values [][]byte
		before := events[0].id
		for _, e := range events {
			b = appendID(b, before, e.id)
			before = e.id
			place := slices.IndexFunc(values, func(value []byte) bool { return bytes.Equal(value, e.value) })
			if place >= 0 {
				b = binary.AppendUvarint(b, uint64(place)+1)
				continue
			}
			values = append(values, e.value)
			b = binary.AppendUvarint(append(b, 0), uint64(len(e.value)))
			b = append(b, e.value...)
		}
		return b
	},
	decode: func(key, value []byte) (events []kept, err error) {
		if len(key) != idLength {
			return nil, errDamaged
		}
		r := reader{rest: value}
		var values [][]byte
		before := store.EventID(key)
		for len(r.rest) > 0 {
			e := kept{id: r.id(before)}
			before = e.id
			place := r.number()
			if place == 0 {
				values = append(values, r.bytes(r.number()))
				place = uint64(len(values))
			}
			if r.damaged || place > uint64(len(values)) {
				return nil, errDamaged
			}
			e.value = values[place-1]
			events = append(events, e)
		}
		return events, nil
	},
}

// singlesOf lists the single events of a user from an id on, newest first. The zero id is the
// newest.
func singlesOf(tx *bbolt.Tx, raw []byte, from store.EventID) iter.Seq[kept] {
	return func(yield func(kept) bool) {
		prefix := keyOf(raw, partEvents)
		if prefix == nil {
			return
		}
		begin := prefix
		if from != (store.EventID{}) {
			begin = eventKey(raw, from)
		}
		cursor := tx.Bucket(bucketPeople).Cursor()
		for key, value := cursor.Seek(begin); bytes.HasPrefix(key, prefix); key, value = cursor.Next() {
			if len(key) != len(prefix)+idLength || !yield(kept{eventIDOf(key[len(prefix):]), value}) {
				return
			}
		}
	}
}

// eventsOf lists the events of a user from an id on, newest first, also expired ones. The zero id
// is the newest.
func eventsOf(tx *bbolt.Tx, raw []byte, from store.EventID) iter.Seq2[kept, error] {
	return func(yield func(kept, error) bool) {
		if raw == nil {
			return
		}
		for e := range singlesOf(tx, raw, from) {
			if !yield(e, nil) {
				return
			}
		}
		var key []byte
		if from != (store.EventID{}) {
			key = from[:]
		}
		for e, err := range past(tx, raw).backwards(key) {
			if !yield(e, err) {
				return
			}
		}
	}
}

// getEvent returns an event, also an expired one.
func getEvent(tx *bbolt.Tx, raw []byte, id store.EventID) (store.Event, error) {
	if value := tx.Bucket(bucketPeople).Get(eventKey(raw, id)); value != nil {
		return decodeEvent(raw, id, value)
	}
	for e, err := range past(tx, raw).backwards(id[:]) {
		if err == nil && e.id == id {
			return decodeEvent(raw, id, e.value)
		}
		if err != nil {
			return store.Event{}, err
		}
		break
	}
	return store.Event{}, store.ErrNotFound
}

// putEvent writes an event, and counts it.
func (w *writing) putEvent(v store.Event) error {
	raw := rawOf(v.UserID)
	w.countEvent(v, 1)
	w.entries = append(w.entries, v)

	e := kept{v.ID, encodeEvent(v)}
	single := func() error { return w.Bucket(bucketPeople).Put(eventKey(raw, v.ID), e.value) }
	for newest := range singlesOf(w.Tx, raw, store.EventID{}) {
		if bytes.Compare(v.ID[:], newest.id[:]) > 0 {
			return single() // as nearly always
		}
		break
	}
	if old, err := getEvent(w.Tx, raw, v.ID); err == nil {
		w.countEvent(old, -1)
	}
	for last, err := range past(w.Tx, raw).backwards(nil) {
		if err == nil && bytes.Compare(v.ID[:], last.id[:]) <= 0 {
			return past(w.Tx, raw).insert([]kept{e})
		}
		break // also at a damaged block, which keeps nobody out
	}
	return single()
}

// hasPassed reports whether an event has expired.
func hasPassed(raw []byte, e kept, passed time.Time) bool {
	v, err := decodeEvent(raw, e.id, e.value)
	return err == nil && isOver(v.Expires, passed)
}

// dropSingles removes the single events that have expired.
func (w *writing) dropSingles(raw []byte) error {
	var gone []store.EventID
	for e := range singlesOf(w.Tx, raw, store.EventID{}) {
		if hasPassed(raw, e, w.passed) {
			gone = append(gone, e.id)
			if err := w.uncount(raw, e); err != nil {
				return err
			}
		}
	}
	for _, id := range gone {
		if err := w.drop(eventKey(raw, id)); err != nil {
			return err
		}
	}
	return nil
}

// packEvents moves the earlier single events into blocks.
func (w *writing) packEvents(raw []byte) error {
	var events []kept
	for e := range singlesOf(w.Tx, raw, store.EventID{}) {
		events = append(events, e)
	}
	events = events[min(singlesLeft, len(events)):]
	if len(events) == 0 {
		return nil
	}
	slices.Reverse(events)
	for i := range events { // values are parts of pages that the first write may move
		events[i].value = bytes.Clone(events[i].value)
	}
	if err := past(w.Tx, raw).insert(events); errors.Is(err, errDamaged) {
		return nil // they stay single: a damaged block keeps nobody out
	} else if err != nil {
		return err
	}
	for _, e := range events {
		if err := w.drop(eventKey(raw, e.id)); err != nil {
			return err
		}
	}
	return w.dropPast(raw)
}

// dropPast removes the first events of a user in blocks that have ended.
func (w *writing) dropPast(raw []byte) error {
	of := past(w.Tx, raw)
	for {
		key, value := of.bucket.Cursor().Seek(raw)
		if !bytes.HasPrefix(key, raw) {
			return nil
		}
		events, err := of.read(key, value)
		if err != nil {
			return nil // Check names it
		}
		left, err := notEnded(raw, events, w.passed)
		if err != nil || len(left) == len(events) {
			return err
		}
		for _, e := range events[:len(events)-len(left)] {
			if err := w.uncount(raw, e); err != nil {
				return err
			}
		}
		for i := range left { // values are parts of the page that the deletion may move
			left[i].value = bytes.Clone(left[i].value)
		}
		if err := of.bucket.Delete(bytes.Clone(key)); err != nil {
			return err
		}
		if len(left) > 0 {
			return of.write(left, true)
		}
	}
}

// uncount takes an event from the counts. One that has expired must leave them too: the clock may
// be set back later, and then its day counts again.
func (w *writing) uncount(raw []byte, e kept) error {
	v, err := decodeEvent(raw, e.id, e.value)
	w.countEvent(v, -1)
	return err
}

// notEnded leaves out the first events, up to one that has not ended.
func notEnded(raw []byte, events []kept, passed time.Time) ([]kept, error) {
	for len(events) > 0 {
		v, err := decodeEvent(raw, events[0].id, events[0].value)
		if err != nil || !isOver(v.Expires, passed) {
			return events, err
		}
		events = events[1:]
	}
	return nil, nil
}
