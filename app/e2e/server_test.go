package e2e

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// server is a running keypeg with a database of its own.
type server struct {
	url      string
	database string
	setup    string // the link that was printed at the first start
	log      *output
}

// startServer runs the program until the test ends.
func startServer(t *testing.T, flags ...string) *server {
	t.Helper()
	free, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().(*net.TCPAddr)
	free.Close()

	s := &server{database: filepath.Join(t.TempDir(), "keypeg.db"), log: &output{}}
	_, port, err := net.SplitHostPort(address.String())
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://localhost:" + port

	command := exec.Command(keypeg, append([]string{"serve", "--listen", "localhost:" + port, "--database", s.database}, flags...)...)
	command.Stderr = s.log
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Signal(os.Interrupt)
		if err := command.Wait(); err != nil {
			t.Errorf("the server ended badly: %v\n%s", err, s.log)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.log)
		}
	})

	// It prints the link when it can be opened, and nothing but the address once
	// there is an administrator.
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, s.url+"/setup?") {
			s.setup = line
			break
		}
	}
	if s.setup == "" {
		t.Fatalf("the server printed no set-up link\n%s", s.log)
	}
	go io.Copy(io.Discard, stdout)
	return s
}

// command runs another command of the program on the same database, while the
// server runs.
func (s *server) command(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	command := exec.Command(keypeg, append(args, "--database", s.database)...)
	command.Stdin = strings.NewReader(stdin)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("keypeg %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// output gathers what a process prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
