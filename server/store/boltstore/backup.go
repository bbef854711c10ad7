package boltstore

import (
	"errors"
	"fmt"
	"io"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/internal/namedfile"
	"github.com/keypeg/keypeg/server/store"
)

// WriteTo implements [store.BackupWriter].
func (s *Store) WriteTo(w io.Writer) (n int64, err error) {
	s.copying(+1)
	err = s.db.View(func(tx *bbolt.Tx) error {
		n, err = tx.WriteTo(w)
		return err
	})
	s.copying(-1)
	return n, errors.Join(err, s.eraseIfDue())
}

// copying counts the copies under way.
func (s *Store) copying(n int) {
	s.readers.Lock()
	defer s.readers.Unlock()
	s.copies += n
}

// Copy is [Store.WriteTo] for a file that nobody writes. It checks nothing; see [Check].
func Copy(path string, w io.Writer) error {
	db, err := openReadOnly(path)
	if err != nil {
		return err
	}
	_, err = (&Store{db: db}).WriteTo(w)
	return errors.Join(err, db.Close())
}

// OpenReadOnly opens a file that nobody writes, and never writes to it. Apply fails.
func OpenReadOnly(path string, now store.Clock) (*Store, error) {
	db, err := openReadOnly(path)
	if err != nil {
		return nil, err
	}
	if err := refuseOther(db, path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Store{db: db, now: now, readOnly: true}, nil
}

func openReadOnly(path string) (*bbolt.DB, error) {
	info, err := namedfile.Look(path)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if info.Size() == 0 {
		return nil, fmt.Errorf("the database %s is empty", path)
	}
	return openFile(path, &bbolt.Options{ReadOnly: true})
}

// refuseOther fails unless the file has this program's format.
func refuseOther(db *bbolt.DB, path string) error {
	have, err := formatOf(db)
	if err == nil && have == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return fmt.Errorf("the database %s: %w", path, err)
	}
	return nil
}

// errReadOnly refuses writes to a store of OpenReadOnly.
var errReadOnly = errors.New("boltstore: opened for reading only")
