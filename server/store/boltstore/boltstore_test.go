package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
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
		path := filepath.Join(t.TempDir(), "keypeg.db")
		s, err := openSweeping(path, now, never)
		if err != nil {
			t.Fatal(err)
		}
		s.passed.Store(math.MaxInt64)
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if _, err := Check(path, now()); err != nil {
				t.Error(err)
			}
		})
		return s
	})
}

// never is how often a store sweeps by itself that a test sweeps.
const never = 1000 * time.Hour

func open(t testing.TB, path string, now store.Clock) *Store {
	t.Helper()
	s, err := openSweeping(path, now, never)
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
	return store.User{ID: storetest.UserID(i), Name: fmt.Sprintf("user-%06d", i), Handle: make([]byte, 64)}
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
		found, _, err := open(t, path, time.Now).Users(t.Context(), store.UserQuery{}, 1000)
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
	foreign := bboltFile(t, func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("something else"))
		return err
	})
	calls := func(number uint32) []byte {
		return bboltFile(t, func(tx *bbolt.Tx) error {
			meta, err := tx.CreateBucket(bucketMeta)
			if err != nil {
				return err
			}
			return meta.Put(formatKey, binary.BigEndian.AppendUint32(nil, number))
		})
	}
	for name, test := range map[string]struct {
		content []byte
		says    string
	}{
		"a file of an earlier version":          {calls(format - 1), "whose keypeg backup and keypeg restore keep it"},
		"a file without its buckets":            {calls(format), "says format 4 and has no probe"},
		"a file that calls itself of no format": {calls(0), "there is no format 0"},
		"a text":                                {[]byte("Dear diary, this is not a database.\n"), "isn't a Keypeg database"},
		"a large file of zeroes":                {make([]byte, 1<<16), "isn't a Keypeg database"},
		"a database cut off":                    {whole[:len(whole)/2], "was cut off"},
		"a database cut to one page":            {whole[:4096], "was cut off"},
		"another program's bbolt file":          {foreign, "not Keypeg's"},
		"a file of a newer version":             {calls(format + 1), "newer Keypeg"},
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
			s.submit(func(*writing) (apply, error) { close(started); <-goOn; return nil, errNothingToWrite })
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
	s.passed.Store(math.MaxInt64)
	apply := func(ops ...store.Op) {
		t.Helper()
		if err := s.Apply(t.Context(), ops); err != nil {
			t.Fatal(err)
		}
	}
	ann, bob := storetest.UserID(1), storetest.UserID(2)
	session := func(userID, name string, life time.Duration) store.Op {
		return store.AddSession{Session: store.Session{ID: storetest.SessionID(userID, name), UserID: userID, Expires: clock.Add(life)}}
	}
	note := func(owner string, life time.Duration) store.Op {
		return store.PutItem{Item: store.Item{Owner: owner, Collection: "note", Value: []byte("1"), Version: store.AnyVersion, Expires: clock.Add(life)}}
	}
	event := func(userID string, life time.Duration) store.Op {
		v := store.NewEvent(clock, userID, shared.EventSignedIn, store.Client{})
		v.Expires = clock.Add(life)
		return store.AddEvent{Event: v}
	}
	sweep := func() {
		t.Helper()
		for done := false; !done; {
			var err error
			if done, err = s.sweep(); err != nil {
				t.Fatal(err)
			}
		}
	}
	expect := func(when string, want map[string]int) {
		t.Helper()
		s.db.View(func(tx *bbolt.Tx) error {
			for bucket, want := range want {
				got := 0
				tx.Bucket([]byte(bucket)).ForEach(func(_, _ []byte) error { got++; return nil })
				if got != want {
					t.Errorf("%s: %d keys in %s, want %d", when, got, bucket, want)
				}
			}
			return nil
		})
	}

	for _, userID := range []string{ann, bob} {
		apply(session(userID, "short", time.Minute), session(userID, "long", time.Hour), note(userID, time.Minute), event(userID, time.Minute))
	}
	apply(note("", time.Minute), store.SpendTicket(store.NewTicketID(clock), clock.Add(time.Minute)))
	sweep()
	expect("before anything expired", map[string]int{"people": 8, "items": 1, "recent": 3})
	clock = clock.Add(time.Minute)
	apply(session(ann, "new", time.Hour))
	expect("after a write of ann", map[string]int{"people": 6, "items": 1, "recent": 3})
	sweep()
	expect("after a sweep", map[string]int{"people": 3, "items": 0, "recent": 3})
	clock = clock.Add(time.Hour)
	sweep()
	expect("after an hour", map[string]int{"people": 0, "recent": 0, "archive": 1})
	clock = clock.Add(store.EventsKept)
	sweep()
	expect("after a year", map[string]int{"people": 0, "archive": 0, "counts": 0, "days": 0})

	commit := func() (id int) {
		s.db.View(func(tx *bbolt.Tx) error { id = tx.ID(); return nil })
		return id
	}
	before := commit()
	sweep()
	if after := commit(); after != before {
		t.Errorf("%d commits of a sweep that found nothing", after-before)
	}

	// A user who comes no more, with events in blocks.
	for range 3 * singlesMost {
		clock = clock.Add(time.Hour)
		apply(event(bob, store.EventsKept))
	}
	clock = clock.Add(store.EventsKept)
	sweep()
	expect("after another year", map[string]int{"people": 0, "past": 0})

	// More than one step looks at.
	clock = clock.Add(time.Hour)
	for i := range 3 * sweepMost {
		apply(session(storetest.UserID(i), "s", time.Minute))
	}
	clock = clock.Add(time.Minute)
	if _, err := s.sweep(); err != nil {
		t.Fatal(err)
	}
	expect("after one step", map[string]int{"people": 2 * sweepMost})
	sweep()
	expect("after all steps", map[string]int{"people": 0})
}

