// Package boltstore keeps records in one bbolt file. It is the default store, for an
// installation on one machine.
//
// Readers never wait for writers. Batches that arrive while another one is being written share
// the next transaction and its fsync (group.go). A single writer never waits for others. If
// many write, a group waits up to two milliseconds for more.
//
// A commit costs as much as the pages that it writes, so the layout saves pages (layout.go). All
// that belongs to a user lies side by side, but for earlier events, which lie in blocks
// (events.go, blocks.go). The order of all events (journal.go) and the counts (counts.go) add
// one or two pages to a sign-in. There is no index of what expires (sweep.go).
//
// After the removal of a user, no byte of the user's records is left in the file (erase.go). The
// order of all events has the times and kinds of their events, by their id or its beginning,
// until these would have expired.
//
// A file that may be damaged is checked without trusting any number in it (pages.go), and then
// record by record (check.go).
//
// Only one process has the file open. [Open] refuses a file that another process has open, and
// does not change a file that is not a valid Keypeg database of its own format (format.go).
package boltstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/keypeg/keypeg/server/internal/namedfile"
	"github.com/keypeg/keypeg/server/store"
)

// ErrInUse means that another process has the file open.
var ErrInUse = errors.New("the database is in use by another program")

// Store implements [store.Store].
type Store struct {
	db   *bbolt.DB
	file *os.File // that db has open, and closes
	now  store.Clock

	mu       sync.RWMutex // guards closed; held for reading while a write waits
	closed   bool
	writes   chan write
	written  atomic.Uint64  // transactions so far
	finished sync.WaitGroup // the writer and the sweeper
	stop     chan struct{}  // closed to end the sweeper
	readOnly bool           // there is no writer and no sweeper
	readers  sync.RWMutex   // held for writing while free pages are overwritten
	copies   int            // of the file that are under way; guarded by readers
	erase    atomic.Bool    // free pages have bytes of a removed user
	passed   atomic.Int64   // what ended before this time, in microseconds since 1970, may be removed: see look

	// Only the writer uses these, and then Close.
	wrote    bool
	unfolded int    // new entries since the last fold
	folded   []byte // the last key that a fold has looked at

	// Only the sweeper uses these.
	clock store.ClockWatch
	swept position
}

var (
	_ store.Store        = (*Store)(nil)
	_ store.Prober       = (*Store)(nil)
	_ store.BackupWriter = (*Store)(nil)
	_ store.WriteCounter = (*Store)(nil)
)

var errClosed = errors.New("boltstore: closed")

// lockTimeout is how long Open waits for another process to close the file.
const lockTimeout = time.Second

// Open opens the file at path. If there is none, it makes one that only its owner may read, and
// its folder. Errors are sentences for IT. [ErrInUse] is the only one that may be temporary.
func Open(path string, now store.Clock) (*Store, error) { return openSweeping(path, now, sweepEvery) }

func openSweeping(path string, now store.Clock, every time.Duration) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the database: %w", namedfile.Explain(filepath.Dir(path), err))
	}
	s := &Store{now: now, writes: make(chan write, 1024), stop: make(chan struct{}), unfolded: foldAfter}
	db, err := openFile(path, &bbolt.Options{
		// To write the list of free pages with every commit is slow: 110 updates a second
		// instead of 1,750, at a million keys. See keepFreelist.
		NoFreelistSync: true,
		FreelistType:   bbolt.FreelistMapType,
		OpenFile: func(name string, flags int, mode os.FileMode) (_ *os.File, err error) {
			s.file, err = os.OpenFile(name, flags, mode)
			return s.file, err
		},
	})
	if err != nil {
		return nil, err
	}
	if err := prepare(db); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database %s: %w", path, namedfile.Explain(path, err)), db.Close())
	}

	s.db = db
	s.erase.Store(isEraseMarked(db))
	if err := s.eraseIfDue(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.finished.Go(s.write)
	s.finished.Go(func() { s.sweepNowAndThen(every) })
	return s, nil
}

// openFile opens a file with bbolt, if its head is valid and no other process has it open.
func openFile(path string, options *bbolt.Options) (*bbolt.DB, error) {
	if err := examine(path); err != nil {
		return nil, err
	}
	options.Timeout = lockTimeout
	db, err := bbolt.Open(path, 0o600, options)
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%w: %s", ErrInUse, path)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the database %s: %w", path, namedfile.Explain(path, err))
	}
	return db, nil
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	if !s.readOnly {
		close(s.stop)
		close(s.writes) // nobody sends now, since senders hold mu
	}
	s.mu.Unlock()

	s.finished.Wait()
	return errors.Join(s.keepFreelist(), s.db.Close())
}

// keepFreelist writes the list of free pages once, at the end. Without it, as after a crash,
// the next start must read every page of the file.
func (s *Store) keepFreelist() error {
	if s.readOnly || !s.wrote {
		return nil
	}
	s.db.NoFreelistSync = false
	return s.db.Update(func(*bbolt.Tx) error { return nil })
}

// A file of bbolt begins with two meta pages, which are written alternately. These are offsets
// in them, after a page header of 16 bytes.
const (
	metaMagic      = 0xED0CDAED
	atMagic        = 16
	atPageSize     = 24
	atFreelist     = 48 // the page with the list of free pages
	atHighWater    = 56 // the number of pages that are in use
	atTransaction  = 64
	atSum          = 72 // of all bytes before it, after the page's header
	metaPageLength = 80
)

// examine reads the head of a file before bbolt maps the file into memory. It refuses a file
// that is not bbolt's or that is cut off. bbolt would crash on the latter.
func examine(path string) error {
	file, err := namedfile.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	defer file.Close()

	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	if info.Size() == 0 {
		return nil // bbolt makes a new database in it
	}

	meta := make([]byte, metaPageLength)
	if _, err := file.ReadAt(meta, 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the database %s: %w", path, err)
	}
	if binary.NativeEndian.Uint32(meta[atMagic:]) != metaMagic {
		return fmt.Errorf("%s isn't a Keypeg database: choose another path, or put a backup there", path)
	}

	pageSize := int64(max(binary.NativeEndian.Uint32(meta[atPageSize:]), metaPageLength))
	used := binary.NativeEndian.Uint64(meta[atHighWater:])
	if _, err := file.ReadAt(meta, pageSize); err == nil && binary.NativeEndian.Uint32(meta[atMagic:]) == metaMagic {
		used = max(used, binary.NativeEndian.Uint64(meta[atHighWater:]))
	}
	if uint64(info.Size()/pageSize) < used {
		return fmt.Errorf("the database %s was cut off: it has %d bytes and needs %d pages of %d; put a backup in its place", path, info.Size(), used, pageSize)
	}
	return nil
}
