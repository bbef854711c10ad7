// Package outbox sends what an organisation tells others, and loses none of it.
//
// A message is queued in the batch that it is about. Any number of nodes look for messages whose turn it is. Whoever
// writes a claim on one first sends it; the claim ends by itself, so what a dying node has claimed is sent by another.
// What the other side doesn't take is tried again after longer and longer pauses, for a while, and then given up.
//
// Nobody can take back what was sent. So a message is sent at least once: it leaves the queue after the other side has
// taken it, and is sent twice if the node dies, or loses its database, between that and the next commit.
package outbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// Message is one that waits, or was given up. V says what it is about.
type Message[V any] struct {
	About   V         `json:"about"`
	Queued  time.Time `json:"queued"`
	Next    time.Time `json:"next"` // nobody tries before
	Tries   int       `json:"tries,omitempty"`
	Claim   string    `json:"claim,omitempty"`   // of whoever tries until Next
	Trouble string    `json:"trouble,omitempty"` // of the last try
	GivenUp bool      `json:"givenUp,omitempty"`
}

// Kind is the messages of an organisation of one kind, the oldest first.
type Kind[V any] store.Collection[Message[V]]

func (k Kind[V]) items() store.Collection[Message[V]] { return store.Collection[Message[V]](k) }

// NewKey returns the key of a new message. Those of later times are greater.
func NewKey(now time.Time) string { return fmt.Sprintf("%016x-%s", now.UnixNano(), rand.Text()) }

// Put returns the operation that queues a message under a new key. Kept is when it ends: if no node runs that sends it, or
// after it was given up.
func (k Kind[V]) Put(key string, about V, now time.Time, kept time.Duration) store.Op {
	m := Message[V]{About: about, Queued: now, Next: now}
	return k.items().Put(store.Entry[Message[V]]{Key: key, Value: m, Expires: now.Add(kept)})
}

// Queues reports whether an operation queues a message of this kind.
func (k Kind[V]) Queues(op store.Op) bool {
	put, is := op.(store.PutItem)
	return is && k.items().Holds(put.Item)
}

// List returns up to limit messages, the oldest first. Those that were given up are among them.
func (k Kind[V]) List(ctx context.Context, s store.Store, limit int) ([]Message[V], error) {
	found, err := k.items().List(ctx, s, "", "", limit)
	if err != nil {
		return nil, err
	}
	list := make([]Message[V], len(found))
	for i, m := range found {
		list[i] = m.Value
	}
	return list, nil
}

// Retry makes all messages that wait due now, for IT that has mended what was wrong. Whichever node looks first sends
// them. It returns how many they are; those that a node is trying are none.
func (k Kind[V]) Retry(ctx context.Context, s store.Store, now time.Time) (n int, err error) {
	err = k.each(ctx, s, func(m store.Entry[Message[V]]) (bool, error) {
		if m.Value.GivenUp || m.Value.Claim != "" && m.Value.Next.After(now) {
			return true, nil
		}
		n++
		if m.Value.Next.After(now) {
			m.Value.Next = now
			return true, unlessChanged(s.Apply(ctx, store.Batch{k.items().Put(m)}))
		}
		return true, nil
	})
	return n, err
}

// page is how many messages are read at once.
const page = 100

// each calls do with the messages, the oldest first, while it says to go on.
func (k Kind[V]) each(ctx context.Context, s store.Store, do func(store.Entry[Message[V]]) (goOn bool, err error)) error {
	for after := ""; ; {
		waiting, err := k.items().List(ctx, s, "", after, page)
		if err != nil {
			return err
		}
		for _, m := range waiting {
			if goOn, err := do(m); err != nil || !goOn {
				return err
			}
		}
		if len(waiting) < page {
			return nil
		}
		after = waiting[page-1].Key
	}
}

// unlessChanged returns an error of the store. Where another node has written already what became of a message, because
// the claim had ended, nothing is left to do.
func unlessChanged(err error) error {
	if _, is := errors.AsType[*store.ItemChanged](err); is {
		return nil
	}
	return err
}

// Rules are how a kind of messages is sent.
type Rules struct {
	// Called is what log lines call a message: "mail".
	Called string
	// Tried is for how long a message is tried.
	Tried time.Duration
	// Keeps has messages that were given up stay for IT to see, until they end. Otherwise only the log says so.
	Keeps bool
	// Pauses are those between tries. The last one repeats.
	Pauses []time.Duration
	// Claimed is how long a claim holds. It is longer than a try may take, because the clocks of nodes differ, and what a
	// node still sends must not be sent by another.
	Claimed time.Duration
	// Looks is how often a node looks for messages that others have queued.
	Looks time.Duration
}

// Queue sends the messages of a kind. It is safe for concurrent use. [New] completes it.
type Queue[V any] struct {
	Kind[V]
	Rules
	Store store.Store
	Now   store.Clock
	Log   *slog.Logger
	// Ready reports whether there is anybody to send to now. If not, all waits, and nothing counts as a try.
	Ready func() bool
	// Send sends a message, and says how that went. An error is one of the store's: what the message says couldn't be read.
	Send func(ctx context.Context, key string, m Message[V]) (Outcome, error)
	// Words are the attributes of a message in the log, beside its tries and the cause.
	Words func(about V) []any

	wake chan struct{} // a message was queued in this process
}

