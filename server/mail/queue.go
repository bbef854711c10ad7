package mail

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Queue is the mails of an organisation that wait to be sent. It lies in the store, so that a
// restart loses none. It is safe for concurrent use.
//
// A mail has two items: what it says, which belongs to its user and goes with them, and a turn
// in the queue, which belongs to the organisation and has nothing personal in it.
type Queue struct {
	Organisation
	Sender Sender
	Now    store.Clock
	Log    *slog.Logger
	Links  Links // set it before Run

	store store.Store
	wake  chan struct{} // a mail was queued in this process
}

var (
	letters = store.Collection[news]{Name: "mail"}      // by user, and the key of the turn
	turns   = store.Collection[turn]{Name: "mail-turn"} // of the organisation, oldest first
)

// turn is the place of a mail in the queue.
type turn struct {
	User    string           `json:"user"`
	Kind    shared.EventKind `json:"kind"`
	Queued  time.Time        `json:"queued"`
	Next    time.Time        `json:"next"` // nobody tries before
	Tries   int              `json:"tries,omitempty"`
	Claim   string           `json:"claim,omitempty"`   // of whoever tries until Next
	Trouble string           `json:"trouble,omitempty"` // of the last try
	GivenUp bool             `json:"givenUp,omitempty"`
}

const (
	// tried is how long a mail is tried.
	tried = 24 * time.Hour
	// lettersKept and turnsKept are when items end of which no server takes care.
	lettersKept = tried + time.Hour
	turnsKept   = 7 * 24 * time.Hour
)

// NewQueue returns the queue of an organisation. Its mails lie in s. If the sender is off,
// nothing is queued.
func NewQueue(s store.Store, o Organisation, sender Sender, now store.Clock, log *slog.Logger) *Queue {
	return &Queue{Organisation: o, Sender: sender, Now: now, Log: log, store: s, wake: make(chan struct{}, 1)}
}

// Store returns s with mails: each batch that records an event of [notices] queues a mail too.
// Without a sender it returns s itself.
func (q *Queue) Store(s store.Store) store.Store {
	if !q.Sender.IsOn() {
		return s
	}
	return &mailing{s, q}
}

type mailing struct {
	store.Store
	queue *Queue
}

// Unwrap implements [store.Wrapper].
func (m *mailing) Unwrap() store.Store { return m.Store }

// Apply implements [store.Store].
func (m *mailing) Apply(ctx context.Context, batch store.Batch) error {
	added, err := m.mails(ctx, batch)
	if err != nil {
		return err
	}
	batch = append(slices.Clip(batch), added...)
	if err := m.Store.Apply(ctx, batch); err != nil || !slices.ContainsFunc(batch, isTurn) {
		return err
	}
	select {
	case m.queue.wake <- struct{}{}:
	default: // it is awake already
	}
	return nil
}

func isTurn(op store.Op) bool {
	put, is := op.(store.PutItem)
	return is && turns.Holds(put.Item)
}

// mails returns the operations that queue the mails about a batch. Most batches have no event
// that is told, and cost nothing.
func (m *mailing) mails(ctx context.Context, batch store.Batch) (added store.Batch, err error) {
	for _, op := range batch {
		of, is := op.(store.AddEvent)
		// An event that stands for several was told of when it was the first one, and one
		// about somebody else is told to them.
		if !is || of.Event.Count > 1 || of.Event.About != "" || of.Event.UserID == store.Organisation {
			continue
		}
		row, is := noticeOf(of.Event.Kind, of.Event.Method)
		if !is {
			continue
		}
		ops, err := m.tells(ctx, row, of.Event, batch)
		if err != nil {
			return nil, fmt.Errorf("queueing a mail: %w", err)
		}
		added = append(added, ops...)
	}
	return added, nil
}

// put returns the operations that queue a mail.
func (q *Queue) put(userID string, n news) store.Batch {
	now := q.Now()
	key := fmt.Sprintf("%016x-%s", now.UnixNano(), rand.Text())
	return store.Batch{
		letters.Put(store.Entry[news]{Owner: userID, Key: key, Value: n, Expires: now.Add(lettersKept)}),
		turns.Put(store.Entry[turn]{Key: key, Value: turn{User: userID, Kind: n.Kind, Queued: now, Next: now}, Expires: now.Add(turnsKept)}),
	}
}
