package boltstore

import (
	"bytes"
	"iter"
	"slices"

	"go.etcd.io/bbolt"
)

// blocks keeps many small entries in order, some in one value, because bbolt needs 16 bytes
// beside every key. A block lies under the key of its first entry. Blocks don't overlap. The
// first byte of a value is blockVersion.
type blocks[E any] struct {
	bucket *bbolt.Bucket
	prefix []byte // of all keys
	codec  blockCodec[E]
}

// blockCodec is what differs between the kinds of entries.
type blockCodec[E any] struct {
	most   int            // entries of a block
	key    func(E) []byte // its place in the order
	same   func(a, b E) bool
	encode func([]E) []byte
	decode func(key, value []byte) ([]E, error)
}

const blockVersion = 1

// insert adds entries, which are in order. An entry replaces one that is the same.
func (b blocks[E]) insert(entries []E) error {
	b.bucket.FillPercent = 0.9 // it mostly grows at the end of a prefix
	for len(entries) > 0 {
		key, value, next := b.around(b.codec.key(entries[0]))
		n := len(entries)
		if next != nil {
			n, _ = slices.BinarySearchFunc(entries, next[len(b.prefix):], func(e E, next []byte) int { return bytes.Compare(b.codec.key(e), next) })
		}
		block, err := b.read(key, value)
		if err != nil {
			return err
		}
		if key != nil {
			if err := b.bucket.Delete(bytes.Clone(key)); err != nil {
				return err
			}
		}
		if err := b.write(b.merged(block, entries[:n]), next == nil); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// around returns the block into which an entry with this key belongs, or nil for a new one, and
// the key of the next block.
func (b blocks[E]) around(key []byte) (at, value, next []byte) {
	want := append(bytes.Clone(b.prefix), key...)
	cursor := b.bucket.Cursor()
	if at, value = seekBack(cursor, want); at == nil || !bytes.HasPrefix(at, b.prefix) {
		at, value = nil, nil
		next, _ = cursor.Seek(want)
	} else {
		next, _ = cursor.Next()
	}
	if at == nil && next != nil && bytes.HasPrefix(next, b.prefix) { // before the first block: that one takes it
		at, value = cursor.Seek(next)
		next, _ = cursor.Next()
	}
	if !bytes.HasPrefix(next, b.prefix) {
		next = nil
	}
	return at, value, bytes.Clone(next)
}

// merged returns both in order.
func (b blocks[E]) merged(block, entries []E) []E {
	all := append(block, entries...)
	slices.SortStableFunc(all, func(x, y E) int { return bytes.Compare(b.codec.key(x), b.codec.key(y)) })
	kept := all[:0]
	for _, e := range all {
		if last := len(kept) - 1; last >= 0 && b.codec.same(kept[last], e) {
			kept[last] = e
		} else {
			kept = append(kept, e)
		}
	}
	return kept
}

// write writes entries as one or more blocks. At the end, blocks are full. Elsewhere they have
// room for others.
func (b blocks[E]) write(entries []E, atEnd bool) error {
	size := b.codec.most
	if !atEnd {
		parts := (len(entries) + size - 1) / size
		size = (len(entries) + parts - 1) / parts
	}
	for block := range slices.Chunk(entries, size) {
		key := append(bytes.Clone(b.prefix), b.codec.key(block[0])...)
		if err := b.bucket.Put(key, append([]byte{blockVersion}, b.codec.encode(block)...)); err != nil {
			return err
		}
	}
	return nil
}

// read decodes a block, or returns none without one.
func (b blocks[E]) read(key, value []byte) ([]E, error) {
	if key == nil {
		return nil, nil
	}
	if len(value) == 0 || value[0] != blockVersion {
		return nil, errDamaged
	}
	entries, err := b.codec.decode(key[len(b.prefix):], value[1:])
	if err != nil {
		return nil, err
	}
	inOrder := slices.IsSortedFunc(entries, func(x, y E) int { return bytes.Compare(b.codec.key(x), b.codec.key(y)) })
	if len(entries) == 0 || !inOrder || !bytes.Equal(b.codec.key(entries[0]), key[len(b.prefix):]) {
		return nil, errDamaged
	}
	return entries, nil
}

// backwards lists the entries whose keys are not greater than key, from the last one on. A nil
// key is no limit.
func (b blocks[E]) backwards(key []byte) iter.Seq2[E, error] {
	return func(yield func(E, error) bool) {
		end := append(bytes.Clone(b.prefix), key...)
		if key == nil {
			end = append(end, bytes.Repeat([]byte{0xff}, 32)...) // greater than all keys
		}
		cursor := b.bucket.Cursor()
		for at, value := seekBack(cursor, end); at != nil && bytes.HasPrefix(at, b.prefix); at, value = cursor.Prev() {
			entries, err := b.read(at, value)
			if err != nil {
				var none E
				yield(none, err)
				return
			}
			for _, e := range slices.Backward(entries) {
				if (key == nil || bytes.Compare(b.codec.key(e), key) <= 0) && !yield(e, nil) {
					return
				}
			}
		}
	}
}

// seekBack moves a cursor to the last key that is not greater than key.
func seekBack(cursor *bbolt.Cursor, key []byte) (at, value []byte) {
	at, value = cursor.Seek(key)
	switch {
	case at == nil:
		return cursor.Last()
	case bytes.Equal(at, key):
		return at, value
	default:
		return cursor.Prev()
	}
}
