package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync/atomic"
	"time"
)

// The id of a session begins with that of its user, so that the session lies beside the user's
// record and needs no index. The id of an event begins with the time, so that events lie in
// their order.

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

// Organisation is in the place of a user's id in events that belong to no user, such as the
// removal of one. No user has it.
const Organisation = "ffffffffffffffffffffffffffffffff"

// EventID orders events by time: the nanoseconds since 1970, in whole microseconds, and a number
// that orders events of the same microsecond in the order in which one process made them.
type EventID [10]byte

var eventsMade atomic.Uint32

func newEventID(now time.Time) (id EventID) {
	binary.BigEndian.PutUint64(id[:8], uint64(now.Truncate(time.Microsecond).UnixNano()))
	binary.BigEndian.PutUint16(id[8:], uint16(eventsMade.Add(1)))
	return id
}

// SessionTokenLength is the length of a token of [NewSessionToken], in characters of base64url.
const SessionTokenLength = 43

// NewSessionToken returns a token for the cookie of a new session of a user. It has the id of
// the user, which is not secret, and 128 random bits.
func NewSessionToken(userID string) string {
	var token [2 * userIDBytes]byte
	hex.Decode(token[:userIDBytes], []byte(userID))
	rand.Read(token[userIDBytes:])
	return base64.RawURLEncoding.EncodeToString(token[:])
}

// SessionID returns the id of the session with this token: the user's id, and 128 bits of the
// SHA-256 of the whole token. A text that is not a token gets an id that no session has.
func SessionID(token string) Hash {
	id := HashOf(token)
	plain, err := base64.RawURLEncoding.DecodeString(token)
	if len(token) != SessionTokenLength || err != nil {
		return id
	}
	copy(id[userIDBytes:], id[:])
	copy(id[:userIDBytes], plain)
	return id
}

// UserOfSession returns the id of the user whose session has this id.
func UserOfSession(id Hash) string { return hex.EncodeToString(id[:userIDBytes]) }

// Hash is the SHA-256 of a token, or a session's id of [SessionID]. The store never sees a
// token itself.
type Hash [sha256.Size]byte

// HashOf returns the hash of a token, which the store keeps instead of the token.
func HashOf(token string) Hash { return sha256.Sum256([]byte(token)) }

// String returns the hash as hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText implements [encoding.TextMarshaler]. In the JSON of an [Item], a hash is a text.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return fmt.Errorf("%w: a hash of %d characters", errDamaged, len(text))
	}
	if _, err := hex.Decode(h[:], text); err != nil {
		return fmt.Errorf("%w: a hash: %w", errDamaged, err)
	}
	return nil
}
