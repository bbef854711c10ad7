// Package transfer moves the records of one store into another, and tells whether
// two hold the same.
//
// [Copy] takes pages in the order of their keys, each in one batch. Where it is
// interrupted the target holds a beginning of the source and a mark that says so:
// called again it goes on from there, and until it is done [Unfinished] keeps
// others from using the target. What it ends with is a comparison of both, record
// by record. It never writes to the source.
//
// There are two databases then, and only IT knows which one counts: the target tells
// password managers nothing ([store.HoldSignals]).
package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// Source is where records come from: a store, or one moment of it.
type Source interface {
	Records(ctx context.Context, kind store.Kind, after []byte, limit int) ([]store.Record, error)
}

// Errors are sentences for IT.
var (
	// ErrNotEmpty: the target has records that no copy of this source left there.
	ErrNotEmpty = errors.New("the target isn't empty: name a new database")
	// ErrChanged: the source was written to while it was copied.
	ErrChanged = errors.New("the source was changed while it was copied: stop its servers, and copy again into an empty database")
	// ErrUnfinished: the store is the target of a copy that didn't end.
	ErrUnfinished = errors.New("this database is a copy that was not finished: run the command that fills it again, with the same source (keypeg store copy, or keypeg restore)")
)

// page is how many records go into one batch.
const page = 500

// markKey is the link that stands in a target until it is whole.
const markKey = "unfinished copy"

// Unfinished fails with [ErrUnfinished] if s is the target of a copy that didn't
// end.
func Unfinished(ctx context.Context, s store.Store) error {
	_, err := s.Link(ctx, markKey)
	switch {
	case err == nil:
		return ErrUnfinished
	case errors.Is(err, store.ErrNotFound):
		return nil
	default:
		return err
	}
}

// Sum is what a store holds: how many records of each kind, and a checksum over
// all of them.
type Sum struct {
	Counts map[store.Kind]int
	Hash   [sha256.Size]byte
}

// Total is the number of all records.
func (s Sum) Total() (n int) {
	for _, count := range s.Counts {
		n += count
	}
	return n
}

// Same tells whether two stores hold the same.
func (s Sum) Same(other Sum) bool { return s.Hash == other.Hash }

// AddUp reads all of a store.
func AddUp(ctx context.Context, from Source) (Sum, error) {
	sum := Sum{Counts: map[store.Kind]int{}}
	h := sha256.New()
	for _, kind := range store.Kinds {
		err := walk(ctx, from, kind, nil, func(records []store.Record) error {
			for _, record := range records {
				if isOfDatabase(record) {
					continue
				}
				sum.Counts[kind]++
				write(h, []byte(kind), record.Key, record.Encode())
			}
			return nil
		})
		if err != nil {
			return Sum{}, err
		}
	}
	h.Sum(sum.Hash[:0])
	return sum, nil
}

// write adds parts, each with its length, so that no two lists look alike.
func write(h hash.Hash, parts ...[]byte) {
	for _, part := range parts {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
}

// isOfDatabase reports whether a record says something of the database that it is in, and
// is not copied.
func isOfDatabase(record store.Record) bool {
	link, is := record.Op.(store.PutLink)
	return is && link.Link.Key == markKey || store.HoldsSignals(record)
}

// walk hands on all records of a kind behind a key.
func walk(ctx context.Context, from Source, kind store.Kind, after []byte, do func([]store.Record) error) error {
	for {
		records, err := from.Records(ctx, kind, after, page)
		if err != nil {
			return fmt.Errorf("reading %s records: %w", kind, err)
		}
		if len(records) == 0 {
			return nil
		}
		if err := do(records); err != nil {
			return err
		}
		after = records[len(records)-1].Key
	}
}

// Copy fills to, which must be empty or the target of an interrupted copy of the
// same source, and compares both. Report hears how many records are there, of how
// many. Both stores should have one clock that stands still, so that nothing
// expires meanwhile.
//
// It fails with [ErrNotEmpty] before it writes anything, with [ErrChanged] if both
// differ in the end, and with whatever a store fails with.
func Copy(ctx context.Context, from Source, to store.Store, report func(done, total int)) (Sum, error) {
	before, err := AddUp(ctx, from)
	if err != nil {
		return Sum{}, err
	}
	origin, err := identity(ctx, from)
	if err != nil {
		return Sum{}, err
	}
	if err := begin(ctx, to, origin); err != nil {
		return Sum{}, err
	}

	done := 0
	for _, kind := range store.Kinds {
		last, there, err := end(ctx, to, kind)
		if err != nil {
			return Sum{}, err
		}
		done += there
		report(done, before.Total())
		err = walk(ctx, from, kind, last, func(records []store.Record) error {
			var batch store.Batch
			for _, record := range records {
				if !isOfDatabase(record) {
					batch = append(batch, record.Op)
				}
			}
			if err := to.Apply(ctx, batch); err != nil {
				return fmt.Errorf("writing %s records: %w", kind, err)
			}
			done += len(batch)
			report(done, before.Total())
			return nil
		})
		if err != nil {
			return Sum{}, err
		}
	}

	after, err := AddUp(ctx, from)
	if err != nil {
		return Sum{}, err
	}
	copied, err := AddUp(ctx, to)
	if err != nil {
		return Sum{}, err
	}
	if !after.Same(before) || !copied.Same(before) {
		return Sum{}, ErrChanged
	}
	return copied, to.Apply(ctx, store.Batch{store.TakeLink{Key: markKey, Hash: origin}, store.HoldSignals(time.Now())})
}

// identity tells one source from another: by its secrets, which every installation
// made for itself.
func identity(ctx context.Context, from Source) (store.Hash, error) {
	h := sha256.New()
	err := walk(ctx, from, store.KindSecret, nil, func(records []store.Record) error {
		for _, record := range records {
			write(h, record.Key, record.Encode())
		}
		return nil
	})
	return store.Hash(h.Sum(nil)), err
}

// markLasts is longer than anybody leaves a copy unfinished.
const markLasts = 100 * 365 * 24 * time.Hour

// begin marks an empty target, or finds the mark of the same source.
func begin(ctx context.Context, to store.Store, origin store.Hash) error {
	mark, err := to.Link(ctx, markKey)
	if err == nil {
		if mark.Hash != origin {
			return ErrNotEmpty
		}
		return nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	for _, kind := range store.Kinds {
		records, err := to.Records(ctx, kind, nil, 1)
		if err != nil {
			return err
		}
		if len(records) > 0 {
			return ErrNotEmpty
		}
	}
	return to.Apply(ctx, store.Batch{store.PutLink{Link: store.Link{Key: markKey, Hash: origin, Expires: time.Now().Add(markLasts)}}})
}

// end finds the last record of a kind that an interrupted copy wrote: pages come
// in order, each as a whole.
func end(ctx context.Context, to store.Store, kind store.Kind) (last []byte, there int, err error) {
	err = walk(ctx, to, kind, nil, func(records []store.Record) error {
		for _, record := range records {
			if !isOfDatabase(record) {
				last = record.Key
				there++
			}
		}
		return nil
	})
	return last, there, err
}
