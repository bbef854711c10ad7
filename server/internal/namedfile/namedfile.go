// Package namedfile checks and opens files that IT names: databases, backups, secrets,
// certificates, sockets.
//
// In place of a path people also write a URL, a connection string, or the secret itself.
// [Check] accepts only a text that is clearly a path, and its errors contain nothing of the
// text. [Open] and [Look] refuse anything but a file before it is opened, because a named
// pipe without a writer would block the program for ever. [Explain] turns an error of the
// system into a sentence that says what to do.
package namedfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"syscall"

	"github.com/keypeg/keypeg/server/internal/shown"
)

var (
	// scheme matches the beginning of a URL. A single letter is a drive of Windows.
	scheme = regexp.MustCompile(`(?i)^[a-z][a-z0-9+.-]+:`)
	// anchored matches the beginning of a text that can only be a path.
	anchored = regexp.MustCompile(`^(\.{0,2}[/\\]|~/|[A-Za-z]:[/\\])`)
	// plain matches a path that needs no anchor.
	plain = regexp.MustCompile(`^[\pL\pM\pN_./\\ ()+,~-]*$`)
)

// mostBytes is the longest path on Linux.
const mostBytes = 4095

// Check refuses a text that isn't clearly the path of a file. Its errors follow the name of
// the setting, such as "looks like a URL", and contain nothing of the text, because a part
// of it may be a password.
func Check(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("has no name")
	case strings.ContainsAny(text, "\x00\r\n"):
		return errors.New("has a line break in it")
	case len(text) > mostBytes:
		return fmt.Errorf("has more than %d bytes", mostBytes)
	case shown.IsInWords(text):
		return errors.New("is written in words such as host=")
	case strings.Contains(text, "://"), scheme.MatchString(text), strings.Contains(text, "@") && strings.Contains(text, ":"):
		return errors.New("looks like a URL that can't be read")
	case !anchored.MatchString(text) && !plain.MatchString(text):
		return errors.New("isn't clearly a path (if it is one, write it with ./ in front)")
	}
	return nil
}

// Open opens a file for reading.
func Open(path string) (*os.File, error) {
	if _, err := Look(path); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	return file, Explain(path, err)
}

// Look describes a file, and refuses anything else. If there is nothing at the path, the
// error is [fs.ErrNotExist]. A link to nothing is another error, because its target may
// come back, such as a disk that isn't mounted.
func Look(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if target, isLink := os.Readlink(path); isLink == nil {
			return nil, fmt.Errorf("%s is a link to %s, where nothing is: put the file there, mount its disk, or remove the link", path, target)
		}
	}
	if err != nil {
		return nil, Explain(path, err)
	}
	if kind := kindOf(info.Mode()); kind != "" {
		return nil, fmt.Errorf("%s is %s: name a file", path, kind)
	}
	return info, nil
}

// kindOf names a thing that isn't a regular file.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return ""
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "no file"
}

// mends say what to do about errors of the system. Each sentence goes on with "at" and the
// path.
var mends = []struct {
	what string
	are  []error
}{
	{"the disk is full: make room on the one that has", []error{syscall.ENOSPC, syscall.EDQUOT}},
	{"the file system can only be read: mount it writable, or name another path than", []error{syscall.EROFS}},
	{"the disk has failed: look at the system's log, and copy to another disk what can still be read of", []error{syscall.EIO}},
	{"the file system can't do what is needed, such as to lock a file: use a disk of this machine, instead of the one that has", []error{
		syscall.ENOLCK, syscall.ENOSYS, syscall.EOPNOTSUPP, syscall.EINVAL, syscall.ENODEV,
	}},
	{"the path is too long: name a shorter one than", []error{syscall.ENAMETOOLONG}},
	{"what should be a folder is a file: correct the path", []error{syscall.ENOTDIR}},
	{"there is no such file or folder: make it, or correct the path", []error{fs.ErrNotExist}},
}

// Explain adds to an error of the system at a path what to do about it. [errors.Is] still
// finds the error. It returns an error that it doesn't know, or that is a sentence already,
// as it is.
func Explain(path string, err error) error {
	if _, done := errors.AsType[*explained](err); done {
		return err
	}
	for _, mend := range mends {
		for _, one := range mend.are {
			if errors.Is(err, one) {
				return &explained{sentence: mend.what + " " + path, cause: err}
			}
		}
	}
	return err
}

// explained is an error of the system, with what to do about it.
type explained struct {
	sentence string
	cause    error
}

// Error implements error. It repeats the words of the system, because IT finds advice by
// searching for them.
func (e *explained) Error() string {
	cause := e.cause.Error()
	if errno, is := errors.AsType[syscall.Errno](e.cause); is {
		cause = errno.Error()
	}
	return e.sentence + " (" + cause + ")"
}

func (e *explained) Unwrap() error { return e.cause }
