package boltstore

import (
	"bytes"
	"context"
	"encoding/hex"
	"iter"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
)

// Records implements [store.Store].
func (s *Store) Records(ctx context.Context, kind store.Kind, after []byte, limit int) ([]store.Record, error) {
	return view(ctx, s, func(tx *bbolt.Tx) (records []store.Record, err error) {
		for op, failed := range opsFrom(tx, kind, after) {
			if failed != nil {
				return nil, failed
			}
			if len(records) >= limit {
				break
			}
			record := store.RecordOf(op)
			if (after == nil || bytes.Compare(record.Key, after) > 0) && s.lives(op) {
				records = append(records, record)
			}
		}
		return records, nil
	})
}

// lives reports whether the record that an operation writes has not expired.
func (s *Store) lives(op store.Op) bool {
	switch op := op.(type) {
	case store.AddSession:
		return s.now().Before(op.Session.Expires)
	case store.AddEvent:
		return s.now().Before(op.Event.Expires)
	case store.PutItem:
		return op.Item.Expires.IsZero() || s.now().Before(op.Item.Expires)
	}
	return true
}

// opsFrom lists the operations that write the records of a kind, in the order of their keys,
// also expired ones. It may begin with some that are not after the key.
func opsFrom(tx *bbolt.Tx, kind store.Kind, after []byte) iter.Seq2[store.Op, error] {
	switch kind {
	case store.KindUser:
		return userOpsFrom(tx, rawOf(string(after)))
	case store.KindSession:
		return sessionOpsFrom(tx, after)
	case store.KindEvent:
		return eventOpsFrom(tx, after)
	default:
		return itemOpsFrom(tx, after)
	}
}

func userOpsFrom(tx *bbolt.Tx, from []byte) iter.Seq2[store.Op, error] {
	return func(yield func(store.Op, error) bool) {
		for key, value := range partFrom(tx, partUser, from) {
			user, err := decodeUser(key[:rawLength], value)
			if !yield(store.PutUser{User: user}, err) {
				return
			}
		}
	}
}

func sessionOpsFrom(tx *bbolt.Tx, after []byte) iter.Seq2[store.Op, error] {
	return func(yield func(store.Op, error) bool) {
		var from []byte
		if len(after) == len(store.Hash{}) {
			from = sessionKey(store.Hash(after))
		}
		for key, value := range partFrom(tx, partSessions, from) {
			id := append(bytes.Clone(key[:rawLength]), key[rawLength+1:]...)
			if len(id) != len(store.Hash{}) {
				yield(nil, errDamaged)
				return
			}
			session, err := decodeSession(store.Hash(id), value)
			if !yield(store.AddSession{Session: session}, err) {
				return
			}
		}
	}
}

// eventOpsFrom goes from user to user. A user may have events in bucketPast and none singly.
func eventOpsFrom(tx *bbolt.Tx, after []byte) iter.Seq2[store.Op, error] {
	return func(yield func(store.Op, error) bool) {
		userID, from, _ := store.CutEventKey(after)
		for raw := range everyUser(tx, rawOf(userID)) {
			for e, err := range eventsOf(tx, raw, from) {
				var event store.Event
				if err == nil {
					event, err = decodeEvent(raw, e.id, e.value)
				}
				if !yield(store.AddEvent{Event: event}, err) {
					return
				}
			}
			from = store.EventID{}
		}
	}
}

// everyUser lists the ids, as bytes, under which something lies in bucketPeople or
// bucketPast, from one on.
func everyUser(tx *bbolt.Tx, from []byte) iter.Seq[[]byte] {
	return func(yield func(raw []byte) bool) {
		people, past := tx.Bucket(bucketPeople).Cursor(), tx.Bucket(bucketPast).Cursor()
		next := func(cursor *bbolt.Cursor) []byte {
			for key, _ := cursor.Seek(from); key != nil; key, _ = cursor.Next() {
				if len(key) > rawLength {
					return key[:rawLength]
				}
			}
			return nil
		}
		for {
			raw, other := next(people), next(past)
			if raw == nil || other != nil && bytes.Compare(other, raw) < 0 {
				raw = other
			}
			if raw == nil || !yield(raw) {
				return
			}
			if from = successor(raw); from == nil {
				return
			}
		}
	}
}

