package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// operation is a kind of call of the store.
type operation int

// The operations.
const (
	readUser operation = iota
	findUser
	listUsers
	readSession
	listSessions
	listEvents
	readCounts
	readItem
	listItems
	apply
	operations // how many there are
)

func (o operation) String() string {
	return [operations]string{"user", "find_user", "users", "session", "sessions", "events", "counts", "item", "items", "apply"}[o]
}

// call is the figures of an operation.
type call struct {
	took   *metrics.PrometheusHistogram
	failed *metrics.Counter
}

// done counts a call that began at a time and has just ended.
func (m *Metrics) done(o operation, began time.Time, err error) {
	m.calls[o].took.Update(seconds(time.Since(began)))
	if isBroken(err) {
		m.calls[o].failed.Inc()
	}
}

// isBroken reports whether an error of the store says that it is broken, and not what is in it.
func isBroken(err error) bool {
	if err == nil {
		return false
	}
	for _, answer := range []error{store.ErrNotFound, store.ErrStale, store.ErrExists, store.ErrInvalid, context.Canceled} {
		if errors.Is(err, answer) {
			return false
		}
	}
	_, changed := errors.AsType[*store.ItemChanged](err)
	return !changed
}

// Store returns s with its calls counted, and the sign-ins that are written.
func (o *Organisation) Store(s store.Store) store.Store {
	if o == nil {
		return s
	}
	return &timed{s, o}
}

// timed leaves out what only commands call.
type timed struct {
	store.Store
	of *Organisation
}

// Unwrap implements [store.Wrapper].
func (t *timed) Unwrap() store.Store { return t.Store }

// Apply implements [store.Store].
func (t *timed) Apply(ctx context.Context, batch store.Batch) error {
	began := time.Now()
	err := t.Store.Apply(ctx, batch)
	t.of.all.done(apply, began, err)
	if err != nil {
		return err
	}
	for _, op := range batch {
		if added, is := op.(store.AddEvent); is && added.Event.Kind == shared.EventSignedIn {
			t.of.add(count{SignIns, string(added.Event.Method), "", ""}, "method")
		}
	}
	return nil
}

// User implements [store.Store].
func (t *timed) User(ctx context.Context, id string) (_ store.User, err error) {
	defer t.ends(readUser, time.Now(), &err)
	return t.Store.User(ctx, id)
}

// ends counts a call when it ends.
func (t *timed) ends(o operation, began time.Time, err *error) { t.of.all.done(o, began, *err) }

// UserByName implements [store.Store].
func (t *timed) UserByName(ctx context.Context, name string) (_ store.User, err error) {
	defer t.ends(findUser, time.Now(), &err)
	return t.Store.UserByName(ctx, name)
}

// UserByCredential implements [store.Store].
func (t *timed) UserByCredential(ctx context.Context, credentialID []byte) (_ store.User, err error) {
	defer t.ends(findUser, time.Now(), &err)
	return t.Store.UserByCredential(ctx, credentialID)
}

// UserByIdentity implements [store.Store].
func (t *timed) UserByIdentity(ctx context.Context, issuer, subject string) (_ store.User, err error) {
	defer t.ends(findUser, time.Now(), &err)
	return t.Store.UserByIdentity(ctx, issuer, subject)
}

// UserByEmail implements [store.Store].
func (t *timed) UserByEmail(ctx context.Context, address string) (_ store.User, err error) {
	defer t.ends(findUser, time.Now(), &err)
	return t.Store.UserByEmail(ctx, address)
}

// Users implements [store.Store].
func (t *timed) Users(ctx context.Context, query store.UserQuery, limit int) (_ []store.User, _ string, err error) {
	defer t.ends(listUsers, time.Now(), &err)
	return t.Store.Users(ctx, query, limit)
}

// Session implements [store.Store].
func (t *timed) Session(ctx context.Context, id store.Hash) (_ store.Session, err error) {
	defer t.ends(readSession, time.Now(), &err)
	return t.Store.Session(ctx, id)
}

// SessionUser implements [store.Store].
func (t *timed) SessionUser(ctx context.Context, id store.Hash) (_ store.Session, _ store.User, err error) {
	defer t.ends(readSession, time.Now(), &err)
	return t.Store.SessionUser(ctx, id)
}

// Sessions implements [store.Store].
func (t *timed) Sessions(ctx context.Context, userID string, after store.Hash, limit int) (_ []store.Session, err error) {
	defer t.ends(listSessions, time.Now(), &err)
	return t.Store.Sessions(ctx, userID, after, limit)
}

// Events implements [store.Store].
func (t *timed) Events(ctx context.Context, userID string, before store.EventID, limit int) (_ []store.Event, err error) {
	defer t.ends(listEvents, time.Now(), &err)
	return t.Store.Events(ctx, userID, before, limit)
}

// AllEvents implements [store.Store].
func (t *timed) AllEvents(ctx context.Context, query store.EventQuery, limit int) (_ []store.Event, err error) {
	defer t.ends(listEvents, time.Now(), &err)
	return t.Store.AllEvents(ctx, query, limit)
}

// Counts implements [store.Store].
func (t *timed) Counts(ctx context.Context) (_ store.Counts, err error) {
	defer t.ends(readCounts, time.Now(), &err)
	return t.Store.Counts(ctx)
}

// Item implements [store.Store].
func (t *timed) Item(ctx context.Context, owner, collection, key string) (_ store.Item, err error) {
	defer t.ends(readItem, time.Now(), &err)
	return t.Store.Item(ctx, owner, collection, key)
}

// Items implements [store.Store].
func (t *timed) Items(ctx context.Context, owner, collection, after string, limit int) (_ []store.Item, err error) {
	defer t.ends(listItems, time.Now(), &err)
	return t.Store.Items(ctx, owner, collection, after, limit)
}
