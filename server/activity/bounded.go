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

// What a user's own doings write into their activity is bounded.
//
// Each change leaves an event in the batch that makes it, so a program that signs in, renames
// or makes recovery codes all day would fill the disk, and bury what the user must see: what
// somebody else did as them. A [Bounded] store lets the first fifty events of a user and a
// kind in a day stand each for itself. Of those that follow, each source has one line, which
// counts them and says when the last one was; from the eleventh source on, all share one.
// So what a thief does from elsewhere isn't lost among what a user's own program does all
// day. Nothing is refused, no older line is touched, and whoever wants to hide what they did
// can only add to it.
//
// That makes 61 lines a day of each kind, of half a kilobyte at most. The count is kept in
// memory, by node, and a restart begins anew. Failed attempts have a bound of their own: see
// package failures.

const (
	// each is how many events of a user and a kind have a line of their own in a window.
	each = 50
	// window is how long events are counted together, from the first one on.
	window = 24 * time.Hour
	// sources is how many have a line of their own after those.
	sources = 10
	// mostTallies bounds one generation of them; two are held. A tally takes a quarter of a
	// kilobyte, and half a kilobyte for each line that is shared, which few users have.
	mostTallies = 10_000
)

// Bounded is a store in which the events of one user can't grow without bound. It is safe
// for concurrent use.
type Bounded struct {
	store.Store

	mu      sync.Mutex
	tallies *recent.Map[about, *tally]
	lines   uint64 // how many shared lines there were so far
}

// about is what the events of a tally have in common.
type about struct {
	userID string
	kind   shared.EventKind
}

// tally counts the events of a window.
type tally struct {
	began  time.Time
	alone  int // events that have a line of their own
	shared map[source]*line
}

// source is who did something, and from where.
type source struct {
	by     string
	method store.Method
	client store.Client
}

// everybody is the source of those that came after the first ones.
var everybody source

// line is what the events of a source share.
type line struct {
	number  uint64      // in the order in which they began
	writing sync.Mutex  // held while it is written
	event   store.Event // as it is written
}

// Bound returns a Bounded store over another: the other itself where that is one already, so
// that nobody is counted twice. Its batches are those of the other, with other events.
func Bound(s store.Store) *Bounded {
	if b, is := s.(*Bounded); is {
		return b
	}
	return &Bounded{Store: s, tallies: recent.NewMap[about, *tally](window, mostTallies)}
}

// Probe implements [store.Prober], as far as the store does.
func (b *Bounded) Probe(ctx context.Context) error { return store.Probe(ctx, b.Store) }

// over is an event that goes into a line.
type over struct {
	*line
	at   int // its place in the batch
	more store.Event
}

// Apply implements [store.Store]. Lines are written one after the other, so that none goes
// back behind a newer one.
func (b *Bounded) Apply(ctx context.Context, batch store.Batch) error {
	alone, more := b.count(batch)
	// All batches take their lines in one order, so none waits for the other.
	slices.SortFunc(more, func(a, b over) int { return cmp.Compare(a.number, b.number) })
	if len(more) > 0 {
		batch = slices.Clone(batch) // the caller's stays as it is
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

// count counts the events of a batch that have a line of their own, and returns their
// tallies, and the other events. A batch writes a line once: a second event of it stands for
// itself.
func (b *Bounded) count(batch store.Batch) (alone []*tally, more []over) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for at, op := range batch {
		added, is := op.(store.AddEvent)
		if !is {
			continue
		}
		t := b.tally(about{added.Event.UserID, added.Event.Kind}, added.Event.Time)
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

// tally returns the one that an event of this time belongs to.
func (b *Bounded) tally(key about, now time.Time) *tally {
	if t, counts := b.tallies.Get(key, now); counts && t.lasts(now) {
		return t
	}
	t := &tally{began: now}
	b.tallies.Put(key, t, now)
	return t
}

// line returns the one that an event of this source goes into.
func (b *Bounded) line(t *tally, from source) *line {
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
func (l *line) with(more store.Event) store.Event {
	if l.event.ID == (store.EventID{}) {
		return more
	}
	with := more
	with.ID, with.Time = l.event.ID, l.event.Time
	with.Count, with.Last = max(l.event.Count, 1)+1, more.Time
	return with
}
