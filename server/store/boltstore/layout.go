package boltstore

import (
	"encoding/binary"
	"encoding/hex"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
)

// The buckets. In bucketPeople lies all that belongs to a user, side by side, so that a sign-in
// writes one path of the tree: a user's id as 16 bytes, a part, and then
//
//	partUser      nothing                                            the user's record
//	partItems     collection, 0, key                                 an item
//	partSessions  the other half of the session's id                 a session
//	partEvents    the event's id with all bits inverted: newest first  an event
//
// What values needn't say, since the key says it, they leave out (values.go). The other buckets
// are small, or are written rarely.
var (
	bucketMeta        = []byte("keypeg")      // see formatKey
	bucketProbe       = []byte("probe")       // see Probe
	bucketPeople      = []byte("people")      // see above
	bucketPast        = []byte("past")        // see events.go
	bucketNames       = []byte("names")       // sign-in name -> user id
	bucketCredentials = []byte("credentials") // credential id -> user id
	bucketIdentities  = []byte("identities")  // issuer, 0, subject -> user id
	bucketEmails      = []byte("emails")      // store.User.UniqueEmail -> user id
	bucketLists       = []byte("lists")       // an entry of store.User.Entries, 0, user id -> nothing
	bucketItems       = []byte("items")       // collection, 0, key -> an item without an owner
	bucketRecent      = []byte("recent")      // see journal.go
	bucketArchive     = []byte("archive")     // see journal.go
	bucketKinds       = []byte("kinds")       // see kinds.go
	bucketCounts      = []byte("counts")      // see counts.go
	bucketDays        = []byte("days")        // see counts.go

	buckets = [][]byte{
		bucketMeta, bucketProbe, bucketPeople, bucketPast, bucketNames, bucketCredentials, bucketIdentities, bucketEmails, bucketLists,
		bucketItems, bucketRecent, bucketArchive, bucketKinds, bucketCounts, bucketDays,
	}
)

const (
	partUser byte = iota
	partItems
	partSessions
	partEvents

	rawLength = 16 // of a user's id
)

// rawOf returns a user's id as bytes, or nil for a text that is none.
func rawOf(userID string) []byte {
	if !store.IsUserID(userID) {
		return nil
	}
	raw, _ := hex.DecodeString(userID)
	return raw
}

func textOf(raw []byte) string { return hex.EncodeToString(raw) }

// keyOf returns a key of bucketPeople. It returns nil, under which nothing lies, without a
// user.
func keyOf(raw []byte, part byte, rest ...byte) []byte {
	if len(raw) != rawLength {
		return nil
	}
	key := make([]byte, 0, rawLength+1+len(rest))
	return append(append(append(key, raw...), part), rest...)
}

// cutKey takes a key of bucketPeople apart. Ok is false for a key that is none.
func cutKey(key []byte) (raw []byte, part byte, rest []byte, ok bool) {
	if len(key) <= rawLength {
		return nil, 0, nil, false
	}
	raw, part, rest = key[:rawLength], key[rawLength], key[rawLength+1:]
	switch part {
	case partUser:
		ok = len(rest) == 0
	case partItems:
		ok = len(rest) > 0
	case partSessions:
		ok = len(rest) == len(store.Hash{})-rawLength
	case partEvents:
		ok = len(rest) == idLength
	}
	return raw, part, rest, ok
}

func userKey(raw []byte) []byte { return keyOf(raw, partUser) }

func sessionKey(id store.Hash) []byte { return keyOf(id[:rawLength], partSessions, id[rawLength:]...) }

// eventKey inverts the id.
func eventKey(raw []byte, id store.EventID) []byte { return keyOf(raw, partEvents, inverted(id)...) }

func inverted(id store.EventID) []byte {
	for i := range id {
		id[i] = ^id[i]
	}
	return id[:]
}

func eventIDOf(rest []byte) store.EventID {
	id := store.EventID(rest)
	return store.EventID(inverted(id))
}

// placeOf returns the bucket and the key of an item. Spent tickets have ids that begin with the
// time, as events have, and so lie beside the newest events: a sign-in writes both.
func placeOf(owner, collection, key string) (bucket, at []byte) {
	name := append(append([]byte(collection), 0), key...)
	if owner != "" {
		return bucketPeople, keyOf(rawOf(owner), partItems, name...)
	}
	if collection == store.Tickets.Name {
		id, _ := hex.DecodeString(key) // nothing lies under what is none
		return bucketRecent, id
	}
	return bucketItems, name
}

// listKey is a key of bucketLists. No entry has a zero byte.
func listKey(entry string, raw []byte) []byte { return append([]byte(entry+"\x00"), raw...) }

// cutListKey takes a key of bucketLists apart.
func cutListKey(key []byte) (entry string, raw []byte) {
	end := max(0, len(key)-rawLength-1)
	return string(key[:end]), key[min(end+1, len(key)):]
}

// identityKey begins with the issuer, which is a URL and so has no zero byte.
func identityKey(issuer, subject string) []byte { return []byte(issuer + "\x00" + subject) }

// nextUser moves a cursor of bucketPeople to the first key of the next user.
func nextUser(cursor *bbolt.Cursor, raw []byte) (key, value []byte) {
	if next := successor(raw); next != nil {
		return cursor.Seek(next)
	}
	return nil, nil
}

// successor returns the next greater bytes of the same length, or nil.
func successor(raw []byte) []byte {
	next := append([]byte(nil), raw...)
	for i := len(next) - 1; i >= 0; i-- {
		if next[i]++; next[i] != 0 {
			return next
		}
	}
	return nil
}

// timeOf returns the beginning of an id of an event or a ticket.
func timeOf(id []byte) uint64 { return binary.BigEndian.Uint64(id) }
