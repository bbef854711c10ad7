package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/shared"
)

// TestSignals sends a running program what ends others.
func TestSignals(t *testing.T) {
	t.Run("a hang-up ends nothing, and is logged", func(t *testing.T) {
		p := newProgram(t)
		p.starts()
		for range 2 {
			if err := p.running.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
		}
		p.logs("a hang-up signal (SIGHUP) changes nothing")
		if answer := p.get(shared.PathHealth); answer != http.StatusOK {
			t.Errorf("after SIGHUP: %d", answer)
		}
	})

	t.Run("the reader of its output may go away", func(t *testing.T) {
		p := newProgram(t)
		path, err := theProgram()
		if err != nil {
			t.Fatal(err)
		}
		p.running = exec.Command(path, p.args...)
		reads, writes, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		p.running.Stderr, p.running.Stdout = writes, writes
		if err := p.running.Start(); err != nil {
			t.Fatal(err)
		}
		writes.Close()
		for lines := bufio.NewScanner(reads); lines.Scan() && !strings.Contains(lines.Text(), "msg=serving"); {
		}
		reads.Close()
		for range 3 { // each writes a line of the log
			if answer := p.get(shared.PageSignIn); answer != http.StatusOK {
				t.Fatalf("without a reader of the log: %d", answer)
			}
		}
	})
}

// TestDescriptors takes almost all file descriptors away. The command line is served, and
// so are new clients once connections have ended; IT reads what to do.
func TestDescriptors(t *testing.T) {
	p := newProgram(t)
	p.hasUser("ann")
	p.descriptors = 100
	p.starts()

	var silent []net.Conn
	for range 60 {
		c, err := net.Dial("tcp", p.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		silent = append(silent, c)
	}
	p.logs("new connections have to wait until others end: raise the limit on open files, with LimitNOFILE=65536")

	path, err := theProgram()
	if err != nil {
		t.Fatal(err)
	}
	list, err := exec.CommandContext(t.Context(), path, "user", "list", "--database", p.database).CombinedOutput()
	if err != nil || !strings.Contains(string(list), "ann") {
		t.Errorf("the command line while connections wait: %v\n%s", err, list)
	}
	for _, c := range silent {
		c.Close()
	}
	if answer := p.get(shared.PathHealth); answer != http.StatusOK {
		t.Errorf("once they have ended: %d", answer)
	}
}

// TestDatabaseClock gives a server a database with a wrong clock, as on another machine.
func TestDatabaseClock(t *testing.T) {
	for edition, flags := range map[string][]string{"on-premise": nil, "cloud": {"--public-url=", "--edition", "cloud"}} {
		t.Run("a server of the edition "+edition+" tells of it", func(t *testing.T) {
			server := pgtest.Start(t)
			// In this schema search the function is found before PostgreSQL's own.
			server.Do(t, "postgres", `CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT now() - interval '1 hour' $$`)
			p := newProgramOn(t, server.URL("postgres")+"&search_path=public,pg_catalog", "", flags...)
			p.starts()
			p.logs("this machine's clock and the database server's are a minute or more apart")
		})
	}
}

// get is the status that a path is answered with.
func (p *program) get(path string) int {
	p.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Get(p.url + path)
	if err != nil {
		p.Fatal(err)
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	return response.StatusCode
}

// becomes waits until a path is answered so.
func (p *program) becomes(path string, want int) {
	p.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		got := p.get(path)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			p.Fatalf("%s says %d, and not %d", path, got, want)
		}
	}
}

// logs waits until the program has written this to its log.
func (p *program) logs(text string) {
	p.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(p.log.String(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.Fatalf("the log doesn't say %q:\n%s", text, p.log)
		}
	}
}
