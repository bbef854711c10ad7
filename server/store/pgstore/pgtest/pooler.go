package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keypeg/keypeg/server/proxytest"
)

// Pooler runs Debian's PgBouncer in front of a database until the test ends, and returns the
// URL through it. Mode is what it calls pool_mode: "session", "transaction" or "statement".
func Pooler(t testing.TB, database, mode string) (url string) {
	t.Helper()
	program := "/usr/sbin/pgbouncer" // may not be on the PATH
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("needs PgBouncer: apt-get install pgbouncer")
	}
	target, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	port, err := proxytest.FreePort()
	if err != nil {
		t.Fatal(err)
	}

	folder, err := os.MkdirTemp("", "keypeg-pgbouncer-") // other users cannot read t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	config := filepath.Join(folder, "pgbouncer.ini")
	size := 3 // so that clients take turns
	if mode == "session" {
		size = 50 // each client keeps one
	}
	text := fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = %s
default_pool_size = %d
server_login_retry = 1
`, target.Port, port, mode, size)
	// The pool has one user: auth_type any maps every user to it.
	text = strings.Replace(text, "* = ", "* = user="+target.User+" ", 1)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}

	command := exec.Command(program, config)
	command.SysProcAttr = &syscall.SysProcAttr{Credential: owner(), Pdeathsig: syscall.SIGKILL}
	log := &strings.Builder{}
	command.Stderr = log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { command.Wait(); close(exited) }()
	t.Cleanup(func() { command.Process.Kill(); <-exited })

	url = fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", target.User, port, target.Database)
	err = errors.New("not tried")
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var conn *pgx.Conn
		if conn, err = pgx.Connect(context.Background(), url); err == nil {
			conn.Close(context.Background())
			return url
		}
		select {
		case <-exited:
			t.Fatalf("PgBouncer ended at once:\n%s", log)
		default:
		}
	}
	t.Fatalf("PgBouncer doesn't answer: %v", err)
	return ""
}