func itemOpsFrom(tx *bbolt.Tx, after []byte) iter.Seq2[store.Op, error] {
	owner, name, _ := bytes.Cut(after, []byte{0})
	return func(yield func(store.Op, error) bool) {
		give := func(owner string, name, value []byte) bool {
			collection, key, _ := bytes.Cut(name, []byte{0})
			item, err := decodeItem(owner, string(collection), string(key), value)
			return yield(store.PutItem{Item: item}, err)
		}
		if len(owner) == 0 {
			for name, value := range itemsFrom(tx, "", name) {
				if !give("", name, value) {
					return
				}
			}
		}
		var from []byte
		if raw := rawOf(string(owner)); raw != nil {
			from = keyOf(raw, partItems, name...)
		}
		for key, value := range partFrom(tx, partItems, from) {
			if !give(textOf(key[:rawLength]), key[rawLength+1:], value) {
				return
			}
		}
	}
}

// partFrom lists the keys and values of one part of all users, from a key on.
func partFrom(tx *bbolt.Tx, part byte, from []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		cursor := tx.Bucket(bucketPeople).Cursor()
		key, value := cursor.Seek(from)
		for key != nil {
			raw, at, _, ok := cutKey(key)
			switch {
			case !ok: // not ours: Check names it
				key, value = cursor.Next()
			case at < part:
				key, value = cursor.Seek(keyOf(raw, part))
			case at > part:
				key, value = nextUser(cursor, raw)
			case !yield(key, value):
				return
			default:
				key, value = cursor.Next()
			}
		}
	}
}

// itemsFrom lists the items of an owner from a name on, in the order of their names: the
// collection, a zero byte, and the key.
func itemsFrom(tx *bbolt.Tx, owner string, from []byte) iter.Seq2[[]byte, []byte] {
	if owner == "" {
		return withTickets(tx, from)
	}
	return func(yield func(name, value []byte) bool) {
		prefix := keyOf(rawOf(owner), partItems)
		if prefix == nil {
			return
		}
		cursor := tx.Bucket(bucketPeople).Cursor()
		for key, value := cursor.Seek(append(bytes.Clone(prefix), from...)); bytes.HasPrefix(key, prefix); key, value = cursor.Next() {
			if !yield(key[len(prefix):], value) {
				return
			}
		}
	}
}

// withTickets lists the items without an owner. The tickets have their place among the others.
func withTickets(tx *bbolt.Tx, from []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		others := tx.Bucket(bucketItems).Cursor()
		other, otherValue := others.Seek(from)
		for name, value := range ticketsFrom(tx, from) {
			for ; other != nil && bytes.Compare(other, name) < 0; other, otherValue = others.Next() {
				if !yield(other, otherValue) {
					return
				}
			}
			if !yield(name, value) {
				return
			}
		}
		for ; other != nil && yield(other, otherValue); other, otherValue = others.Next() {
		}
	}
}

// ticketsFrom lists the tickets whose names are not less than from.
func ticketsFrom(tx *bbolt.Tx, from []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		prefix := []byte(store.Tickets.Name + "\x00")
		var id []byte
		if rest, is := bytes.CutPrefix(from, prefix); is {
			id, _ = hex.DecodeString(string(rest)) // what can be read of it is before it
		} else if bytes.Compare(from, prefix) > 0 {
			return
		}
		cursor := tx.Bucket(bucketRecent).Cursor()
		for key, value := cursor.Seek(id); key != nil; key, value = cursor.Next() {
			if _, isEntry := entryOf(key, value); isEntry {
				continue
			}
			if name := append(bytes.Clone(prefix), hex.EncodeToString(key)...); bytes.Compare(name, from) >= 0 && !yield(name, value) {
				return
			}
		}
	}
}
