// Package activity bounds what a user's own doings write into their activity.
//
// Each change leaves an event in the batch that makes it, so a program that signs in, renames
// or makes recovery codes all day would fill the disk, and bury what the user must see: what
// somebody else did as them. A [Bounded] store lets the first fifty events of a user and a
// kind in a day stand each for itself. Those that follow share one line, which counts them
// and says when the last one was. Nothing is refused, no older line is touched, and whoever
// wants to hide what they did can only add to it.
//
// The count is kept in memory, by node. Failed attempts have a bound of their own: see
// package failures.
package activity

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/recent"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

const (
	// each is how many events of a user and a kind have a line of their own in a window.
	each = 50
	// window is how long events are counted together, from the first one on.
	window = 24 * time.Hour
	// mostTallies bounds one generation of them; two are held. A tally takes about half a
	// kilobyte.
	mostTallies = 10_000
)

// Bounded is a store in which the events of one user can't grow without bound. It is safe
// for concurrent use.
type Bounded struct {
	store.Store

	mu      sync.Mutex
	tallies *recent.Map[about, *tally]
}

// about is what the events of a tally have in common.
type about struct {
	userID string
	kind   shared.EventKind
}

// tally counts the events of a window.
type tally struct {
	about
	began time.Time
	alone int // events that have a line of their own

	writing sync.Mutex  // held while the line of the others is written
	line    store.Event // as it is written
}

// Bound returns a Bounded store over another. Its batches are those of the other, with other
// events.
func Bound(s store.Store) *Bounded {
	return &Bounded{Store: s, tallies: recent.NewMap[about, *tally](window, mostTallies)}
}

// over is an event that goes into the line of a tally.
type over struct {
	*tally
	at    int // its place in the batch
	event store.Event
}

// Apply implements [store.Store]. Lines are written one after the other, so that none goes
// back behind a newer one.
func (b *Bounded) Apply(ctx context.Context, batch store.Batch) error {
	alone, more := b.count(batch)
	slices.SortFunc(more, func(a, b over) int {
		return cmp.Or(cmp.Compare(a.userID, b.userID), cmp.Compare(a.kind, b.kind))
	})
	if len(more) > 0 {
		batch = slices.Clone(batch) // the caller's stays as it is
	}
	for _, m := range more {
		m.writing.Lock()
		defer m.writing.Unlock()
		batch[m.at] = store.AddEvent{Event: m.with(m.event)}
	}
	if err := b.Store.Apply(ctx, batch); err != nil {
		b.takeBack(alone)
		return err
	}
	for _, m := range more {
		m.line = batch[m.at].(store.AddEvent).Event
	}
	return nil
}

// count counts the events of a batch that have a line of their own, and returns their
// tallies, and the other events. A batch writes a line once: a second event of its tally
// stands for itself.
func (b *Bounded) count(batch store.Batch) (alone []*tally, more []over) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for at, op := range batch {
		added, is := op.(store.AddEvent)
		if !is {
			continue
		}
		t := b.tally(about{added.Event.UserID, added.Event.Kind}, added.Event.Time)
		if t.alone >= each && !slices.ContainsFunc(more, func(m over) bool { return m.tally == t }) {
			more = append(more, over{t, at, added.Event})
			continue
		}
		t.alone++
		alone = append(alone, t)
	}
	return alone, more
}

// tally returns the one that an event of this time belongs to.
func (b *Bounded) tally(key about, now time.Time) *tally {
	if t, counts := b.tallies.Get(key, now); counts && t.lasts(now) {
		return t
	}
	t := &tally{about: key, began: now}
	b.tallies.Put(key, t, now)
	return t
}

func (t *tally) lasts(now time.Time) bool { return now.Sub(t.began).Abs() < window }

// takeBack is for a batch that wasn't written.
func (b *Bounded) takeBack(alone []*tally) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range alone {
		t.alone--
	}
}

// with returns the line as it is with one more event. It says of that one what it was, and
// of the others how many.
func (t *tally) with(event store.Event) store.Event {
	if t.line.ID == (store.EventID{}) {
		return event
	}
	line := event
	line.ID, line.Time = t.line.ID, t.line.Time
	line.Count, line.Last = max(t.line.Count, 1)+1, event.Time
	return line
}
