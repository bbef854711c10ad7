package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/activity"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/pgstore"
)

// abilitiesOf names the abilities of a store.
func abilitiesOf(s store.Store) string {
	var names []string
	add := func(name string, has bool) {
		if has {
			names = append(names, name)
		}
	}
	_, has := store.As[store.Prober](s)
	add("Prober", has)
	_, has = store.As[store.BackupWriter](s)
	add("BackupWriter", has)
	_, has = store.As[store.Clocked](s)
	add("Clocked", has)
	_, has = store.As[store.Notifier](s)
	add("Notifier", has)
	_, has = store.As[store.WriteCounter](s)
	add("WriteCounter", has)
	return strings.Join(names, " ")
}

// TestAbilities holds the table of abilities.go, and that no store in front hides any of them.
func TestAbilities(t *testing.T) {
	for _, row := range []struct {
		name  string
		store store.Store
		has   string
	}{
		{"memstore", (*memstore.Store)(nil), "WriteCounter"},
		{"boltstore", (*boltstore.Store)(nil), "Prober BackupWriter WriteCounter"},
		{"pgstore", (*pgstore.Store)(nil), "Prober Clocked Notifier"},
	} {
		for place, s := range map[string]store.Store{
			"itself":         row.store,
			"behind live":    live.NewHub().Store(row.store),
			"behind the two": activity.New(live.NewHub().Store(row.store), 0, nil).Store(),
		} {
			if has := abilitiesOf(s); has != row.has {
				t.Errorf("%s, %s, has the abilities %q, want %q", row.name, place, has, row.has)
			}
		}
	}
}

// ill is a store that can't be written.
type ill struct{ store.Store }

func (ill) Probe(context.Context) error { return context.DeadlineExceeded }

func TestProbe(t *testing.T) {
	if err := store.Probe(t.Context(), memstore.New(time.Now)); err != nil {
		t.Errorf("a store that can't be probed is taken to be ill: %v", err)
	}
	if err := store.Probe(t.Context(), live.NewHub().Store(ill{})); err != context.DeadlineExceeded {
		t.Errorf("an ill store behind another: %v", err)
	}
}
