package boltstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
)

// Apply implements [store.Store].
func (s *Store) Apply(ctx context.Context, batch store.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.submit(func(tx *bbolt.Tx) (apply, error) {
		applies := make([]apply, len(batch))
		for i, op := range batch {
			var err error
			if applies[i], err = s.checkOp(tx, op); err != nil {
				return nil, err
			}
		}
		return func(tx *bbolt.Tx) error {
			for _, apply := range applies {
				if err := apply(tx); err != nil {
					return err
				}
			}
			return nil
		}, nil
	})
}
func (s *Store) checkOp(tx *bbolt.Tx, op store.Op) (apply, error) {
	switch op := op.(type) {
	case store.PutUser:
		old, err := checkUser(tx, op.User)
		return func(tx *bbolt.Tx) error { return putUser(tx, old, op.User) }, err
	case store.RemoveUser:
		return func(tx *bbolt.Tx) error { return removeUser(tx, op.ID) }, op.MayRemove(getUser(tx, []byte(op.ID)))
	case store.AddSession:
		return func(tx *bbolt.Tx) error {
			if err := s.makeRoom(tx, op); err != nil {
				return err
			}
			return putSession(tx, op.Session)
		}, s.sessionIsFree(tx, op.Session.ID)
	case store.ReplaceSession:
		_, err := s.getSession(tx, op.Old[:])
		if err == nil && op.Session.ID != op.Old {
			err = s.sessionIsFree(tx, op.Session.ID)
		}
		return func(tx *bbolt.Tx) error {
			if err := dropSession(tx, op.Old[:]); err != nil {
				return err
			}
			return putSession(tx, op.Session)
		}, err
	case store.EndSession:
		return func(tx *bbolt.Tx) error { return dropSession(tx, op.ID[:]) }, nil
	case store.EndSessions:
		return func(tx *bbolt.Tx) error { return endSessions(tx, op) }, nil
	case store.AddEvent:
		return func(tx *bbolt.Tx) error {
			return replace(tx, kindEvent, eventKey(op.Event.UserID, op.Event.ID), op.Event.Encode(), op.Event.Expires)
		}, nil
	case store.SpendTicket:
		return func(tx *bbolt.Tx) error {
			return replace(tx, kindTicket, op.Ticket.ID[:], op.Ticket.Encode(), op.Ticket.Expires)
		}, s.ticketIsUnspent(tx, op.Ticket.ID)
	case store.PutLink:
		return func(tx *bbolt.Tx) error {
			return replace(tx, kindLink, []byte(op.Link.Key), op.Link.Encode(), op.Link.Expires)
		}, nil
	case store.TakeLink:
		link, err := s.getLink(tx, op.Key)
		if err == nil && link.Hash != op.Hash {
			err = store.ErrNotFound
		}
		return func(tx *bbolt.Tx) error { return dropExpiring(tx, kindLink, []byte(op.Key)) }, err
	case store.AddSecret:
		var err error
		if tx.Bucket(bucketSecrets).Get([]byte(op.Name)) != nil {
			err = store.ErrSecretExists
		}
		return putSecret(op.Name, op.Value), err
	case store.ReplaceSecret:
		var err error
		if value := tx.Bucket(bucketSecrets).Get([]byte(op.Name)); value == nil || !bytes.Equal(value, op.Old) {
			err = store.ErrStale
		}
		return putSecret(op.Name, op.Value), err
	}
	return nil, fmt.Errorf("boltstore: an operation of type %T", op)
}

func putSecret(name string, value []byte) apply {
	return func(tx *bbolt.Tx) error { return tx.Bucket(bucketSecrets).Put([]byte(name), value) }
}

