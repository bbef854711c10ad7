package main

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/shared"
)

// TestManyStreams opens thousands of pages on one node. All hear of a change that
// happened on the other.
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
	people := witnesses(a, "user", 10)
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
	t.Logf("%d streams, %d kB each; all had heard after %s", streams, each>>10, time.Since(began).Round(time.Millisecond))
	if each > 64<<10 {
		t.Errorf("a stream takes %d bytes", each)
	}
}
