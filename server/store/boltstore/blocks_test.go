package boltstore

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// TestBlocks inserts entries anywhere, and compares what lies in the blocks with a list.
func TestBlocks(t *testing.T) {
	byKey := func(a, b entry) int { return bytes.Compare(a.key(), b.key()) }
	dice := rand.New(rand.NewPCG(1, 2))
	some := func() (entries []entry) {
		for range 1 + dice.IntN(60) {
			e := entry{kind: []shared.EventKind{shared.EventSignedIn, shared.EventSignedOut}[dice.IntN(2)]}
			e.id[6], e.id[7], e.id[9], e.user[0] = byte(dice.IntN(10)), byte(dice.IntN(256)), byte(dice.IntN(4)), byte(dice.IntN(2))
			entries = append(entries, e)
		}
		slices.SortStableFunc(entries, byKey)
		return entries
	}
	s := open(t, filepath.Join(t.TempDir(), "keypeg.db"), time.Now)
	s.db.NoSync = true
	want := map[entry]bool{}
	for range 150 {
		entries := some()
		for _, e := range entries {
			want[e] = true
		}
		err := s.db.Update(func(tx *bbolt.Tx) error { return archive(tx).insert(entries) })
		if err != nil {
			t.Fatal(err)
		}
		var before *entry
		got := map[entry]bool{}
		s.db.View(func(tx *bbolt.Tx) error {
			for e, err := range archive(tx).backwards(nil) {
				if err != nil {
					t.Fatal(err)
				}
				if before != nil && byKey(e, *before) > 0 {
					t.Fatalf("%v comes after %v", e, *before)
				}
				before, got[e] = &e, true
			}
			return nil
		})
		if len(got) != len(want) {
			t.Fatalf("%d entries, want %d", len(got), len(want))
		}
	}

	t.Run("from a key on", func(t *testing.T) {
		var sorted []entry
		for e := range want {
			sorted = append(sorted, e)
		}
		slices.SortFunc(sorted, byKey)
		s.db.View(func(tx *bbolt.Tx) error {
			for _, at := range []int{0, 1, 50, len(sorted) - 1} {
				got := map[entry]bool{} // one that has two kinds may be there more than once
				for e := range archive(tx).backwards(sorted[at].key()) {
					got[e] = true
				}
				n := len(got)
				upTo := 0
				for _, e := range sorted {
					if byKey(e, sorted[at]) <= 0 {
						upTo++
					}
				}
				if n != upTo {
					t.Errorf("from %d on there are %d, want %d", at, n, upTo)
				}
			}
			return nil
		})
	})
	t.Run("prefixes are apart", func(t *testing.T) {
		err := s.db.Update(func(tx *bbolt.Tx) error {
			for i, prefix := range []string{"b", "a", "c"} {
				of := blocks[kept]{tx.Bucket(bucketPast), bytes.Repeat([]byte(prefix), rawLength), pastCodec}
				for j := range 3 * pastCodec.most {
					id := store.NewEvent(time.Unix(int64(1000-7*j%1000+i), 0), "", "", store.Client{}).ID
					if err := of.insert([]kept{{id, []byte{1}}}); err != nil {
						return err
					}
				}
			}
			for _, prefix := range []string{"a", "b", "c"} {
				n := 0
				for _, err := range (blocks[kept]{tx.Bucket(bucketPast), bytes.Repeat([]byte(prefix), rawLength), pastCodec}).backwards(nil) {
					if err != nil {
						return err
					}
					n++
				}
				if n != 3*pastCodec.most {
					t.Errorf("%q has %d entries, want %d", prefix, n, 3*pastCodec.most)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
