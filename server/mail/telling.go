package mail

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Who is told of an event. A notice says where and when somebody used an account, so it goes to
// verified addresses only: one that was mistyped is a stranger's. A session's thief could change
// the address first and then do as they like. So for a week a former address gets all notices
// too, unless an administrator or IT made the change. Each has its own week: a user may have changed
// the address shortly before the thief does.

// address is an e-mail address of a user.
type address struct {
	Address string `json:"address"`
}

// formers are the former verified addresses of a user, by the hash of the address.
var formers = store.Collection[address]{Name: "mail-former"}

// formerTold is how long a former address gets notices.
const formerTold = 7 * 24 * time.Hour

// mostFormers bounds the former addresses of a user. With more, the earlier ones stay: else a thief
// with many addresses could make that of the user forgotten.
const mostFormers = 8

// tells returns the operations that queue the mails about one event: one for each address.
func (m *mailing) tells(ctx context.Context, row notice, event store.Event, batch store.Batch) (ops store.Batch, err error) {
	before, after, exists, err := m.changed(ctx, event, batch)
	if err != nil || !exists {
		return nil, err
	}
	if row.kind == shared.EventSignedIn {
		isTold := false
		if isTold, ops, err = m.signsIn(ctx, row, event, after); err != nil || !isTold {
			return ops, err
		}
	}
	addresses, note, err := m.addresses(ctx, event, before, after)
	if err != nil {
		return nil, err
	}
	ops = append(ops, note...)
	for _, to := range addresses {
		ops = append(ops, m.queue.put(after.ID, newsOf(event, after, to))...)
	}
	return ops, nil
}

// changed returns the user of an event as the batch finds and as it leaves them. The batch of a
// sign-in has the record, and changes nothing that counts here, so that nothing is read.
func (m *mailing) changed(ctx context.Context, event store.Event, batch store.Batch) (before, after store.User, exists bool, err error) {
	for _, op := range batch {
		switch op := op.(type) {
		case store.PutUser:
			if op.User.ID == event.UserID {
				after, exists = op.User, true
			}
		case store.RemoveUser:
			if op.ID == event.UserID {
				return before, after, false, nil
			}
		}
	}
	if exists && event.Kind == shared.EventSignedIn {
		return after, after, true, nil
	}
	before, err = m.Store.User(ctx, event.UserID)
	if errors.Is(err, store.ErrNotFound) {
		return store.User{}, after, exists, nil
	}
	if !exists {
		after = before
	}
	return before, after, true, err
}

// addresses returns where an event's mails go, and the operation that remembers a former address.
func (m *mailing) addresses(ctx context.Context, event store.Event, before, after store.User) (to []string, note store.Batch, err error) {
	add := func(address string) {
		if !slices.ContainsFunc(to, func(has string) bool { return store.EmailKey(has) == store.EmailKey(address) }) {
			to = append(to, address)
		}
	}
	if isVerified(after) {
		add(after.Email)
	}
	former, err := m.queue.formers(ctx, after.ID)
	if err != nil {
		return nil, nil, err
	}
	if event.Kind == shared.EventEmailChanged && isVerified(before) {
		add(before.Email)
		if byOthers := event.By != "" || event.Client == (store.Client{}); byOthers {
			for _, entry := range former {
				entry.Version = store.AnyVersion
				note = append(note, formers.Remove(entry))
			}
			return to, note, nil
		}
		hash := store.HashOf(store.EmailKey(before.Email))
		entry := store.Entry[address]{
			Owner: after.ID, Key: hex.EncodeToString(hash[:]), Value: address{before.Email},
			Version: store.AnyVersion, Expires: event.Time.Add(formerTold),
		}
		isNoted := slices.ContainsFunc(former, func(noted store.Entry[address]) bool { return noted.Key == entry.Key })
		if isNoted || len(former) < mostFormers {
			note = store.Batch{formers.Put(entry)}
		}
	}
	for _, entry := range former {
		add(entry.Value.Address)
	}
	return to, note, nil
}

// isVerified reports whether a user has an address that gets notices.
func isVerified(user store.User) bool { return user.Email != "" && user.EmailVerified }

// formers returns the former addresses that get a user's notices too.
func (q *Queue) formers(ctx context.Context, userID string) ([]store.Entry[address], error) {
	return formers.List(ctx, q.store, userID, "", mostFormers)
}

// Addresses returns where notices about a user go.
func (q *Queue) Addresses(ctx context.Context, user store.User) (to []string, err error) {
	if isVerified(user) {
		to = append(to, user.Email)
	}
	former, err := q.formers(ctx, user.ID)
	for _, entry := range former {
		if store.EmailKey(entry.Value.Address) != store.EmailKey(user.Email) {
			to = append(to, entry.Value.Address)
		}
	}
	return to, err
}

// signsIn reports whether a sign-in is told, and returns the operations that go with it in any case.
// With a verified address, and in a browser that is known, it reads one item.
func (m *mailing) signsIn(ctx context.Context, row notice, event store.Event, user store.User) (isTold bool, ops store.Batch, err error) {
	if ops, err = m.asks(ctx, user); err != nil {
		return false, nil, err
	}
	if !isVerified(user) {
		if former, err := m.queue.formers(ctx, user.ID); err != nil || len(former) == 0 {
			return false, ops, err
		}
	}
	isNew, note, err := m.isNew(ctx, event)
	return isNew || !row.onlyNew, append(ops, note...), err
}
