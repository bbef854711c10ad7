package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"

	"go.etcd.io/bbolt"
)

// bbolt maps its file into memory and trusts its content. A damaged page can lead it beyond the
// end of the file, or in a circle until the stack is full. A Go program survives neither. So a
// file that may be damaged is read here first, and every number is checked before it is used.

// checkPages checks the pages of a transaction. Exactly one way leads to each page in use, its
// keys are in order, and every other page is free.
func checkPages(tx *bbolt.Tx, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()

	info, err := file.Stat()
	if err != nil {
		return err
	}

	// They are from the meta page that bbolt chose, after it checked the page's sum.
	size, length := tx.DB().Info().PageSize, tx.Size()
	if size < metaPageLength || length > info.Size() || length/int64(size) <= metaPages {
		return errors.New("its pages make no sense")
	}
	p := pages{file: file, size: size, reached: make([]bool, length/int64(size))}
	p.reached[0], p.reached[1] = true, true
	if err := p.tree(uint64(tx.Cursor().Bucket().Root()), span{ofRoot: true}); err != nil {
		return err
	}
	return p.free(tx.ID())
}

// The layout of bbolt's pages (its package internal/common), in the byte order of the machine.
// After its head, a page has elements of the same size, and then their keys and values. A page
// that needs more room continues in the pages that follow.
const (
	metaPages = 2

	pageHead     = 16 // number of the page (8 bytes), flags (2), elements (2), pages of overflow (4)
	atFlags      = 8
	atCount      = 10
	atOverflow   = 12
	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10

	elementSize = 16 // branch: position, size of the key, page (8); leaf: flags, position, sizes of key and value
	flagBucket  = 0x01
	bucketHead  = 16 // page (8), or 0 where the only one follows; sequence (8)

	noFreelist = ^uint64(0) // the free pages are not listed
	manyFree   = 0xffff     // the first entry of the list is its length
)

// pages are the pages of one file.
type pages struct {
	file    io.ReaderAt
	size    int
	reached []bool // by number
}

// page is a page with its overflow, or a small bucket within a page.
type page struct {
	id    uint64
	bytes []byte
}

func (p page) is(flag uint16) bool { return binary.NativeEndian.Uint16(p.bytes[atFlags:]) == flag }
func (p page) count() int          { return int(binary.NativeEndian.Uint16(p.bytes[atCount:])) }
func (p page) damaged() error      { return fmt.Errorf("page %d makes no sense", p.id) }

// read returns a page. It fails if the page was reached before.
func (p *pages) read(id uint64) (page, error) {
	head := page{id, make([]byte, pageHead)}
	if id >= uint64(len(p.reached)) {
		return page{}, fmt.Errorf("something leads to page %d, behind the end", id)
	}
	if _, err := p.file.ReadAt(head.bytes, int64(id)*int64(p.size)); err != nil {
		return page{}, err
	}
	end := id + 1 + uint64(binary.NativeEndian.Uint32(head.bytes[atOverflow:]))
	if binary.NativeEndian.Uint64(head.bytes) != id || end > uint64(len(p.reached)) {
		return page{}, head.damaged()
	}
	for i := id; i < end; i++ {
		if p.reached[i] {
			return page{}, fmt.Errorf("more than one way leads to page %d", i)
		}
		p.reached[i] = true
	}

	whole := page{id, make([]byte, int(end-id)*p.size)}
	_, err := p.file.ReadAt(whole.bytes, int64(id)*int64(p.size))
	return whole, err
}

// span limits the keys of a tree: none is less than from, and each is less than to. Nil is no
// limit. Only the root's tree has buckets as values.
type span struct {
	from, to []byte
	ofRoot   bool
}

// tree checks a page and all pages below it.
func (p *pages) tree(id uint64, keys span) error {
	at, err := p.read(id)
	if err != nil {
		return err
	}
	if at.is(flagBranch) {
		return p.branch(at, keys)
	}
	return p.leaf(at, keys)
}

func (p *pages) branch(at page, keys span) error {
	elements, ok := at.elements(keys)
	if !ok || len(elements) == 0 {
		return at.damaged()
	}
	for i, e := range elements {
		below := span{e.key, keys.to, keys.ofRoot}
		if i+1 < len(elements) {
			below.to = elements[i+1].key
		}
		if err := p.tree(e.child, below); err != nil {
			return err
		}
	}
	return nil
}

