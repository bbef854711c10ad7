package main

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/metrics"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// TestScheduledBackups: a running server makes a backup, of either kind of database, and a drill restores it.
func TestScheduledBackups(t *testing.T) {
	for name, database := range map[string]string{"a file": filepath.Join(t.TempDir(), "keypeg.db"), "PostgreSQL": pgtest.Empty(t)} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "backups")
			socket := filepath.Join(t.TempDir(), "m")
			p := newProgramOn(t, database, "", "--backup-dir", folder, "--metrics", "unix:"+socket)
			p.starts()
			var kept []installation.KeptBackup
			eventually(t, "a backup", func() (err error) {
				if kept, err = installation.Backups(folder); err == nil && len(kept) == 0 {
					err = errors.New("there is none")
				}
				return err
			})
			_, page := asks(t, privately(socket), metrics.PathMetrics)
			got := figures(t, page)
			if got[metrics.BackupMade] != float64(kept[0].Made.Unix()) || got[metrics.BackupEvery] != 86400 || got[metrics.DatabaseBytes] < 4096 {
				t.Errorf("the figures are %s", page)
			}
			succeeds(t, "a good password\n", "user", "add", "ann", "--database", database, "--public-url", p.url)
			if out := succeeds(t, "", "backup", "drill", "--backup-dir", folder); !strings.HasPrefix(out, kept[0].Path+" can be restored. It would bring back 0 users (0 administrators), with 0 passkeys.") {
				t.Errorf("a drill says %s", out)
			}
			later := filepath.Join(folder, "later.db")
			succeeds(t, "", "backup", later, "--database", database)
			if out := succeeds(t, "", "backup", "drill", later); !strings.Contains(out, "1 user (0 administrators), with 0 passkeys. 0 can sign in with a passkey, 1 without one.\n  What happened after 20") {
				t.Errorf("a drill says %s", out)
			}
		})
	}
	failsWith(t, "name a backup, or set --backup-dir", "", "backup", "drill")
	failsWith(t, "there is no backup of a schedule in", "", "backup", "drill", "--backup-dir", t.TempDir())
}

// TestScheduledBackupsOfTenants: each tenant has a backup of its own, and so has their list.
func TestScheduledBackupsOfTenants(t *testing.T) {
	for where, database := range cloudDatabases {
		t.Run(where, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "backups")
			socket := filepath.Join(t.TempDir(), "m")
			p := newCloud(t, database(t), "--backup-dir", folder, "--metrics", "unix:"+socket)
			p.begins()
			for _, name := range []string{"acme", "beta"} {
				p.does("", "tenant", "add", name, "http://"+p.host(name))
			}
			p.starts()
			eventually(t, "three backups", func() error {
				kept, err := installation.Backups(folder)
				var of []string
				for _, one := range kept {
					of = append(of, one.Of)
				}
				slices.Sort(of)
				if got := strings.Join(of, " "); err == nil && got != "tenant-acme tenant-beta tenants" {
					err = errors.New("there are only " + got)
				}
				return err
			})
			if status, body := p.gets(p.host("acme"), "/sign-in"); status != 200 { // it opens the tenant
				t.Fatal(status, body)
			}
			_, page := asks(t, privately(socket), metrics.PathMetrics)
			for _, name := range []string{metrics.BackupMade, metrics.BackupMade + `{tenant="acme"}`} {
				if figures(t, page)[name] == 0 {
					t.Errorf("no %s in %s", name, page)
				}
			}
			if out := p.does("", "backup", "drill", "--backup-dir", folder); strings.Count(out, " can be restored.") != 3 {
				t.Errorf("a drill says %s", out)
			}
		})
	}
}
