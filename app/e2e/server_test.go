package e2e

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
)

// server is a program that serves pages: keypeg with a database of its own, or another one.
type server struct {
	t        *testing.T
	url      string // that people use
	listens  string // the address behind it
	program  string // the executable
	flags    []string
	database string
	setup    string // the link that was printed at the first start
	log      *proxytest.Output
	running  *exec.Cmd
}

// startServer runs the program until the test ends.
func startServer(t *testing.T, flags ...string) *server {
	t.Helper()
	s := &server{t: t, program: keypeg, listens: proxytest.FreeAddress(t), database: filepath.Join(t.TempDir(), "keypeg.db"), log: &proxytest.Output{}}
	s.url = "http://" + s.listens
	if at := slices.Index(flags, "--public-url"); at >= 0 {
		s.url = flags[at+1]
	}
	s.flags = append([]string{"serve", "--listen", s.listens, "--database", s.database}, flags...)
	s.starts()
	if s.setup == "" {
		t.Fatalf("the server printed no set-up link\n%s", s.log)
	}
	t.Cleanup(func() {
		s.stops()
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.log)
		}
	})
	return s
}

// startGallery runs the program that shows every state, until the test ends.
func startGallery(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, program: gallery, listens: proxytest.FreeAddress(t), log: &proxytest.Output{}}
	s.url = "http://" + s.listens
	s.flags = []string{"-listen", s.listens}
	s.runs(func(line string) bool { return strings.HasPrefix(line, "The gallery is open") })
	t.Cleanup(s.stops)
	return s
}

// starts starts the server, and waits until its output says that it can be reached.
func (s *server) starts() {
	s.t.Helper()
	s.runs(func(line string) bool {
		if strings.HasPrefix(line, s.url+"/setup?") {
			s.setup = line
			return true
		}
		return strings.HasPrefix(line, "Keypeg runs at") && s.setup != "" // there is an administrator already
	})
}

// runs starts the program, and waits until isReady returns true for a line of its output.
func (s *server) runs(isReady func(line string) bool) {
	s.t.Helper()
	s.running = exec.Command(s.program, s.flags...)
	s.running.Stderr = s.log
	stdout, err := s.running.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.running.Start(); err != nil {
		s.t.Fatal(err)
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if isReady(strings.TrimSpace(lines.Text())) {
			break
		}
	}
	go io.Copy(io.Discard, stdout)
}

func (s *server) stops() {
	s.t.Helper()
	if s.running == nil {
		return
	}
	s.running.Process.Signal(os.Interrupt)
	if err := s.running.Wait(); err != nil {
		s.t.Errorf("the server ended badly: %v\n%s", err, s.log)
	}
	s.running = nil
}

// crashes ends the program without a word, as a failing machine does.
func (s *server) crashes() {
	s.t.Helper()
	if err := s.running.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	s.running.Wait() // its error says that it was killed
	s.running = nil
}

// agesSignIns sets the times at which people proved who they are back. The server must have
// stopped.
func (s *server) agesSignIns(by time.Duration) {
	s.t.Helper()
	db, err := boltstore.Open(s.database, time.Now)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	records, err := db.Records(s.t.Context(), store.KindSession, nil, 1000)
	if err != nil || len(records) == 0 {
		s.t.Fatalf("%d sessions: %v", len(records), err)
	}
	for _, record := range records {
		session := record.Op.(store.AddSession).Session
		session.Authenticated = session.Authenticated.Add(-by)
		if err := db.Apply(s.t.Context(), store.Batch{store.ReplaceSession{Old: session.ID, Session: session}}); err != nil {
			s.t.Fatal(err)
		}
	}
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
