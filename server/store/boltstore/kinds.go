package boltstore

import (
	"bytes"
	"encoding/binary"
	"iter"
	"math"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Most events are sign-ins, and somebody asks for the few of another kind. So bucketKinds marks the
// spans of the order in which there are entries of a kind: kind, 0, number of the span -> nothing.
// A mark is written with the first entry in its span, and goes when the order begins later. Sign-ins
// have no marks: in a small organisation each would have its own.

// spanBits gives a span the length of 4.6 minutes. In an organisation with six million sign-ins a
// year it has some fifty entries.
const spanBits = 38

func spanOf(id store.EventID) uint64 { return timeOf(id[:]) >> spanBits }

// endOfSpan returns the last id in a span.
func endOfSpan(span uint64) (id store.EventID) {
	for i := range id {
		id[i] = 0xff
	}
	binary.BigEndian.PutUint64(id[:], span<<spanBits|(1<<spanBits-1))
	return id
}

// cutKindKey takes a key of bucketKinds apart.
func cutKindKey(key []byte) (kind string, span uint64, ok bool) {
	before, rest, _ := bytes.Cut(key, []byte{0})
	if len(rest) != 8 {
		return "", 0, false
	}
	return string(before), binary.BigEndian.Uint64(rest), true
}

func kindKey(kind shared.EventKind, span uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(kind+"\x00"), span)
}

// markKind marks the span of an entry.
func (w *writing) markKind(v store.Event) error {
	key := kindKey(v.Kind, spanOf(v.ID))
	if kinds := w.Bucket(bucketKinds); v.Kind != usualKind && kinds.Get(key) == nil {
		return kinds.Put(key, nil)
	}
	return nil
}

// lastMarked returns the last id, not after one given, that lies in a span with entries of some kinds.
func lastMarked(tx *bbolt.Tx, kinds []shared.EventKind, id store.EventID) (last store.EventID, is bool) {
	cursor := tx.Bucket(bucketKinds).Cursor()
	for _, kind := range kinds {
		key, _ := seekBack(cursor, kindKey(kind, spanOf(id)))
		if marked, span, ok := cutKindKey(key); ok && marked == string(kind) {
			if end := endOfSpan(span); !is || bytes.Compare(end[:], last[:]) > 0 {
				last, is = end, true
			}
		}
	}
	if bytes.Compare(last[:], id[:]) > 0 {
		last = id
	}
	return last, is
}

// skips is how many entries of other kinds are read before the next one is looked for.
const skips = 8

// entriesOf lists entries as entriesFrom does. Where many of other kinds follow each other, it leaves
// them out. Without kinds, and with the usual one, it lists all.
func entriesOf(tx *bbolt.Tx, kinds []shared.EventKind, from store.EventID) iter.Seq2[entry, error] {
	if len(kinds) == 0 || slices.Contains(kinds, usualKind) {
		return entriesFrom(tx, from)
	}
	return func(yield func(entry, error) bool) {
		for jumps := true; jumps; {
			others := 0
			jumps = false
			for e, err := range entriesFrom(tx, from) {
				if !yield(e, err) || err != nil {
					return
				}
				if others++; slices.Contains(kinds, e.kind) {
					others = 0
				}
				if others < skips {
					continue
				}
				others = 0
				next, is := lastMarked(tx, kinds, e.id)
				if !is {
					return
				}
				if next != e.id {
					from, jumps = next, true
					break
				}
			}
		}
	}
}

// deadMarks lists marks of spans before all entries.
func deadMarks(tx *bbolt.Tx) (dead [][]byte) {
	begin := uint64(math.MaxUint64)
	if key, _ := tx.Bucket(bucketArchive).Cursor().First(); len(key) >= idLength {
		begin = spanOf(store.EventID(key[:idLength]))
	}
	recent := tx.Bucket(bucketRecent).Cursor()
	for key, value := recent.First(); key != nil; key, value = recent.Next() {
		if e, is := entryOf(key, value); is {
			begin = min(begin, spanOf(e.id))
			break
		}
	}
	cursor := tx.Bucket(bucketKinds).Cursor()
	for key, _ := cursor.First(); key != nil && len(dead) < sweepMost; {
		switch kind, span, ok := cutKindKey(key); {
		case !ok: // Check names it
			key, _ = cursor.Next()
		case span < begin:
			dead = append(dead, bytes.Clone(key))
			key, _ = cursor.Next()
		default:
			key, _ = cursor.Seek([]byte(kind + "\x01")) // the next kind
		}
	}
	return dead
}
