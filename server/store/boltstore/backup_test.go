package boltstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// lived is a file in which much has happened: every kind of record was made,
// changed and removed.
func lived(t *testing.T) (path string, s *Store) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keypeg.db")
	clock := time.Now().Add(-72 * time.Hour)
	s = open(t, path, func() time.Time { return clock })
	s.db.NoSync = true
	apply := func(ops ...store.Op) {
		t.Helper()
		if err := s.Apply(t.Context(), ops); err != nil {
			t.Fatal(err)
		}
	}
	apply(store.Secrets.Put(store.Entry[[]byte]{Key: "key", Value: []byte("x")}))
	for i := range 200 {
		if i == 100 {
			clock = clock.Add(24 * time.Hour)
		}
		user := userOf(i)
		user.Role = map[bool]shared.Role{true: shared.RoleAdministrator}[i%10 == 0]
		user.Passkeys = []store.Passkey{{ID: "p", CredentialID: []byte(fmt.Sprint("credential", i))}}
		user.Email, user.EmailVerified = fmt.Sprintf("user%d@example.com", i), true
		user.Identities = []store.Identity{{ID: "i", Issuer: "https://login.example.com", Subject: fmt.Sprint(i)}}
		session := store.Session{ID: storetest.SessionID(user.ID, "first"), UserID: user.ID, Expires: clock.Add(time.Hour + time.Duration(i))}
		note := store.PutItem{Item: store.Item{Owner: user.ID, Collection: "note", Value: []byte("1")}}
		apply(store.PutUser{User: user}, store.AddSession{Session: session},
			store.AddEvent{Event: store.NewEvent(clock, user.ID, shared.EventSignedIn, store.Client{})},
			store.SpendTicket(store.NewTicketID(clock), clock.Add(time.Minute)), note)
		for range i % 40 { // some have blocks of events
			clock = clock.Add(time.Second)
			apply(store.AddEvent{Event: store.NewEvent(clock, user.ID, shared.EventSignedIn, store.Client{})})
		}
		user.Revision, user.Role, user.Name = 1, map[bool]shared.Role{true: shared.RoleAdministrator}[i%7 == 0], user.Name+"x"
		moved := session
		moved.ID = storetest.SessionID(user.ID, "moved")
		apply(store.PutUser{User: user}, store.ReplaceSession{Old: session.ID, Session: moved})
		if i%3 == 0 {
			apply(store.EndSessions{UserID: user.ID})
		}
	}
	apply(store.RemoveUser{ID: userOf(10).ID})
	clock = clock.Add(2 * foldOlder)
	s.passed.Store(math.MaxInt64)
	for done := false; !done; {
		var err error
		if done, err = s.sweep(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		apply(store.AddEvent{Event: store.NewEvent(clock, userOf(i).ID, shared.EventPasskeyAdded, store.Client{})})
	}
	return path, s
}

