package store

import (
	"bytes"
	"fmt"
)

// Kind is a kind of record.
type Kind string

// Kinds lists all kinds.
var Kinds = []Kind{KindUser, KindSession, KindEvent, KindItem}

const (
	KindUser    Kind = "user"    // key: its id
	KindSession Kind = "session" // key: its id
	KindEvent   Kind = "event"   // key: the user's id, a zero byte, its own id with all bits inverted
	KindItem    Kind = "item"    // key: owner, collection and key, with zero bytes between
)

// Record is a record of any kind. Its key is the same in every backend. Op writes it into an
// empty store, where a user's revision and an item's version start again.
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
		op.Most = 0
		return Record{op.Session.ID[:], op}
	case AddEvent:
		return Record{EventKey(op.Event.UserID, op.Event.ID), op}
	case PutItem:
		op.Item.Version = 0
		return Record{ItemKey(op.Item.Owner, op.Item.Collection, op.Item.Key), op}
	}
	panic(fmt.Sprintf("store: an operation of type %T writes no record", op))
}

// EventKey returns the key of an event's record. The events of a user have their order, newest
// first.
func EventKey(userID string, id EventID) []byte {
	key := append([]byte(userID), 0)
	for _, b := range id {
		key = append(key, ^b)
	}
	return key
}

// CutEventKey reverses [EventKey].
func CutEventKey(key []byte) (userID string, id EventID, ok bool) {
	user, inverted, _ := bytes.Cut(key, []byte{0})
	if len(inverted) != len(id) {
		return "", EventID{}, false
	}
	for i, b := range inverted {
		id[i] = ^b
	}
	return string(user), id, true
}

// ItemKey returns the key of an item's record.
func ItemKey(owner, collection, key string) []byte {
	return []byte(owner + "\x00" + collection + "\x00" + key)
}

// CutItemKey reverses [ItemKey].
func CutItemKey(whole []byte) (owner, collection, key string, ok bool) {
	parts := bytes.SplitN(whole, []byte{0}, 3)
	if len(parts) != 3 {
		return "", "", "", false
	}
	return string(parts[0]), string(parts[1]), string(parts[2]), true
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
	case PutItem:
		return op.Item.Encode()
	}
	return nil
}
