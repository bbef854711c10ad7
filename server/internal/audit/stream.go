package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

const (
	// looksEvery is how often a stream looks for events that didn't pass it: those of another node, or of a
	// command. A look reads the events of some minutes.
	looksEvery = 10 * time.Second
	// gathers is how long a stream waits for more events after one.
	gathers = 200 * time.Millisecond
	// comesLate is how much later than its time an event may appear.
	comesLate = 2 * time.Minute
	// counts is how long an event may go on to count others: see package activity.
	counts = 25 * time.Hour
	// stretch is how much time is read at once after the sink was away.
	stretch = 10 * time.Minute
	// mostNoticed bounds how many events are remembered while the sink is away. The others are found by a
	// look, but for those that only count more.
	mostNoticed = 10_000
	// savesEvery is how often a stream keeps how far it is. What came since is written again after a crash.
	savesEvery = time.Minute
	// lastTry bounds the last round of a stream that ends.
	lastTry = 5 * time.Second
)

// Stream writes each event of an organisation to a [Sink], at least once, oldest first within a round. An
// event that counts several is written again when it counts more. The same event may come again after a
// restart, or after the sink was away; its id and count tell.
//
// The place up to which events were written is in the store, so that a restart loses none. The events of a
// user who is removed before they were written go with the user.
type Stream struct {
	store  store.Store
	sink   *Sink
	tenant string
	log    *slog.Logger
	now    store.Clock

	wake chan struct{}

	mu      sync.Mutex
	noticed map[store.EventMark]store.Event // events that passed the stream, as they were last

	// What follows belongs to Run.
	begun bool
	look  time.Time // when to look for the events of others
	until store.Entry[reached]
	saved time.Time
	moved bool                       // something was written since
	sent  map[store.EventMark]uint64 // the events of the last minutes that were written, with their counts
}

// reached is the time up to which a sink has all events.
type reached struct {
	Until time.Time `json:"until"`
}

var places = store.Collection[reached]{Name: "audit-log"} // by sink

// NewStream returns the stream of an organisation, or nil without a sink. A nil stream does nothing.
func NewStream(s store.Store, sink *Sink, tenant string, log *slog.Logger, now store.Clock) *Stream {
	if sink == nil {
		return nil
	}
	return &Stream{
		store: s, sink: sink, tenant: tenant, log: log, now: now, wake: make(chan struct{}, 1),
		noticed: map[store.EventMark]store.Event{}, sent: map[store.EventMark]uint64{},
	}
}

// Store returns s with a notice to the stream of each event that is written.
func (st *Stream) Store(s store.Store) store.Store {
	if st == nil {
		return s
	}
	return store.Applied(s, func(batch store.Batch) {
		for _, op := range batch {
			if added, is := op.(store.AddEvent); is {
				st.notice(added.Event)
			}
		}
	})
}

// notice never waits for the sink.
func (st *Stream) notice(v store.Event) {
	v.Time, v.Last = v.Time.UTC().Truncate(time.Microsecond), v.Last.UTC().Truncate(time.Microsecond) // as the store keeps them
	st.mu.Lock()
	if len(st.noticed) < mostNoticed {
		st.noticed[v.Mark()] = v
	}
	st.mu.Unlock()
	select {
	case st.wake <- struct{}{}:
	default: // it is awake already
	}
}

