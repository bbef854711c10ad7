// Package store is the contract between Keypeg's rules and the backends that keep its records.
//
// A [User], with everything that decides how the user may sign in, is one record with a
// revision. Rules such as "the last sign-in method stays" are plain Go over that record.
// Compare-and-swap keeps them true: read, change, [Store.Apply] with the revision that was
// read, and start again on [ErrStale]. [Update] is that loop. Sessions, events, links, secrets
// and spent tickets are small records beside it.
//
// [Store.Apply] is the only way to write. It performs a whole [Batch] durably, or nothing of
// it. There is no transaction callback, because a store on several machines could not offer
// one.
//
// Each sentence here has a test in storetest. A backend that passes is correct. abilities.go
// has a table of what a backend can offer besides.
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

// The errors that callers compare with errors.Is.
var (
	// ErrNotFound means that there is no such record, or that it has expired.
	ErrNotFound = errors.New("store: not found")
	// ErrStale means that the record was changed or removed since it was read.
	ErrStale = errors.New("store: changed meanwhile")
	// ErrExists means that a unique value is taken. The errors below name the value, and
	// match ErrExists too.
	ErrExists = errors.New("store: exists already")

	ErrUserExists       = fmt.Errorf("%w: user id", ErrExists)       // a new user's id
	ErrNameExists       = fmt.Errorf("%w: sign-in name", ErrExists)  // another user has it
	ErrCredentialExists = fmt.Errorf("%w: credential id", ErrExists) // another passkey has it
	ErrIdentityExists   = fmt.Errorf("%w: identity", ErrExists)      // another user has it
	ErrSessionExists    = fmt.Errorf("%w: session", ErrExists)       // of this token
	ErrTicketSpent      = fmt.Errorf("%w: spent ticket", ErrExists)  // by another request, on any node
	ErrSecretExists     = fmt.Errorf("%w: secret", ErrExists)        // of this name
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
	// Users returns up to limit users in byte order of their sign-in names, from
	// the first name after the one given. The first page is after "".
	Users(ctx context.Context, after string, limit int) ([]User, error)
	// HasAdministrator reports whether any user, enabled or disabled, has Admin set.
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
	// Link returns the link under this key.
	Link(ctx context.Context, key string) (Link, error)
	// Secret returns a value that the installation generated once.
	Secret(ctx context.Context, name string) ([]byte, error)
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

// Batch is a list of operations that happen together.
type Batch []Op

// Users lists the ids of the users whom a batch is about, each once. Their open pages should
// load again. ReplaceSession does not count: it often changes only the time when the session
// was last seen, and a new token comes with an event.
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
	// RemoveUser removes a user with all sessions and events, if the user exists. Nothing is
	// left under the id, and unique values of the user are free. A later change by somebody
	// who read the user before fails with ErrStale, until there is a new user with the id. No
	// other operation of the batch may be about the user.
	//
	// With a Revision other than 0, it fails with ErrStale if the user has another revision or
	// does not exist.
	RemoveUser struct {
		ID       string
		Revision uint64
	}

	// AddSession writes a new session. It fails with ErrSessionExists if the id is taken. If
	// Most is not 0, the user then has at most Most sessions: those that were seen least
	// recently end.
	AddSession struct {
		Session Session
		Most    int
	}
	// ReplaceSession replaces the session with the id Old, which may be the same id. It fails
	// with ErrNotFound if there is none, so a session cannot come back after a sign-out. It
	// serves to give a session a new token, or a new time when it was seen.
	ReplaceSession struct {
		Old     Hash
		Session Session
	}
	// EndSession removes a session, if it exists.
	EndSession struct{ ID Hash }
	// EndSessions removes every session of a user except the one with the id Except. If
	// Passkey is not "", it removes only sessions that began with this passkey.
	EndSessions struct {
		UserID  string
		Except  Hash
		Passkey string
	}

	// AddEvent writes an event. It replaces an event with the same id.
	AddEvent struct{ Event Event }

	// SpendTicket keeps a ticket until it expires. It fails with ErrTicketSpent if the ticket
	// is kept already. Of any number of callers, on any number of machines, exactly one
	// succeeds.
	SpendTicket struct{ Ticket SpentTicket }

	// PutLink writes a link. It replaces a link with the same key.
	PutLink struct{ Link Link }
	// TakeLink removes the link under Key. It fails with ErrNotFound if there is none, if it
	// has expired, or if the hash of its token is another.
	TakeLink struct {
		Key  string
		Hash Hash
	}

	// AddSecret writes a secret. It fails with ErrSecretExists if the name is taken.
	AddSecret struct {
		Name  string
		Value []byte
	}
	// ReplaceSecret replaces the value Old of a secret. It fails with ErrStale if the secret
	// has another value or does not exist.
	ReplaceSecret struct {
		Name       string
		Old, Value []byte
	}
)

// Kind is a kind of record.
type Kind string

// Kinds lists all kinds.
var Kinds = []Kind{KindUser, KindSession, KindEvent, KindLink, KindSecret, KindTicket}

const (
	KindUser    Kind = "user"    // key: its id
	KindSession Kind = "session" // key: its id
	KindEvent   Kind = "event"   // key: the user's id, a zero byte, its own id
	KindLink    Kind = "link"    // key: its key
	KindSecret  Kind = "secret"  // key: its name
	KindTicket  Kind = "ticket"  // key: its id
)

// Record is a record of any kind. Its key is the same in every backend. Op writes it into an
// empty store, where a user's revision starts again.
type Record struct {
	Key []byte
	Op  Op
}

// RecordOf returns the record that an operation writes, as [Store.Records] lists it.
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

// Ends lists the sessions that the operation removes, so that the user has at most Most. It
// sorts its argument. Backends call it within the transaction that writes.
func (op AddSession) Ends(sessions []Session) []Session {
	if op.Most == 0 || len(sessions) < op.Most {
		return nil
	}
	slices.SortFunc(sessions, func(a, b Session) int {
		return cmp.Or(a.Seen.Compare(b.Seen), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return sessions[:len(sessions)-op.Most+1]
}

// Ends reports whether the operation removes this session.
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

// Attempts is how often [Update] tries before it gives up. Of all writers that change one
// record at the same time, at least one succeeds in each try. So this limits only how many
// writers may change one record at the same time.
const Attempts = 64

// Update reads a user, and then does what [UpdateFrom] does.
func Update(ctx context.Context, s Store, userID string, change func(User) (Batch, error)) error {
	user, err := s.User(ctx, userID)
	if err != nil {
		return err
	}
	return UpdateFrom(ctx, s, user, change)
}

// UpdateFrom calls change with a user who was read just before, and applies the batch that
// change returns. On [ErrStale] it reads the user and starts again. It also does so on
// [ErrUserExists] if the user was a new one. An error of change ends it and is returned as it
// is.
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

// SecretOrNew returns a secret. If there is none yet, it generates one of n random bytes. If
// several nodes do so at the same time, the first write wins, and all return the same secret.
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
