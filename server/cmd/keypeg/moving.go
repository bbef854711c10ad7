package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/internal/transfer"
	"github.com/keypeg/keypeg/server/store"
)

// Commands that move and back up databases. Package installation has the rules.

type storeCopy struct{ From, To string }

func (c *storeCopy) takes(l *commandLine) {
	l.StringVar(&c.From, "from", "", "`FILE|URL` of the database to copy: a path, or PostgreSQL's. It is only read.")
	l.StringVar(&c.To, "to", "", "`FILE|URL` of the empty database to fill.")
	l.require("from", "to")
}

func (c *storeCopy) Run(ctx context.Context, t terminal, s *settings) error {
	copies, behind := installation.Copy, ""
	if s.IsCloud() {
		copies, behind = installation.CopyTenants, " --all-tenants"
	}
	if err := copies(ctx, c.From, c.To, report{t}); err != nil {
		return err
	}
	printSignalsHeld(t.Out, behind)
	return nil
}

// report shows the progress of something long in a terminal.
type report struct{ terminal }

var _ installation.Report = report{}

// Begins implements [installation.Report].
func (r report) Begins(what string) { fmt.Fprintf(r.Out, "%s: ", what) }

// Copied implements [installation.Report].
func (r report) Copied(sum transfer.Sum) {
	fmt.Fprintf(r.Out, "Copied and compared %s. SHA-256 of all records: %x\n", tally(sum.Counts), sum.Hash)
}

// IsThere implements [installation.Report].
func (r report) IsThere(counts map[store.Kind]int) {
	fmt.Fprintf(r.Out, "It is there already, with %s.\n", tally(counts))
}

// HasNothing implements [installation.Report].
func (r report) HasNothing() { fmt.Fprintln(r.Out, "There is nothing yet.") }

// Restored implements [installation.Report].
func (r report) Restored(counts map[store.Kind]int, file string) {
	fmt.Fprintf(r.Out, "Restored and checked %s, in %s.\n", tally(counts), file)
}

// Bar implements [installation.Report].
func (r report) Bar() (shows func(done, total int), end func()) {
	b := newBar(r.terminal)
	return b.shows, b.end
}

// tally returns counts of records in words.
func tally(counts map[store.Kind]int) string {
	var parts []string
	for _, kind := range store.Kinds {
		name := string(kind)
		if kind == store.KindItem {
			name = "other record"
		}
		if n := counts[kind]; n != 0 {
			parts = append(parts, fmt.Sprintf("%d %s%s", n, name, either(n == 1, "", "s")))
		}
	}
	if len(parts) == 0 {
		return "nothing, as there is nothing"
	}
	return strings.Join(parts, ", ")
}

// bar is a progress bar, if the output is a terminal.
type bar struct {
	out   io.Writer // nil if the output isn't a terminal
	shown int
}

func newBar(t terminal) *bar {
	if out, is := t.Err.(*os.File); is && term.IsTerminal(int(out.Fd())) {
		return &bar{out: out, shown: -1}
	}
	return &bar{}
}

func (b *bar) shows(done, total int) {
	const width = 40
	filled := width
	if total > 0 {
		filled = width * done / total
	}
	if percent := 100 * done / max(total, 1); b.out != nil && percent != b.shown {
		b.shown = percent
		fmt.Fprintf(b.out, "\r[%s%s] %3d %% of %d records", strings.Repeat("=", filled), strings.Repeat(" ", width-filled), percent, total)
	}
}

func (b *bar) end() {
	if b.out != nil {
		fmt.Fprintln(b.out)
	}
}

// ofTenantOrList chooses what a backup is of.
type ofTenantOrList struct{ TenantList bool }

func (c *ofTenantOrList) takes(l *commandLine) {
	ofTenant(l)
	l.BoolVar(&c.TenantList, "tenant-list", false, "In the cloud edition: the list of tenants, with their addresses.")
}

// which returns the tenant that is meant. It is the zero Tenant for the list itself, and on
// premise.
func (c *ofTenantOrList) which(ctx context.Context, s *settings, list func(context.Context) ([]tenant.Tenant, error)) (t tenant.Tenant, err error) {
	switch {
	case c.TenantList && !s.IsCloud():
		return t, errors.New("there is a list of tenants in the cloud edition only: leave out --tenant-list, or set --edition cloud")
	case c.TenantList && s.tenant != "":
		return t, errors.New("--tenant and --tenant-list are two backups: make one after the other")
	case c.TenantList:
		return t, nil
	}
	if err := s.installation().CheckTenant(s.tenant); err != nil {
		if s.IsCloud() {
			err = fmt.Errorf("%w; or --tenant-list for the list itself", err)
		}
		return t, err
	}
	if !s.IsCloud() {
		return t, nil
	}
	all, err := list(ctx)
	if err != nil {
		return t, err
	}
	return tenant.Find(all, s.tenant)
}

type backupMake struct {
	File string
	ofTenantOrList
}

func (c *backupMake) takes(l *commandLine) {
	l.file(&c.File, "File to write. It must not exist.")
	c.ofTenantOrList.takes(l)
}

