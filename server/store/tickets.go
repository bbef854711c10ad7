package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// Tickets are the spent tickets of ceremonies, so that nobody uses one again: with the same
// user or another one, on this node or another one, before or after a restart. Each has its
// id as the key, and expires with the ticket. They have no owner, since a ticket may be begun
// before its user is known: a place under the user would let each user spend it once.
var Tickets = Collection[struct{}]{Name: "ticket"}

// TicketID names a ticket. It begins with the time when the ticket was issued, in nanoseconds
// since 1970, as an [EventID] does: a backend can keep both together.
type TicketID [16]byte

// NewTicketID returns the id of a new ticket: the time, and 64 random bits.
func NewTicketID(now time.Time) (id TicketID) {
	binary.BigEndian.PutUint64(id[:], uint64(now.UnixNano()))
	rand.Read(id[8:]) // never fails, as crypto/rand promises
	return id
}

// TicketIDOf returns the id of a ticket that has a unique text already: the time, and a hash of
// the text.
func TicketIDOf(issued time.Time, text string) (id TicketID) {
	binary.BigEndian.PutUint64(id[:], uint64(issued.UnixNano()))
	sum := sha256.Sum256([]byte(text))
	copy(id[8:], sum[:])
	return id
}

// Issued returns the time of the id.
func (id TicketID) Issued() time.Time { return time.Unix(0, int64(binary.BigEndian.Uint64(id[:]))) }

// SpendTicket returns the operation that spends a ticket. Of any number of callers, on any
// number of machines, it succeeds for one: see [IsSpent].
func SpendTicket(id TicketID, expires time.Time) PutItem {
	return Tickets.Put(Entry[struct{}]{Key: hex.EncodeToString(id[:]), Expires: expires})
}

// IsSpent reports whether err says that a ticket was spent before.
func IsSpent(err error) bool { return Tickets.Changed(err) }

func isTicketKey(key string) bool { return IsUserID(key) } // 16 bytes as hexadecimal digits too
