package boltstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
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
	if err := batch.Check(); err != nil {
		return err
	}
	if len(batch) == 0 {
		return nil
	}
	return s.submit(checkOf(batch))
}

// checkOf returns the write of a batch.
func checkOf(batch store.Batch) check {
	return func(w *writing) (apply, error) {
		applies := make([]apply, len(batch))
		for i, op := range batch {
			var err error
			if applies[i], err = w.check(op); err != nil {
				return nil, err
			}
		}
		return func(w *writing) error {
			for _, apply := range applies {
				if err := apply(w); err != nil {
					return err
				}
			}
			return nil
		}, nil
	}
}

func (w *writing) check(op store.Op) (apply, error) {
	switch op := op.(type) {
	case store.PutUser:
		old, err := checkUser(w.Tx, op.User)
		return func(w *writing) error { return w.putUser(old, op.User) }, err
	case store.RemoveUser:
		return func(w *writing) error { return w.removeUser(op.ID) }, op.MayRemove(getUser(w.Tx, rawOf(op.ID)))
	case store.HasUser:
		return func(*writing) error { return nil }, op.Holds(getUser(w.Tx, rawOf(op.ID)))
	case store.AddSession:
		return func(w *writing) error { return w.addSession(op) }, w.sessionIsFree(op.Session.ID)
	case store.ReplaceSession:
		_, err := getSession(w.Tx, op.Old, w.now)
		if err == nil && op.Session.ID != op.Old {
			err = w.sessionIsFree(op.Session.ID)
		}
		return func(w *writing) error {
			if op.Session.ID != op.Old {
				if err := w.drop(sessionKey(op.Old)); err != nil {
					return err
				}
			}
			return w.putSession(op.Session)
		}, err
	case store.EndSession:
		return func(w *writing) error { return w.drop(sessionKey(op.ID)) }, nil
	case store.EndSessions:
		return func(w *writing) error { return w.endSessions(op) }, nil
	case store.AddEvent:
		return func(w *writing) error {
			w.users[string(rawOf(op.Event.UserID))] = true
			return w.putEvent(op.Event)
		}, nil
	case store.PutItem:
		i := op.Item
		return func(w *writing) error { return w.putItem(i) }, i.MayReplace(getItem(w.Tx, i.Owner, i.Collection, i.Key, w.now))
	case store.RemoveItem:
		return func(w *writing) error {
				bucket, at := placeOf(op.Owner, op.Collection, op.Key)
				return w.Bucket(bucket).Delete(at)
			},
			op.MayRemove(getItem(w.Tx, op.Owner, op.Collection, op.Key, w.now))
	}
	return nil, fmt.Errorf("boltstore: an operation of type %T", op)
}

// drop removes what lies under a key of bucketPeople, if there is something.
func (w *writing) drop(key []byte) error { return w.Bucket(bucketPeople).Delete(key) }

