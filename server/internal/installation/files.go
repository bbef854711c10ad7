package installation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/keypeg/keypeg/server/internal/namedfile"
	"github.com/keypeg/keypeg/server/store"
)

// Files that only the owner of the server may read. Each is either complete or recognisably
// not, on every file system: some have no hard links, and some can't sync the entries of a
// folder.

// keptPrivate warns of a database that others can read or replace.
func keptPrivate(log *slog.Logger, path string) {
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		log.Warn("others on this machine can read the database, which has what signs people in: chmod 600 "+path, "mode", info.Mode().Perm().String())
	}
	folder := filepath.Dir(path)
	if info, err := os.Stat(folder); err == nil && info.Mode().Perm()&0o022 != 0 && info.Mode()&os.ModeSticky == 0 {
		log.Warn("others on this machine can put another database in the place of this one: chmod go-w "+folder, "mode", info.Mode().Perm().String())
	}
}

// giveToServer gives a file of root to the owner of its folder, because the server runs as
// that user and could not open it otherwise.
func giveToServer(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	if user, group, known := ownerOf(folder); known && user != 0 {
		return os.Chown(path, user, group)
	}
	return nil
}

// notAllowed says what to do about a database that belongs to another user. It returns any
// other error as it is.
func notAllowed(path string, err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	info, missing := os.Stat(path)
	if missing != nil {
		return fmt.Errorf("%w: let this account (user %d) use the folder %s, or run the command as the user that the server runs as", err, os.Geteuid(), filepath.Dir(path))
	}
	owner, _, _ := ownerOf(info)
	return fmt.Errorf("%w: it belongs to user %d, and this is user %d: run the command as its owner, or as root give it to whom the server runs as, with chown", err, owner, os.Geteuid())
}

// makeWhole makes a new database file. The file has another name until it is on disk and
// checked. An unfinished file is removed, unless the program is killed.
func makeWhole(ctx context.Context, path string, fill func(part string) error) (counts map[store.Kind]int, err error) {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return nil, errTaken(path)
	}
	part := path + ".part"
	if info, err := os.Lstat(part); err == nil && !info.Mode().IsRegular() {
		return nil, errTaken(part) // it may belong to another command, so it isn't overwritten
	}
	defer func() {
		if err != nil {
			os.Remove(part)
		}
	}()
	defer func() {
		if err != nil {
			err = unnamed{err, part, path}
		}
	}()
	if err := fill(part); err != nil {
		return nil, notAllowed(part, namedfile.Explain(path, err))
	}
	if counts, err = CheckBackup(ctx, part); err != nil {
		return nil, err
	}
	if err := giveToServer(part); err != nil {
		return nil, err
	}
	if err := giveName(part, path); err != nil {
		return nil, namedfile.Explain(path, err)
	}
	return counts, syncFolder(filepath.Dir(path))
}

// unnamed is an error about a file that doesn't have its final name yet. IT knows only the
// final one.
type unnamed struct {
	error
	part, path string
}

// Error implements error.
func (e unnamed) Error() string { return strings.ReplaceAll(e.error.Error(), e.part, e.path) }

func (e unnamed) Unwrap() error { return e.error }

func errTaken(path string) error {
	return fmt.Errorf("there is something at %s already: name a file that doesn't exist", path)
}

// giveName renames a file to a name that doesn't exist. It never replaces another file.
func giveName(part, path string) error {
	err := os.Link(part, path) // unlike a rename it fails if the name exists
	if err == nil {
		return os.Remove(part)
	}
	if !errors.Is(err, fs.ErrExist) { // FAT and SMB have no links
		err = renameToNew(part, path)
	}
	if errors.Is(err, fs.ErrExist) {
		return errTaken(path)
	}
	if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	// In two steps. Only a second command for the same file could come between them.
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return errTaken(path)
	}
	return os.Rename(part, path)
}

// writeDurably writes a file for its owner only, and returns when it is on disk.
func writeDurably(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := write(file); err != nil {
		return errors.Join(err, file.Close())
	}
	return errors.Join(file.Sync(), file.Close())
}

// syncFolder returns when the names in a folder are on disk, if the file system can sync a
// folder.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	err = folder.Sync()
	for _, unknown := range []error{syscall.EINVAL, syscall.ENOTSUP, syscall.ENOSYS, syscall.EBADF, syscall.EISDIR, errors.ErrUnsupported} {
		if errors.Is(err, unknown) {
			err = nil
		}
	}
	return errors.Join(err, folder.Close())
}