// New completes a Queue.
func New[V any](q Queue[V]) *Queue[V] {
	q.wake = make(chan struct{}, 1)
	return &q
}

// Outcome is how a try went. The zero value is that the other side has taken the message.
type Outcome struct {
	// Failure is why the other side hasn't taken it; nil if it has, and if nothing is left to send.
	Failure error
	// Trouble is the failure in words for IT, where the queue shows it. "" stands for the failure's own.
	Trouble string
	// IsStopped reports that this node stops. Another one, or the next start, may try at once.
	IsStopped bool
	// IsFinal reports that it makes no sense to try the message again.
	IsFinal bool
	// IsOfAll reports that no other message has a chance now. The rest waits for the next look.
	IsOfAll bool
	// Leaves is written together with the end of the message, taken or given up.
	Leaves store.Batch
}

// Wake makes [Queue.Run] look at once. It never waits.
func (q *Queue[V]) Wake() {
	select {
	case q.wake <- struct{}{}:
	default: // it is awake already
	}
}

// Run sends what is queued, until ctx ends.
func (q *Queue[V]) Run(ctx context.Context) {
	ticker := time.NewTicker(q.Looks)
	defer ticker.Stop()
	failed := false
	for {
		err := q.Deliver(ctx)
		if err != nil && ctx.Err() == nil && !failed {
			q.Log.Warn(q.Called+"s wait, because the queue can't be read", "cause", err)
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
		case <-ticker.C:
		}
	}
}

// Deliver tries every message whose turn it is. It stops early while the other side takes none at all; the rest then
// wait for the next call. Err is one of the store's.
func (q *Queue[V]) Deliver(ctx context.Context) error {
	if !q.Ready() {
		return nil
	}
	return q.each(ctx, q.Store, func(m store.Entry[Message[V]]) (goOn bool, err error) {
		if m.Value.GivenUp || m.Value.Next.After(q.Now()) {
			return true, nil
		}
		return q.try(ctx, m)
	})
}

// try sends one message, unless another node does. It reports whether the next one has a chance.
func (q *Queue[V]) try(ctx context.Context, m store.Entry[Message[V]]) (goOn bool, err error) {
	m, mine, err := q.claim(ctx, m)
	if err != nil || !mine {
		return true, err
	}
	outcome, err := q.Send(ctx, m.Key, m.Value)
	if err != nil {
		return false, err
	}
	// What became of it is written also when this node stops: it may be sent.
	ctx = context.WithoutCancel(ctx)
	m.Value.Claim = ""
	switch {
	case outcome.Failure == nil:
		return true, q.apply(ctx, append(outcome.Leaves, q.items().Remove(m))...)
	case outcome.IsStopped:
		m.Value.Next = q.Now()
		return false, q.apply(ctx, q.items().Put(m))
	}
	if m.Value.Trouble = outcome.Trouble; m.Value.Trouble == "" {
		m.Value.Trouble = outcome.Failure.Error()
	}
	m.Value.Trouble = m.Value.Trouble[:min(len(m.Value.Trouble), mostTrouble)]
	pause := q.Pauses[min(m.Value.Tries, len(q.Pauses)-1)]
	m.Value.Tries++
	words := append(q.Words(m.Value.About), "tries", m.Value.Tries, "cause", outcome.Failure)
	if outcome.IsFinal || q.Now().Add(pause).Sub(m.Value.Queued) > q.Tried {
		m.Value.GivenUp = true
		q.Log.Error("a "+q.Called+" was given up", words...)
		last := store.Op(q.items().Remove(m))
		if q.Keeps {
			last = q.items().Put(m)
		}
		return !outcome.IsOfAll, q.apply(ctx, append(outcome.Leaves, last)...)
	}
	if m.Value.Tries == 1 {
		q.Log.Warn("a "+q.Called+" couldn't be sent, and is tried for a day", words...)
	}
	m.Value.Next = q.Now().Add(pause)
	return !outcome.IsOfAll, q.apply(ctx, q.items().Put(m))
}

// mostTrouble is how much of a trouble is kept, in bytes.
const mostTrouble = 300

// claim keeps other nodes from trying the same message.
func (q *Queue[V]) claim(ctx context.Context, m store.Entry[Message[V]]) (_ store.Entry[Message[V]], mine bool, err error) {
	m.Value.Claim, m.Value.Next = rand.Text(), q.Now().Add(q.Claimed)
	if err := q.Store.Apply(ctx, store.Batch{q.items().Put(m)}); err != nil {
		return m, false, unlessChanged(err)
	}
	written, err := q.items().Get(ctx, q.Store, "", m.Key)
	if errors.Is(err, store.ErrNotFound) {
		return m, false, nil
	}
	return written, written.Value.Claim == m.Value.Claim, err
}

func (q *Queue[V]) apply(ctx context.Context, ops ...store.Op) error {
	return unlessChanged(q.Store.Apply(ctx, ops))
}
