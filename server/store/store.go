// Package store is the contract between Keypeg's rules and whatever keeps its
// records.
//
// A [User] with everything that decides how they may sign in is one record
// with a revision. Rules such as "the last sign-in method stays" are plain Go
// over that record, kept true by compare-and-swap: read, change, [Store.Apply]
// with the revision that was read, and start again on [ErrStale]. [Update] is
// that loop. Sessions, events, links, secrets and spent tickets are small
// records of their own.
//
// Every write goes through [Store.Apply]: a [Batch] happens whole, durably and
// once, or not at all. There is no transaction callback, because a store spread
// over machines could not offer one.
//
// Each sentence here is a test in storetest; a backend is right when it passes. What a backend
// may be able to do besides has a table in abilities.go.
package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
)

// The sentinels. Compare with errors.Is.
var (
	// ErrNotFound: there is no such record, or it has expired.
	ErrNotFound = errors.New("store: not found")
	// ErrStale: the record was changed, or removed, since it was read.
	ErrStale = errors.New("store: changed meanwhile")
	// ErrExists: something that must be unique is taken. The errors below tell
	// what, and match ErrExists too.
	ErrExists = errors.New("store: exists already")

	ErrUserExists       = fmt.Errorf("%w: user id", ErrExists)       // a new user's id
	ErrNameExists       = fmt.Errorf("%w: sign-in name", ErrExists)  // somebody signs in with it
	ErrCredentialExists = fmt.Errorf("%w: credential id", ErrExists) // of a passkey that somebody has
	ErrIdentityExists   = fmt.Errorf("%w: identity", ErrExists)      // some user has it already
	ErrSessionExists    = fmt.Errorf("%w: session", ErrExists)       // of this token
	ErrTicketSpent      = fmt.Errorf("%w: spent ticket", ErrExists)  // by another request, on any node
	ErrSecretExists     = fmt.Errorf("%w: secret", ErrExists)        // of this name
)

// Store keeps the records of one organisation. It is safe for concurrent use.
//
// A read sees every batch that was applied before it began. Whatever is handed
// out belongs to the caller, and whatever is handed in stays the caller's:
// neither side sees the other's later changes. A record whose time to expire
// has come (by the clock that the backend was opened with) is not found,
// whatever still lies on disk. Times are kept to the microsecond, in UTC.
//
// Any method may fail with an error that is none of the sentinels: the backend
// is broken or ctx has ended. A context that ended before Apply began writes
// nothing; one that ends during it leaves the caller not knowing, so Apply
// rather finishes.
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
	// Users returns up to limit users in byte order of their sign-in names, from
	// the first name after the one given. The first page is after "".
	Users(ctx context.Context, after string, limit int) ([]User, error)
	// HasAdministrator tells whether any user, enabled or not, has Admin set.
	HasAdministrator(ctx context.Context) (bool, error)

	// Session returns the session with this id.
	Session(ctx context.Context, id Hash) (Session, error)
	// SessionUser returns the session with this id and its user, as they are at one
	// moment; ErrNotFound if either isn't there.
	SessionUser(ctx context.Context, id Hash) (Session, User, error)
	// Sessions returns up to limit sessions of one user in byte order of their
	// ids, from the first id after the one given. The first page is after the
	// zero Hash.
	Sessions(ctx context.Context, userID string, after Hash, limit int) ([]Session, error)
	// Events returns up to limit events of one user, newest first, from the
	// first one older than the id given. The first page is before the zero
	// EventID.
	Events(ctx context.Context, userID string, before EventID, limit int) ([]Event, error)
	// Link returns the link under this key.
	Link(ctx context.Context, key string) (Link, error)
	// Secret returns a value that the installation made for itself once.
	Secret(ctx context.Context, name string) ([]byte, error)
	// Records returns up to limit records of one kind in byte order of their keys,
	// from the first key after the one given. The first page is after nil. It is
	// for moving and checking whole stores: no rule needs it.
	Records(ctx context.Context, kind Kind, after []byte, limit int) ([]Record, error)

	// Apply checks every operation of the batch against the store as it stands,
	// and then performs all of them in one durable step. If one check fails,
	// nothing is written and Apply returns that operation's error. When Apply
	// has returned nil, the batch survives a crash of process and machine.
	//
	// A batch names a record at most once.
	Apply(ctx context.Context, batch Batch) error

	// Close waits for running calls and releases the backend. The store can't
	// be used afterwards.
	Close() error
}

