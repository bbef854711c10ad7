package boltstore

import (
	"bytes"
	"encoding/binary"
	"iter"
	"math"
	"time"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
)

// What belongs to a user lies together in one bucket: their events and an entry for each
// of their sessions, in the order of time, and behind these their record. A sign-in
// writes one of each, and so one page for all three.

// ofUser begins the keys of what belongs to a user. User ids are made by Keypeg, and hold no
// zero byte.
func ofUser(id string) []byte { return append([]byte(id), 0) }

// behindAll ends the key of a user's record. The time that events and entries begin with
// reaches it in the year 2552.
const behindAll = 0xff

func userKey(id string) []byte { return append(ofUser(id), behindAll) }

func eventKey(userID string, id store.EventID) []byte { return append(ofUser(userID), id[:]...) }

// sessionEntry sorts by the session's id, which begins with milliseconds, among events,
// which begin with nanoseconds.
func sessionEntry(userID string, id []byte) []byte {
	const perMilli = uint64(time.Millisecond)
	var milli [8]byte
	copy(milli[2:], id)
	at := min(binary.BigEndian.Uint64(milli[:]), math.MaxUint64/perMilli) * perMilli
	return append(binary.BigEndian.AppendUint64(ofUser(userID), at), id...)
}

// partOf tells what lies under a key, [store.KindSession] for the entry of one, and whose
// it is. They differ in length; the kind is "" for what is none of them. The id is that
// of the event or session.
func partOf(key []byte) (kind store.Kind, userID, id []byte) {
	userID, rest, _ := bytes.Cut(key, []byte{0})
	switch {
	case len(rest) == 1 && rest[0] == behindAll:
		return store.KindUser, userID, nil
	case len(rest) == len(store.EventID{}):
		return store.KindEvent, userID, rest
	case len(rest) == 8+len(store.Hash{}):
		return store.KindSession, userID, rest[8:]
	}
	return "", userID, nil
}

// sessionsOf lists the ids of a user's sessions, from the first one behind another. It
// passes over the events between them: 200,000 take some 9 ms.
func sessionsOf(tx *bbolt.Tx, userID string, after []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		prefix := ofUser(userID)
		cursor := tx.Bucket(bucketPeople).Cursor()
		for key, _ := cursor.Seek(sessionEntry(userID, after)); bytes.HasPrefix(key, prefix); key, _ = cursor.Next() {
			if kind, _, id := partOf(key); kind == store.KindSession && !bytes.Equal(id, after) && !yield(id) {
				return
			}
		}
	}
}
