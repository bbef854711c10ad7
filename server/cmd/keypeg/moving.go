package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/keypeg/keypeg/server/control"
	"github.com/keypeg/keypeg/server/namedfile"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/transfer"
	"github.com/keypeg/keypeg/server/tenant"
)

// Commands that move and keep whole databases. What they make is either whole or
// recognisably not: a file has the ending .part until it is complete and checked,
// and a database that was not filled to its end refuses to be used.

// nothingExpires is the clock of databases that are moved: by the one of this machine, which
// may be wrong, something would be left behind that counts again once it is set right.
func nothingExpires() time.Time { return time.Unix(0, 0) }

type storeCopy struct{ From, To string }

func (c *storeCopy) takes(l *commandLine) {
	l.StringVar(&c.From, "from", "", "`FILE|URL` of the database to copy: a path, or PostgreSQL's. It is only read.")
	l.StringVar(&c.To, "to", "", "`FILE|URL` of the empty database to fill.")
	l.require("from", "to")
}

func (c *storeCopy) Run(ctx context.Context, t terminal, s *settings) error {
	if s.isCloud() {
		return c.copyTenants(ctx, t)
	}
	from, err := openSource(ctx, c.From, organisation, nothingExpires)
	if err != nil {
		return err
	}
	defer from.Close()
	if err := refuseCloud(ctx, from); err != nil {
		return err
	}
	if err := mayBeFilled(ctx, c.To); err != nil {
		return err
	}
	to, err := openAny(ctx, c.To, organisation, nothingExpires)
	if err != nil {
		return err
	}
	defer to.Close()
	if err := copies(ctx, t, from, to); err != nil {
		return err
	}
	tellSignalsHeld(t.Out, "")
	return nil
}

// copies copies a whole store and tells of it.
func copies(ctx context.Context, t terminal, from transfer.Source, to store.Store) error {
	sum, err := copyAll(ctx, t, from, to)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.Out, "Copied and compared %s. SHA-256 of all records: %x\n", tally(sum.Counts), sum.Hash)
	return nil
}

// openSource opens an organisation's database that is only read, and is whole: half of one
// would pass for all there is where it comes to.
func openSource(ctx context.Context, database, name string, now store.Clock) (db store.Store, err error) {
	if err := checkDatabase(database); err != nil {
		return nil, err
	}
	if pgstore.IsURL(database) {
		db, err = pgstore.OpenReadOnly(ctx, database, name, now)
	} else {
		db, err = boltstore.OpenReadOnly(fileOf(database, name), now)
	}
	if err != nil {
		return nil, err
	}
	if err := transfer.Unfinished(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", nameOf(database), err), db.Close())
	}
	return db, nil
}

// checkWhole reads every record of a file, which must not be half a copy: that has nothing
// wrong but what it lacks.
func checkWhole(ctx context.Context, path string) (counts map[store.Kind]int, err error) {
	if counts, err = boltstore.Check(path); err != nil {
		return nil, err
	}
	db, err := openSource(ctx, path, organisation, nothingExpires)
	if err != nil {
		return nil, err
	}
	return counts, db.Close()
}

// mayBeFilled refuses a database that has tables of an earlier version: a Keypeg uses it. To
// open it would bring it up to date, before it is refused because it isn't empty.
func mayBeFilled(ctx context.Context, database string) error {
	if !pgstore.IsURL(database) {
		return nil
	}
	is, err := pgstore.IsKeypegs(ctx, database)
	if err != nil || !is {
		return err
	}
	db, err := pgstore.OpenReadOnly(ctx, database, organisation, nothingExpires)
	if err != nil {
		return err
	}
	return db.Close()
}

func copyAll(ctx context.Context, t terminal, from transfer.Source, to store.Store) (transfer.Sum, error) {
	bar := newBar(t)
	defer bar.end()
	return transfer.Copy(ctx, from, to, bar.shows)
}

// tally says how much there is, in words.
func tally(counts map[store.Kind]int) string {
	var parts []string
	for _, kind := range store.Kinds {
		if n := counts[kind]; n != 0 {
			parts = append(parts, fmt.Sprintf("%d %s%s", n, kind, either(n == 1, "", "s")))
		}
	}
	if len(parts) == 0 {
		return "nothing, as there is nothing"
	}
	return strings.Join(parts, ", ")
}

