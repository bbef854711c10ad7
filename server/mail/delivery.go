package mail

import (
	"context"
	"errors"
	"time"

	"github.com/keypeg/keypeg/server/internal/outbox"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// SMTP can't take back a mail, and can't be asked about one. So a mail is sent twice only if the server's answer is
// lost or takes longer than [answerTime], or [stopTime] when the node stops, or if the node dies or loses its database
// before the next commit. All copies have the same Message-ID.

// rules are how mails are sent.
var rules = outbox.Rules{
	Called: "mail", Tried: tried, Keeps: true, Claimed: sendTime + 5*time.Minute, Looks: 30 * time.Second,
	Pauses: []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute},
}

// Run sends what is queued, until ctx ends.
func (q *Queue) Run(ctx context.Context) {
	if q.Sender.IsOn() {
		q.box.Run(ctx)
	}
}

// Deliver tries every mail whose turn it is. It stops early while the server takes no mail at
// all; the rest then wait for the next call. Err is one of the store's.
func (q *Queue) Deliver(ctx context.Context) error { return q.box.Deliver(ctx) }

// send sends one mail.
func (q *Queue) send(ctx context.Context, key string, m outbox.Message[turn]) (outbox.Outcome, error) {
	said, err := letters.Get(ctx, q.store, m.About.User, key)
	if errors.Is(err, store.ErrNotFound) {
		if q.Now().Sub(m.Queued) < tried {
			return outbox.Outcome{}, nil // the user was removed
		}
		return outbox.Outcome{Failure: errors.New("no server ran while it could have been sent"), IsFinal: true}, nil
	}
	if err != nil {
		return outbox.Outcome{}, err
	}
	ended := outbox.Outcome{Leaves: store.Batch{letters.Remove(said)}}
	link, err := q.linkOf(ctx, m.About.User, key, said.Value)
	if errors.Is(err, store.ErrNotFound) {
		return ended, nil // its link was withdrawn
	}
	if err != nil {
		return outbox.Outcome{}, err
	}
	mail, is := q.letter(key, said.Value, link)
	if !is {
		return ended, nil // of another version of Keypeg
	}
	err = q.Sender.Send(ctx, mail)
	if err == nil {
		return ended, nil
	}
	trouble, is := errors.AsType[*Trouble](err)
	if !is {
		return outbox.Outcome{}, err
	}
	ended.Failure, ended.Trouble = trouble, trouble.Detail
	ended.IsStopped, ended.IsFinal, ended.IsOfAll = trouble.Stage == StageStopped, trouble.Permanent, !trouble.isOfOneMail()
	return ended, nil
}

// Retry makes all mails that wait due now, for IT that has mended the mail server. Whichever node
// looks first sends them. It returns how many they are; those that a node is trying are none.
func Retry(ctx context.Context, s store.Store, now time.Time) (n int, err error) {
	return turns.Retry(ctx, s, now)
}

// Waiting is a mail in the queue, for IT.
type Waiting struct {
	User    string           `json:"user"` // the user's id
	Kind    shared.EventKind `json:"kind"`
	Queued  time.Time        `json:"queued"`
	Next    *time.Time       `json:"next,omitempty"` // when it is tried next; nil if it was given up
	Tries   int              `json:"tries"`
	Trouble string           `json:"trouble,omitempty"` // why it isn't sent yet
}

// List returns up to limit mails that wait or were given up in the last days, oldest first.
func List(ctx context.Context, s store.Store, limit int) ([]Waiting, error) {
	found, err := turns.List(ctx, s, limit)
	if err != nil {
		return nil, err
	}
	all := []Waiting{}
	for _, m := range found {
		w := Waiting{User: m.About.User, Kind: m.About.Kind, Queued: m.Queued, Tries: m.Tries, Trouble: m.Trouble}
		if !m.GivenUp {
			w.Next = &m.Next
		}
		all = append(all, w)
	}
	return all, nil
}
