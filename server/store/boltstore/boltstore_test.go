package boltstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now store.Clock) store.Store {
		return open(t, filepath.Join(t.TempDir(), "keypeg.db"), now)
	})
}

func open(t testing.TB, path string, now store.Clock) *Store {
	t.Helper()
	s, err := Open(path, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func userOf(i int) store.User {
	return store.User{ID: fmt.Sprintf("id-%06d", i), Name: fmt.Sprintf("user-%06d", i), Handle: make([]byte, 64)}
}

func TestOpen(t *testing.T) {
	t.Run("a new file and its folder are the owner's only", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "data", "keypeg.db")
		open(t, path, time.Now)
		for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
			if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v (%v), want %o", name, info.Mode(), err, want)
			}
		}
	})
	t.Run("what was written is there after reopening", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "keypeg.db")
		s := open(t, path, time.Now)
		for i := range 100 {
			if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: userOf(i)}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		found, err := open(t, path, time.Now).Users(t.Context(), "", 1000)
		if err != nil || len(found) != 100 {
			t.Errorf("%d users (%v), want 100", len(found), err)
		}
	})
	t.Run("a file that is in use is refused as such", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "keypeg.db")
		open(t, path, time.Now)
		if _, err := Open(path, time.Now); !errors.Is(err, ErrInUse) {
			t.Errorf("got %v, want ErrInUse", err)
		}
	})

	valid := filepath.Join(t.TempDir(), "valid.db")
	s, err := Open(valid, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: userOf(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(valid)
	if err != nil {
		t.Fatal(err)
	}
	foreign, newer := bboltFile(t, func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("something else"))
		return err
	}), bboltFile(t, func(tx *bbolt.Tx) error {
		meta, err := tx.CreateBucket(bucketMeta)
		if err != nil {
			return err
		}
		return meta.Put(formatKey, binary.BigEndian.AppendUint32(nil, format+1))
	})
	older, err := os.ReadFile("testdata/v0.2.0.db")
	if err != nil {
		t.Fatal(err)
	}
	calls := func(content []byte, format byte) []byte {
		was := content[bytes.Index(content, []byte("format\x00\x00\x00"))+9]
		return bytes.ReplaceAll(content, []byte{'f', 'o', 'r', 'm', 'a', 't', 0, 0, 0, was}, []byte{'f', 'o', 'r', 'm', 'a', 't', 0, 0, 0, format})
	}
	for name, test := range map[string]struct {
		content []byte
		says    string
	}{
		"today's file that calls itself older":    {calls(whole, 2), "says format 2 and has no users"},
		"an older file that calls itself today's": {calls(older, 3), "says format 3 and has no people"},
		"a file that calls itself of no format":   {calls(older, 0), "there is no format 0"},
		"a text":                                  {[]byte("Dear diary, this is not a database.\n"), "isn't a Keypeg database"},
		"a large file of zeroes":                  {make([]byte, 1<<16), "isn't a Keypeg database"},
		"a database cut off":                      {whole[:len(whole)/2], "was cut off"},
		"a database cut to one page":              {whole[:4096], "was cut off"},
		"another program's bbolt file":            {foreign, "not Keypeg's"},
		"a file of a newer version":               {newer, "newer Keypeg"},
	} {
		t.Run(name+" is refused with a sentence and stays as it is", func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keypeg.db")
			if err := os.WriteFile(path, test.content, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(path, time.Now)
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want an error that says %q", err, test.says)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, test.content) {
				t.Errorf("the file changed (%v)", err)
			}
		})
	}
}

func bboltFile(t *testing.T, fill func(*bbolt.Tx) error) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "other.db")
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(fill), db.Close()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestGrouping(t *testing.T) {
	t.Run("batches that wait share a commit, and a refused one doesn't harm the others", func(t *testing.T) {
		s := open(t, filepath.Join(t.TempDir(), "keypeg.db"), time.Now)
		commits := func() int64 { stats := s.db.Stats(); return stats.TxStats.GetWrite() }
		before := commits()

		// The writer is held up by a batch that waits for us.
		started, goOn := make(chan struct{}), make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() {
			s.submit(func(*bbolt.Tx) (apply, error) { close(started); <-goOn; return nil, errNothingToWrite })
		})
		<-started
		errs := make([]error, 100)
		for i := range errs {
			all.Go(func() {
				user := userOf(i)
				if i == 50 {
					user.Revision = 7 // stale
				}
				errs[i] = s.Apply(t.Context(), store.Batch{store.PutUser{User: user}})
			})
		}
		for len(s.writes) < len(errs) {
			runtime.Gosched() // until they wait in the channel
		}
		close(goOn)
		all.Wait()

		for i, err := range errs {
			if want := map[bool]error{true: store.ErrStale}[i == 50]; !errors.Is(err, want) {
				t.Errorf("batch %d: got %v, want %v", i, err, want)
			}
		}
		alone := commits()
		if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: userOf(1000)}}); err != nil {
			t.Fatal(err)
		}
		if one := commits() - alone; alone-before > 10*one {
			t.Errorf("100 batches wrote %d pages, one writes %d: they were not committed together", alone-before, one)
		}
	})
}

