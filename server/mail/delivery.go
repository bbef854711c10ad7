package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// The queue is sent by any number of nodes. Whoever writes a claim on a turn first tries the
// mail; the claim ends by itself, so a mail of a node that dies is sent by another.
//
// SMTP can't take back a mail, and can't be asked about one. So a mail is sent at least once: it
// leaves the queue after the server has accepted it. It is sent twice only if the server's answer
// is lost or takes longer than [answerTime], or [stopTime] when the node stops, or if the node dies
// or loses its database between that and the next commit. All copies have the same Message-ID.

const (
	// looksEvery is how often a node looks for mails that others have queued.
	looksEvery = 30 * time.Second
	// claimed is how long a claim holds. It is longer than [sendTime], because the clocks of nodes
	// differ, and a mail that a node still sends must not be sent by another.
	claimed = sendTime + 5*time.Minute
	// page is how many turns are read at once.
	page = 100
)

// pauses are those between tries. The last one repeats.
var pauses = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute}

// Run sends what is queued, until ctx ends.
func (q *Queue) Run(ctx context.Context) {
	if !q.Sender.IsOn() {
		return
	}
	ticker := time.NewTicker(looksEvery)
	defer ticker.Stop()
	failed := false
	for {
		err := q.Deliver(ctx)
		if err != nil && ctx.Err() == nil && !failed {
			q.Log.Warn("mails wait, because the queue can't be read", "cause", err)
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

// Deliver tries every mail whose turn it is. It stops early while the server takes no mail at
// all; the rest then wait for the next call. Err is one of the store's.
func (q *Queue) Deliver(ctx context.Context) error {
	for after := ""; ; {
		waiting, err := turns.List(ctx, q.store, "", after, page)
		if err != nil {
			return err
		}
		for _, t := range waiting {
			if t.Value.GivenUp || t.Value.Next.After(q.Now()) {
				continue
			}
			goOn, err := q.try(ctx, t)
			if err != nil || !goOn {
				return err
			}
		}
		if len(waiting) < page {
			return nil
		}
		after = waiting[page-1].Key
	}
}

// try sends one mail, unless another node does. It reports whether the next one has a chance.
func (q *Queue) try(ctx context.Context, t store.Entry[turn]) (goOn bool, err error) {
	t, mine, err := q.claim(ctx, t)
	if err != nil || !mine {
		return true, err
	}
	said, err := letters.Get(ctx, q.store, t.Value.User, t.Key)
	if errors.Is(err, store.ErrNotFound) {
		if q.Now().Sub(t.Value.Queued) < tried { // the user was removed
			return true, q.apply(ctx, turns.Remove(t))
		}
		return true, q.giveUp(ctx, t, "no server ran while it could have been sent", nil)
	}
	if err != nil {
		return false, err
	}
	link, err := q.linkOf(ctx, t, said.Value)
	if errors.Is(err, store.ErrNotFound) {
		return true, q.apply(ctx, turns.Remove(t), letters.Remove(said)) // its link was withdrawn
	}
	if err != nil {
		return false, err
	}
	mail, is := q.letter(t.Key, said.Value, link)
	if !is {
		return true, q.apply(ctx, turns.Remove(t), letters.Remove(said)) // of another version of Keypeg
	}
	err = q.Sender.Send(ctx, mail)
	// The result is written also if ctx has ended meanwhile: the mail may be sent.
	ctx = context.WithoutCancel(ctx)
	if err == nil {
		return true, q.apply(ctx, turns.Remove(t), letters.Remove(said))
	}
	trouble, is := errors.AsType[*Trouble](err)
	if !is {
		return false, err
	}
	if trouble.Stage == StageStopped { // another node, or the next start, may try at once
		t.Value.Next, t.Value.Claim = q.Now(), ""
		return false, q.apply(ctx, turns.Put(t))
	}
	goOn = trouble.isOfOneMail()
	t.Value.Tries++
	pause := pauses[min(t.Value.Tries, len(pauses))-1]
	if trouble.Permanent || q.Now().Add(pause).Sub(t.Value.Queued) > tried {
		said.Version = store.AnyVersion
		return goOn, q.giveUp(ctx, t, trouble.Detail, trouble, letters.Remove(said))
	}
	if t.Value.Tries == 1 {
		q.Log.Warn("a mail couldn't be sent, and is tried for a day", "user", t.Value.User, "kind", t.Value.Kind, "cause", trouble)
	}
	t.Value.Next, t.Value.Claim, t.Value.Trouble = q.Now().Add(pause), "", trouble.Detail
	return goOn, q.apply(ctx, turns.Put(t))
}

// claim keeps other nodes from trying the same mail.
func (q *Queue) claim(ctx context.Context, t store.Entry[turn]) (_ store.Entry[turn], mine bool, err error) {
	t.Value.Claim, t.Value.Next = rand.Text(), q.Now().Add(claimed)
	if err := q.store.Apply(ctx, store.Batch{turns.Put(t)}); err != nil {
		if turns.Changed(err) {
			err = nil
		}
		return t, false, err
	}
	written, err := turns.Get(ctx, q.store, "", t.Key)
	if errors.Is(err, store.ErrNotFound) {
		return t, false, nil
	}
	return written, written.Value.Claim == t.Value.Claim, err
}

// giveUp keeps the turn, for IT to see, and forgets what the mail says.
func (q *Queue) giveUp(ctx context.Context, t store.Entry[turn], reason string, cause error, more ...store.Op) error {
	t.Value.GivenUp, t.Value.Claim, t.Value.Trouble = true, "", reason
	q.Log.Error("a mail was given up: keypeg mail queue lists all", "user", t.Value.User, "kind", t.Value.Kind, "tries", t.Value.Tries, "reason", reason, "cause", cause)
	return q.apply(ctx, append(more, turns.Put(t))...)
}

// apply writes what became of a mail. Where another node has written that already, because the
// claim had ended, nothing is left to do.
func (q *Queue) apply(ctx context.Context, ops ...store.Op) error {
	err := q.store.Apply(ctx, ops)
	if turns.Changed(err) || letters.Changed(err) {
		return nil
	}
	return err
}

// Retry makes all mails that wait due now, for IT that has mended the mail server. Whichever node
// looks first sends them. It returns how many they are; those that a node is trying are none.
func Retry(ctx context.Context, s store.Store, now time.Time) (n int, err error) {
	for after := ""; ; {
		waiting, err := turns.List(ctx, s, "", after, page)
		if err != nil {
			return n, err
		}
		for _, t := range waiting {
			if t.Value.GivenUp || t.Value.Claim != "" && t.Value.Next.After(now) {
				continue
			}
			n++
			if t.Value.Next.After(now) {
				t.Value.Next = now
				if err := s.Apply(ctx, store.Batch{turns.Put(t)}); err != nil && !turns.Changed(err) {
					return n, err
				}
			}
		}
		if len(waiting) < page {
			return n, nil
		}
		after = waiting[page-1].Key
	}
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
	found, err := turns.List(ctx, s, "", "", limit)
	if err != nil {
		return nil, err
	}
	all := []Waiting{}
	for _, t := range found {
		w := Waiting{User: t.Value.User, Kind: t.Value.Kind, Queued: t.Value.Queued, Tries: t.Value.Tries, Trouble: t.Value.Trouble}
		if !t.Value.GivenUp {
			w.Next = &t.Value.Next
		}
		all = append(all, w)
	}
	return all, nil
}