// Batch is a list of operations that happen together.
type Batch []Op

// Users lists whom a batch is about, once each: who should look again. A session
// that is only seen again is nobody's news; one that begins, ends or gets a new
// token leaves an event.
func (b Batch) Users() []string {
	var users []string
	for _, op := range b {
		id := ""
		switch op := op.(type) {
		case PutUser:
			id = op.User.ID
		case AddSession:
			id = op.Session.UserID
		case RemoveUser:
			id = op.ID
		case EndSessions:
			id = op.UserID
		case AddEvent:
			id = op.Event.UserID
		}
		if id != "" && !slices.Contains(users, id) {
			users = append(users, id)
		}
	}
	return users
}

// Op is one operation of a [Batch]: one of the types below.
type Op interface{ op() }

type (
	// PutUser writes a user. With Revision 0 it creates one, and fails with
	// ErrUserExists if the id is taken. Otherwise it replaces the one whose
	// revision this is, and fails with ErrStale if that has changed. In both
	// cases it fails with ErrNameExists, ErrCredentialExists or ErrIdentityExists
	// if another user has the sign-in name, one of the credential ids or one of the
	// identities. The stored revision is Revision+1.
	PutUser struct{ User User }
	// RemoveUser removes a user, if they are there, with their sessions and events:
	// nothing is left under their id, and what was theirs alone is free. A change of
	// somebody who read the user before is stale then, as long as there is no new one
	// with the id. Nothing else in the batch is about the user.
	//
	// With a Revision that isn't 0 it removes the user only as they were read: it fails
	// with ErrStale if they have changed, or aren't there.
	RemoveUser struct {
		ID       string
		Revision uint64
	}

	// AddSession writes a new session; ErrSessionExists if there is one of its id. The
	// user then has at most Most sessions, where that isn't 0: of the others those end
	// that were seen least recently.
	AddSession struct {
		Session Session
		Most    int
	}
	// ReplaceSession puts a session in the place of the one with id Old, which
	// may be its own id; ErrNotFound if there is none. It is how a session gets a
	// new token, or is seen again, without coming back to life after a sign-out.
	ReplaceSession struct {
		Old     Hash
		Session Session
	}
	// EndSession removes a session, if it is there.
	EndSession struct{ ID Hash }
	// EndSessions removes every session of a user, but for the one with id Except
	// and, where Passkey is not "", for those that did not begin with it.
	EndSessions struct {
		UserID  string
		Except  Hash
		Passkey string
	}

	// AddEvent writes a line of a user's activity, in the place of the one with its id if
	// there is one.
	AddEvent struct{ Event Event }

	// SpendTicket remembers a ticket until it expires; ErrTicketSpent if it is
	// remembered already. Of any number of callers, on any number of machines,
	// exactly one succeeds.
	SpendTicket struct{ Ticket SpentTicket }

	// PutLink writes a link under its key, in the place of one that is there.
	PutLink struct{ Link Link }
	// TakeLink removes the link under Key whose token has this hash; ErrNotFound
	// if there is none, or it has expired, or its hash is another.
	TakeLink struct {
		Key  string
		Hash Hash
	}

	// AddSecret writes a secret; ErrSecretExists if there is one of its name.
	AddSecret struct {
		Name  string
		Value []byte
	}
	// ReplaceSecret puts a value in the place of Old; ErrStale if the secret of this
	// name has another value, or there is none.
	ReplaceSecret struct {
		Name       string
		Old, Value []byte
	}
)

// Kind is a kind of record.
type Kind string

// Kinds lists them all.
var Kinds = []Kind{KindUser, KindSession, KindEvent, KindLink, KindSecret, KindTicket}

const (
	KindUser    Kind = "user"    // key: its id
	KindSession Kind = "session" // key: its id
	KindEvent   Kind = "event"   // key: the user's id, a zero byte, its own id
	KindLink    Kind = "link"    // key: its key
	KindSecret  Kind = "secret"  // key: its name
	KindTicket  Kind = "ticket"  // key: its id
)

// Record is one of any kind: its key, which is the same in every backend, and the
// operation that writes it into an empty store. A user's revision begins anew there.
type Record struct {
	Key []byte
	Op  Op
}

