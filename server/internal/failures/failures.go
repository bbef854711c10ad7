// Package failures records failed attempts in the activity of users: somebody tried to sign
// in as them, or to confirm in their place.
//
// Nothing is written before the attempt is answered. Otherwise the answer for a name that
// exists would take longer, and strangers could tell which names exist; and a thousand
// failures would be a thousand writes. A [Recorder] collects failures in memory, merges
// those of one user and one method into a line that counts them, and writes the line a few
// seconds later. So a flood is one line an hour in the user's activity, and seldom wakes
// their open pages.
//
// If the process is killed, the failures of the last seconds are lost. That is acceptable
// for failures; an action that was answered with success never takes this path.
package failures

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

const (
	// window is how long failures of one kind share a line, from the first one on.
	window = time.Hour
	// gathers is how long the first failure waits for others before it is written.
	gathers = 5 * time.Second
	// mostLines bounds the memory. A line takes about half a kilobyte.
	mostLines = 10_000
	// step is how many lines are written in one batch.
	step = 100
)

// Recorder collects the failures of one node. It is safe for concurrent use.
type Recorder struct {
	store store.Store
	log   *slog.Logger

	mu      sync.Mutex
	lines   map[about]*line
	timer   *time.Timer // set while a line isn't written yet
	closed  bool
	full    bool // no line can be deleted before some are written
	dropped int  // failures without room since the last write

	writing sync.Mutex // held by the one who writes
}

// about is what the failures of one line have in common.
type about struct {
	userID    string
	kind      shared.EventKind
	method    store.Method
	passkeyID string
	reason    shared.FailureReason
}

type line struct {
	event  store.Event
	failed uint64 // how many there are
	stored uint64 // how many of them are written
}

// New returns a Recorder that writes to a store, which leaves out the events of users who were removed
// meanwhile.
func New(s store.Store, log *slog.Logger) *Recorder {
	return &Recorder{store: s, log: log, lines: map[about]*line{}}
}

// Add takes a failure in. It never waits for the store.
func (r *Recorder) Add(failure store.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	key := about{failure.UserID, failure.Kind, failure.Method, failure.PasskeyID, failure.Reason}
	l := r.lines[key]
	if l == nil || !l.takes(failure) {
		if l == nil && !r.hasRoom(failure.Time) {
			r.dropped++
			return
		}
		l = &line{event: failure}
		r.lines[key] = l
	}
	l.add(failure)
	r.schedule()
}

// takes reports whether a failure goes into this line. A line that couldn't be written yet
// takes every failure, so that none is lost.
func (l *line) takes(failure store.Event) bool {
	age := failure.Time.Sub(l.event.Time)
	return l.stored < l.failed || (age >= 0 && age < window)
}

func (l *line) add(failure store.Event) {
	l.failed++
	if l.failed > 1 {
		l.event.Count, l.event.Last = l.failed, failure.Time
		l.event.Client, l.event.Expires = failure.Client, failure.Expires
	}
}

// hasRoom reports whether there is room for one more line. It makes room by deleting lines
// whose window is over, and if that isn't enough, all lines that are written. A later
// failure of their users begins a new line.
func (r *Recorder) hasRoom(now time.Time) bool {
	if r.full {
		return false
	}
	for _, age := range []time.Duration{window, 0} {
		if len(r.lines) < mostLines {
			return true
		}
		for key, l := range r.lines {
			if l.stored == l.failed && now.Sub(l.event.Time) >= age {
				delete(r.lines, key)
			}
		}
	}
	r.full = len(r.lines) >= mostLines
	return !r.full
}

// schedule makes Flush run after a short time.
func (r *Recorder) schedule() {
	if r.timer == nil && !r.closed {
		r.timer = time.AfterFunc(gathers, func() { r.Flush(context.Background()) })
	}
}

// Flush writes all lines that have new failures. If a write fails, it logs that and
// schedules another try.
func (r *Recorder) Flush(ctx context.Context) {
	r.writing.Lock()
	defer r.writing.Unlock()

	waiting, dropped := r.take()
	if dropped > 0 {
		r.log.Warn("some failed attempts are missing in the activity of users, because there were attempts on too many users at once", "dropped", dropped)
	}
	var cause error
	for len(waiting) > 0 && cause == nil {
		part := waiting[:min(step, len(waiting))]
		waiting = waiting[len(part):]
		cause = r.write(ctx, part)
	}
	if cause != nil {
		r.log.Warn("failed attempts could not be written into the activity of their users", "cause", cause)
		r.mu.Lock()
		r.schedule()
		r.mu.Unlock()
	}
}

// waiting is a line as it was when its writing began.
type waiting struct {
	about
	line
}

func (r *Recorder) take() (list []waiting, dropped int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	for key, l := range r.lines {
		if l.stored < l.failed {
			list = append(list, waiting{key, *l})
		}
	}
	dropped, r.dropped = r.dropped, 0
	return list, dropped
}

func (r *Recorder) write(ctx context.Context, part []waiting) error {
	var batch store.Batch
	for _, w := range part {
		batch = append(batch, store.AddEvent{Event: w.event})
	}
	if err := r.store.Apply(ctx, batch); err != nil {
		return fmt.Errorf("storing events: %w", err)
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	r.full = false
	for _, w := range part {
		if l := r.lines[w.about]; l != nil && l.event.ID == w.event.ID {
			l.stored = w.failed
		}
	}
	return nil
}

// Close writes all lines that have new failures. After it, Add does nothing. Close the
// store after it.
func (r *Recorder) Close(ctx context.Context) {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.Flush(ctx)
}
