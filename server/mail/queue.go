package mail

import (
	"context"
	"crypto/rand"
	"errors"
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

	store store.Store
	wake  chan struct{} // a mail was queued in this process
}

var (
	letters  = store.Collection[news]{Name: "mail"}         // by user, and the key of the turn
	turns    = store.Collection[turn]{Name: "mail-turn"}    // of the organisation, oldest first
	browsers = store.Collection[seen]{Name: "mail-browser"} // by user: where the user has signed in
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

// seen is a browser in which a user has signed in.
type seen struct{}

const (
	// tried is how long a mail is tried.
	tried = 24 * time.Hour
	// lettersKept and turnsKept are when items end of which no server takes care.
	lettersKept = tried + time.Hour
	turnsKept   = 7 * 24 * time.Hour
	// looksBack is how many events of a user are searched for a browser that isn't noted.
	looksBack = 200
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
	if err := m.Store.Apply(ctx, append(slices.Clip(batch), added...)); err != nil || len(added) == 0 {
		return err
	}
	select {
	case m.queue.wake <- struct{}{}:
	default: // it is awake already
	}
	return nil
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
		ops, err := m.tell(ctx, row, of.Event, batch)
		if err != nil {
			return nil, fmt.Errorf("queueing a mail: %w", err)
		}
		added = append(added, ops...)
	}
	return added, nil
}

// tell returns the operations that queue the mails about one event: none for a user without an
// address, and two for an address that was changed.
func (m *mailing) tell(ctx context.Context, row notice, event store.Event, batch store.Batch) (store.Batch, error) {
	before, err := m.Store.User(ctx, event.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	user, exists := after(batch, event.UserID, before, err == nil)
	addresses := []string{user.Email}
	if before.Email != user.Email {
		addresses = append(addresses, before.Email)
	}
	addresses = slices.DeleteFunc(addresses, func(a string) bool { return a == "" })
	if !exists || len(addresses) == 0 {
		return nil, nil
	}
	var ops store.Batch
	if row.kind == shared.EventSignedIn {
		isNew, note, err := m.isNew(ctx, event, before)
		if err != nil {
			return nil, err
		}
		ops = note
		if row.onlyNew && !isNew {
			return ops, nil
		}
	}
	for _, address := range addresses {
		ops = append(ops, m.queue.put(user.ID, newsOf(event, user, address))...)
	}
	return ops, nil
}

// after returns a user as the batch leaves them, and whether there is such a user then.
func after(batch store.Batch, userID string, before store.User, exists bool) (store.User, bool) {
	for _, op := range batch {
		switch op := op.(type) {
		case store.PutUser:
			if op.User.ID == userID {
				return op.User, true
			}
		case store.RemoveUser:
			if op.ID == userID {
				return before, false
			}
		}
	}
	return before, exists
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

// isNew reports whether a user wasn't seen in the browser of a sign-in before, and returns the
// operation that notes it. The first sign-in of an account is in no new browser: there is none
// that it could be compared with, and the mail about the link has told of it.
func (m *mailing) isNew(ctx context.Context, event store.Event, before store.User) (bool, store.Batch, error) {
	key := browserOf(event.Client)
	known, err := browsers.Has(ctx, m.Store, event.UserID, key)
	if known || err != nil {
		return false, nil, err
	}
	note := store.Batch{browsers.Put(store.Entry[seen]{Owner: event.UserID, Key: key, Version: store.AnyVersion, Expires: event.Time.Add(store.EventsKept)})}
	if before.LastSignIn.IsZero() {
		return false, note, nil
	}
	// Somebody who signed in before mails were on is known by their events.
	events, err := m.Store.Events(ctx, event.UserID, store.EventID{}, looksBack)
	if err != nil {
		return false, nil, err
	}
	known = slices.ContainsFunc(events, func(e store.Event) bool {
		return e.Kind == shared.EventSignedIn && browserOf(e.Client) == key
	})
	return !known, note, nil
}

// browserOf returns what a browser is known by: its mark, or all else that is known of it.
func browserOf(c store.Client) string {
	if c.Mark != "" {
		return "m" + c.Mark
	}
	key := "c" + c.Browser + " " + c.System + " " + c.Address
	return key[:min(len(key), store.MostKey)]
}
