package store

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Batch is a list of operations that happen together.
type Batch []Op

// Users lists the ids of the users whom a batch is about, each once. Their open pages should
// load again. ReplaceSession does not count: it often changes only the time when the session
// was last seen, and a new token comes with an event. Nor do items: what a page shows of them
// comes with an event too.
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
type Op interface {
	// Check fails with [ErrInvalid] if the operation breaks the contract, whatever is stored.
	// Backends call it first.
	Check() error
}

type (
	// PutUser writes a user. With Revision 0 it creates one, and fails with
	// ErrUserExists if the id is taken. Otherwise it replaces the one whose
	// revision this is, and fails with ErrStale if that has changed. In both
	// cases it fails with ErrNameExists, ErrCredentialExists or ErrIdentityExists
	// if another user has the sign-in name, one of the credential ids or one of the
	// identities, and with ErrEmailExists if another user has the same unique e-mail
	// address. The stored revision is Revision+1.
	PutUser struct{ User User }
	// RemoveUser removes a user with all sessions, events and items, if the user exists. Nothing
	// is left under the id, and unique values of the user are free. Neither a file nor a table
	// of the backend has a byte of their values any more, except as part of a hash. An order
	// of all events may have the ids of the user and of their events until these would have
	// expired. A later change by somebody who read the user before fails with ErrStale, until
	// there is a new user with the id. No other operation of the batch may be about the user.
	//
	// With a Revision other than 0, it fails with ErrStale if the user has another revision or
	// does not exist.
	RemoveUser struct {
		ID       string
		Revision uint64
	}

	// HasUser writes nothing. It fails with ErrNotFound unless there is the user, and the user
	// stays until the batch is written. It is for a batch that adds records of a user whom it
	// doesn't write: after a removal, nothing of the user may come back.
	//
	// With a Revision other than 0, it fails with ErrStale if the user has another revision or
	// does not exist. So a batch can stand on what somebody else's record says. No other
	// operation of the batch may be about the user then.
	HasUser struct {
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
	// ReplaceSession replaces the session with the id Old, which may be the same id, by another
	// one of the same user. It fails with ErrNotFound if there is none, so a session cannot come
	// back after a sign-out. It serves to give a session a new token, or a new time when it was
	// seen.
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

	// AddEvent writes an event. It replaces an event of the same user with the same id.
	AddEvent struct{ Event Event }

	// PutItem writes an item. It fails with [*ItemChanged] unless the stored item has the
	// version Item.Version: 0 for none, and [AnyVersion] for whatever there is. The stored
	// version then is another one, which no item had before.
	PutItem struct{ Item Item }
	// RemoveItem removes an item. It fails with [*ItemChanged] unless the stored item has this
	// version. With [AnyVersion] it never fails, also if there is no such item.
	RemoveItem struct {
		Owner, Collection, Key string
		Version                uint64
	}
)

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

// MayReplace checks whether u may replace the stored user. Err is the error of reading the
// stored user. Backends call it within the transaction that writes.
func (u User) MayReplace(stored User, err error) error {
	isNew := errors.Is(err, ErrNotFound)
	switch {
	case err != nil && !isNew:
		return err
	case isNew && u.Revision == 0:
		return nil
	case u.Revision == 0:
		return ErrUserExists
	case isNew || u.Revision != stored.Revision:
		return ErrStale
	default:
		return nil
	}
}

// Holds checks in the same way whether the condition is true. Stored is the stored user.
func (op HasUser) Holds(stored User, err error) error {
	if op.Revision != 0 {
		return RemoveUser(op).MayRemove(stored, err)
	}
	return err
}

// MayRemove checks in the same way whether the stored user may be removed.
func (op RemoveUser) MayRemove(stored User, err error) error {
	switch {
	case op.Revision == 0:
		return nil
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	case err != nil || op.Revision != stored.Revision:
		return ErrStale
	default:
		return nil
	}
}

// MayReplace checks in the same way whether the item may replace the stored one.
func (i Item) MayReplace(stored Item, err error) error {
	return i.changed(i.Version, stored, err)
}

// MayRemove checks in the same way whether the stored item may be removed.
func (op RemoveItem) MayRemove(stored Item, err error) error {
	return Item{Collection: op.Collection, Key: op.Key}.changed(op.Version, stored, err)
}

func (i Item) changed(want uint64, stored Item, err error) error {
	switch {
	case errors.Is(err, ErrNotFound):
		stored.Version = 0
	case err != nil:
		return err
	}
	if want != AnyVersion && want != stored.Version {
		return &ItemChanged{i.Collection, i.Key}
	}
	return nil
}

// Check implements [Op].
func (op PutUser) Check() error {
	if op.User.ID == Organisation {
		return fmt.Errorf("%w: a user with the id of the organisation", ErrInvalid)
	}
	if by := op.User.InvitedBy; by != "" {
		if err := checkUserID(by); err != nil {
			return err
		}
	}
	return checkUserID(op.User.ID)
}

// Check implements [Op].
func (op RemoveUser) Check() error { return checkUserID(op.ID) }

// Check implements [Op].
func (op HasUser) Check() error { return checkUserID(op.ID) }

// Check implements [Op].
func (op AddSession) Check() error { return op.Session.check() }

// Check implements [Op].
func (op ReplaceSession) Check() error {
	if UserOfSession(op.Old) != op.Session.UserID {
		return fmt.Errorf("%w: a session of another user", ErrInvalid)
	}
	return op.Session.check()
}

// Check implements [Op].
func (op EndSession) Check() error { return nil }

// Check implements [Op].
func (op EndSessions) Check() error { return checkUserID(op.UserID) }

// Check implements [Op].
func (op AddEvent) Check() error {
	if op.Event.ID == (EventID{}) {
		return fmt.Errorf("%w: an event without an id", ErrInvalid)
	}
	for _, other := range []string{op.Event.By, op.Event.About} {
		if other != "" {
			if err := checkUserID(other); err != nil {
				return err
			}
		}
	}
	return checkUserID(op.Event.UserID)
}

// Check implements [Op].
func (op PutItem) Check() error {
	i := op.Item
	return checkItem(i.Owner, i.Collection, i.Key)
}

// Check implements [Op].
func (op RemoveItem) Check() error { return checkItem(op.Owner, op.Collection, op.Key) }

func (s Session) check() error {
	if err := checkUserID(s.UserID); err != nil {
		return err
	}
	if UserOfSession(s.ID) != s.UserID {
		return fmt.Errorf("%w: the id of a session is not of its user", ErrInvalid)
	}
	return nil
}

func checkUserID(id string) error {
	if !IsUserID(id) {
		return fmt.Errorf("%w: %q is no user id", ErrInvalid, id)
	}
	return nil
}

// Check fails with the error of the first operation that breaks the contract.
func (b Batch) Check() error {
	for _, op := range b {
		if err := op.Check(); err != nil {
			return err
		}
	}
	return nil
}