// bar shows how far something is, where somebody looks at it.
type bar struct {
	out   io.Writer // nil where nobody does
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

type backupMake struct {
	File string
	ofTenantOrList
}

func (c *backupMake) takes(l *commandLine) {
	l.file(&c.File, "File to write. It must not exist.")
	c.ofTenantOrList.takes(l)
}

func (c *backupMake) Run(ctx context.Context, t terminal, s *settings) error {
	if _, err := c.which(ctx, s, s.readTenants); err != nil {
		return err
	}
	counts, err := makeWhole(ctx, c.File, func(part string) error {
		if s.isShared() {
			return s.backUpShared(ctx, t, part)
		}
		return writeDurably(part, func(to io.Writer) error { return s.backUp(ctx, to) })
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(t.Out, "Backed up and checked %s.\n", tally(counts))
	return nil
}

// backUp writes the database's file, whoever has it open.
func (s *settings) backUp(ctx context.Context, to io.Writer) error {
	running, err := control.Dial(ctx, s.socket())
	if err == nil && s.tenant != "" {
		running = running.Tenant(s.tenant)
	}
	if err == nil {
		return running.Backup(ctx, to)
	}
	if !errors.Is(err, control.ErrNoServer) {
		return err
	}
	if err := s.mustExist(ctx); err != nil {
		return err
	}
	return boltstore.Copy(fileOf(s.Database, s.tenant), to)
}

// backUpShared copies one moment of a PostgreSQL database into a file.
func (s *settings) backUpShared(ctx context.Context, t terminal, part string) error {
	if err := s.mustExist(ctx); err != nil {
		return err
	}
	from, err := pgstore.OpenReadOnly(ctx, s.Database, s.tenant, nothingExpires)
	if err != nil {
		return err
	}
	defer from.Close()
	if err := transfer.Unfinished(ctx, from); err != nil {
		return err
	}
	moment, err := from.Snapshot(ctx)
	if err != nil {
		return fmt.Errorf("reading the database: %w", err)
	}
	defer moment.Close()

	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	to, err := boltstore.Open(part, nothingExpires)
	if err != nil {
		return err
	}
	_, err = copyAll(ctx, t, moment, to)
	return errors.Join(err, to.Close())
}

type backupVerify struct{ File string }

func (c *backupVerify) takes(l *commandLine) { l.file(&c.File, "Backup to read.") }

func (c *backupVerify) Run(ctx context.Context, t terminal, _ *settings) error {
	counts, err := checkWhole(ctx, c.File)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.Out, "%s is whole: %s.\n", c.File, tally(counts))
	return nil
}

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
	if _, err := checkWhole(ctx, c.File); err != nil {
		return err
	}
	into, err := c.which(ctx, s, s.listTenants)
	if err != nil {
		return err
	}
	previous, err := c.openPrevious(ctx, s)
	if err != nil {
		return err
	}
	if previous != nil {
		defer previous.Close()
	}
	if s.isShared() {
		return c.restoreShared(ctx, t, s, into, previous)
	}

	file := fileOf(s.Database, s.tenant)
	if s.tenant != "" {
		if err := makeRoom(ctx, file, s.tenant); err != nil {
			return err
		}
	}
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("there is a database at %s already: stop its server and move it away, or name another with --database", file)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return namedfile.Explain(filepath.Dir(file), err)
	}
	counts, err := makeWhole(ctx, file, func(part string) error {
		from, err := namedfile.Open(c.File)
		if err != nil {
			return err
		}
		defer from.Close()
		err = writeDurably(part, func(to io.Writer) error {
			_, err := io.Copy(to, from)
			return err
		})
		if err != nil {
			return err
		}
		restored, err := boltstore.Open(part, nothingExpires)
		if err != nil {
			return err
		}
		return errors.Join(endAccess(ctx, restored), restored.Apply(ctx, store.Batch{store.HoldSignals(time.Now())}), restored.Close())
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(t.Out, "Restored and checked %s, in %s.\n", tally(counts), file)
	if c.TenantList {
		return nil
	}
	restored, err := boltstore.OpenReadOnly(file, time.Now)
	if err != nil {
		return err
	}
	defer restored.Close()
	return tellRestored(ctx, t.Out, s, restored, previous)
}

// restoreShared copies a backup into PostgreSQL.
func (c *restoreCommand) restoreShared(ctx context.Context, t terminal, s *settings, into tenant.Tenant, previous store.Store) error {
	from, err := openSource(ctx, c.File, organisation, nothingExpires)
	if err != nil {
		return err
	}
	defer from.Close()
	if err := mayBeFilled(ctx, s.Database); err != nil {
		return err
	}
	rows, err := pgstore.OpenDatabase(ctx, s.Database, nothingExpires)
	if err != nil {
		return err
	}
	defer rows.Close()
	to := rows.Organisation(s.tenant)
	defer to.Close()
	if s.tenant != "" {
		if err := makeRoomShared(ctx, rows, to, into); err != nil {
			return err
		}
	}
	if err := copies(ctx, t, withoutAccess{from}, to); err != nil {
		return err
	}
	if c.TenantList {
		return nil
	}
	return tellRestored(ctx, t.Out, s, to, previous)
}
