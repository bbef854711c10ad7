package activity

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/internal/recent"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// The events that a user's own actions write are bounded.
//
// Each change adds an event to its batch. A program that signs in, renames or makes
// recovery codes all day would fill the disk. It would also bury what the user must see:
// what somebody else did in their name. In a bounded store, the first fifty events of a
// user and a kind, with one reason and about one other user or program, in a day have a line each. After them each source has one line, which
// counts its events and has the time of the last one; from the eleventh source on, all
// share one line. So the actions of a thief elsewhere stay visible beside a busy program of
// the user. Nothing is refused and no older line changes, so nobody can hide what they did.
//
// That is at most 61 lines a day of each kind, of half a kilobyte each, and for administrators as many
// for each user about whom they do something: who was removed must never be lost in a line. For events of
// programs it is as many for each program. The counts are kept
// in memory, on each node, and a restart begins at zero. Failed attempts have their own
// bound: see package failures.

const (
	// each is how many events of a user and a kind have their own line in a window.
	each = 50
	// window is how long events are counted together, from the first one on.
	window = 24 * time.Hour
	// sources is how many sources have their own line after that.
	sources = 10
	// mostTallies bounds one generation of tallies; two generations are in memory. A tally
	// takes a quarter of a kilobyte, and half a kilobyte for each shared line, which few
	// users have.
	mostTallies = 10_000
)

// bounded is a store that bounds the events of each user. It is safe for concurrent use.
type bounded struct {
	store.Store

	mu      sync.Mutex
	tallies *recent.Map[about, *tally]
	lines   uint64 // how many shared lines have begun
}

// about is what the events of a tally have in common.
type about struct {
	userID string
	kind   shared.EventKind
	reason shared.FailureReason
	other  string // the user whom they are about, so that no line hides whom an act was done to
	// program is the one that they are about, so that one that signs in all day hides no other.
	program string
}

// tally counts the events of a window.
type tally struct {
	began  time.Time
	alone  int // how many events have their own line
	shared map[source]*line
}

// source is an actor and where they acted from.
type source struct {
	by     string
	method store.Method
	client store.Client
}

// everybody is the source of the line that all later sources share.
var everybody source

// line is a line that the events of a source share.
type line struct {
	number  uint64      // lines are numbered in the order in which they begin
	writing sync.Mutex  // held during the write
	event   store.Event // as it is stored
}

// bound returns a bounded store over another store. The batches are the same, except for
// their events.
func bound(s store.Store) *bounded {
	return &bounded{Store: s, tallies: recent.NewMap[about, *tally](window, mostTallies)}
}

// Unwrap implements [store.Wrapper].
func (b *bounded) Unwrap() store.Store { return b.Store }

// over is an event that goes into a shared line.
type over struct {
	*line
	at   int // its index in the batch
	more store.Event
}

// Apply implements [store.Store]. It writes each shared line by one batch at a time, so
// that no older version of a line replaces a newer one.
func (b *bounded) Apply(ctx context.Context, batch store.Batch) error {
	alone, more := b.count(batch)
	// All batches lock their lines in the same order, so they can't block each other.
	slices.SortFunc(more, func(a, b over) int { return cmp.Compare(a.number, b.number) })
	if len(more) > 0 {
		batch = slices.Clone(batch) // don't change the caller's batch
	}
	for _, m := range more {
		m.writing.Lock()
		defer m.writing.Unlock()
		batch[m.at] = store.AddEvent{Event: m.with(m.more)}
	}
	if err := b.Store.Apply(ctx, batch); err != nil {
		b.takeBack(alone)
		return err
	}
	for _, m := range more {
		m.event = batch[m.at].(store.AddEvent).Event
	}
	return nil
}

// count counts the events of a batch. It returns the tallies of events with their own line,
// and the events that go into shared lines. A batch writes a shared line once, so a second
// event for it gets its own line.
func (b *bounded) count(batch store.Batch) (alone []*tally, more []over) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for at, op := range batch {
		added, is := op.(store.AddEvent)
		if !is {
			continue
		}
		t := b.tally(about{added.Event.UserID, added.Event.Kind, added.Event.Reason, added.Event.About, added.Event.Program}, added.Event.Time)
		if t.alone >= each {
			l := b.line(t, source{added.Event.By, added.Event.Method, added.Event.Client})
			if !slices.ContainsFunc(more, func(m over) bool { return m.line == l }) {
				more = append(more, over{l, at, added.Event})
				continue
			}
		}
		t.alone++
		alone = append(alone, t)
	}
	return alone, more
}

// tally returns the tally for an event at this time.
func (b *bounded) tally(key about, now time.Time) *tally {
	if t, counts := b.tallies.Get(key, now); counts && t.lasts(now) {
		return t
	}
	t := &tally{began: now}
	b.tallies.Put(key, t, now)
	return t
}

// line returns the shared line for an event of this source.
func (b *bounded) line(t *tally, from source) *line {
	l := t.shared[from]
	if l == nil && len(t.shared) >= sources {
		from = everybody
		l = t.shared[from]
	}
	if l != nil {
		return l
	}
	if t.shared == nil {
		t.shared = map[source]*line{}
	}
	b.lines++
	l = &line{number: b.lines}
	t.shared[from] = l
	return l
}

func (t *tally) lasts(now time.Time) bool { return now.Sub(t.began).Abs() < window }

// takeBack undoes the count of a batch that wasn't written.
func (b *bounded) takeBack(alone []*tally) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range alone {
		t.alone--
	}
}

// with returns the line with one more event. Its details are those of the new event, and
// its count and first time cover all.
func (l *line) with(more store.Event) store.Event {
	if l.event.ID == (store.EventID{}) {
		return more
	}
	with := more
	with.ID, with.Time = l.event.ID, l.event.Time
	with.Count, with.Last = max(l.event.Count, 1)+max(more.Count, 1), more.Time
	return with
}
