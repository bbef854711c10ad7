// Package store is the contract between Keypeg's rules and the backends that keep its records.
//
// There are four kinds of records. A [User], with everything that decides how the user may
// sign in, is one record with a revision. Rules such as "the last sign-in method stays" are
// plain Go over that record. Compare-and-swap keeps them true: read, change, [Store.Apply]
// with the revision that was read, and start again on [ErrStale]. [Update] is that loop. A
// [Session] and an [Event] belong to a user. Everything else is an [Item], which a
// [Collection] gives a Go type: a new kind of record needs no change in this package or in a
// backend.
//
// [Store.Apply] is the only way to write. It performs a whole [Batch] durably, or nothing of
// it. There is no transaction callback, because a store on several machines could not offer
// one.
//
// Each sentence here has a test in storetest. A backend that passes is correct. abilities.go
// has a table of what a backend can offer besides.
package store

import (
	"context"
	"errors"
	"fmt"
)

// The errors that callers compare with errors.Is. The operations on items fail with
// [*ItemChanged].
var (
	// ErrNotFound means that there is no such record, or that it has expired.
	ErrNotFound = errors.New("store: not found")
	// ErrStale means that the user was changed or removed since it was read.
	ErrStale = errors.New("store: changed meanwhile")
	// ErrExists means that a unique value is taken. The errors below name the value, and
	// match ErrExists too.
	ErrExists = errors.New("store: exists already")

	ErrUserExists       = fmt.Errorf("%w: user id", ErrExists)        // a new user's id
	ErrNameExists       = fmt.Errorf("%w: sign-in name", ErrExists)   // another user has it
	ErrCredentialExists = fmt.Errorf("%w: credential id", ErrExists)  // another passkey has it
	ErrIdentityExists   = fmt.Errorf("%w: identity", ErrExists)       // another user has it
	ErrEmailExists      = fmt.Errorf("%w: e-mail address", ErrExists) // another user has it
	ErrSessionExists    = fmt.Errorf("%w: session", ErrExists)        // of this token

	// ErrInvalid means that a caller has a fault: an id that [NewUserID], [SessionID] or
	// [NewEvent] did not make, or a batch that breaks the contract.
	ErrInvalid = errors.New("store: invalid operation")
)

// Store keeps the records of one organisation. It is safe for concurrent use.
//
// A read sees every batch that was applied before the read began. Arguments and results belong
// to the caller: neither side sees later changes of the other. A record is not found after it
// has expired, even if it is still on the disk. Time is that of the clock that the backend was
// opened with. Times are kept to the microsecond, in UTC.
//
// Any method may fail with another error than those above: the backend is broken or ctx has
// ended. If ctx ends before Apply begins, nothing is written. If ctx ends during Apply, the
// caller could not know the result, so Apply finishes.
type Store interface {
	// User returns the user with this id.
	User(ctx context.Context, id string) (User, error)
	// UserByName returns the user who signs in with exactly this name.
	UserByName(ctx context.Context, name string) (User, error)
	// UserByCredential returns the user who has a passkey with this credential id.
	UserByCredential(ctx context.Context, credentialID []byte) (User, error)
	// UserByIdentity returns the user who has the identity of this issuer and
	// subject.
	UserByIdentity(ctx context.Context, issuer, subject string) (User, error)
	// UserByEmail returns the user whose own e-mail address this is: see
	// [User.UniqueEmail].
	UserByEmail(ctx context.Context, address string) (User, error)
	// Users returns up to limit users whom query selects, in its order, and the After of the
	// following page: "" for none. A page may have fewer users, or none, and a next: see
	// [UserQuery.Looks].
	Users(ctx context.Context, query UserQuery, limit int) (page []User, next string, err error)
	// HasAdministrator reports whether any user, enabled or disabled, is an administrator.
	HasAdministrator(ctx context.Context) (bool, error)

	// Session returns the session with this id.
	Session(ctx context.Context, id Hash) (Session, error)
	// SessionUser returns the session with this id and its user, both as they are at the same
	// moment. It fails with ErrNotFound if either is missing.
	SessionUser(ctx context.Context, id Hash) (Session, User, error)
	// Sessions returns up to limit sessions of one user in byte order of their
	// ids, from the first id after the one given. The first page is after the
	// zero Hash.
	Sessions(ctx context.Context, userID string, after Hash, limit int) ([]Session, error)

	// Events returns up to limit events of one user, newest first, from the
	// first one older than the id given. The first page is before the zero
	// EventID.
	Events(ctx context.Context, userID string, before EventID, limit int) ([]Event, error)
	// AllEvents returns up to limit events of all users that query selects, newest first.
	AllEvents(ctx context.Context, query EventQuery, limit int) ([]Event, error)
	// Counts returns how many records there are of each category: see [Counts].
	Counts(ctx context.Context) (Counts, error)

	// Item returns the item of a collection under this key.
	Item(ctx context.Context, owner, collection, key string) (Item, error)
	// Items returns up to limit items of an owner's collection in byte order of their keys,
	// from the first key after the one given. The first page is after "". The item with the key
	// "", which serves as the only one of its collection, is never listed.
	Items(ctx context.Context, owner, collection, after string, limit int) ([]Item, error)

	// Records returns up to limit records of one kind in byte order of their keys,
	// from the first key after the one given. The first page is after nil. It serves
	// to copy and check whole stores. No rule needs it.
	Records(ctx context.Context, kind Kind, after []byte, limit int) ([]Record, error)

	// Apply checks every operation of the batch against the stored records, and then performs
	// all operations in one durable step. If a check fails, nothing is written and Apply
	// returns the error of that operation. After Apply has returned nil, the batch survives a
	// crash of the process and of the machine.
	//
	// A batch names a record at most once.
	Apply(ctx context.Context, batch Batch) error

	// Close waits for running calls and releases the backend. The store can't
	// be used afterwards.
	Close() error
}
