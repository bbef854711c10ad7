// Package backends opens each kind of store for tests, new and empty, so that what is claimed of one is held
// against all.
package backends

import (
	"path/filepath"
	"testing"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// One opens a store of each kind, by its name. It is closed when the test ends.
var One = map[string]func(*testing.T, store.Clock) store.Store{
	"memstore":  func(_ *testing.T, now store.Clock) store.Store { return memstore.New(now) },
	"boltstore": openFile,
	"pgstore": func(t *testing.T, now store.Clock) store.Store {
		return openNode(t, pgtest.Name(), now)
	},
}

// Two opens a store of each kind as two nodes do. Where only one process can have it open, both are the same.
var Two = map[string]func(*testing.T, store.Clock) (one, two store.Store){
	"memstore": func(_ *testing.T, now store.Clock) (one, two store.Store) {
		s := memstore.New(now)
		return s, s
	},
	"boltstore": func(t *testing.T, now store.Clock) (one, two store.Store) {
		s := openFile(t, now)
		return s, s
	},
	"pgstore": func(t *testing.T, now store.Clock) (one, two store.Store) {
		name := pgtest.Name()
		return openNode(t, name, now), openNode(t, name, now)
	},
}

func openFile(t *testing.T, now store.Clock) store.Store {
	s, err := boltstore.Open(filepath.Join(t.TempDir(), "keypeg.db"), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func openNode(t *testing.T, name string, now store.Clock) store.Store {
	s, err := pgstore.Open(t.Context(), pgtest.Database(t), name, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
