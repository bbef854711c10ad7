package chain

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

const (
	// every is how often a sealer looks for new events.
	every = time.Minute
	// step is how many events are sealed in one batch.
	step = 500
	// lateStep is how many late events are.
	lateStep = 100
	// looksBack is how much earlier than settled the sealer looks when a clock was set back.
	looksBack = 15 * time.Minute
	// saltBytes is the length of a salt.
	saltBytes = 16
)

// Sealer seals the events of an organisation. Any number of nodes may have one: whoever writes the
// newest block first has sealed, and the others look again.
type Sealer struct {
	Store store.Store
	Now   store.Clock
	Log   *slog.Logger
}

// Run seals now and then, until ctx ends.
func (s Sealer) Run(ctx context.Context) {
	failed := false
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := s.Seal(ctx)
		if err != nil && ctx.Err() == nil && !failed {
			s.Log.Warn("the events can't be sealed, so keypeg audit verify can't check the newest ones", "cause", err)
		}
		failed = err != nil
	}
}

// Seal seals all events that have settled. An event that was sealed stays sealed when Seal fails or
// the process ends. If another node seals at the same time, it leaves the rest to that node.
func (s Sealer) Seal(ctx context.Context) error {
	const tries = 3 // a user may be removed, or an event be written again, at the same time
	for left := tries; ; {
		more, err := s.seal(ctx)
		switch {
		case heads.Changed(err) || blocks.Changed(err) || salts.Changed(err):
			return nil
		case err != nil && left > 0 && (errors.Is(err, store.ErrNotFound) || late.Changed(err)):
			left--
		case err != nil:
			return fmt.Errorf("sealing events: %w", err)
		case !more:
			return nil
		default:
			left = tries
		}
	}
}

// seal seals some events, in one batch, and reports whether there may be more.
func (s Sealer) seal(ctx context.Context) (more bool, err error) {
	newest, err := s.newest(ctx)
	if err != nil {
		return false, err
	}
	w := writing{store: s.Store, now: s.Now(), head: newest.Value, salts: map[string][]byte{}}
	w.lookBack()
	events, err := w.settled(ctx)
	if err != nil {
		return false, err
	}
	more = !w.head.Target.IsZero()
	again, err := w.late(ctx)
	if err != nil {
		return false, err
	}
	for _, event := range append(events, again...) {
		if err := w.append(ctx, event); err != nil {
			return false, err
		}
	}
	if !w.moved && len(w.batch) == 0 {
		return false, nil
	}
	newest.Value = w.head
	return more || len(again) == lateStep, s.Store.Apply(ctx, append(w.batch, heads.Put(newest)))
}

// newest returns the newest block. If there is none, it begins a chain, behind the blocks that
// there are: somebody may have removed the newest one, and Verify must see that.
func (s Sealer) newest(ctx context.Context) (store.Entry[head], error) {
	newest, err := heads.Get(ctx, s.Store, "", "")
	if !errors.Is(err, store.ErrNotFound) {
		return newest, err
	}
	last, err := lastBlock(ctx, s.Store, ^uint64(0))
	if err != nil {
		return newest, err
	}
	number := uint64(0)
	if last != nil {
		number = last.Number + 1
	}
	return store.Entry[head]{Value: newHead(number)}, nil
}

// lastBlock returns the last full block before a number, or nil.
func lastBlock(ctx context.Context, s store.Store, before uint64) (last *block, err error) {
	const page = 100
	for after := ""; ; {
		found, err := blocks.List(ctx, s, "", after, page)
		if err != nil {
			return nil, err
		}
		for _, entry := range found {
			if after = entry.Key; after >= blockKey(before) {
				return last, nil
			}
			last = &entry.Value
		}
		if len(found) < page {
			return last, nil
		}
	}
}

// writing is a batch of the sealer.
type writing struct {
	store  store.Store
	now    time.Time
	head   head
	lines  []line // of the head, once they were read
	read   bool
	moved  bool // the head says something else than before
	batch  store.Batch
	salts  map[string][]byte // by users' ids
	sealed map[place][16]byte
}

// lookBack notices that a clock was ahead: that of this machine, or of another node. Then events
// are still written whose times were sealed. They are looked for again, and the lines that there
// are count.
func (w *writing) lookBack() {
	settles := w.now.Add(-settled)
	reached := w.head.To
	if w.head.Target.After(reached) {
		reached = w.head.Target
	}
	if !reached.After(settles.Add(store.ClockSkew)) {
		return
	}
	if reached.After(w.head.Ahead) {
		w.head.Ahead = reached
	}
	if begin := settles.Add(-looksBack); w.head.To.After(begin) {
		w.head.To = begin
	}
	w.head.Target, w.head.Cursor, w.moved = time.Time{}, mark{}, true
}

