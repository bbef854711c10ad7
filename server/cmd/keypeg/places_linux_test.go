package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/shared"
)

// faulty is a command of the program whose system calls fail as they do on other file
// systems; see strace, -e inject.
func faulty(t *testing.T, inject []string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := theProgram()
	if err != nil {
		t.Fatal(err)
	}
	var calls []string // what isn't traced doesn't fail
	strace := []string{"-f", "-qq", "-e", "signal=none", "-o", os.DevNull}
	for _, rule := range inject {
		call, _, _ := strings.Cut(rule, ":")
		calls = append(calls, call)
		strace = append(strace, "-e", "inject="+rule)
	}
	strace = append(strace, "-e", "trace="+strings.Join(calls, ","))
	return exec.Command("strace", append(append(strace, path), args...)...)
}

// TestOtherFileSystems makes and restores backups where something is missing that Linux's
// own file systems have.
func TestOtherFileSystems(t *testing.T) {
	database := filledDatabase(t, 10)
	for name, inject := range map[string][]string{
		"without hard links":                              {"link,linkat:error=EPERM"},
		"without hard links, as another file system says": {"link,linkat:error=EOPNOTSUPP"},
		"without a rename that replaces nothing":          {"link,linkat:error=EPERM", "renameat2:error=EINVAL"},
		"on a kernel without one":                         {"link,linkat:error=EPERM", "renameat2:error=ENOSYS"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			backup, restored := filepath.Join(folder, "backup.db"), filepath.Join(folder, "restored.db")
			for _, args := range [][]string{
				{"backup", "make", backup, "--database", database},
				{"restore", backup, "--database", restored},
			} {
				if out, err := faulty(t, inject, args...).CombinedOutput(); err != nil {
					t.Fatalf("%v: %v\n%s", args, err, out)
				}
			}
			for _, path := range []string{backup, restored} {
				if _, err := boltstore.Check(path, time.Now()); err != nil {
					t.Error(err)
				}
			}

			// What is there is never replaced.
			out, err := faulty(t, inject, "backup", "make", backup, "--database", database).CombinedOutput()
			if err == nil || !strings.Contains(string(out), "there is something at "+backup+" already") {
				t.Errorf("to a file that is there: %v\n%s", err, out)
			}
			left(t, folder, "backup.db", "restored.db")
		})
	}

	for name, test := range map[string]struct{ inject, says string }{
		"no locks":             {"flock:error=ENOLCK", "use a disk of this machine"},
		"locks not known":      {"flock:error=ENOSYS", "use a disk of this machine"},
		"nothing can be kept":  {"fdatasync,fsync:error=EINVAL", "use a disk of this machine"},
		"a full disk":          {"ftruncate,pwrite64,fallocate:error=ENOSPC", "the disk is full: make room"},
		"a limit for the user": {"ftruncate,pwrite64,fallocate:error=EDQUOT", "the disk is full: make room"},
	} {
		t.Run("a new database where there is "+name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keypeg.db")
			out, err := faulty(t, []string{test.inject}, "serve", "--listen", proxytest.FreeAddress(t), "--database", path).CombinedOutput()
			if err == nil || !strings.Contains(string(out), test.says) || !strings.Contains(string(out), path) {
				t.Errorf("%v: got %s, want %q", err, out, test.says)
			}
		})
	}
	t.Run("nothing stays behind of a backup that fails", func(t *testing.T) {
		folder := t.TempDir()
		backup := filepath.Join(folder, "backup.db")
		out, err := faulty(t, []string{"link,linkat:error=EIO", "renameat2:error=EIO"}, "backup", "make", backup, "--database", database).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "input/output error") {
			t.Errorf("got %v\n%s", err, out)
		}
		left(t, folder)
	})
}

// left compares what is in a folder.
func left(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("there is %v, want %v", got, want)
	}
}

// TestNoSocket starts servers whose database lies where no socket can be.
func TestNoSocket(t *testing.T) {
	// A longer path than a socket may have.
	folder := filepath.Join(t.TempDir(), strings.Repeat("long", 25))
	p := newProgramOn(t, filepath.Join(folder, "keypeg.db"), "")
	p.starts()
	p.logs("commands can't reach this server while it is running")
	if answer := p.get(shared.PageSetup); answer == 0 {
		t.Error("it doesn't serve")
	}
	out, err := command(t, "user", "list", "--database", p.database).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "give this command the same --socket, or stop the server first") {
		t.Errorf("a command that can't reach it: %v\n%s", err, out)
	}
	p.ends(syscall.SIGTERM)

	elsewhere := filepath.Join(t.TempDir(), "run", "keypeg.sock")
	p.args = append(p.args, "--socket", elsewhere)
	p.starts()
	if out, err := command(t, "setup-link", "--database", p.database, "--socket", elsewhere).CombinedOutput(); err != nil {
		t.Errorf("a command that gets the path of the socket: %v\n%s", err, out)
	}
}

// TestWhoseFiles checks who owns the files that root makes for a server, and which files
// that others can read give a warning.
func TestWhoseFiles(t *testing.T) {
	const service = 1234
	ownerIs := func(t *testing.T, path string, want int) {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if owner := int(info.Sys().(*syscall.Stat_t).Uid); owner != want {
			t.Errorf("%s belongs to %d, want %d", path, owner, want)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", path, mode)
		}
	}

	t.Run("files that root makes in the server's folder belong to the server", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("needs root, which can give files away")
		}
		folder := t.TempDir()
		if err := os.Chown(folder, service, service); err != nil {
			t.Fatal(err)
		}
		database, backup, restored := filepath.Join(folder, "keypeg.db"), filepath.Join(folder, "backup.db"), filepath.Join(folder, "restored.db")
		p := newProgramOn(t, database, "")
		p.starts()
		p.ends(syscall.SIGTERM)
		for _, args := range [][]string{
			{"setup-link", "--database", database}, {"backup", "make", backup, "--database", database}, {"restore", backup, "--database", restored},
		} {
			if out, err := command(t, args...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", args, err, out)
			}
		}
		for _, path := range []string{database, backup, restored} {
			ownerIs(t, path, service)
		}
	})
	t.Run("a database of somebody else's says whose it is", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("needs root, which can become somebody else")
		}
		folder := t.TempDir()
		database := filepath.Join(folder, "keypeg.db")
		p := newProgramOn(t, database, "")
		p.starts()
		p.ends(syscall.SIGTERM)
		opens(t, folder)
		other := command(t, "setup-link", "--database", database)
		opens(t, filepath.Dir(other.Path))
		if err := os.Chmod(other.Path, 0o755); err != nil {
			t.Fatal(err)
		}
		other.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: service, Gid: service}}
		out, err := other.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "it belongs to user 0, and this is user 1234") {
			t.Errorf("got %v\n%s", err, out)
		}
	})
	t.Run("a database that others can read gives a warning", func(t *testing.T) {
		p := newProgram(t)
		p.hasUser("ann")
		if err := os.Chmod(p.database, 0o644); err != nil {
			t.Fatal(err)
		}
		p.starts()
		p.logs("others on this machine can read the database, which has what signs people in: chmod 600 " + p.database)
	})
}

// opens lets everybody into a folder and those above it, up to the one for temporary files.
func opens(t *testing.T, folder string) {
	t.Helper()
	for ; folder != filepath.Clean(os.TempDir()) && folder != "/"; folder = filepath.Dir(folder) {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
