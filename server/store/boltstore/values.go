package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// Values have what their keys don't say. A session and an item begin with the time of their
// end, so that a sweep needs no more of them.

var errDamaged = errors.New("boltstore: damaged value")

// endLength is the length of the time of an end: microseconds since 1970, 0 for never.
const endLength = 8

func appendEnd(value []byte, end time.Time) []byte {
	var micro int64
	if !end.IsZero() {
		micro = end.UnixMicro()
	}
	return binary.BigEndian.AppendUint64(value, uint64(micro))
}

func endOf(value []byte) (end time.Time) {
	if len(value) < endLength {
		return time.Time{}
	}
	if micro := int64(binary.BigEndian.Uint64(value)); micro != 0 {
		end = time.UnixMicro(micro).UTC()
	}
	return end
}

// hasEnded reports whether the session or item with this value has expired.
func hasEnded(value []byte, now time.Time) bool { return isOver(endOf(value), now) }

// isOver reports whether an end has come. The zero time never does.
func isOver(end, now time.Time) bool { return !end.IsZero() && !now.Before(end) }

func encodeUser(u store.User) []byte {
	u.ID = ""
	return u.Encode()
}

func decodeUser(raw, value []byte) (store.User, error) {
	u, err := store.DecodeUser(value)
	u.ID = textOf(raw)
	return u, err
}

func encodeSession(v store.Session) []byte {
	value := appendEnd(nil, v.Expires)
	v.ID, v.UserID, v.Expires = store.Hash{}, "", time.Time{}
	return append(value, v.Encode()...)
}

func decodeSession(id store.Hash, value []byte) (store.Session, error) {
	if len(value) < endLength {
		return store.Session{}, errDamaged
	}
	v, err := store.DecodeSession(value[endLength:])
	v.ID, v.UserID, v.Expires = id, store.UserOfSession(id), endOf(value)
	return v, err
}

// encodeItem writes the end, the version, and the value itself.
func encodeItem(i store.Item) []byte {
	value := appendEnd(make([]byte, 0, endLength+8+len(i.Value)), i.Expires)
	return append(binary.BigEndian.AppendUint64(value, i.Version), i.Value...)
}

func decodeItem(owner, collection, key string, value []byte) (store.Item, error) {
	if len(value) < endLength+8 {
		return store.Item{}, errDamaged
	}
	return store.Item{
		Owner: owner, Collection: collection, Key: key, Value: bytes.Clone(value[endLength+8:]),
		Version: binary.BigEndian.Uint64(value[endLength:]), Expires: endOf(value),
	}, nil
}

// encodeEvent leaves out what the id and the usual time of an event say. So the sign-ins of one
// browser have the same value.
func encodeEvent(v store.Event) []byte {
	v.Time, v.Expires = v.Time.Truncate(time.Microsecond), v.Expires.Truncate(time.Microsecond)
	if kept := v.Expires.Sub(v.LastTime()); kept == store.EventsKept {
		v.Expires = time.Time{}
	} else {
		v.Expires = time.Unix(0, 0).Add(kept) // so that it is the same for all
	}
	if v.Time.Equal(v.ID.Time()) {
		v.Time = time.Time{}
	}
	v.ID, v.UserID = store.EventID{}, ""
	return v.Encode()
}

func decodeEvent(raw []byte, id store.EventID, value []byte) (store.Event, error) {
	v, err := store.DecodeEvent(value)
	v.ID, v.UserID = id, textOf(raw)
	if v.Time.IsZero() {
		v.Time = id.Time()
	}
	if v.Expires.IsZero() {
		v.Expires = v.LastTime().Add(store.EventsKept)
	} else {
		v.Expires = v.LastTime().Add(v.Expires.Sub(time.Unix(0, 0)))
	}
	return v, err
}

// Blocks write the time of an entry as its distance from the one before.

// appendID writes the id of an event as the time since another id, and its number.
func appendID(b []byte, before, id store.EventID) []byte {
	b = appendStep(b, timeOf(id[:])-timeOf(before[:]))
	return append(b, id[8:]...)
}

// id reverses [appendID].
func (r *reader) id(before store.EventID) (id store.EventID) {
	binary.BigEndian.PutUint64(id[:], timeOf(before[:])+r.step())
	copy(id[8:], r.bytes(2))
	return id
}

// appendStep writes a difference of nanoseconds, which mostly is a whole number of microseconds.
// The lowest bit says whether some nanoseconds follow.
func appendStep(b []byte, nanos uint64) []byte {
	micro, rest := nanos/1000, nanos%1000
	if rest == 0 {
		return binary.AppendUvarint(b, micro<<1)
	}
	return binary.AppendUvarint(binary.AppendUvarint(b, micro<<1|1), rest)
}

func (r *reader) step() (nanos uint64) {
	n := r.number()
	nanos = n >> 1 * 1000
	if n&1 != 0 {
		nanos += r.number()
	}
	return nanos
}

// reader reads a value from its beginning. It never reads beyond the end.
type reader struct {
	rest    []byte
	damaged bool
}

func (r *reader) number() uint64 {
	n, length := binary.Uvarint(r.rest)
	if length <= 0 {
		r.damaged, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[length:]
	return n
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.damaged, r.rest = true, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
