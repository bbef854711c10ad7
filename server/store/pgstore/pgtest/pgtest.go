// Package pgtest runs PostgreSQL for tests: Debian's programs, in a temporary folder, as an
// ordinary user. The server ends with the test's process.
//
// Most tests need [Database] only. [Start] is for tests that kill the server.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keypeg/keypeg/server/proxytest"
)

// Server is a running PostgreSQL.
type Server struct {
	Port   int
	folder string
	lives  io.Closer // its wrapper ends when this does
	exited chan struct{}
}

// URL returns the URL of a database of the server.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.Port, database)
}

// Database returns the URL of a database that all tests of a process share. Each
// should use an organisation of its own: see [Name].
func Database(t testing.TB) string {
	t.Helper()
	skipWithout(t)
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s.URL("postgres")
}

// Empty returns the URL of a database without tables, which is removed after the test.
func Empty(t testing.TB) string {
	t.Helper()
	Database(t)
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	name := strings.ReplaceAll(Name(), "-", "_")
	s.Do(t, "postgres", "CREATE DATABASE "+name)
	t.Cleanup(func() { s.Do(t, "postgres", "DROP DATABASE "+name+" WITH (FORCE)") })
	return s.URL(name)
}

var names atomic.Int64

// Name returns a name that no other test of the process has.
func Name() string { return fmt.Sprintf("test-%d", names.Add(1)) }

var shared = sync.OnceValues(func() (*Server, error) { return start(0, nil) })

// Start runs a server until the test ends, with settings of its own
// ("synchronous_standby_names = '*'").
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	return StartAt(t, 0, settings...)
}

// StartAt is [Start] at a port of 127.0.0.1, or 0 for a free one.
func StartAt(t testing.TB, port int, settings ...string) *Server {
	t.Helper()
	skipWithout(t)
	s, err := start(port, settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

// Run runs a server outside of a test, until Kill. It doesn't wait for the disk, unless a
// setting is "fsync = on".
func Run(settings ...string) (*Server, error) { return start(0, settings) }

func skipWithout(t testing.TB) {
	t.Helper()
	if _, err := programs(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// programs returns the folder of Debian's newest server programs.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return "", errors.New("these tests need PostgreSQL: apt-get install postgresql")
	}
	newest := 0
	for _, path := range found {
		version, _ := strconv.Atoi(strings.Split(path, "/")[4])
		newest = max(newest, version)
	}
	return fmt.Sprintf("/usr/lib/postgresql/%d/bin", newest), nil
}

// start makes a new server, at a port or at a free one for 0. It doesn't wait for the disk: data are lost only if the machine
// crashes, not if the process is killed.
func start(port int, settings []string) (*Server, error) {
	s, err := prepare()
	if err != nil {
		return nil, err
	}
	if port != 0 {
		s.Port = port
	}
	if err := s.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"); err != nil {
		return nil, err
	}
	return s, s.launch(settings)
}

// Standby runs another server that follows this one, until the test ends.
func (s *Server) Standby(t testing.TB, settings ...string) *Server {
	t.Helper()
	standby, err := prepare()
	if err != nil {
		t.Fatal(err)
	}
	if err := standby.run("pg_basebackup", "-D", standby.data(), "-R", "-X", "stream", "-c", "fast", "-d", s.URL("postgres")); err != nil {
		t.Fatal(err)
	}
	if err := standby.launch(settings); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.Kill)
	return standby
}

// Promote makes a standby the primary.
func (s *Server) Promote(t testing.TB) {
	t.Helper()
	if err := s.run("pg_ctl", "promote", "-D", s.data(), "-w"); err != nil {
		t.Fatal(err)
	}
}

// prepare makes a folder and finds a port.
func prepare() (*Server, error) {
	folder, err := os.MkdirTemp("", "keypeg-postgres-")
	if err != nil {
		return nil, err
	}
	if who := owner(); who != nil {
		if err := os.Chown(folder, int(who.Uid), int(who.Gid)); err != nil {
			return nil, err
		}
	}
	port, err := proxytest.FreePort()
	if err != nil {
		return nil, err
	}
	return &Server{Port: port, folder: folder}, nil
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// owner returns the user that the server runs as, because PostgreSQL refuses root. Nil means
// the user of the test.
func owner() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.Atoi(u.Uid)
			gid, _ := strconv.Atoi(u.Gid)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}

func (s *Server) command(name string, args ...string) (*exec.Cmd, error) {
	folder, err := programs()
	if err != nil {
		return nil, err
	}
	if name != "sh" {
		name = filepath.Join(folder, name)
	}
	command := exec.Command(name, args...)
	command.Dir = s.folder
	command.SysProcAttr = &syscall.SysProcAttr{Credential: owner(), Setpgid: true}
	command.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"), "HOME="+s.folder)
	return command, nil
}

func (s *Server) run(name string, args ...string) error {
	command, err := s.command(name, args...)
	if err != nil {
		return err
	}
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// launch starts the server in a shell. The shell stops the server and removes its files when
// the other end of a pipe is closed, which happens when the test's process ends.
func (s *Server) launch(settings []string) error {
	config := strings.Join(append([]string{
		"", "listen_addresses = '127.0.0.1'", fmt.Sprintf("port = %d", s.Port), "unix_socket_directories = ''",
		"fsync = off", "max_connections = 200", "shared_buffers = 32MB", "log_line_prefix = '%m '",
		"synchronous_standby_names = ''",
	}, settings...), "\n")
	file, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := file.WriteString(config + "\n"); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Close(); err != nil {
		return err
	}

	command, err := s.command("sh", "-c", `postgres -D data >>log 2>&1 & server=$!; cat >/dev/null; kill -QUIT $server; wait $server; cd /; rm -rf "$0"`, s.folder)
	if err != nil {
		return err
	}
	if s.lives, err = command.StdinPipe(); err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	s.exited = make(chan struct{})
	go func() { command.Wait(); close(s.exited) }()
	return s.ready()
}

// ready waits until the server answers.
func (s *Server) ready() error {
	var err error
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var conn *pgx.Conn
		if conn, err = pgx.Connect(context.Background(), s.URL("postgres")); err == nil {
			return conn.Close(context.Background())
		}
		select {
		case <-s.exited:
			return errors.New("PostgreSQL ended at once")
		default:
		}
	}
	log, _ := os.ReadFile(filepath.Join(s.folder, "log"))
	return fmt.Errorf("PostgreSQL doesn't answer: %w\n%s", err, log)
}

// Kill ends all processes of the server at once, as a loss of power does, and removes its
// files.
func (s *Server) Kill() {
	if pid, err := s.pid(); err == nil {
		syscall.Kill(pid, syscall.SIGSTOP) // so that it starts no more of them
		for _, child := range children(pid) {
			syscall.Kill(child, syscall.SIGKILL)
		}
		syscall.Kill(pid, syscall.SIGKILL)
	}
	s.lives.Close()
	<-s.exited
}

// children returns the processes that a process started.
func children(of int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// The name is in brackets and may have any character, so the fields after it count.
		var state string
		var parent int
		fmt.Sscan(string(stat[strings.LastIndex(string(stat), ")")+1:]), &state, &parent)
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && parent == of {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (s *Server) pid() (int, error) {
	file, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(file), "\n")
	return strconv.Atoi(first)
}

// Do runs a statement, as IT does in psql.
func (s *Server) Do(t testing.TB, database, sql string) {
	t.Helper()
	ctx := context.Background() // it must work during cleanup too
	conn, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
