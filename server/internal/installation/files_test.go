package installation

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestErrorsNameTheFileThatWasMeant checks that errors about a backup or a restored
// database name the file that IT named, and not the one that it is written to first.
func TestErrorsNameTheFileThatWasMeant(t *testing.T) {
	for what, fill := range map[string]func(part string) error{
		"it may not be written":    func(part string) error { return &os.PathError{Op: "open", Path: part, Err: syscall.EACCES} },
		"the disk is full":         func(part string) error { return &os.PathError{Op: "write", Path: part, Err: syscall.ENOSPC} },
		"the system does it alone": func(part string) error { return &os.PathError{Op: "open", Path: part, Err: syscall.EBUSY} },
		"it isn't a database": func(part string) error {
			return writeDurably(part, func(w io.Writer) error { _, err := io.WriteString(w, strings.Repeat("x", 8192)); return err })
		},
		"it is empty": func(part string) error { return os.WriteFile(part, nil, 0o600) },
	} {
		t.Run(what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "backup.db")
			_, err := makeWhole(t.Context(), path, fill)
			if err == nil || strings.Contains(err.Error(), ".part") || !strings.Contains(err.Error(), filepath.Base(path)) && !strings.Contains(err.Error(), filepath.Dir(path)) {
				t.Errorf("got %v, want an error about %s", err, path)
			}
			if _, gone := os.Lstat(path + ".part"); !errors.Is(gone, os.ErrNotExist) {
				t.Errorf("something stays: %v", gone)
			}
		})
	}
}
