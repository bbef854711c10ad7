package boltstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
)

var (
	probeKey = []byte("last") // in bucketProbe

	// probed is more than a sign-in writes. The next probe frees the pages of the one before.
	// So after a successful probe there is room for a sign-in.
	probed = make([]byte, 128<<10)
)

// Probe implements [store.Prober].
func (s *Store) Probe(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.submit(func(*writing) (apply, error) {
		return func(w *writing) error { return w.Bucket(bucketProbe).Put(probeKey, probed) }, nil
	})
	return errors.Join(err, s.eraseIfDue())
}

// fault adds to a failed write what IT can do about it. For some conditions, bbolt returns only
// the text.
func fault(path string, err error) error {
	for _, known := range []struct {
		condition syscall.Errno
		mend      string
	}{
		{syscall.ENOSPC, "the disk with %s is full: make room on it"},
		{syscall.EDQUOT, "the disk quota of %s is used up: raise it, or make room"},
		{syscall.EFBIG, "%s may not grow any further: raise the limit on file sizes (ulimit -f), or move it to another disk"},
		{syscall.EROFS, "the disk with %s is mounted for reading only, as after a fault of the disk: look at the system's log"},
		{syscall.EIO, "the disk with %s fails: look at the system's log, and keep a backup elsewhere"},
	} {
		if errors.Is(err, known.condition) || strings.Contains(err.Error(), known.condition.Error()) {
			return fmt.Errorf(known.mend+" (%w)", path, err)
		}
	}
	return err
}
