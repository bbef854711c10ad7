package installation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/internal/namedfile"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/internal/transfer"
	"github.com/keypeg/keypeg/server/store"
)

// Schedule says when a running server makes backups. Each is checked before it gets its name, and only then
// the oldest ones go.
type Schedule struct {
	Folder string        // "" makes none
	Every  time.Duration // between two backups of an organisation
	Keep   int           // backups of an organisation
}

// tryAgain is the time after a backup that failed, and the longest time between two looks at the folder.
const tryAgain = 10 * time.Minute

const backupTime = "20060102T150405Z"

// ofSchedule matches the files of a schedule, and what a killed server has left of one. Other files in the
// folder are never touched.
var ofSchedule = regexp.MustCompile(`^(keypeg|tenants|tenant-([a-z0-9-]+))-(\d{8}T\d{6}Z)\.db(\.part)?$`)

// KeptBackup is a backup of a schedule.
type KeptBackup struct {
	Path string
	Of   string // the file's name without the time, such as keypeg or tenant-acme
	Made time.Time
}

// Backups returns the backups in the folder of a schedule, oldest first.
func Backups(folder string) ([]KeptBackup, error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, namedfile.Explain(folder, err)
	}
	var list []KeptBackup
	for _, file := range files {
		found := ofSchedule.FindStringSubmatch(file.Name())
		if found == nil || found[4] != "" {
			continue
		}
		if made, err := time.Parse(backupTime, found[3]); err == nil {
			list = append(list, KeptBackup{filepath.Join(folder, file.Name()), found[1], made})
		}
	}
	slices.SortStableFunc(list, func(a, b KeptBackup) int { return a.Made.Compare(b.Made) })
	return list, nil
}

// NewestBackups returns the newest backup of each organisation, by what it is of.
func NewestBackups(folder string) (map[string]KeptBackup, error) {
	all, err := Backups(folder)
	newest := map[string]KeptBackup{}
	for _, one := range all {
		newest[one.Of] = one
	}
	return newest, err
}

// scheduled is a schedule at work.
type scheduled struct {
	Schedule
	of  Installation
	log *slog.Logger
	now store.Clock
}

// run makes backups until ctx ends.
func (s scheduled) run(ctx context.Context) {
	if s.Folder == "" {
		return
	}
	if err := s.prepare(); err != nil {
		s.log.Error("no backup can be made: let the server write into the folder, or name another one with --backup-dir", "folder", s.Folder, "cause", err)
	}
	for ctx.Err() == nil {
		timer := time.NewTimer(s.round(ctx))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// prepare makes the folder, and removes what a killed server has left.
func (s scheduled) prepare() error {
	if err := os.MkdirAll(s.Folder, 0o700); err != nil {
		return err
	}
	files, err := os.ReadDir(s.Folder)
	for _, file := range files {
		if found := ofSchedule.FindStringSubmatch(file.Name()); found != nil && found[4] != "" {
			err = errors.Join(err, os.Remove(filepath.Join(s.Folder, file.Name())))
		}
	}
	return err
}

// round makes the backups that are due, and returns how long to wait for the next round.
func (s scheduled) round(ctx context.Context) (wait time.Duration) {
	all, err := s.organisations(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("no backup was made, and the next try is in ten minutes: the list of tenants can't be read", "cause", err)
		}
		return tryAgain
	}
	wait = min(s.Every, tryAgain)
	for of, name := range all {
		due, err := s.backUp(ctx, of, name)
		if err != nil && ctx.Err() == nil {
			s.log.Error("a backup failed, and the next try is in ten minutes at the latest: see that the folder has room and that this account may write there", "folder", s.Folder, "of", of, "cause", err)
		}
		if err == nil {
			wait = min(wait, due)
		}
	}
	return wait
}

// organisations returns the organisations by the beginnings of their backups' names.
func (s scheduled) organisations(ctx context.Context) (map[string]string, error) {
	all := map[string]string{s.of.backupName(rootName): rootName}
	if !s.of.Cloud {
		return all, nil
	}
	list, err := s.of.ReadTenants(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range list {
		if !t.Removing {
			all[s.of.backupName(t.Name)] = t.Name
		}
	}
	return all, nil
}

// backupName returns the beginning of the names of an organisation's backups.
func (i Installation) backupName(organisation string) string {
	switch {
	case !i.Cloud:
		return "keypeg"
	case organisation == rootName:
		return "tenants"
	}
	return "tenant-" + organisation
}

// backUp makes the backup of an organisation if it is due, and returns when the next one is.
func (s scheduled) backUp(ctx context.Context, of, name string) (due time.Duration, err error) {
	kept, err := Backups(s.Folder)
	if err != nil {
		return 0, err
	}
	kept = slices.DeleteFunc(kept, func(b KeptBackup) bool { return b.Of != of })
	now := s.now()
	if len(kept) > 0 {
		if due := kept[len(kept)-1].Made.Add(s.Every).Sub(now); due > 0 {
			return due, nil
		}
	}
	path := filepath.Join(s.Folder, of+"-"+now.UTC().Format(backupTime)+".db")
	if _, err := s.of.Backup(ctx, name, path, silent{}); err != nil {
		return 0, err
	}
	s.log.Info("a backup was made and checked", "file", path, "took", s.now().Sub(now).Round(time.Millisecond))
	for _, old := range kept[:max(0, len(kept)+1-s.Keep)] {
		if err := os.Remove(old.Path); err != nil {
			return 0, err
		}
	}
	return s.Every, nil
}

// silent is a Report to nobody.
type silent struct{}

func (silent) Begins(string)                           {}
func (silent) Bar() (shows func(int, int), end func()) { return func(int, int) {}, func() {} }
func (silent) Copied(transfer.Sum)                     {}
func (silent) IsThere(map[store.Kind]int)              {}
func (silent) HasNothing()                             {}
func (silent) Restored(map[store.Kind]int, string)     {}

// Drilled is what a backup would bring back.
type Drilled struct {
	Users, Administrators, Passkeys int
	WithPasskey, WithoutPasskey     int       // users who can sign in
	Newest                          time.Time // when the last thing happened that is in it; zero if nothing did
}

// Drill restores a backup into a folder of its own, opens what came out as a server does, and removes it.
func Drill(ctx context.Context, backup string) (d Drilled, err error) {
	if _, err := CheckBackup(ctx, backup); err != nil {
		return d, err
	}
	folder, err := os.MkdirTemp(filepath.Dir(backup), ".keypeg-drill-") // where there is room for it
	if err != nil {
		return d, fmt.Errorf("the folder of the backup has to be writable for the drill: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, "keypeg.db")
	if err := DriverOf(path, "").Restore(ctx, backup, tenant.Tenant{}, silent{}); err != nil {
		return d, err
	}
	db, err := openSource(ctx, path, rootName, time.Now)
	if err != nil {
		return d, err
	}
	defer db.Close()
	counts, err := db.Counts(ctx)
	if err != nil {
		return d, err
	}
	for _, category := range []string{store.CountDisabled, store.CountInvited, store.CountWithoutPasskey, store.CountWithPasskey} {
		d.Users += counts[category]
	}
	d.Administrators, d.Passkeys = counts[store.CountAdministrators], counts[store.CountSynced]+counts[store.CountDeviceBound]
	d.WithPasskey, d.WithoutPasskey = counts[store.CountWithPasskey], counts[store.CountWithoutPasskey]
	events, err := db.AllEvents(ctx, store.EventQuery{}, 1)
	if err == nil && len(events) > 0 {
		d.Newest = events[0].Time
	}
	return d, err
}
