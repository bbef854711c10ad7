package pgstore

import (
	"context"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

const (
	sweepEvery = time.Minute
	// sweepStep bounds the rows that one statement removes, so that nobody waits long.
	sweepStep = 500
)

// sweepNowAndThen removes what has expired, of the organisations that are open
// here. Every node does so. It is harmless if another node has removed some already.
func (d *Database) sweepNowAndThen() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	var clock store.ClockWatch
	for {
		select {
		case <-d.stop:
			return
		case at := <-ticker.C:
			d.sweepIfSteady(&clock, at)
		}
	}
}

// sweepIfSteady removes all that has expired, unless the clock may be wrong.
func (d *Database) sweepIfSteady(clock *store.ClockWatch, at time.Time) {
	if clock.Look(at, d.now()); !clock.IsSteady() || !d.clocksAgree() {
		return
	}
	for _, table := range sweepable {
		// A fault is not logged here, because it recurs in the next minute.
		for removed, err := int64(sweepStep), error(nil); removed == sweepStep && err == nil && !isClosed(d.stop); {
			removed, err = d.sweep(table)
		}
	}
}

// clocksAgree reports whether the clocks of this node and of the database are close enough. If
// not, a record that has expired here may not have expired on another node.
func (d *Database) clocksAgree() bool {
	theirs, err := d.clock(context.Background())
	return err == nil && !store.AreApart(theirs, d.now())
}

func (d *Database) clock(ctx context.Context) (theirs time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = d.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&theirs)
	return theirs, err
}

// Clock implements [store.Clocked].
func (s *Store) Clock(ctx context.Context) (time.Time, error) { return s.db.clock(ctx) }

// sweepable has the tables whose rows expire, with their keys.
var sweepable = []struct{ name, key string }{
	{"sessions", "organisation, id"},
	{"spent_tickets", "organisation, id"},
	{"links", "organisation, key"},
	{"events", "organisation, user_id, id"},
}

func (d *Database) sweep(table struct{ name, key string }) (removed int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	done, err := d.pool.Exec(ctx, `DELETE FROM `+table.name+` WHERE (`+table.key+`) IN
		(SELECT `+table.key+` FROM `+table.name+` WHERE organisation = ANY ($1) AND expires <= $2 ORDER BY expires LIMIT $3) AND expires <= $2`,
		d.opened(), d.now(), sweepStep)
	return done.RowsAffected(), err
}
