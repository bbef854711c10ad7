package chain

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/internal/recent"
	"github.com/keypeg/keypeg/server/store"
)

const (
	// mostMarked bounds how many events are remembered as noted. Each takes some 100 bytes.
	mostMarked = 10_000
	// lateLasts is how long the note of an event is kept. A sealer takes it within minutes.
	lateLasts = 30 * 24 * time.Hour
)

// marked is a store that notes events which are written late. It is safe for concurrent use.
type marked struct {
	store.Store
	now store.Clock

	mu    sync.Mutex
	noted *recent.Map[store.EventMark, time.Time]
}

// Marked returns a store over another one that notes each event which is written, or written again,
// after its time may have been sealed. The note is in the batch that writes the event, so there is
// one if and only if there is the event. An ordinary batch stays as it is.
func Marked(s store.Store, now store.Clock) store.Store {
	return &marked{Store: s, now: now, noted: recent.NewMap[store.EventMark, time.Time](isLate, mostMarked)}
}

// Unwrap implements [store.Wrapper].
func (m *marked) Unwrap() store.Store { return m.Store }

// Apply implements [store.Store].
func (m *marked) Apply(ctx context.Context, batch store.Batch) error {
	now := m.now()
	events := m.lateIn(batch, now)
	if len(events) > 0 {
		batch = slices.Clone(batch) // don't change the caller's batch
	}
	for _, event := range events {
		key, _ := mark(event).MarshalText()
		batch = append(batch, late.Put(store.Entry[lateEvent]{Key: string(key), Value: lateEvent{now}, Version: store.AnyVersion, Expires: now.Add(lateLasts)}))
	}
	if err := m.Store.Apply(ctx, batch); err != nil || len(events) == 0 {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, event := range events {
		m.noted.Put(event, now, now)
	}
	return nil
}

// lateIn lists the late events of a batch, without those that were noted a moment ago: the sealer
// takes no note before it has settled, and then reads the event as it is.
func (m *marked) lateIn(batch store.Batch, now time.Time) (events []store.EventMark) {
	for _, op := range batch {
		added, is := op.(store.AddEvent)
		if !is || now.Sub(added.Event.ID.Time()) < isLate || slices.Contains(events, added.Event.Mark()) {
			continue
		}
		m.mu.Lock()
		at, known := m.noted.Get(added.Event.Mark(), now)
		m.mu.Unlock()
		if !known || now.Sub(at).Abs() >= isLate {
			events = append(events, added.Event.Mark())
		}
	}
	return events
}