func TestSweep(t *testing.T) {
	clock := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	s := open(t, filepath.Join(t.TempDir(), "keypeg.db"), func() time.Time { return clock })
	const sessions = sweepStep + 44
	for i := range sessions {
		id := store.Hash{byte(i), byte(i >> 8), 1}
		err := s.Apply(t.Context(), store.Batch{
			store.AddSession{Session: store.Session{ID: id, UserID: "1", Expires: clock.Add(time.Minute)}},
			store.AddSession{Session: store.Session{ID: store.Hash{byte(i), byte(i >> 8), 2}, UserID: "1", Expires: clock.Add(time.Hour)}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := s.Apply(t.Context(), store.Batch{
		store.AddEvent{Event: store.Event{UserID: "1", Expires: clock.Add(time.Hour)}},
		store.PutLink{Link: store.Link{Key: "k", Expires: clock.Add(2 * time.Hour)}},
		store.SpendTicket{Ticket: store.SpentTicket{Expires: clock.Add(2 * time.Hour)}},
	})
	if err != nil {
		t.Fatal(err)
	}

	steps := func() (removed []int) {
		for {
			n, err := s.sweep()
			if err != nil {
				t.Fatal(err)
			}
			if removed = append(removed, n); n == 0 {
				return removed
			}
		}
	}
	records := func(bucket []byte) (n int) {
		s.db.View(func(tx *bbolt.Tx) error {
			return tx.Bucket(bucket).ForEach(func(_, _ []byte) error { n++; return nil })
		})
		return n
	}
	expect := func(when string, bucket []byte, want int) {
		t.Helper()
		if got := records(bucket); got != want {
			t.Errorf("%s: %d records in %s, want %d", when, got, bucket, want)
		}
	}

	if got := fmt.Sprint(steps()); got != "[0]" {
		t.Errorf("before anything expired it removed %s", got)
	}
	clock = clock.Add(time.Minute)
	if got, want := fmt.Sprint(steps()), fmt.Sprint([]int{sweepStep, 44, 0}); got != want {
		t.Errorf("steps removed %s, want %s", got, want)
	}
	expect("after a minute", bucketSessions, sessions)
	expect("after a minute", bucketUsers, sessions+1)
	clock = clock.Add(24 * time.Hour)
	steps()
	for _, bucket := range [][]byte{bucketSessions, bucketUsers, bucketLinks, bucketTickets, bucketExpiry} {
		expect("after a day", bucket, 0)
	}
}

// TestSweepOfAWrongClock sets the clock a year ahead for a while: all is there again when it
// is right.
func TestSweepOfAWrongClock(t *testing.T) {
	begin := time.Now()
	passed, ahead := time.Duration(0), time.Duration(0)
	now := func() time.Time { return begin.Add(passed + ahead) }
	s := open(t, filepath.Join(t.TempDir(), "keypeg.db"), now)
	session := store.Session{ID: store.Hash{1}, UserID: "1", Expires: begin.Add(24 * time.Hour)}
	if err := s.Apply(t.Context(), store.Batch{store.AddSession{Session: session}}); err != nil {
		t.Fatal(err)
	}
	var clock store.ClockWatch
	sweeps := func(after time.Duration) error {
		passed += after
		s.sweepIfSteady(&clock, begin.Add(passed))
		_, err := s.Session(t.Context(), session.ID)
		return err
	}

	for range 3 {
		if err := sweeps(time.Hour); err != nil {
			t.Fatalf("a session of a day after %s: %v", passed, err)
		}
	}
	ahead = 365 * 24 * time.Hour
	for range 2 {
		if err := sweeps(time.Minute); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("by a clock that is a year ahead it has expired, got %v", err)
		}
	}
	ahead = 0
	if err := sweeps(time.Minute); err != nil {
		t.Errorf("when the clock is right again: %v", err)
	}
	sweeps(24 * time.Hour)
	s.db.View(func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketSessions).Get(session.ID[:]) != nil {
			t.Error("what has expired by a clock that is right is still there")
		}
		return nil
	})
}

// signInOf is what the sign-in of a new user writes: the ticket, the user, the session and
// the line of activity.
func signInOf(id string) store.Batch {
	now, ticket := time.Now(), sha256.Sum256([]byte(id))
	event := store.NewEvent(now, id, shared.EventSignedIn, store.Client{Browser: "Firefox", System: "Linux", Address: "192.0.2.1"})
	return store.Batch{
		store.SpendTicket{Ticket: store.SpentTicket{ID: [16]byte(ticket[:16]), Expires: now.Add(5 * time.Minute)}},
		store.PutUser{User: store.User{ID: id, Name: id, Handle: ticket[:], Created: now}},
		store.AddSession{Session: store.Session{ID: ticket, UserID: id, Method: store.MethodPasskey, Created: now, Expires: now.Add(time.Hour)}},
		store.AddEvent{Event: event},
	}
}

// BenchmarkApply writes sign-ins, alone and together.
func BenchmarkApply(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "keypeg.db"), time.Now)
			b.SetParallelism(writers)
			var n atomic.Int64
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if err := s.Apply(b.Context(), signInOf(fmt.Sprint(n.Add(1)))); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
