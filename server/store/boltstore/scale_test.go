package boltstore

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

var release = flag.String("release", "", "write testdata/NAME.db, a file as this release makes it")

// fixedTime is when the files of releases were written.
var fixedTime = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// TestReleases opens a file of every release. One is added with each:
// go test ./server/store/boltstore -run TestReleases -release v1.2.3.
func TestReleases(t *testing.T) {
	written := store.Batch{
		store.PutUser{User: store.User{ID: "1", Name: "ann", DisplayName: "Ann", Handle: make([]byte, 64), Admin: true, Created: fixedTime, Password: "$argon2id$", Passkeys: []store.Passkey{
			{ID: "p", CredentialID: []byte("credential"), PublicKey: []byte("key"), Name: "Laptop", Format: "none", Transports: []string{"usb"}, Flags: 0x1d, SignCount: 3, Verified: true, Created: fixedTime, LastUsed: fixedTime},
		}}},
		store.AddSession{Session: store.Session{ID: store.HashOf("token"), UserID: "1", Method: store.MethodPasskey, PasskeyID: "p", Created: fixedTime, Seen: fixedTime, Authenticated: fixedTime, Expires: fixedTime.Add(time.Hour)}},
		store.AddEvent{Event: store.Event{ID: store.EventID{1}, UserID: "1", Kind: shared.EventSignedIn, Time: fixedTime, Expires: fixedTime.Add(time.Hour)}},
		store.PutLink{Link: store.Link{Key: "setup", Hash: store.HashOf("x"), Expires: fixedTime.Add(time.Hour)}},
		store.AddSecret{Name: "ticket-key", Value: []byte("secret")},
		store.SpendTicket{Ticket: store.SpentTicket{ID: [16]byte{7}, Expires: fixedTime.Add(time.Hour)}},
	}
	then := func() time.Time { return fixedTime }
	if *release != "" {
		s := open(t, filepath.Join("testdata", *release+".db"), then)
		if err := s.Apply(t.Context(), written); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob("testdata/*.db")
	if err != nil || len(files) == 0 {
		t.Fatalf("no file of any release (%v)", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "keypeg.db")
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Check(path); err != nil {
				t.Error(err)
			}
			older, err := OpenReadOnly(path, then)
			if err != nil {
				t.Fatal(err)
			}
			expectWritten(t, older, written)
			if err := older.Close(); err != nil {
				t.Error(err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, content) {
				t.Errorf("reading it changed the file (%v)", err)
			}

			s := open(t, path, then)
			expectWritten(t, s, written)
			user, err := s.UserByCredential(t.Context(), []byte("credential"))
			if err != nil {
				t.Fatal(err)
			}
			user.DisplayName = "Anna"
			if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
				t.Errorf("writing to it: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := Check(path); err != nil {
				t.Errorf("brought up to date: %v", err)
			}
		})
	}
}

// expectWritten expects what a release wrote, and nothing else.
func expectWritten(t *testing.T, s *Store, written store.Batch) {
	t.Helper()
	for _, op := range written {
		want := store.RecordOf(op)
		for _, kind := range store.Kinds {
			records, err := s.Records(t.Context(), kind, nil, 10)
			if err != nil || len(records) != 1 {
				t.Fatalf("%s: %d records (%v)", kind, len(records), err)
			}
			if fmt.Sprintf("%T", records[0].Op) == fmt.Sprintf("%T", op) && string(records[0].Encode()) != string(want.Encode()) {
				t.Errorf("%s: %+v, want %+v", kind, records[0].Op, want.Op)
			}
		}
	}
	if listed, err := s.Sessions(t.Context(), "1", store.Hash{}, 10); err != nil || len(listed) != 1 || listed[0].ID != store.HashOf("token") {
		t.Errorf("sessions %+v (%v)", listed, err)
	}
}

