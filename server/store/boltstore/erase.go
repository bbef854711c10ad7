package boltstore

import (
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// A commit of bbolt writes changed pages to other places of the file, and leaves the old ones
// there as free pages, with all their bytes. After the removal of a user, zeroes take the place
// of every free page. The batch of the removal has a mark, so that a crash in between doesn't
// matter: the next start does it. bbolt itself leaves no old bytes in pages that are in use.

var eraseKey = []byte("erase") // in bucketMeta

// eraseFree overwrites all free pages. While somebody copies the file, it does nothing: the copy
// calls it at its end.
//
// Writers wait meanwhile, and readers while it writes.
func (s *Store) eraseFree() error {
	tx, err := s.db.Begin(true)
	if err != nil {
		return err
	}
	return errors.Join(s.overwrite(tx), tx.Rollback())
}

func (s *Store) overwrite(tx *bbolt.Tx) error {
	size := int64(s.db.Info().PageSize)
	var used []int64 // free pages with something in them
	content := make([]byte, size)
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	// A commit that failed, or that a crash ended, may have left bytes behind the last page.
	for id := int64(metaPages); id < info.Size()/size; id++ {
		page, err := tx.Page(int(id))
		if err != nil {
			return err
		}
		if page != nil && page.Type != "free" {
			continue
		}
		if _, err := s.file.ReadAt(content, id*size); err != nil {
			return err
		}
		if !isZero(content) {
			used = append(used, id)
		}
	}

	// A reader that began before the last commit may still read pages that are free now.
	s.readers.Lock()
	defer s.readers.Unlock()
	if s.copies > 0 {
		return nil
	}
	clear(content)
	for _, id := range used {
		if _, err := s.file.WriteAt(content, id*size); err != nil {
			return err
		}
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	s.erase.Store(false)
	return nil
}

func isZero(page []byte) bool {
	for _, b := range page {
		if b != 0 {
			return false
		}
	}
	return true
}

// eraseIfDue erases if a user was removed. After an error, bytes of the user may still be in the
// file, and the next probe, removal, copy or start tries again.
func (s *Store) eraseIfDue() error {
	if !s.erase.Load() {
		return nil
	}
	if err := s.eraseFree(); err != nil {
		return fmt.Errorf("erasing what was removed from the database %s: %w", s.db.Path(), err)
	}
	return nil
}

// putEraseMark keeps in the file whether pages are to be erased.
func (w *writing) putEraseMark() error {
	meta := w.Bucket(bucketMeta)
	switch {
	case w.removed:
		return meta.Put(eraseKey, []byte{1})
	case !w.s.erase.Load() && meta.Get(eraseKey) != nil:
		return meta.Delete(eraseKey)
	}
	return nil
}

// isEraseMarked reports whether a crash came between a removal and its erasing.
func isEraseMarked(db *bbolt.DB) (marked bool) {
	db.View(func(tx *bbolt.Tx) error {
		marked = tx.Bucket(bucketMeta).Get(eraseKey) != nil
		return nil
	})
	return marked
}