// RecordOf returns the record that an operation writes: one of those in
// [Store.Records].
func RecordOf(op Op) Record {
	switch op := op.(type) {
	case PutUser:
		op.User.Revision = 0
		return Record{[]byte(op.User.ID), op}
	case AddSession:
		return Record{op.Session.ID[:], op}
	case AddEvent:
		return Record{append(append([]byte(op.Event.UserID), 0), op.Event.ID[:]...), op}
	case PutLink:
		return Record{[]byte(op.Link.Key), op}
	case AddSecret:
		return Record{[]byte(op.Name), op}
	case SpendTicket:
		return Record{op.Ticket.ID[:], op}
	}
	panic(fmt.Sprintf("store: an operation of type %T writes no record", op))
}

// Encode returns the record as bytes, to compare it with another store's.
func (r Record) Encode() []byte {
	switch op := r.Op.(type) {
	case PutUser:
		return op.User.Encode()
	case AddSession:
		return op.Session.Encode()
	case AddEvent:
		return op.Event.Encode()
	case PutLink:
		return op.Link.Encode()
	case SpendTicket:
		return op.Ticket.Encode()
	case AddSecret:
		return op.Value
	}
	return nil
}

// Ends lists which of the user's sessions the operation removes to make room. It sorts
// them. Backends ask it within the transaction that writes.
func (op AddSession) Ends(living []Session) []Session {
	if op.Most == 0 || len(living) < op.Most {
		return nil
	}
	slices.SortFunc(living, func(a, b Session) int {
		return cmp.Or(a.Seen.Compare(b.Seen), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return living[:len(living)-op.Most+1]
}

// Ends tells whether the operation removes this session.
func (op EndSessions) Ends(s Session) bool {
	return s.UserID == op.UserID && s.ID != op.Except && (op.Passkey == "" || s.PasskeyID == op.Passkey)
}

func (PutUser) op()        {}
func (RemoveUser) op()     {}
func (AddSession) op()     {}
func (ReplaceSession) op() {}
func (EndSession) op()     {}
func (EndSessions) op()    {}
func (AddEvent) op()       {}
func (SpendTicket) op()    {}
func (PutLink) op()        {}
func (TakeLink) op()       {}
func (AddSecret) op()      {}
func (ReplaceSecret) op()  {}

// Attempts is how often [Update] starts again before it gives up. With n
// writers of one record at least one of them gets through each round, so it
// bounds the writers that may collide, not the luck.
const Attempts = 64

// Update reads a user and goes on as [UpdateFrom] does.
func Update(ctx context.Context, s Store, userID string, change func(User) (Batch, error)) error {
	user, err := s.User(ctx, userID)
	if err != nil {
		return err
	}
	return UpdateFrom(ctx, s, user, change)
}

// UpdateFrom lets change make a batch of a user who was read just now, and
// applies it; on [ErrStale] it starts again with the user as they are then, and so it
// does where there was no such user, and now there is ([ErrUserExists]). An error of
// change ends it and is returned as it is.
func UpdateFrom(ctx context.Context, s Store, user User, change func(User) (Batch, error)) error {
	for attempt := 1; ; attempt++ {
		batch, err := change(user.clone())
		if err != nil {
			return err
		}
		err = s.Apply(ctx, batch)
		changed := errors.Is(err, ErrStale) || user.Revision == 0 && errors.Is(err, ErrUserExists)
		if !changed || attempt == Attempts {
			return err
		}
		if user, err = s.User(ctx, user.ID); err != nil {
			return err
		}
	}
}

// SecretOrNew returns a secret, made of n random bytes where there is none yet. Of
// several nodes that make it at the same time the first to write wins, and all
// return the same.
func SecretOrNew(ctx context.Context, s Store, name string, n int) ([]byte, error) {
	secret, err := s.Secret(ctx, name)
	if !errors.Is(err, ErrNotFound) {
		return secret, err
	}

	secret = make([]byte, n)
	rand.Read(secret)
	err = s.Apply(ctx, Batch{AddSecret{Name: name, Value: secret}})
	if errors.Is(err, ErrSecretExists) {
		return s.Secret(ctx, name)
	}
	if err != nil {
		return nil, fmt.Errorf("storing the secret %s: %w", name, err)
	}
	return secret, nil
}
