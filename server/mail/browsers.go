package mail

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// The browsers in which a user was seen, so that a sign-in in another one is told.

// seen is a browser in which a user has signed in. When it ends says when that was.
type seen struct{}

var browsers = store.Collection[seen]{Name: "mail-browser"} // by user, and the browser

const (
	// mostBrowsers is how many a user has. Those that weren't used for longest go.
	mostBrowsers = 32
	// notSeen is after what time a browser that wasn't used is a new one.
	notSeen = 365 * 24 * time.Hour
	// seenAgain is after what time it is noted that a known browser was used again.
	seenAgain = 30 * 24 * time.Hour
	// looksBack is how many events of a user are searched for a browser that isn't noted.
	looksBack = 200
)

// isNew reports whether a user wasn't seen in the browser of a sign-in before, and returns the
// operations that note it. The first sign-in of an account is in no new browser: there is none
// that it could be compared with, and the mail about the link has told of it.
func (m *mailing) isNew(ctx context.Context, event store.Event) (bool, store.Batch, error) {
	note := store.Entry[seen]{Owner: event.UserID, Key: browserOf(event.Client), Version: store.AnyVersion, Expires: event.Time.Add(notSeen)}
	known, err := browsers.Get(ctx, m.Store, event.UserID, note.Key)
	if err == nil {
		if note.Expires.Sub(known.Expires) < seenAgain {
			return false, nil, nil
		}
		return false, store.Batch{browsers.Put(note)}, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return false, nil, err
	}
	ops, err := m.oldest(ctx, event.UserID)
	if err != nil {
		return false, nil, err
	}
	ops = append(ops, browsers.Put(note))
	before, err := m.Store.User(ctx, event.UserID)
	if errors.Is(err, store.ErrNotFound) || err == nil && before.LastSignIn.IsZero() {
		return false, ops, nil
	}
	if err != nil {
		return false, nil, err
	}
	// Somebody who signed in before mails were on is known by their events.
	events, err := m.Store.Events(ctx, event.UserID, store.EventID{}, looksBack)
	if err != nil {
		return false, nil, err
	}
	isNew := !slices.ContainsFunc(events, func(e store.Event) bool {
		return e.Kind == shared.EventSignedIn && browserOf(e.Client) == note.Key
	})
	return isNew, ops, nil
}

// oldest returns the operations that make room for one browser more.
func (m *mailing) oldest(ctx context.Context, userID string) (ops store.Batch, err error) {
	noted, err := browsers.List(ctx, m.Store, userID, "", 2*mostBrowsers)
	if err != nil || len(noted) < mostBrowsers {
		return nil, err
	}
	slices.SortFunc(noted, func(a, b store.Entry[seen]) int {
		return cmp.Or(a.Expires.Compare(b.Expires), cmp.Compare(a.Key, b.Key))
	})
	for _, old := range noted[:len(noted)-mostBrowsers+1] {
		old.Version = store.AnyVersion // two sign-ins at once may both remove it
		ops = append(ops, browsers.Remove(old))
	}
	return ops, nil
}

// browserOf returns what a browser is known by: its mark, or all else that is known of it.
func browserOf(c store.Client) string {
	if c.Mark != "" {
		return "m" + c.Mark
	}
	key := "c" + c.Browser + " " + c.System + " " + c.Address
	return key[:min(len(key), store.MostKey)]
}
