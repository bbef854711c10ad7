package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// Ids of frequent records begin with the time. Records of one commit are then neighbours in a
// tree, on one or two pages. With random ids, each record would change a page of its own.

// userIDBytes is the length of a user's id as bytes.
const userIDBytes = 16

// NewUserID returns the id of a new user: 128 random bits, as 32 hexadecimal digits.
func NewUserID() string {
	var id [userIDBytes]byte
	rand.Read(id[:]) // never fails, as crypto/rand promises
	return hex.EncodeToString(id[:])
}

// IsUserID reports whether a text is the id of a user: 32 hexadecimal digits, in lower case.
func IsUserID(id string) bool {
	if len(id) != 2*userIDBytes {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// timeBytes is how much of an id is time, in milliseconds since 1970.
const timeBytes = 6

func putTime(id []byte, now time.Time) {
	var whole [8]byte
	binary.BigEndian.PutUint64(whole[:], uint64(now.UnixMilli()))
	copy(id[:timeBytes], whole[8-timeBytes:])
}

// NewTicketID returns the id of a new ticket: the time, and 80 random bits.
func NewTicketID(now time.Time) (id [16]byte) {
	putTime(id[:], now)
	rand.Read(id[timeBytes:]) // never fails, as crypto/rand promises
	return id
}

// newEventID returns the id of a new event, which sorts by time to the nanosecond. Random
// bytes break ties.
func newEventID(now time.Time) (id EventID) {
	binary.BigEndian.PutUint64(id[:8], uint64(now.UnixNano()))
	rand.Read(id[8:])
	return id
}

// SessionTokenLength is the length of a token of [NewSessionToken], in characters of base64url.
const SessionTokenLength = 43

// NewSessionToken returns a token for the cookie of a new session. It has the time, which is
// not secret, and 208 random bits.
func NewSessionToken(now time.Time) string {
	var token [32]byte
	putTime(token[:], now)
	rand.Read(token[timeBytes:])
	return base64.RawURLEncoding.EncodeToString(token[:])
}

// SessionID returns the id of the session with this token: the token's time, and the SHA-256
// of the whole token. A text that is not a token gets an id that no session has.
func SessionID(token string) Hash {
	const timeLength = timeBytes * 8 / 6
	id := HashOf(token)
	if len(token) != SessionTokenLength {
		return id
	}
	if time, err := base64.RawURLEncoding.DecodeString(token[:timeLength]); err == nil {
		copy(id[:timeBytes], time)
	}
	return id
}

// Hash is the SHA-256 of a token, or a session's id of [SessionID]. The store never sees a
// token itself.
type Hash [sha256.Size]byte

// HashOf returns the hash of a token, which the store keeps instead of the token.
func HashOf(token string) Hash { return sha256.Sum256([]byte(token)) }
