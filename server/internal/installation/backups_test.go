package installation

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// TestSchedule makes backups when they are due, keeps the newest, and touches no other file.
func TestSchedule(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "backups")
	i := Installation{Database: filepath.Join(t.TempDir(), "keypeg.db")}
	db, err := OpenStore(t.Context(), i.Database, rootName, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Apply(t.Context(), store.Batch{store.PutUser{User: store.User{ID: store.NewUserID(), Name: "ann", DisplayName: "Ann", Created: time.Now()}}}); err != nil {
		t.Fatal(err)
	}
	db.Close()

	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	var output strings.Builder
	s := scheduled{Schedule{folder, time.Hour, 2}, i, slog.New(slog.NewTextHandler(&output, nil)), func() time.Time { return now }}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	others := []string{"keypeg-by-hand.db", "keypeg-20261129T120000Z.db.gz", "notes"}
	for _, name := range append(others, "keypeg-20261129T110000Z.db.part") {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.prepare(); err != nil {
		t.Fatal(err)
	}
	round := func(passes, wantWait time.Duration, want ...string) {
		t.Helper()
		now = now.Add(passes)
		if wait := s.round(t.Context()); wait != wantWait {
			t.Errorf("at %s: the next round is in %s, want %s", now, wait, wantWait)
		}
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range entries {
			got = append(got, e.Name())
		}
		for _, name := range append(others, want...) {
			if !strings.Contains(strings.Join(got, " ")+" ", name+" ") {
				t.Errorf("at %s: %s is missing in %q", now, name, got)
			}
		}
		if len(got) != len(others)+len(want) {
			t.Errorf("at %s: got %q, want %q besides", now, got, want)
		}
	}
	round(0, tryAgain, "keypeg-20261129T120000Z.db")
	round(55*time.Minute, 5*time.Minute, "keypeg-20261129T120000Z.db")
	round(5*time.Minute, tryAgain, "keypeg-20261129T120000Z.db", "keypeg-20261129T130000Z.db")
	round(2*time.Hour, tryAgain, "keypeg-20261129T130000Z.db", "keypeg-20261129T150000Z.db")

	t.Run("a drill says what would come back, and leaves nothing", func(t *testing.T) {
		d, err := Drill(t.Context(), filepath.Join(folder, "keypeg-20261129T150000Z.db"))
		if err != nil || d.Users != 1 || d.Administrators != 0 {
			t.Errorf("%+v (%v)", d, err)
		}
		if _, err := Drill(t.Context(), filepath.Join(folder, "notes")); err == nil {
			t.Error("an empty file can be restored")
		}
		if left, _ := filepath.Glob(filepath.Join(folder, ".keypeg-*")); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	})
	t.Run("one that fails takes no older one away, and is told", func(t *testing.T) {
		now = now.Add(2 * time.Hour)
		s.of.Database = filepath.Join(folder, "none.db")
		output.Reset()
		if wait := s.round(t.Context()); wait != tryAgain {
			t.Errorf("the next round is in %s", wait)
		}
		kept, err := Backups(folder)
		if err != nil || len(kept) != 2 || !strings.Contains(output.String(), "a backup failed, and the next try is in ten minutes") {
			t.Errorf("%v %v, and the log says %s", kept, err, &output)
		}
	})
}