func (p *pages) leaf(at page, keys span) error {
	elements, ok := at.elements(keys)
	if !ok || !at.is(flagLeaf) {
		return at.damaged()
	}
	for _, e := range elements {
		if e.isBucket != keys.ofRoot || e.isBucket && len(e.value) < bucketHead {
			return at.damaged()
		}
		if !e.isBucket {
			continue
		}
		if err := p.bucket(at, e.value); err != nil {
			return err
		}
	}
	return nil
}

// bucket checks the tree of a bucket. A small bucket is within its value.
func (p *pages) bucket(at page, value []byte) error {
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return p.tree(root, span{})
	}
	inline := page{at.id, value[bucketHead:]}
	if len(inline.bytes) < pageHead {
		return at.damaged()
	}
	return p.leaf(inline, span{})
}

// element is a key with its page in a branch, or its value in a leaf.
type element struct {
	key      []byte
	child    uint64
	isBucket bool
	value    []byte
}

// elements returns the elements of a branch or a leaf. Ok reports whether all of them are
// within the page, and their keys are in order and within the span.
func (p page) elements(keys span) (elements []element, ok bool) {
	if pageHead+p.count()*elementSize > len(p.bytes) {
		return nil, false
	}
	elements = make([]element, p.count())
	for i := range elements {
		at := p.bytes[pageHead+i*elementSize:]
		number := func(i int) uint64 { return uint64(binary.NativeEndian.Uint32(at[4*i:])) }
		var position, key, value uint64
		if e := &elements[i]; p.is(flagBranch) {
			position, key, e.child = number(0), number(1), binary.NativeEndian.Uint64(at[8:])
		} else {
			e.isBucket, position, key, value = number(0)&flagBucket != 0, number(1), number(2), number(3)
		}
		if key == 0 || position+key+value > uint64(len(at)) {
			return nil, false
		}
		elements[i].key, elements[i].value = at[position:position+key], at[position+key:position+key+value]
	}
	return elements, inOrder(elements, keys)
}

func inOrder(elements []element, keys span) bool {
	for i, e := range elements {
		if i == 0 && bytes.Compare(e.key, keys.from) < 0 || i > 0 && bytes.Compare(e.key, elements[i-1].key) <= 0 {
			return false
		}
	}
	return len(elements) == 0 || keys.to == nil || bytes.Compare(elements[len(elements)-1].key, keys.to) < 0
}

// free checks the list of free pages, if the transaction has one. It must name exactly the
// pages that were not reached.
func (p *pages) free(transaction int) error {
	id, err := p.freelist(transaction)
	if err != nil || id == noFreelist {
		return err
	}
	list, err := p.read(id)
	if err != nil {
		return err
	}
	if !list.is(flagFreelist) {
		return list.damaged()
	}
	ids, count := list.bytes[pageHead:], uint64(list.count())
	if count == manyFree {
		count, ids = binary.NativeEndian.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids)/8) {
		return list.damaged()
	}
	for i := range count {
		id := binary.NativeEndian.Uint64(ids[8*i:])
		if id >= uint64(len(p.reached)) || p.reached[id] {
			return fmt.Errorf("page %d is called free, and is in use or doesn't exist", id)
		}
		p.reached[id] = true
	}
	for id, reached := range p.reached {
		if !reached {
			return fmt.Errorf("page %d is neither free nor in use", id)
		}
	}
	return nil
}

// freelist returns the page of the list of free pages, from the meta page that bbolt chose.
func (p *pages) freelist(transaction int) (id uint64, err error) {
	for i := range int64(metaPages) {
		meta := make([]byte, metaPageLength)
		if _, err := p.file.ReadAt(meta, i*int64(p.size)); err != nil {
			return 0, err
		}
		sum := fnv.New64a()
		sum.Write(meta[atMagic:atSum])
		if binary.NativeEndian.Uint64(meta[atTransaction:]) == uint64(transaction) && binary.NativeEndian.Uint64(meta[atSum:]) == sum.Sum64() {
			return binary.NativeEndian.Uint64(meta[atFreelist:]), nil
		}
	}
	return 0, errors.New("its head makes no sense")
}