func (c *backupMake) Run(ctx context.Context, t terminal, s *settings) error {
	from, err := c.which(ctx, s, s.installation().ReadTenants)
	if err != nil {
		return err
	}
	counts, err := s.installation().Backup(ctx, from.Name, c.File, report{t})
	if err != nil {
		return err
	}
	fmt.Fprintf(t.Out, "Backed up and checked %s.\n", tally(counts))
	return nil
}

type backupVerify struct{ File string }

func (c *backupVerify) takes(l *commandLine) { l.file(&c.File, "Backup to read.") }

func (c *backupVerify) Run(ctx context.Context, t terminal, _ *settings) error {
	counts, err := installation.CheckBackup(ctx, c.File)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.Out, "%s is whole: %s.\n", c.File, tally(counts))
	return nil
}

// backupDrill restores backups into folders that are removed again.
type backupDrill struct{ File string }

func (c *backupDrill) takes(l *commandLine) {
	l.file(&c.File, "Backup to restore. It is only read; beside it there has to be room for a second one.")
	l.arguments[0].isOptional = true
}

// Run implements action.
func (c *backupDrill) Run(ctx context.Context, t terminal, s *settings) error {
	if c.File != "" {
		return drill(ctx, t.Out, c.File)
	}
	if s.BackupDir == "" {
		return errors.New("name a backup, or set --backup-dir")
	}
	newest, err := installation.NewestBackups(s.BackupDir)
	if err != nil {
		return err
	}
	if len(newest) == 0 {
		return fmt.Errorf("there is no backup of a schedule in %s yet: the log of the server says why", s.BackupDir)
	}
	for _, of := range slices.Sorted(maps.Keys(newest)) {
		if err := drill(ctx, t.Out, newest[of].Path); err != nil {
			return err
		}
	}
	return nil
}

func drill(ctx context.Context, out io.Writer, file string) error {
	d, err := installation.Drill(ctx, file)
	if err != nil {
		return fmt.Errorf("%s can't be restored: %w", file, err)
	}
	fmt.Fprintf(out, "%s can be restored. It would bring back %s (%s), with %s. %d can sign in with a passkey, %d without one.\n", file,
		some(d.Users, "user"), some(d.Administrators, "administrator"), some(d.Passkeys, "passkey"), d.WithPasskey, d.WithoutPasskey)
	if !d.Newest.IsZero() {
		fmt.Fprintf(out, "  What happened after %s would be lost. Sessions, invitations and other links would end.\n", d.Newest.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	return nil
}

func some(n int, what string) string { return fmt.Sprintf("%d %s%s", n, what, either(n == 1, "", "s")) }

type restoreCommand struct {
	File     string
	Previous string
	ofTenantOrList
}

func (c *restoreCommand) takes(l *commandLine) {
	l.file(&c.File, "Backup to restore. It is only read.")
	l.StringVar(&c.Previous, "previous", "", "`FILE|URL` of the database that was in use, in whose place the backup comes: lists what differs. It is only read.")
	c.ofTenantOrList.takes(l)
}

func (c *restoreCommand) Run(ctx context.Context, t terminal, s *settings) error {
	if c.TenantList && c.Previous != "" {
		return errors.New("the list of tenants has no users to compare: leave out --previous, and name it when you restore a tenant")
	}
	if _, err := installation.CheckBackup(ctx, c.File); err != nil {
		return err
	}
	into, err := c.which(ctx, s, s.installation().ListTenants)
	if err != nil {
		return err
	}
	restored, err := s.installation().Restore(ctx, c.File, c.Previous, into, report{t})
	if err != nil {
		return err
	}
	defer restored.Close()
	if c.TenantList {
		return nil
	}
	return printRestored(ctx, t.Out, restored, into)
}

// mostDifferences is how many lines are printed.
const mostDifferences = 200

// printRestored says what it means that a database was restored.
func printRestored(ctx context.Context, out io.Writer, restored *installation.Restored, of tenant.Tenant) error {
	printSignalsHeld(out, either(of.Name == "", "", " --tenant "+of.Name))
	fmt.Fprintln(out, "Everybody has to sign in again: sessions, invitations and other links of the backup have ended.")
	if !restored.HasPrevious() {
		fmt.Fprintln(out, "What happened after the backup is undone. Passkeys, passwords, recovery codes and accounts at providers that were taken away since work again, and those that were added since don't work. Who was disabled, enabled or made an administrator since is what they were before. To see whom that concerns, restore with --previous and the database that was in use.")
		return nil
	}
	list, err := restored.Differences(ctx)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(out, "Nobody's ways to sign in differ from the previous database's.")
		return nil
	}
	fmt.Fprintln(out, "What differs from the previous database:")
	for _, line := range list[:min(len(list), mostDifferences)] {
		fmt.Fprintln(out, "  "+line)
	}
	if more := len(list) - mostDifferences; more > 0 {
		fmt.Fprintf(out, "  and %d more\n", more)
	}
	return nil
}