func (w *writing) sessionIsFree(id store.Hash) error {
	_, err := getSession(w.Tx, id, w.now)
	if err == nil {
		return store.ErrSessionExists
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// checkUser checks that the new unique values of a user are free. It returns the stored user,
// whose values need no check.
func checkUser(tx *bbolt.Tx, u store.User) (old store.User, err error) {
	raw := rawOf(u.ID)
	old, err = getUser(tx, raw)
	if err := u.MayReplace(old, err); err != nil {
		return old, err
	}

	taken := func(index, key []byte) bool {
		owner := tx.Bucket(index).Get(key)
		return owner != nil && !bytes.Equal(owner, raw)
	}
	if old.Name != u.Name && taken(bucketNames, []byte(u.Name)) {
		return old, store.ErrNameExists
	}
	if key := u.UniqueEmail(); key != "" && key != old.UniqueEmail() && taken(bucketEmails, []byte(key)) {
		return old, store.ErrEmailExists
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

// putUser writes the record, and those index entries that change. A new user has no ID in old.
func (w *writing) putUser(old, u store.User) error {
	raw := rawOf(u.ID)
	w.users[string(raw)] = true
	if old.ID != "" {
		w.countUser(old, -1)
		if err := w.dropIndexes(old, u); err != nil {
			return err
		}
	}
	w.countUser(u, 1)

	put := func(index, key []byte) error { return w.Bucket(index).Put(key, raw) }
	if old.Name != u.Name {
		if err := put(bucketNames, []byte(u.Name)); err != nil {
			return err
		}
	}
	for _, p := range u.Passkeys {
		if !hasCredential(old, p.CredentialID) {
			if err := put(bucketCredentials, p.CredentialID); err != nil {
				return err
			}
		}
	}
	for _, i := range u.Identities {
		if !old.Has(i.Issuer, i.Subject) {
			if err := put(bucketIdentities, identityKey(i.Issuer, i.Subject)); err != nil {
				return err
			}
		}
	}
	if key := u.UniqueEmail(); key != "" && key != old.UniqueEmail() {
		if err := put(bucketEmails, []byte(key)); err != nil {
			return err
		}
	}
	if !u.ListsAs(old) {
		for _, entry := range u.Entries() {
			if err := w.Bucket(bucketLists).Put(listKey(entry, raw), nil); err != nil {
				return err
			}
		}
	}
	u.Revision++
	return w.Bucket(bucketPeople).Put(userKey(raw), encodeUser(u))
}

// dropIndexes removes the index entries of old that u doesn't have.
func (w *writing) dropIndexes(old, u store.User) error {
	if old.Name != u.Name {
		if err := w.Bucket(bucketNames).Delete([]byte(old.Name)); err != nil {
			return err
		}
	}
	for _, p := range old.Passkeys {
		if !hasCredential(u, p.CredentialID) {
			if err := w.Bucket(bucketCredentials).Delete(p.CredentialID); err != nil {
				return err
			}
		}
	}
	for _, i := range old.Identities {
		if !u.Has(i.Issuer, i.Subject) {
			if err := w.Bucket(bucketIdentities).Delete(identityKey(i.Issuer, i.Subject)); err != nil {
				return err
			}
		}
	}
	if key := old.UniqueEmail(); key != "" && key != u.UniqueEmail() {
		if err := w.Bucket(bucketEmails).Delete([]byte(key)); err != nil {
			return err
		}
	}
	if old.ListsAs(u) {
		return nil
	}
	for _, entry := range old.Entries() {
		if err := w.Bucket(bucketLists).Delete(listKey(entry, rawOf(old.ID))); err != nil {
			return err
		}
	}
	return nil
}

func hasCredential(u store.User, id []byte) bool {
	for _, p := range u.Passkeys {
		if bytes.Equal(p.CredentialID, id) {
			return true
		}
	}
	return false
}

// removeUser removes everything under the user's id.
func (w *writing) removeUser(id string) error {
	raw := rawOf(id)
	w.removed = true
	user, err := getUser(w.Tx, raw)
	if err == nil {
		w.countUser(user, -1)
		err = w.dropIndexes(user, store.User{})
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	for e, err := range eventsOf(w.Tx, raw, store.EventID{}) {
		if err != nil {
			break // a damaged block: Check names what isn't counted rightly then
		}
		if err := w.uncount(raw, e); err != nil {
			return err
		}
		if err := w.Bucket(bucketRecent).Delete(append(e.id[:], raw...)); err != nil {
			return err
		}
	}
	return errors.Join(dropAll(w.Bucket(bucketPeople), raw), dropAll(w.Bucket(bucketPast), raw))
}

// dropAll removes all keys with a prefix.
func dropAll(bucket *bbolt.Bucket, prefix []byte) error {
	var keys [][]byte
	cursor := bucket.Cursor()
	for key, _ := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = cursor.Next() {
		keys = append(keys, bytes.Clone(key))
	}
	for _, key := range keys {
		if err := bucket.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

func (w *writing) putSession(v store.Session) error {
	w.users[string(rawOf(v.UserID))] = true
	return w.Bucket(bucketPeople).Put(sessionKey(v.ID), encodeSession(v))
}

// addSession ends sessions, so that the user has at most op.Most with the new one. Most users
// have few sessions, and then it reads only keys.
func (w *writing) addSession(op store.AddSession) error {
	if op.Most > 0 && countKeys(w.Tx, keyOf(rawOf(op.Session.UserID), partSessions), op.Most) >= op.Most {
		sessions, err := sessionsOf(w.Tx, op.Session.UserID, store.Hash{}, all, w.now)
		if err != nil {
			return err
		}
		for _, session := range op.Ends(sessions) {
			if err := w.drop(sessionKey(session.ID)); err != nil {
				return err
			}
		}
	}
	return w.putSession(op.Session)
}

// countKeys counts the keys with a prefix, up to most.
func countKeys(tx *bbolt.Tx, prefix []byte, most int) (n int) {
	cursor := tx.Bucket(bucketPeople).Cursor()
	for key, _ := cursor.Seek(prefix); n < most && bytes.HasPrefix(key, prefix); key, _ = cursor.Next() {
		n++
	}
	return n
}

func (w *writing) endSessions(op store.EndSessions) error {
	sessions, err := sessionsOf(w.Tx, op.UserID, store.Hash{}, all, w.now)
	if err != nil {
		return err
	}
	for _, session := range sessions {
		if op.Ends(session) {
			if err := w.drop(sessionKey(session.ID)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writing) putItem(i store.Item) error {
	bucket, at := placeOf(i.Owner, i.Collection, i.Key)
	if i.Owner != "" {
		w.users[string(rawOf(i.Owner))] = true
	}
	i.Version = newVersion()
	return w.Bucket(bucket).Put(at, encodeItem(i))
}

// newVersion returns 63 random bits, so that no item has a version twice.
func newVersion() uint64 {
	var bits [8]byte
	rand.Read(bits[:]) // never fails, as crypto/rand promises
	return binary.BigEndian.Uint64(bits[:])>>1 | 1
}
