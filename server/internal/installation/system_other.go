//go:build !linux

package installation

import (
	"errors"
	"os"
)

// ownerOf doesn't know.
func ownerOf(os.FileInfo) (user, group int, known bool) { return 0, 0, false }

// renameToNew can't.
func renameToNew(from, to string) error { return errors.ErrUnsupported }

// diskOf doesn't know.
func diskOf(string) (free, size int64, err error) { return 0, 0, nil }
