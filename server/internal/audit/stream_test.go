package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// following is a stream whose rounds a test runs.
type following struct {
	*testing.T
	db     store.Store
	sink   *Sink
	stream *Stream
	clock  time.Time
	log    bytes.Buffer
}

func follows(t *testing.T, setting string) *following {
	t.Helper()
	f := &following{T: t, clock: time.Now()}
	f.db = memstore.New(func() time.Time { return f.clock })
	f.starts(setting)
	if err := f.stream.write(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

// starts begins a stream, as the server does.
func (f *following) starts(setting string) {
	f.Helper()
	sink, err := OpenSink(setting, io.Discard)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { sink.Close() })
	f.sink = sink
	f.stream = NewStream(f.db, sink, "", slog.New(slog.NewTextHandler(&f.log, nil)), func() time.Time { return f.clock })
}

var ann = storetest.UserID(1)

// happens records an event of Ann's.
func (f *following) happens(count uint64) store.Event {
	f.Helper()
	v := store.NewEvent(f.clock, ann, shared.EventSignInFailed, store.Client{Address: "192.0.2.7"})
	f.writes(v, count)
	return v
}

func (f *following) writes(v store.Event, count uint64) {
	f.Helper()
	if count > 1 {
		v.Count, v.Last = count, f.clock
	}
	if err := f.stream.Store(f.db).Apply(f.Context(), store.Batch{store.AddEvent{Event: v}}); err != nil {
		f.Fatal(err)
	}
}

// passes lets time go by, and runs a round that looks for the events of others too.
func (f *following) passes(d time.Duration) {
	f.Helper()
	f.clock, f.stream.look = f.clock.Add(d), time.Time{}
	f.stream.round(f.Context())
}

// has returns how many lines a file has, by id and count.
func has(t *testing.T, path string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for line := range strings.Lines(string(text)) {
		var v shared.AuditEvent
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		found[fmt.Sprint(v.ID, " ", max(v.Count, 1))]++
	}
	return found
}

func idOf(v store.Event, count int) string { return fmt.Sprintf("%x %d", v.ID, count) }

func TestStream(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	f := follows(t, path)
	if err := f.db.Apply(t.Context(), store.Batch{store.PutUser{User: store.User{ID: ann, Name: "ann"}}}); err != nil {
		t.Fatal(err)
	}
	wants := func(what string, events ...string) {
		t.Helper()
		got := has(t, path)
		for _, id := range events {
			if got[id] == 0 {
				t.Errorf("%s: no line for %s in %v", what, id, got)
			}
		}
	}
	first := f.happens(1)
	f.passes(time.Second)
	f.passes(time.Second)
	if got := has(t, path); got[idOf(first, 1)] != 1 || len(got) != 1 {
		t.Errorf("after an event: %v", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != fileMode {
		t.Errorf("the file: %v %v", info, err)
	}

	f.passes(50 * time.Minute)
	f.writes(first, 7)
	f.passes(time.Second)
	wants("it counts more", idOf(first, 7))

	f.clock = f.clock.Add(-30 * time.Second) // another node has another clock
	late := f.happens(1)
	f.passes(40 * time.Second)
	wants("an event comes late", idOf(late, 1))

	f.clock = f.clock.Add(-2 * time.Hour)
	back := f.happens(1)
	f.passes(time.Second)
	wants("the clock was set back", idOf(back, 1))
	f.clock = f.clock.Add(2 * time.Hour)

	t.Run("nothing is lost between two processes", func(t *testing.T) {
		f.passes(2 * savesEvery) // and then it is killed
		while := f.happens(1)
		f.clock = f.clock.Add(20 * time.Minute)
		f.writes(first, 9) // by a process that was killed before it wrote
		f.clock = f.clock.Add(5 * time.Hour)
		f.starts(path)
		f.passes(0)
		wants("while nobody looked", idOf(while, 1), idOf(first, 9))
	})
	t.Run("a file that was moved is opened again", func(t *testing.T) {
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
		if err := f.sink.Reopen(); err != nil {
			t.Fatal(err)
		}
		f.passes(10 * time.Minute)
		after := f.happens(1)
		f.passes(time.Second)
		if got := has(t, path); got[idOf(after, 1)] != 1 {
			t.Errorf("the new file has %v", got)
		}
	})
	t.Run("a disk that fills loses nothing", func(t *testing.T) {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip(err)
		}
		f.sink.out.(*file).open.Close()
		f.sink.out.(*file).open = full
		lost := f.happens(1)
		f.passes(time.Second)
		f.passes(30 * time.Minute)
		if n := strings.Count(f.log.String(), "the audit log can't be written"); n != 1 || !strings.Contains(f.log.String(), "the disk is full: make room") {
			t.Errorf("the log says %s", &f.log)
		}
		if err := f.sink.Reopen(); err != nil {
			t.Fatal(err)
		}
		f.passes(time.Second)
		wants("there is room again", idOf(lost, 1))
		if !strings.Contains(f.log.String(), "can be written again") {
			t.Errorf("the log says %s", &f.log)
		}
	})
}

// reading counts how often events are listed.
type reading struct {
	store.Store
	lists int
}

func (r *reading) AllEvents(ctx context.Context, query store.EventQuery, limit int) ([]store.Event, error) {
	r.lists++
	return r.Store.AllEvents(ctx, query, limit)
}

// TestStreamReadsLittle: what passes the stream is written without a look at the events of the last minutes,
// which are many where many people sign in.
func TestStreamReadsLittle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	f := follows(t, path)
	db := &reading{Store: f.db}
	f.stream.store = db
	for range 20 {
		f.happens(1)
		f.clock = f.clock.Add(gathers)
		f.stream.round(t.Context())
	}
	if n := len(has(t, path)); n != 20 || db.lists != 0 {
		t.Errorf("%d lines, and events were listed %d times", n, db.lists)
	}
	f.clock = f.clock.Add(looksEvery)
	f.stream.round(t.Context())
	if got := has(t, path); len(got) != 20 || db.lists == 0 {
		t.Errorf("after a look: %d lines, and events were listed %d times", len(got), db.lists)
	}
}

// server is a syslog server, which counts what it gets.
type server struct {
	net.Listener
	mu  sync.Mutex
	got map[string]int
}

var message = regexp.MustCompile(`^<110>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]+ keypeg \d+ sign_in_failed - (\{.*\})$`)

func (s *server) serves(t *testing.T) {
	for {
		conn, err := s.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			for r := bufio.NewReader(conn); ; {
				var n int
				if _, err := fmt.Fscanf(r, "%d ", &n); err != nil {
					return
				}
				text := make([]byte, n)
				if _, err := io.ReadFull(r, text); err != nil {
					return
				}
				found := message.FindSubmatch(text)
				var v shared.AuditEvent
				if found == nil || json.Unmarshal(found[1], &v) != nil {
					t.Errorf("a message is %q", text)
					return
				}
				s.mu.Lock()
				s.got[fmt.Sprint(v.ID, " 1")]++
				s.mu.Unlock()
			}
		}()
	}
}