// settled returns the next events without lines, oldest first.
func (w *writing) settled(ctx context.Context) ([]store.Event, error) {
	if w.head.Target.IsZero() {
		until := w.now.Add(-settled)
		if !until.After(w.head.To) {
			return nil, nil
		}
		some, err := w.store.AllEvents(ctx, store.EventQuery{Before: store.MarkOf(until)}, 1)
		if err != nil || len(some) == 0 || some[0].ID.Time().Before(w.head.To) {
			return nil, err
		}
		w.head.Target, w.head.Cursor = until, mark(store.MarkOf(until))
	}
	events, err := w.store.AllEvents(ctx, store.EventQuery{Before: store.EventMark(w.head.Cursor)}, step)
	if err != nil {
		return nil, err
	}
	w.moved = true
	isLast, ahead := len(events) < step, w.head.Ahead
	if at := slices.IndexFunc(events, func(v store.Event) bool { return v.ID.Time().Before(w.head.To) }); at >= 0 {
		events, isLast = events[:at], true
	}
	if isLast {
		w.head.To, w.head.Target, w.head.Cursor = w.head.Target, time.Time{}, mark{}
		if !w.head.To.Before(ahead) {
			w.head.Ahead = time.Time{}
		}
	} else {
		w.head.Cursor = mark(events[len(events)-1].Mark())
	}
	slices.Reverse(events)
	if !ahead.IsZero() && len(events) > 0 {
		w.sealed, err = linesSince(ctx, w.store, w.head.block, events[0].ID.Time())
	}
	return events, err
}

// linesSince returns the hashes of the lines that may be of events since a time.
func linesSince(ctx context.Context, s store.Store, b block, since time.Time) (map[place][16]byte, error) {
	found := map[place][16]byte{}
	for {
		lines, err := readLines(b.Lines)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			if _, newer := found[l.place]; !newer && !l.id.Time().Before(since) {
				found[l.place] = l.hash
			}
		}
		if b.Number == 0 || b.Since.Before(since) {
			return found, nil
		}
		before, err := blocks.Get(ctx, s, "", blockKey(b.Number-1))
		if errors.Is(err, store.ErrNotFound) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		b = before.Value
	}
}

// late returns the events that were written late, and takes their notes.
func (w *writing) late(ctx context.Context) (events []store.Event, err error) {
	notes, err := late.List(ctx, w.store, "", "", lateStep)
	if err != nil {
		return nil, err
	}
	for _, note := range notes {
		if note.Value.Since.After(w.now.Add(-settled)) && !note.Value.Since.After(w.now) {
			continue // it may be written again without a new note
		}
		var at mark
		if err := at.UnmarshalText([]byte(note.Key)); err != nil {
			return nil, err
		}
		event, err := eventAt(ctx, w.store, store.EventMark(at))
		switch {
		case err == nil:
			events = append(events, event)
		case !errors.Is(err, store.ErrNotFound):
			return nil, err
		}
		w.batch = append(w.batch, late.Remove(note))
	}
	return events, nil
}

// eventAt returns the event at a mark.
func eventAt(ctx context.Context, s store.Store, at store.EventMark) (store.Event, error) {
	next := at.ID
	for i := len(next) - 1; i >= 0; i-- { // the id after it
		if next[i]++; next[i] != 0 {
			break
		}
	}
	found, err := s.Events(ctx, at.UserID, next, 1)
	if err == nil && (len(found) == 0 || found[0].ID != at.ID) {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Event{}, err
	}
	return found[0], nil
}

// append appends the line of an event.
func (w *writing) append(ctx context.Context, v store.Event) error {
	salt, err := w.salt(ctx, v.UserID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // it was written while the user was removed
	}
	if err != nil {
		return err
	}
	if !w.read {
		if w.lines, err = readLines(w.head.Lines); err != nil {
			return err
		}
		w.read = true
	}
	l := lineOf(v, salt)
	if hash, is := w.sealed[l.place]; is && hash == l.hash {
		return nil
	}
	keeps := keptFor(v)
	if len(w.lines) == blockLines || len(w.lines) > 0 && w.head.Kept != keeps {
		w.close()
	}
	w.head.Kept = keeps
	w.head.Lines = appendLines(w.head.Lines, w.lines, []line{l})
	w.lines, w.moved = append(w.lines, l), true
	return nil
}

// keptFor is how long an event is kept after it happened for the last time, in seconds.
func keptFor(v store.Event) int64 {
	return int64(v.Expires.Sub(v.LastTime()) / time.Second)
}

// close begins a new block.
func (w *writing) close() {
	full, newest := w.head.block, w.head.Since
	for _, l := range w.lines {
		if at := l.id.Time(); at.After(newest) {
			newest = at
		}
	}
	hashes := full.hashes(w.lines)
	w.batch = append(w.batch, blocks.Put(store.Entry[block]{Key: blockKey(full.Number), Value: full, Expires: full.expires(newest)}))
	w.head.block = block{Number: full.Number + 1, Before: hashes[len(hashes)-1], Since: newest}
	w.lines = nil
}

// salt returns the salt of a user, and makes one for a user whose first event this is. It fails with
// [store.ErrNotFound] if there is no such user.
func (w *writing) salt(ctx context.Context, userID string) ([]byte, error) {
	if salt, known := w.salts[userID]; known || userID == store.Organisation {
		return salt, nil
	}
	found, err := salts.Get(ctx, w.store, userID, "")
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err != nil {
		if _, err := w.store.User(ctx, userID); err != nil {
			return nil, err
		}
		found.Value = make([]byte, saltBytes)
		rand.Read(found.Value)
		w.batch = append(w.batch, store.HasUser{ID: userID}, salts.Put(store.Entry[[]byte]{Owner: userID, Value: found.Value}))
	}
	w.salts[userID] = found.Value
	return found.Value, nil
}
