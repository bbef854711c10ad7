package mail

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/internal/outbox"
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
	box   *outbox.Queue[turn]
}

var (
	letters = store.Collection[news]{Name: "mail"} // by user, and the key of the turn
	turns   = outbox.Kind[turn]{Name: "mail-turn"} // of the organisation
)

// turn says which mail has a place in the queue.
type turn struct {
	User string           `json:"user"`
	Kind shared.EventKind `json:"kind"`
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
	q := &Queue{Organisation: o, Sender: sender, Now: now, Log: log, store: s}
	q.box = outbox.New(outbox.Queue[turn]{
		Kind: turns, Rules: rules, Store: s, Now: now, Log: log, Ready: sender.IsOn, Send: q.send,
		Words: func(t turn) []any { return []any{"user", t.User, "kind", t.Kind} },
	})
	return q
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
	err = m.Store.Apply(ctx, batch)
	if err == nil && slices.ContainsFunc(batch, turns.Queues) {
		m.queue.box.Wake()
	}
	return err
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
	key := outbox.NewKey(now)
	return store.Batch{
		letters.Put(store.Entry[news]{Owner: userID, Key: key, Value: n, Expires: now.Add(lettersKept)}),
		turns.Put(key, turn{User: userID, Kind: n.Kind}, now, turnsKept),
	}
}
