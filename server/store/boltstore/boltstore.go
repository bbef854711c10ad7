// Package boltstore keeps records in one bbolt file: the store of an
// installation on one machine, and the default.
//
// Readers never wait for writers. Batches that arrive while another is on its
// way to the disk share the next transaction and its fsync (group.go). A lone
// writer never waits for company; where there is much of it, it waits for more,
// two milliseconds at most. What belongs to a user lies together (people.go), so
// that a sign-in writes few pages. Expired records are not found, and go in small
// steps (sweep.go).
//
// A file of an earlier release is brought up to date (format.go). One of which
// nobody knows whether it is sound is read without trust (pages.go).
//
// A file has one owner. [Open] refuses one that another process holds, and
// leaves alone what isn't a sound Keypeg database.
package boltstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
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
	db  *bbolt.DB
	now store.Clock

	mu       sync.RWMutex // guards closed; held for reading while a write waits
	closed   bool
	writes   chan write
	finished sync.WaitGroup // the writer and the sweeper
	stop     chan struct{}  // ends the sweeper
	readOnly bool           // nobody writes: there are none of the above
	wrote    bool           // the writer's, and Close's after it
}

var (
	_ store.Store        = (*Store)(nil)
	_ store.Prober       = (*Store)(nil)
	_ store.BackupWriter = (*Store)(nil)
)

var errClosed = errors.New("boltstore: closed")

// lockTimeout is how long Open waits for another process to let go of the file.
const lockTimeout = time.Second

// Open opens the file at path, or makes a new one that only its owner may read.
// Its folder is made too. Errors are sentences for IT; [ErrInUse] tells the one
// that passes by itself.
func Open(path string, now store.Clock) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the database: %w", namedfile.Explain(filepath.Dir(path), err))
	}
	db, err := openFile(path, &bbolt.Options{
		// Writing the list of free pages with every commit costs much: at a million
		// keys, 110 updates a second instead of 1,750. See keepFreelist.
		NoFreelistSync: true,
		FreelistType:   bbolt.FreelistMapType,
	})
	if err != nil {
		return nil, err
	}
	if err := prepare(db); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database %s: %w", path, namedfile.Explain(path, err)), db.Close())
	}

	s := &Store{db: db, now: now, writes: make(chan write, 1024), stop: make(chan struct{})}
	s.finished.Go(s.write)
	s.finished.Go(s.sweepNowAndThen)
	return s, nil
}

// openFile lets bbolt have a file that looks sound and that nobody else holds.
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
		close(s.writes) // nobody is sending: senders hold mu
	}
	s.mu.Unlock()

	s.finished.Wait()
	return errors.Join(s.keepFreelist(), s.db.Close())
}

// keepFreelist writes down which pages are free, once, at the end: the next start
// needn't look at every page of the file to find out. After a crash it must.
func (s *Store) keepFreelist() error {
	if s.readOnly || !s.wrote {
		return nil
	}
	s.db.NoFreelistSync = false
	return s.db.Update(func(*bbolt.Tx) error { return nil })
}

// The buckets, and what their keys are.
var (
	bucketMeta        = []byte("keypeg")      // see formatKey
	bucketPeople      = []byte("people")      // see people.go
	bucketNames       = []byte("names")       // sign-in name -> user id
	bucketCredentials = []byte("credentials") // credential id -> user id
	bucketIdentities  = []byte("identities")  // issuer, 0, subject -> user id
	bucketAdmins      = []byte("admins")      // user id -> nothing
	bucketSessions    = []byte("sessions")    // session id
	bucketLinks       = []byte("links")       // key
	bucketSecrets     = []byte("secrets")     // name
	bucketTickets     = []byte("tickets")     // ticket id
	bucketExpiry      = []byte("expiry")      // time, kind, key -> nothing; see sweep.go

	buckets = [][]byte{
		bucketMeta, bucketPeople, bucketNames, bucketCredentials, bucketIdentities, bucketAdmins, bucketSessions,
		bucketLinks, bucketSecrets, bucketTickets, bucketExpiry,
	}
	// These grow at their ends, so that their pages may be nearly full.
	growing = [][]byte{bucketSessions, bucketTickets, bucketExpiry}
)

// bbolt's file begins with two meta pages, written in turn. These are their
// offsets, behind a page header of 16 bytes.
const (
	metaMagic      = 0xED0CDAED
	atMagic        = 16
	atPageSize     = 24
	atFreelist     = 48 // the page that lists those that are free
	atHighWater    = 56 // the number of pages that are in use
	atTransaction  = 64
	atSum          = 72 // of all before it, behind the page's header
	metaPageLength = 80
)

// examine reads the head of a file before bbolt maps it into memory. What isn't
// bbolt's, or was cut off, gets a sentence; bbolt would crash on the latter.
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
		return nil // bbolt makes a new one of it
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
