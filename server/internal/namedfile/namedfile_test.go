package namedfile_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/keypeg/keypeg/server/internal/namedfile"
)

func TestCheck(t *testing.T) {
	for _, path := range []string{
		"keypeg.db", "data/keypeg.db", "a b (2)/c-d_e+f,g~.db", "Schlüssel/鍵.db", "/srv/a@b/c#d=e&f.db", "./a=b", `../p%20q`,
		`C:\Keypeg\keypeg.db`, `\\server\share\keypeg.db`, "~/keypeg.db", "/", ".",
	} {
		if err := namedfile.Check(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, text := range []string{
		"", " ", "a\nb", "a\x00b", strings.Repeat("a", 4096),
		"host=h password=Summer", "Password=Summer", "Server=h;Password=Summer", "data source=h;pwd=Summer", "h;Pwd = Summer",
		"h password=Summer", "/srv/db?password=Summer", "/srv;user id=a;password=Summer", `./x "password"=Summer`, "./x, password=Summer",
		"postgres://a:Summer@h/d", "redis://:Summer@h", "a:Summer@h", "//a:Summer@h/d", "mailto:Summer", "password: Summer",
		"Summer!", "a/Summer@h", `{"password":"Summer"}`, "Sum&mer", "$(Summer)", "<Summer>", "|Summer", "@Summer",
	} {
		err := namedfile.Check(text)
		if err == nil || strings.Contains(err.Error(), "Summer") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestOpen(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	if err := errors.Join(
		os.WriteFile(at("file"), []byte("content"), 0o600), os.Symlink("file", at("link")),
		syscall.Mkfifo(at("pipe"), 0o600), os.Symlink("pipe", at("link to a pipe")), os.Symlink("nothing", at("dangling")),
	); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", at("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()

	for _, name := range []string{"file", "link"} {
		file, err := namedfile.Open(at(name))
		if err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
	for path, says := range map[string]string{
		at("pipe"):           "is a named pipe: name a file",
		at("link to a pipe"): "is a named pipe: name a file",
		at("socket"):         "is a socket: name a file",
		folder:               "is a folder: name a file",
		os.DevNull:           "is a device: name a file",
		at("dangling"):       "is a link to nothing, where nothing is",
		at("file/below"):     "what should be a folder is a file",
	} {
		if _, err := namedfile.Open(path); err == nil || !strings.Contains(err.Error(), says) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want %q", path, err, says)
		}
	}
	if _, err := namedfile.Open(at("none")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "there is no such file or folder") {
		t.Errorf("where nothing is: %v", err)
	}
}

func TestExplain(t *testing.T) {
	for cause, says := range map[syscall.Errno]string{
		syscall.ENOSPC: "the disk is full: make room", syscall.EROFS: "mount it writable", syscall.EIO: "the disk has failed",
		syscall.ENOLCK: "use a disk of this machine", syscall.ENOSYS: "use a disk of this machine", syscall.EINVAL: "use a disk of this machine",
		syscall.ENAMETOOLONG: "name a shorter one",
	} {
		err := namedfile.Explain("data/k.db", namedfile.Explain("data/k.db", &fs.PathError{Op: "write", Path: "data/k.db", Err: cause}))
		if got := err.Error(); !errors.Is(err, cause) || !strings.Contains(got, says) || strings.Count(got, "data/k.db") != 1 || !strings.HasSuffix(got, "("+cause.Error()+")") {
			t.Errorf("%v: got %q, want %q", cause, got, says)
		}
	}
	other := errors.New("other")
	if namedfile.Explain("x", other) != other || namedfile.Explain("x", nil) != nil {
		t.Error("what it doesn't know doesn't stay as it is")
	}
}