// TestInterruptedUpdate brings a file up to date only halfway, as a crash would. The older
// program goes on with it, and then the newer one tries again.
func TestInterruptedUpdate(t *testing.T) {
	content, err := os.ReadFile("testdata/v0.2.0.db")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keypeg.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := openFile(path, &bbolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := gather(db); err != nil {
		t.Fatal(err)
	}
	if have, err := formatOf(db); have != 2 {
		t.Fatalf("halfway it is of format %d (%v)", have, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for name, key := range map[string][]byte{
			"users": []byte("1"), "names": []byte("ann"), "credentials": []byte("credential"), "admins": []byte("1"),
		} {
			if tx.Bucket([]byte(name)).Get(key) == nil {
				t.Errorf("halfway the older program finds nothing in %s", name)
			}
			if err := tx.Bucket([]byte(name)).Delete(key); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}

	s := open(t, path, func() time.Time { return fixedTime })
	if user, err := s.User(t.Context(), "1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a user whom the older program removed is back: %+v (%v)", user, err)
	}
	if events, err := s.Events(t.Context(), "1", store.EventID{}, 10); err != nil || len(events) != 1 {
		t.Errorf("%d events (%v), want 1", len(events), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(path); err != nil {
		t.Error(err)
	}
}

// TestTogether counts the pages that an event costs, and those of an event and its user's
// record.
func TestTogether(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keypeg.db"), time.Now)
	const users, some = 5000, 50
	var all store.Batch
	for i := range users {
		all = append(all, store.PutUser{User: userOf(i)})
	}
	if err := s.Apply(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	pagesOf := func(batch store.Batch) int64 {
		stats := s.db.Stats()
		before := stats.TxStats.GetWrite()
		if err := s.Apply(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		stats = s.db.Stats()
		return stats.TxStats.GetWrite() - before
	}
	var alone, both int64
	for i := range some {
		user, err := s.User(t.Context(), userOf(97*i+5).ID)
		if err != nil {
			t.Fatal(err)
		}
		event := func() store.Op {
			return store.AddEvent{Event: store.NewEvent(time.Now(), user.ID, shared.EventSignedIn, store.Client{})}
		}
		alone += pagesOf(store.Batch{event()})
		both += pagesOf(store.Batch{store.PutUser{User: user}, event()})
	}
	if both > alone+some/5 { // now and then a page is full and becomes two
		t.Errorf("%d events wrote %d pages, and with their users' records %d: they don't lie together", some, alone, both)
	}
}

// TestReadersDontWait reads while a write is on its way.
func TestReadersDontWait(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keypeg.db"), time.Now)
	if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: userOf(1)}}); err != nil {
		t.Fatal(err)
	}
	started, goOn := make(chan struct{}), make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		s.submit(func(*bbolt.Tx) (apply, error) { close(started); <-goOn; return nil, errNothingToWrite })
	})
	<-started
	if _, err := s.User(t.Context(), userOf(1).ID); err != nil { // it would wait for ever
		t.Error(err)
	}
	close(goOn)
	writing.Wait()
}

// TestGrowth lives through days of sign-ins. Sessions, tickets and old events make
// room for new ones: after the second day the file doesn't grow.
func TestGrowth(t *testing.T) {
	signIns := 6000
	if os.Getenv("KEYPEG_SOAK") != "" {
		signIns = 100_000
	}
	var mu sync.Mutex
	clock := fixedTime
	now := func() time.Time { mu.Lock(); defer mu.Unlock(); return clock }
	path := filepath.Join(t.TempDir(), "keypeg.db")
	s := open(t, path, now)
	var sizes []int64
	for day := range 5 {
		for hour := range 24 {
			var together sync.WaitGroup
			for i := range signIns / 24 {
				together.Go(func() {
					id := fmt.Sprintf("%d %d %d", day, hour, i)
					user := fmt.Sprint("user", i)
					event := store.NewEvent(now(), user, shared.EventSignedIn, store.Client{Browser: "Firefox", System: "Linux", Address: "192.0.2.1"})
					event.Expires = now().Add(24 * time.Hour) // a year would have to be lived through
					err := s.Apply(t.Context(), store.Batch{
						store.SpendTicket{Ticket: store.SpentTicket{ID: [16]byte(append([]byte(id), make([]byte, 16)...)[:16]), Expires: now().Add(5 * time.Minute)}},
						store.AddSession{Session: store.Session{ID: store.HashOf(id), UserID: user, Method: store.MethodPasskey, Created: now(), Expires: now().Add(24 * time.Hour)}},
						store.AddEvent{Event: event},
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			together.Wait()
			mu.Lock()
			clock = clock.Add(time.Hour)
			mu.Unlock()
			for removed := sweepStep; removed == sweepStep; {
				var err error
				if removed, err = s.sweep(); err != nil {
					t.Fatal(err)
				}
			}
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, info.Size())
	}
	t.Logf("%d sign-ins a day; the file after each day: %d", signIns, sizes)
	if sizes[4] > sizes[1] {
		t.Errorf("the file grows on: %d", sizes)
	}
}

// BenchmarkOpen opens a file of many users with two passkeys each.
func BenchmarkOpen(b *testing.B) {
	for _, users := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprintf("users=%d", users), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "keypeg.db")
			s, err := Open(path, time.Now)
			if err != nil {
				b.Fatal(err)
			}
			var batch store.Batch
			for i := range users {
				user := userOf(i)
				user.Passkeys = []store.Passkey{
					{ID: "a", CredentialID: []byte(fmt.Sprintf("%032d", i)), PublicKey: make([]byte, 77), Name: "Laptop"},
					{ID: "b", CredentialID: []byte(fmt.Sprintf("b%031d", i)), PublicKey: make([]byte, 77), Name: "Phone"},
				}
				if batch = append(batch, store.PutUser{User: user}); len(batch) == 5000 || i == users-1 {
					if err := s.Apply(b.Context(), batch); err != nil {
						b.Fatal(err)
					}
					batch = nil
				}
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				s, err := Open(path, time.Now)
				if err != nil {
					b.Fatal(err)
				}
				_, err = s.UserByName(b.Context(), userOf(users-1).Name)
				if err := errors.Join(err, s.Close()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(info.Size())/float64(users), "bytes/user")
		})
	}
}