func TestBackup(t *testing.T) {
	t.Parallel()
	path, s := lived(t)
	backup := filepath.Join(t.TempDir(), "backup.db")

	// Others write meanwhile.
	stop := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := 1000; ; i++ {
			select {
			case <-stop:
				return
			default:
				if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: userOf(i)}}); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for range 20 {
		file, err := os.Create(backup)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.WriteTo(file); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		counts, err := Check(backup, time.Now())
		if err != nil || counts[store.KindUser] < 199 || counts[store.KindItem] != 200 {
			t.Fatalf("a backup while others write: %v, %v", counts, err)
		}
	}
	close(stop)
	writing.Wait()

	t.Run("it opens for reading, and stays as it is", func(t *testing.T) {
		before, err := os.ReadFile(backup)
		if err != nil {
			t.Fatal(err)
		}
		only, err := OpenReadOnly(backup, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		if user, err := only.UserByName(t.Context(), "user-000007x"); err != nil || user.ID != userOf(7).ID {
			t.Errorf("got %+v, %v", user, err)
		}
		if err := only.Apply(t.Context(), store.Batch{store.PutUser{User: userOf(9999)}}); err == nil {
			t.Error("it was written to")
		}
		if err := only.Close(); err != nil {
			t.Error(err)
		}
		if after, err := os.ReadFile(backup); err != nil || !bytes.Equal(before, after) {
			t.Errorf("the file changed (%v)", err)
		}
	})
	t.Run("one that is in use isn't checked", func(t *testing.T) {
		if _, err := Check(path, time.Now()); err == nil || !strings.Contains(err.Error(), "in use") {
			t.Errorf("got %v", err)
		}
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	path, s := lived(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(path, time.Now()); err != nil {
		t.Fatalf("a sound file: %v", err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := func(t *testing.T, how func(*bbolt.Tx) error) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "damaged.db")
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Update(how); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first := func(bucket []byte, tx *bbolt.Tx) []byte { key, _ := tx.Bucket(bucket).Cursor().First(); return key }
	for _, bucket := range buckets[2:] {
		if string(bucket) == string(bucketItems) {
			continue // an item that is missing leaves no trace
		}
		t.Run("an entry that is missing in "+string(bucket)+" is found", func(t *testing.T) {
			path := damaged(t, func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Delete(bytes.Clone(first(bucket, tx))) })
			if _, err := Check(path, time.Now()); err == nil || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("got %v", err)
			}
		})
		t.Run("one too many in "+string(bucket)+" is found", func(t *testing.T) {
			path := damaged(t, func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Put([]byte("nonsense"), []byte{4}) })
			if _, err := Check(path, time.Now()); err == nil || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("pages that would lead a reader astray are found", func(t *testing.T) {
		size := os.Getpagesize()
		set64 := func(bytes []byte, to uint64) { binary.NativeEndian.PutUint64(bytes, to) }
		for _, test := range []struct {
			damage string
			of     uint16 // the kind of page
			how    func(page []byte)
		}{
			{"a branch that leads to itself", flagBranch, func(page []byte) { set64(page[pageHead+8:], binary.NativeEndian.Uint64(page)) }},
			{"a branch that leads behind the end", flagBranch, func(page []byte) { set64(page[pageHead+8:], 1<<40) }},
			{"a branch that leads nowhere", flagBranch, func(page []byte) { page[atCount], page[atCount+1] = 0, 0 }},
			{"a key behind the end", flagLeaf, func(page []byte) { page[pageHead+7] = 0xff }},
			{"a key without bytes", flagLeaf, func(page []byte) { page[pageHead+8], page[pageHead+9] = 0, 0 }},
			{"a bucket in a bucket, or none at all", flagLeaf, func(page []byte) { page[pageHead] ^= flagBucket }},
			{"a bucket that is too short", flagLeaf, func(page []byte) { page[pageHead+12] = bucketHead - 1 }},
			{"keys out of order", flagLeaf, func(page []byte) { page[pageHead+int(page[pageHead+4])] = 0xff }},
			{"a head that isn't the page's", flagLeaf, func(page []byte) { page[0]++ }},
			{"more elements than there is room for", flagLeaf, func(page []byte) { page[atCount+1] = 0xff }},
			{"more pages than the file has", flagLeaf, func(page []byte) { page[atOverflow+3] = 0xff }},
			{"a page that is used and called free", flagFreelist, func(page []byte) { set64(page[pageHead:], 0) }},
			{"more free pages than there is room for", flagFreelist, func(page []byte) { page[atCount+1] = 0xfe }},
			{"a free page that is forgotten", flagFreelist, func(page []byte) { page[atCount]-- }},
		} {
			damagedNow, pages := bytes.Clone(whole), 0
			for page := range slices.Chunk(damagedNow, size) {
				if binary.NativeEndian.Uint16(page[atFlags:]) == test.of {
					test.how(page)
					pages++
				}
			}
			path := filepath.Join(t.TempDir(), "damaged.db")
			if err := os.WriteFile(path, damagedNow, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Check(path, time.Now()); pages == 0 || err == nil || !strings.Contains(err.Error(), "is damaged") {
				t.Errorf("%s (in %d pages): got %v", test.damage, pages, err)
			}
		}
	})
	t.Run("a file without anything in it is no backup", func(t *testing.T) {
		for name, content := range map[string][]byte{"nothing": nil, "no bucket": bboltFile(t, func(*bbolt.Tx) error { return nil })} {
			path := filepath.Join(t.TempDir(), "empty.db")
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Check(path, time.Now()); err == nil || !strings.Contains(err.Error(), "is empty") {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
	t.Run("bytes that flipped anywhere crash nothing", func(t *testing.T) {
		found := 0
		for i := range 100 {
			bytesNow := bytes.Clone(whole)
			// A page's first bytes lead to its others.
			at := rand.IntN(len(bytesNow)/4096)*4096 + rand.IntN(64)
			for range 4 {
				bytesNow[(at+rand.IntN(16))%len(bytesNow)] ^= byte(1 + rand.IntN(255))
			}
			path := filepath.Join(t.TempDir(), fmt.Sprint(i))
			if err := os.WriteFile(path, bytesNow, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Check(path, time.Now()); err != nil {
				found++
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, bytesNow) {
				t.Fatal("the file changed")
			}
		}
		t.Logf("%d of 100 damages were found; others lie in free pages", found)
		if found == 0 {
			t.Error("none was found")
		}
	})
}

// TestDamageKeepsNobodyOut signs in to a file with damaged blocks.
func TestDamageKeepsNobodyOut(t *testing.T) {
	c := newCrowd(t, 3)
	signIn := func() {
		t.Helper()
		for _, id := range c.ids {
			c.apply(c.signIn(id))
			c.passes(foldOlder)
		}
	}
	for range 3 * singlesMost {
		signIn()
	}
	err := c.db.Update(func(tx *bbolt.Tx) error {
		for _, bucket := range [][]byte{bucketPast, bucketArchive} {
			cursor := tx.Bucket(bucket).Cursor()
			for key, _ := cursor.First(); key != nil; key, _ = cursor.Next() {
				if err := tx.Bucket(bucket).Put(bytes.Clone(key), []byte("damaged")); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 * singlesMost {
		signIn()
	}
	c.passes(store.EventsKept)
	for range 3 {
		if _, err := c.sweep(); err != nil {
			t.Error(err)
		}
	}
	signIn()
	c.apply(store.Batch{store.RemoveUser{ID: c.ids[0]}})
}