func (s *Store) sessionIsFree(tx *bbolt.Tx, id store.Hash) error {
	_, err := s.getSession(tx, id[:])
	if err == nil {
		return store.ErrSessionExists
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

func (s *Store) ticketIsUnspent(tx *bbolt.Tx, id [16]byte) error {
	encoded := tx.Bucket(bucketTickets).Get(id[:])
	if encoded == nil {
		return nil
	}
	spent, err := store.DecodeSpentTicket(encoded)
	if err == nil && s.now().Before(spent.Expires) {
		err = store.ErrTicketSpent
	}
	return err
}

// checkUser checks that the new unique values of a user are free. It returns the stored user,
// whose values need no check.
func checkUser(tx *bbolt.Tx, u store.User) (old store.User, err error) {
	old, err = getUser(tx, []byte(u.ID))
	if err := u.MayReplace(old, err); err != nil {
		return old, err
	}

	taken := func(index, key []byte) bool {
		owner := tx.Bucket(index).Get(key)
		return owner != nil && string(owner) != u.ID
	}
	if old.Name != u.Name && taken(bucketNames, []byte(u.Name)) {
		return old, store.ErrNameExists
	}
	for _, p := range u.Passkeys {
		if !hasCredential(old, p.CredentialID) && taken(bucketCredentials, p.CredentialID) {
			return old, store.ErrCredentialExists
		}
	}
	for _, i := range u.Identities {
		if !old.Has(i.Issuer, i.Subject) && taken(bucketIdentities, identityKey(i.Issuer, i.Subject)) {
			return old, store.ErrIdentityExists
		}
	}
	return old, nil
}

// putUser writes the record, and those index entries that change.
func putUser(tx *bbolt.Tx, old, u store.User) (err error) {
	id := []byte(u.ID)
	names, credentials, identities, admins := tx.Bucket(bucketNames), tx.Bucket(bucketCredentials), tx.Bucket(bucketIdentities), tx.Bucket(bucketAdmins)
	if old.Name != u.Name {
		if old.Name != "" {
			if err := names.Delete([]byte(old.Name)); err != nil {
				return err
			}
		}
		if err := names.Put([]byte(u.Name), id); err != nil {
			return err
		}
	}
	for _, p := range old.Passkeys {
		if !hasCredential(u, p.CredentialID) {
			if err := credentials.Delete(p.CredentialID); err != nil {
				return err
			}
		}
	}
	for _, p := range u.Passkeys {
		if !hasCredential(old, p.CredentialID) {
			if err := credentials.Put(p.CredentialID, id); err != nil {
				return err
			}
		}
	}
	for _, i := range old.Identities {
		if !u.Has(i.Issuer, i.Subject) {
			if err := identities.Delete(identityKey(i.Issuer, i.Subject)); err != nil {
				return err
			}
		}
	}
	for _, i := range u.Identities {
		if !old.Has(i.Issuer, i.Subject) {
			if err := identities.Put(identityKey(i.Issuer, i.Subject), id); err != nil {
				return err
			}
		}
	}
	switch {
	case u.Admin && !old.Admin:
		err = admins.Put(id, []byte{})
	case !u.Admin && old.Admin:
		err = admins.Delete(id)
	}
	if err != nil {
		return err
	}

	u.Revision++
	return tx.Bucket(bucketUsers).Put(userKey(u.ID), u.Encode())
}

func removeUser(tx *bbolt.Tx, id string) error {
	user, err := getUser(tx, []byte(id))
	if err == nil {
		err = dropUser(tx, user)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := endSessions(tx, store.EndSessions{UserID: id}); err != nil {
		return err
	}

	// After the record and the sessions, only events are left of the user.
	prefix := ofUser(id)
	var events [][]byte
	cursor := tx.Bucket(bucketUsers).Cursor()
	for key, _ := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = cursor.Next() {
		events = append(events, bytes.Clone(key))
	}
	for _, key := range events {
		if err := dropExpiring(tx, kindEvent, key); err != nil {
			return err
		}
	}
	return nil
}

// dropUser removes the record and its index entries.
func dropUser(tx *bbolt.Tx, u store.User) error {
	id := []byte(u.ID)
	for _, p := range u.Passkeys {
		if err := tx.Bucket(bucketCredentials).Delete(p.CredentialID); err != nil {
			return err
		}
	}
	for _, i := range u.Identities {
		if err := tx.Bucket(bucketIdentities).Delete(identityKey(i.Issuer, i.Subject)); err != nil {
			return err
		}
	}
	return errors.Join(tx.Bucket(bucketNames).Delete([]byte(u.Name)), tx.Bucket(bucketAdmins).Delete(id), tx.Bucket(bucketUsers).Delete(userKey(u.ID)))
}

func hasCredential(u store.User, id []byte) bool {
	for _, p := range u.Passkeys {
		if bytes.Equal(p.CredentialID, id) {
			return true
		}
	}
	return false
}

func putSession(tx *bbolt.Tx, v store.Session) error {
	// An expired session that was not swept yet can have the same id.
	if err := dropSession(tx, v.ID[:]); err != nil {
		return err
	}
	if err := tx.Bucket(bucketUsers).Put(sessionEntry(v.UserID, v.ID[:]), []byte{}); err != nil {
		return err
	}
	return put(tx, kindSession, v.ID[:], v.Encode(), v.Expires)
}

// makeRoom ends sessions, so that the user has at most op.Most with the new one. Most users
// have few sessions, and then it reads only keys.
func (s *Store) makeRoom(tx *bbolt.Tx, op store.AddSession) error {
	var ids [][]byte
	if op.Most > 0 {
		for id := range sessionsOf(tx, op.Session.UserID, nil) {
			ids = append(ids, bytes.Clone(id))
		}
	}
	if len(ids) < op.Most || op.Most == 0 {
		return nil
	}
	var sessions []store.Session
	for _, id := range ids {
		session, err := s.getSession(tx, id)
		if errors.Is(err, store.ErrNotFound) {
			continue // it has expired
		}
		if err != nil {
			return err
		}
		sessions = append(sessions, session)
	}
	for _, session := range op.Ends(sessions) {
		if err := dropSession(tx, session.ID[:]); err != nil {
			return err
		}
	}
	return nil
}

func dropSession(tx *bbolt.Tx, id []byte) error { return dropExpiring(tx, kindSession, id) }

func endSessions(tx *bbolt.Tx, op store.EndSessions) error {
	var ending [][]byte
	for id := range sessionsOf(tx, op.UserID, nil) {
		session, err := store.DecodeSession(tx.Bucket(bucketSessions).Get(id))
		if err != nil {
			return err
		}
		if op.Ends(session) {
			ending = append(ending, bytes.Clone(id))
		}
	}
	for _, id := range ending {
		if err := dropSession(tx, id); err != nil {
			return err
		}
	}
	return nil
}