// Run writes events until ctx ends, and then once more. A sink that is away is tried again.
func (st *Stream) Run(ctx context.Context) {
	if st == nil {
		return
	}
	for ctx.Err() == nil {
		st.round(ctx)
		select {
		case <-ctx.Done():
		case <-st.wake:
		case <-time.After(looksEvery):
		}
		select {
		case <-ctx.Done():
		case <-time.After(gathers):
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTry)
	defer cancel()
	st.look = time.Time{}
	st.round(last)
	if err := st.save(last); err != nil {
		st.sink.logs(st.log, err)
	}
}

// round writes what is new, and logs why it can't.
func (st *Stream) round(ctx context.Context) {
	err := st.write(ctx)
	if err != nil {
		clear(st.sent) // the sink may have lost what it took last
		st.look = time.Time{}
	}
	if ctx.Err() == nil {
		st.sink.logs(st.log, err)
	}
}

func (st *Stream) write(ctx context.Context) error {
	now := st.now()
	if !st.begun {
		if err := st.begin(ctx, now); err != nil {
			return err
		}
	}
	if err := st.writeNoticed(ctx); err != nil {
		return err
	}
	if wait := st.look.Sub(now); wait > 0 && wait <= looksEvery {
		return nil
	}
	if err := st.catchUp(ctx, now); err != nil {
		return err
	}
	st.look = now.Add(looksEvery)
	if st.now().Sub(st.saved).Abs() > savesEvery {
		return st.save(ctx)
	}
	return nil
}

// catchUp writes the events up to now that weren't written yet.
func (st *Stream) catchUp(ctx context.Context, now time.Time) error {
	until := &st.until.Value.Until
	if until.After(now) { // the clock was set back
		*until = now
	}
	for done := false; !done; {
		to := until.Add(stretch)
		if !to.Before(now) {
			to, done = now, true
		}
		if err := st.writeBetween(ctx, until.Add(-comesLate), to, func(store.Event) bool { return true }); err != nil {
			return err
		}
		*until = to
	}
	for mark := range st.sent {
		if mark.ID.Time().Before(now.Add(-2 * comesLate)) {
			delete(st.sent, mark)
		}
	}
	return nil
}

// begin finds where the stream was, and writes what has counted more since. The first time it begins with now.
func (st *Stream) begin(ctx context.Context, now time.Time) error {
	var err error
	st.until, err = places.Get(ctx, st.store, "", st.sink.id)
	if errors.Is(err, store.ErrNotFound) {
		st.until = store.Entry[reached]{Key: st.sink.id, Value: reached{now}}
		st.begun, st.moved = true, true
		return st.save(ctx)
	}
	if err != nil {
		return fmt.Errorf("reading how far the audit log is: %w", err)
	}
	since := st.until.Value.Until.Add(-comesLate)
	for from := since.Add(-counts); from.Before(since); from = from.Add(stretch) {
		err := st.writeBetween(ctx, from, from.Add(stretch), func(v store.Event) bool { return v.Count > 1 && v.LastTime().After(since) })
		if err != nil {
			return err
		}
	}
	st.begun = true
	return nil
}

// save keeps how far the stream is. Another process with the same sink may have written it: then it is older
// at worst.
func (st *Stream) save(ctx context.Context) error {
	if !st.moved {
		return nil
	}
	st.until.Version = store.AnyVersion
	if err := st.store.Apply(ctx, store.Batch{places.Put(st.until)}); err != nil {
		return fmt.Errorf("keeping how far the audit log is: %w", err)
	}
	st.saved, st.moved = st.now(), false
	return nil
}

// writeBetween writes the events between two times that weren't written yet.
func (st *Stream) writeBetween(ctx context.Context, from, to time.Time, takes func(store.Event) bool) error {
	var found []store.Event
	before := store.MarkOf(to.Add(time.Microsecond))
	for more := true; more; {
		some, err := st.store.AllEvents(ctx, store.EventQuery{Before: before}, step)
		if err != nil {
			return fmt.Errorf("listing events for the audit log: %w", err)
		}
		more = len(some) == step
		for _, v := range some {
			before = v.Mark()
			if v.ID.Time().Before(from) {
				more = false
				break
			}
			if takes(v) && !st.isSent(v) {
				found = append(found, v)
			}
		}
	}
	slices.Reverse(found)
	return st.send(ctx, found)
}

// writeNoticed writes the events that passed the stream.
func (st *Stream) writeNoticed(ctx context.Context) error {
	st.mu.Lock()
	found := slices.Collect(maps.Values(st.noticed))
	st.mu.Unlock()
	slices.SortFunc(found, func(a, b store.Event) int { return a.Mark().Compare(b.Mark()) })
	if err := st.send(ctx, slices.DeleteFunc(slices.Clone(found), st.isSent)); err != nil {
		return err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, v := range found {
		if st.noticed[v.Mark()].Count == v.Count {
			delete(st.noticed, v.Mark())
		}
	}
	return nil
}

// isSent reports whether an event was written lately, with at least this count.
func (st *Stream) isSent(v store.Event) bool {
	n, known := st.sent[v.Mark()]
	return known && n >= v.Count
}

// send writes events, and remembers that.
func (st *Stream) send(ctx context.Context, events []store.Event) error {
	reading := newPages(st.store, query{})
	for part := range slices.Chunk(events, step) {
		var entries []entry
		for _, v := range part {
			line, listed, err := reading.line(ctx, v)
			if err != nil {
				return err
			}
			if !listed {
				continue
			}
			text, err := json.Marshal(struct {
				Tenant string `json:"tenant,omitempty"`
				shared.AuditEvent
			}{st.tenant, line})
			if err != nil {
				return err
			}
			entries = append(entries, entry{line.Kind, line.Time, text})
		}
		if err := st.sink.write(entries); err != nil {
			return err
		}
		st.moved = true
		for _, v := range part {
			st.sent[v.Mark()] = v.Count
		}
	}
	return nil
}