// TestFoldOfACopy writes events as a copy does: user by user, newest first. They don't pile up in
// the bucket of the newest entries.
func TestFoldOfACopy(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	s := open(t, filepath.Join(t.TempDir(), "keypeg.db"), func() time.Time { return now })
	s.db.NoSync = true
	var batch store.Batch
	for i := range 2000 {
		at := now.Add(-time.Duration(i%100+1) * time.Hour)
		batch = append(batch, store.AddEvent{Event: store.NewEvent(at, storetest.UserID(i/100), shared.EventSignedIn, store.Client{})})
		if len(batch) == 50 {
			if err := s.Apply(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			batch = nil
		}
	}
	s.db.View(func(tx *bbolt.Tx) error {
		if n := tx.Bucket(bucketRecent).Stats().KeyN; n > 2*foldAfter {
			t.Errorf("%d of 2000 entries lie among the newest", n)
		}
		return nil
	})
	if err := storetest.Consistent(t.Context(), s, now); err != nil {
		t.Error(err)
	}
}

// TestSweepOfAWrongClock sets the clock a year ahead for a while: all is there again when it
// is right.
func TestSweepOfAWrongClock(t *testing.T) {
	begin := time.Now()
	passed, ahead := time.Duration(0), time.Duration(0)
	now := func() time.Time { return begin.Add(passed + ahead) }
	s := open(t, filepath.Join(t.TempDir(), "keypeg.db"), now)
	session := store.Session{ID: storetest.SessionID(storetest.UserID(1), "a"), UserID: storetest.UserID(1), Expires: begin.Add(24 * time.Hour)}
	if err := s.Apply(t.Context(), store.Batch{store.AddSession{Session: session}}); err != nil {
		t.Fatal(err)
	}
	sweeps := func(after time.Duration) error {
		passed += after
		s.sweepIfSteady(begin.Add(passed))
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
	for range 2 {
		sweeps(time.Hour)
	}
	ahead = 365 * 24 * time.Hour // and the sweeper doesn't look before a write
	if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: userOf(1)}}); err != nil {
		t.Fatal(err)
	}
	ahead = 0
	if err := sweeps(time.Minute); err != nil {
		t.Errorf("after a write while the clock was wrong: %v", err)
	}
	sweeps(24 * time.Hour)
	sweeps(time.Minute)
	s.db.View(func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketPeople).Get(sessionKey(session.ID)) != nil {
			t.Error("what has expired by a clock that is right is still there")
		}
		return nil
	})
}

// TestCountsOfAWrongClock sets the clock more than a year ahead for so long that events are
// removed, and back. The counts are those of the events that are left.
func TestCountsOfAWrongClock(t *testing.T) {
	path, begin := filepath.Join(t.TempDir(), "keypeg.db"), time.Now()
	now := begin
	s := open(t, path, func() time.Time { return now })
	for i := range 3 {
		event := store.NewEvent(begin, storetest.UserID(i), shared.EventSignedIn, store.Client{})
		if err := s.Apply(t.Context(), store.Batch{store.AddEvent{Event: event}}); err != nil {
			t.Fatal(err)
		}
	}
	now = begin.Add(store.EventsKept + 24*time.Hour)
	s.passed.Store(now.UnixMicro())
	if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: userOf(1)}}); err != nil {
		t.Fatal(err)
	}
	now = begin.Add(time.Hour)
	if err := storetest.Consistent(t.Context(), s, now); err != nil {
		t.Error(err)
	}
	if got, err := s.Counts(t.Context()); err != nil || got[store.CountSignIns(begin, "")] != 2 {
		t.Errorf("counts %v (%v), want 2 sign-ins", got, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(path, now); err != nil {
		t.Error(err)
	}
}

// signInOf is what the sign-in of a new user writes: the ticket, the user, the session and
// the line of activity.
func signInOf(n int) store.Batch {
	now, id := time.Now(), storetest.UserID(n)
	event := store.NewEvent(now, id, shared.EventSignedIn, store.Client{Browser: "Firefox", System: "Linux", Address: "192.0.2.1"})
	return store.Batch{
		store.SpendTicket(store.NewTicketID(now), now.Add(5*time.Minute)),
		store.PutUser{User: store.User{ID: id, Name: id, Handle: make([]byte, 64), Created: now}},
		store.AddSession{Session: store.Session{ID: storetest.SessionID(id, "s"), UserID: id, Method: store.MethodPasskey, Created: now, Expires: now.Add(time.Hour)}},
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
					if err := s.Apply(b.Context(), signInOf(int(n.Add(1)))); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
