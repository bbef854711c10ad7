package config

import (
	"errors"
	"time"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/installation"
)

// backupSettings are the schedule of the backups that a running server makes.
type backupSettings struct {
	BackupDir   string
	BackupEvery time.Duration
	BackupKeep  int
}

func (s *backupSettings) declare(flags *pflag.FlagSet) {
	flags.Var(path{&s.BackupDir}, "backup-dir", "`FOLDER` into which a running server writes backups, each checked. It is made where missing. Unset: it makes none.")
	flags.DurationVar(&s.BackupEvery, "backup-every", 24*time.Hour, "Time between two backups.")
	flags.IntVar(&s.BackupKeep, "backup-keep", 7, "How many backups are kept. The oldest goes when a new one was checked.")
}

// check returns what can't be used.
func (s *backupSettings) check() (found []fault) {
	if s.BackupEvery < time.Minute {
		found = append(found, faultOf(errors.New("--backup-every must be at least 1m"), "backup-every"))
	}
	if s.BackupKeep < 1 {
		found = append(found, faultOf(errors.New("--backup-keep must be at least 1"), "backup-keep"))
	}
	return found
}

// Backups returns the schedule.
func (s *Settings) Backups() installation.Schedule {
	return installation.Schedule{Folder: s.BackupDir, Every: s.BackupEvery, Keep: s.BackupKeep}
}