func TestSyslog(t *testing.T) {
	address := proxytest.FreeAddress(t) // it is away at first
	f := follows(t, SyslogPrefix+address)
	var events []store.Event
	for range 3 {
		events = append(events, f.happens(1))
		f.passes(time.Minute)
	}
	if !strings.Contains(f.log.String(), "the audit log can't be written; nothing is lost") {
		t.Errorf("the log says %s", &f.log)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Listener: listener, got: map[string]int{}}
	go s.serves(t)
	defer listener.Close()
	f.passes(time.Second)
	events = append(events, f.happens(1))
	f.passes(time.Second)
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		missing := 0
		for _, v := range events {
			if s.got[idOf(v, 1)] == 0 {
				missing++
			}
		}
		s.mu.Unlock()
		if missing == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d events didn't come", missing)
		}
	}
}

// TestSyslogSocket sends datagrams to a socket of this machine, as /dev/log is.
func TestSyslogSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	conn, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	f := follows(t, SyslogPrefix+path)
	f.happens(1)
	f.passes(time.Second)
	text := make([]byte, 8<<10)
	n, _, err := conn.ReadFrom(text)
	if err != nil || !message.Match(text[:n]) {
		t.Errorf("%v: the message is %q", err, text[:n])
	}
}

func TestSinksThatCannotBe(t *testing.T) {
	if _, err := OpenSink(filepath.Join(t.TempDir(), "none", "audit.log"), io.Discard); err == nil || !strings.Contains(err.Error(), "make it, or correct the path") {
		t.Errorf("a folder that isn't there: %v", err)
	}
	if sink, err := OpenSink("", io.Discard); sink != nil || err != nil || sink.Reopen() != nil || sink.Close() != nil || NewStream(nil, sink, "", nil, nil) != nil {
		t.Errorf("no audit log: %v %v", sink, err)
	}
	var none *Stream
	none.Run(context.Background())
}
