// Package transfer copies the records of one store into another, and compares two stores.
//
// [Copy] writes pages in the order of their keys, each page in one batch. If it is
// interrupted, the target has a first part of the source and a mark. The next call goes on
// from there. Until the copy is complete, [Unfinished] keeps others from using the target. In
// the end Copy compares both, record by record. It never writes to the source.
//
// Afterwards there are two databases, and only IT knows which one is in use. So the target
// holds signals to password managers back ([store.HoldSignals]).
package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"

	"github.com/keypeg/keypeg/server/store"
)

// Source is where records come from: a store, or one moment of it.
type Source interface {
	Records(ctx context.Context, kind store.Kind, after []byte, limit int) ([]store.Record, error)
}

// Errors are sentences for IT.
var (
	// ErrNotEmpty means that the target has records that no copy of this source wrote.
	ErrNotEmpty = errors.New("the target isn't empty: name a new database")
	// ErrChanged means that the source was written to while it was copied.
	ErrChanged = errors.New("the source was changed while it was copied: stop its servers, and copy again into an empty database")
	// ErrUnfinished means that the store is the target of an interrupted copy.
	ErrUnfinished = errors.New("this database is a copy that was not finished: run the command that fills it again, with the same source (keypeg store copy, or keypeg restore)")
)

// page is how many records go into one batch.
const page = 500

// marks has one entry, with the key "", in a target until it is complete. The value is the
// identity of the source.
var marks = store.Collection[store.Hash]{Name: "unfinished-copy"}

// Unfinished fails with [ErrUnfinished] if s is the target of an interrupted copy.
func Unfinished(ctx context.Context, s store.Store) error {
	marked, err := marks.Has(ctx, s, "", "")
	if err == nil && marked {
		return ErrUnfinished
	}
	return err
}

// Sum describes the records of a store: how many there are of each kind, and a checksum over
// all of them.
type Sum struct {
	Counts map[store.Kind]int
	Hash   [sha256.Size]byte
}

// Total returns the number of all records.
func (s Sum) Total() (n int) {
	for _, count := range s.Counts {
		n += count
	}
	return n
}

// Same reports whether two stores have the same records.
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

// write adds parts, each with its length, so that two different lists never have one sum.
func write(h hash.Hash, parts ...[]byte) {
	for _, part := range parts {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
}

// isOfDatabase reports whether a record describes its database. Such a record is not copied.
func isOfDatabase(record store.Record) bool {
	put, is := record.Op.(store.PutItem)
	return is && (marks.Holds(put.Item) || store.HoldsSignals(put.Item))
}

// walk calls do with all records of a kind after a key, page by page.
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
// same source, and compares both. It calls report with the number of records that are
// copied, and of all. Both stores should have one clock that stands still, so that nothing
// expires meanwhile.
//
// It fails with [ErrNotEmpty] before it writes anything, with [ErrChanged] if both differ in
// the end, and with any error of a store.
func Copy(ctx context.Context, from Source, to store.Store, report func(done, total int)) (Sum, error) {
	before, err := AddUp(ctx, from)
	if err != nil {
		return Sum{}, err
	}
	origin, err := identity(ctx, from)
	if err != nil {
		return Sum{}, err
	}
	mark, err := begin(ctx, to, origin)
	if err != nil {
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
	return copied, to.Apply(ctx, store.Batch{marks.Remove(mark), store.HoldSignals()})
}

// identity returns a hash that differs for every source: that of its secrets, which each
// installation generated for itself.
func identity(ctx context.Context, from Source) (store.Hash, error) {
	h := sha256.New()
	err := walk(ctx, from, store.KindItem, nil, func(records []store.Record) error {
		for _, record := range records {
			if put, is := record.Op.(store.PutItem); is && store.Secrets.Holds(put.Item) {
				write(h, record.Key, record.Encode())
			}
		}
		return nil
	})
	return store.Hash(h.Sum(nil)), err
}

// begin marks an empty target, or accepts the mark of the same source. It returns the mark.
func begin(ctx context.Context, to store.Store, origin store.Hash) (store.Entry[store.Hash], error) {
	mark, err := marks.Get(ctx, to, "", "")
	switch {
	case err == nil && mark.Value == origin:
		return mark, nil
	case err == nil:
		return mark, ErrNotEmpty
	case !errors.Is(err, store.ErrNotFound):
		return mark, err
	}
	for _, kind := range store.Kinds {
		records, err := to.Records(ctx, kind, nil, 1)
		if err != nil {
			return mark, err
		}
		if len(records) > 0 {
			return mark, ErrNotEmpty
		}
	}
	err = to.Apply(ctx, store.Batch{marks.Put(store.Entry[store.Hash]{Value: origin})})
	if marks.Changed(err) {
		return mark, ErrNotEmpty // another copy has begun
	}
	if err != nil {
		return mark, err
	}
	return marks.Get(ctx, to, "", "")
}

// end finds the last record of a kind that an interrupted copy wrote, and counts them. Pages
// are written in order, and each completely.
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
