package boltstore

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// TestErase reads the raw file after the removal of a user who signed in often, among others.
func TestErase(t *testing.T) {
	c := newCrowd(t, 300)
	ann := store.User{
		ID: storetest.UserID(0xabcdef), Name: "ann.erasable", DisplayName: "Ann Erasable", Handle: bytes.Repeat([]byte("H4ndle!!"), 8), Password: "$argon2id$annspassword",
		Passkeys:   []store.Passkey{{ID: "annskey1", CredentialID: []byte("ann's credential id, 32 bytes ok"), PublicKey: make([]byte, 77), Name: "Ann's Laptop"}},
		Identities: []store.Identity{{ID: "i", Issuer: "https://login.example.com", Subject: "anns-subject-1", Name: "ann@erasable.example"}},
		Role:       shared.RoleAdministrator, Email: "raa@mail.example.net", EmailVerified: true, Groups: []string{"onlyhers"}, ExternalID: "ext-4711",
	}
	c.apply(store.Batch{store.PutUser{User: ann}})
	for i := range 60 {
		batch := c.signIn(ann.ID)
		event := batch[len(batch)-1].(store.AddEvent)
		event.Event.Client.Address, event.Event.Passkey = fmt.Sprintf("198.51.100.%d", i), "Ann's Laptop"
		batch[len(batch)-1] = event
		c.apply(append(batch, store.PutItem{Item: store.Item{Owner: ann.ID, Collection: "note", Key: "anns-note", Value: []byte(`"annsvalue"`), Version: store.AnyVersion}}))
		c.apply(c.signIn(c.ids[i]))
		other := store.NewEvent(c.time(), c.ids[i], shared.EventDisabled, store.Client{})
		other.By = ann.ID
		c.apply(store.Batch{store.AddEvent{Event: other}})
		c.passes(foldOlder)
	}
	renamed, err := c.User(t.Context(), ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	renamed.Name = "erasable.after.a.change"
	c.apply(store.Batch{store.PutUser{User: renamed}})

	secrets := [][]byte{
		[]byte("rasable"), []byte("H4ndle!!"), []byte("annspassword"), []byte("ann's credential id"), []byte("Ann's Laptop"), []byte("anns-subject"),
		[]byte("198.51.100"), []byte("anns-note"), []byte("annsvalue"), []byte("annskey1"),
		[]byte("raa@mail"), []byte("onlyhers"), []byte("ext-4711"), []byte("word/raa"),
		[]byte(hex.EncodeToString([]byte("ann's credential"))), []byte(base64.RawURLEncoding.EncodeToString([]byte("ann's credential"))),
	}
	found := func(path string) (names []string) {
		t.Helper()
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if bytes.Contains(content, secret) {
				names = append(names, string(secret))
			}
		}
		return names
	}
	path := c.db.Path()
	if len(found(path)) < 10 {
		t.Fatalf("before the removal only %q is in the file", found(path))
	}

	// A copy that is under way keeps the pages that it reads.
	halfway, goOn := make(chan struct{}), make(chan struct{})
	var copying sync.WaitGroup
	copying.Go(func() {
		var once sync.Once
		_, err := c.WriteTo(writerFunc(func(b []byte) (int, error) {
			once.Do(func() { close(halfway); <-goOn })
			return len(b), nil
		}))
		if err != nil {
			t.Error(err)
		}
	})
	<-halfway
	c.apply(store.Batch{store.RemoveUser{ID: ann.ID}})
	if len(found(path)) == 0 {
		t.Error("pages were overwritten that a copy reads")
	}
	crashed := filepath.Join(t.TempDir(), "crashed.db")
	copyFile(t, path, crashed)
	close(goOn)
	copying.Wait()
	if left := found(path); len(left) > 0 {
		t.Errorf("after the removal and the copy these are left: %q", left)
	}

	t.Run("a crash before the erasing doesn't matter", func(t *testing.T) {
		s := open(t, crashed, c.time)
		if left := found(crashed); len(left) > 0 {
			t.Errorf("after the next start these are left: %q", left)
		}
		if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: store.User{ID: storetest.UserID(7), Name: "x"}}}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := Check(crashed, c.time()); err != nil {
			t.Error(err)
		}
		db, err := openReadOnly(crashed)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if isEraseMarked(db) {
			t.Error("it erases at each start")
		}
	})
	t.Run("without a copy it is erased at once, while others read and write", func(t *testing.T) {
		c.apply(store.Batch{store.PutUser{User: ann}})
		c.apply(c.signIn(ann.ID))
		stop := make(chan struct{})
		var others sync.WaitGroup
		for i := range 4 {
			others.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					user, err := c.User(t.Context(), c.ids[i])
					if err != nil {
						t.Error(err)
						return
					}
					if err := c.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		c.apply(store.Batch{store.RemoveUser{ID: ann.ID}})
		left := found(path)
		close(stop)
		others.Wait()
		if len(left) > 0 {
			t.Errorf("these are left: %q", left)
		}
	})
}

// TestEraseDuringSweep removes a user while a sweep reads the file as it was before.
func TestEraseDuringSweep(t *testing.T) {
	var during atomic.Pointer[func()]
	clock := func() time.Time {
		if do := during.Swap(nil); do != nil {
			(*do)()
		}
		return time.Now()
	}
	s := open(t, filepath.Join(t.TempDir(), "keypeg.db"), clock)
	for i := range 500 {
		if err := s.Apply(t.Context(), signInOf(i)); err != nil {
			t.Fatal(err)
		}
	}

	var removal sync.WaitGroup
	remove := func() { // the sweep asks the clock while it reads
		done := make(chan struct{})
		removal.Go(func() {
			defer close(done)
			if err := s.Apply(t.Context(), store.Batch{store.RemoveUser{ID: storetest.UserID(400)}}); err != nil {
				t.Error(err)
			}
		})
		for s.readers.TryRLock() { // until the removal waits for the sweep
			s.readers.RUnlock()
			select {
			case <-done:
				return
			default:
				runtime.Gosched()
			}
		}
	}
	during.Store(&remove)
	if _, err := s.sweep(); err != nil {
		t.Error(err)
	}
	removal.Wait()
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestEraseAfterACrash leaves bytes of a user behind the last page, as a commit does that is
// killed after it made the file longer.
func TestEraseAfterACrash(t *testing.T) {
	c := newCrowd(t, 3)
	secret := []byte("ann.erasable@example.com")
	file, err := os.OpenFile(c.db.Path(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt(append(secret, make([]byte, 2*c.db.Info().PageSize)...), info.Size()); err != nil {
		t.Fatal(err)
	}
	c.apply(store.Batch{store.RemoveUser{ID: c.ids[0]}})
	content, err := os.ReadFile(c.db.Path())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(content, secret) {
		t.Error("bytes behind the last page are left")
	}
}
