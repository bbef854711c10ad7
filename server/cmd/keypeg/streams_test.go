package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/shared"
)

// TestManyStreams opens thousands of pages on one node. All are notified of a change on
// the other.
func TestManyStreams(t *testing.T) {
	streams := 1000
	if soaking {
		streams = 10_000
	}
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	if most := int(files.Cur) - 1000; streams > most {
		t.Fatalf("this machine allows %d open files: raise it with ulimit -n", files.Cur)
	}

	a := newProgramOn(t, pgtest.Empty(t), "", "--log-level", "warn")
	b := newProgramOn(t, a.database, a.url, "--log-level", "warn")
	a.starts()
	b.starts()
	people := witnesses(a, "user", streams/live.MostOfSession+1)
	if _, err := b.opensTab(nil, people[0].token).Account(t.Context()); err != nil {
		t.Fatal(err)
	}

	public, err := url.Parse(a.url)
	if err != nil {
		t.Fatal(err)
	}
	before := b.memory("VmRSS")
	connections := make([]net.Conn, streams)
	lines := make([]*bufio.Reader, streams)
	for i := range connections {
		c, err := net.Dial("tcp", b.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nCookie: keypeg=%s\r\n\r\n", shared.PathLive, public.Host, people[i%len(people)].token)
		connections[i], lines[i] = c, bufio.NewReaderSize(c, 512)
	}
	waits := func(i int, line string) error {
		if err := connections[i].SetReadDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		for {
			got, err := lines[i].ReadString('\n')
			if err != nil {
				return fmt.Errorf("stream %d: %w", i, err)
			}
			if strings.TrimSpace(got) == line {
				return nil
			}
		}
	}
	for i := range connections {
		if err := waits(i, "retry: 1000"); err != nil {
			t.Fatal(err)
		}
	}
	each := (b.memory("VmRSS") - before) / int64(streams)

	began := time.Now()
	for _, w := range people {
		if _, err := a.opensTab(nil, w.token).EndOtherSessions(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var hearing sync.WaitGroup
	for i := range connections {
		hearing.Go(func() {
			if err := waits(i, "event: "+shared.LiveChanged); err != nil {
				t.Error(err)
			}
		})
	}
	hearing.Wait()
	t.Logf("%d streams, %d kB each; all were notified after %s", streams, each>>10, time.Since(began).Round(time.Millisecond))
	if each > 96<<10 { // some 64 kB; the heap grows by many megabytes at once
		t.Errorf("a stream takes %d bytes", each)
	}
}

// TestStreamsOfOne opens 4,000 streams for one user, where the program may have 1,500
// files open. Others are served, and so is the command line.
func TestStreamsOfOne(t *testing.T) {
	p := newProgram(t)
	_, ann := p.hasUser("ann")
	_, bob := p.hasUser("bob")
	p.descriptors = 1500
	p.starts()

	his := p.opensStream(bob)
	p.waits("bob", his, "retry: 1000")
	var hers []*openStream
	for range 4000 {
		stream := p.opensStream(ann)
		p.waits("ann", stream, "retry: 1000")
		hers = append(hers, stream)
	}
	p.waits("the first of ann's streams", hers[0], "event: "+shared.LiveLater)
	if _, err := io.Copy(io.Discard, hers[0].lines); err != nil {
		t.Errorf("its connection stays open: %v", err)
	}

	if answer := p.get(shared.PageSignIn); answer != http.StatusOK {
		t.Errorf("the sign-in page: %d", answer)
	}
	path, err := theProgram()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), path, "user", "list", "--database", p.database).CombinedOutput(); err != nil {
		t.Errorf("the command line: %v\n%s", err, out)
	}
	for who, token := range map[string]string{"ann": ann, "bob": bob} {
		if _, err := p.opensTab(nil, token).EndOtherSessions(t.Context()); err != nil {
			t.Errorf("%s: %v", who, err)
		}
	}
	p.waits("bob", his, "event: "+shared.LiveChanged)
	p.waits("the last of ann's streams", hers[len(hers)-1], "event: "+shared.LiveChanged)
}

// TestStreamsFull opens more pages than the program may have files.
func TestStreamsFull(t *testing.T) {
	p := newProgram(t)
	p.descriptors = 100
	_, ann := p.hasUser("ann")
	_, bob := p.hasUser("bob")
	p.starts()
	first := p.opensStream(ann)
	p.waits("ann", first, "retry: 1000")
	for i := range 27 { // as many as 100 descriptors allow
		p.waits("a page", p.opensStream([]string{ann, bob}[i%2]), "retry: 1000")
	}
	p.waits("the oldest", first, "event: "+shared.LiveLater)
	p.logs("level=ERROR")
	p.logs("more pages are open than this server can notify of changes")
	p.logs("LimitNOFILE=65536")
	if answer := p.get(shared.PageSignIn); answer != http.StatusOK {
		t.Errorf("the sign-in page: %d", answer)
	}
}

// opensStream asks for a stream on a connection of its own.
func (p *program) opensStream(token string) *openStream {
	p.Helper()
	c, err := net.Dial("tcp", p.address)
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nCookie: keypeg=%s\r\n\r\n", shared.PathLive, strings.TrimPrefix(p.url, "http://"), token)
	return &openStream{c, bufio.NewReaderSize(c, 512)}
}

// openStream is a connection and what it brings.
type openStream struct {
	conn  net.Conn
	lines *bufio.Reader
}

// waits waits for a line of a stream.
func (p *program) waits(who string, stream *openStream, line string) {
	p.Helper()
	if err := stream.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		p.Fatal(err)
	}
	for {
		got, err := stream.lines.ReadString('\n')
		if err != nil {
			p.Fatalf("%s waits for %q: %v", who, line, err)
		}
		if strings.TrimSpace(got) == line {
			return
		}
	}
}
