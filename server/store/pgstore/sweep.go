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
	for _, what := range sweeps {
		// A fault is not logged here, because it recurs in the next minute.
		for removed, err := int64(sweepStep), error(nil); removed == sweepStep && err == nil && !isClosed(d.stop); {
			removed, err = d.sweep(what)
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

// sweep removes the rows of a table that have expired.
type sweep struct {
	table          string
	expired, order string // the condition, with the values of limits as $3 and $4, and a column that it bounds
	limits         func(now time.Time) []any
}

var sweeps = []sweep{
	expiredIn("sessions"), expiredIn("items"), expiredIn("events"),
	daysOf(store.CountedByDay[0]), daysOf(store.CountedByDay[1]),
}

// expiredIn removes what has expired.
func expiredIn(table string) sweep {
	return sweep{table, "expires <= $3", "expires", func(now time.Time) []any { return []any{now} }}
}

// daysOf removes the counts of a kind by day. Days go two days after they are no longer counted, when
// no event of them is left that a batch could remove at the same time.
func daysOf(kind string) sweep {
	return sweep{"counts", "category >= $3 AND category < $4", "category", func(now time.Time) []any {
		return []any{kind, kind + now.Add(-store.EventsKept-48*time.Hour).UTC().Format(time.DateOnly)}
	}}
}

// sweep removes up to sweepStep rows.
func (d *Database) sweep(what sweep) (removed int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	done, err := d.pool.Exec(ctx, what.sql(), append([]any{d.opened(), sweepStep}, what.limits(d.now())...)...)
	return done.RowsAffected(), err
}

// sql returns the statement. It reads an index from its beginning, for one organisation after the
// other, until it has found enough.
func (w sweep) sql() string {
	return `DELETE FROM ` + w.table + ` WHERE ctid = ANY (ARRAY (SELECT found.ctid FROM unnest($1::text[]) AS opened (organisation),
		LATERAL (SELECT ctid FROM ` + w.table + ` t WHERE t.organisation = opened.organisation AND ` + w.expired + ` ORDER BY ` + w.order + ` LIMIT $2) found LIMIT $2)) AND ` + w.expired
}
