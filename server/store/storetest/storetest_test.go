package storetest_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/transfer"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/storetest"
)

// TestExample holds the example's store to what the example says of it.
func TestExample(t *testing.T) { contract(t) }

// TestExampleCrashes opens a journal whose last entry was cut off: the entries before it
// are there, and new ones can follow.
func TestExampleCrashes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	open := func() *journal {
		j, err := openJournal(path, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	j := open()
	for _, name := range []string{"ann", "bob"} {
		if err := j.Apply(t.Context(), store.Batch{store.PutUser{User: store.User{ID: storetest.UserID(int(name[0])), Name: name}}}); err != nil {
			t.Fatal(err)
		}
	}
	before, err := transfer.AddUp(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, torn := range []int{1, 9, 30} {
		if err := os.WriteFile(path, append(whole, whole[:torn]...), 0o600); err != nil {
			t.Fatal(err)
		}
		j := open()
		if after, err := transfer.AddUp(t.Context(), j); err != nil || !after.Same(before) {
			t.Errorf("with %d bytes of another entry it holds %v (%v), want %v", torn, after.Counts, err, before.Counts)
		}
		if err := j.Apply(t.Context(), store.Batch{store.Secrets.Put(store.Entry[[]byte]{Key: "key", Value: []byte("value")})}); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		j = open()
		if value, err := store.Secret(t.Context(), j, "key"); err != nil || string(value) != "value" {
			t.Errorf("with %d bytes of another entry, what came after is %q (%v)", torn, value, err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
