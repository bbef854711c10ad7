// Package chain seals the events of an organisation, so that a line which was removed or changed
// afterwards is named.
//
// A [Sealer] appends a line for each event to a chain of hashes, some minutes after the event was
// written, and never in the batch of a sign-in. [Verify] compares the events with the lines. A line
// has the id of the event, half of the id of its user, and a hash of everything that the event
// says. It takes some 40 bytes as JSON. Each hash of the chain covers the one before it.
//
// # What it proves
//
// Whoever changes, removes or adds an event in the database without this program is found out, as
// long as they leave the chain alone. Whoever can write to the database can also write a whole new
// chain. So keep the newest hash somewhere else, as printed by keypeg audit verify: a chain that
// doesn't lead to a hash kept earlier was written anew, or is of an older backup. A chain proves
// nothing about the last minutes before its end, nor about the time after the hash that was kept.
// It doesn't prove that an event is true, only that it is as it was some minutes after it was
// written.
//
// # What is erased
//
// The hash of an event is keyed with a salt of its user (line.go). The salt is an item of the user
// and goes with them. What is left of a removed user's lines says nothing about the user, whose
// addresses and names nobody can try out. Verify counts these lines as erased, if there is the event
// that the user was removed. Expired events leave the chain as well: their lines expire with them,
// and the chain then begins at a block that names the hash before it.
//
// # What is written late
//
// An event can be written, or written again, after its time was sealed: failed attempts are merged
// into one event for an hour, and a database may have been away. [Marked] notes such an event in the
// batch that writes it, and the sealer appends a line for it. The newest line of an event counts.
package chain

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// The items of the chain. All but the salts belong to the organisation.
var (
	blocks = store.Collection[block]{Name: "audit-block"}    // full ones, by their numbers
	heads  = store.Collection[head]{Name: "audit-head"}      // one item, with the key ""
	salts  = store.Collection[[]byte]{Name: "audit-salt"}    // one item of each user, with the key ""
	late   = store.Collection[lateEvent]{Name: "audit-late"} // events to seal again, by their marks
)

const (
	// settled is how old an event must be before it is sealed. Every batch that was begun with
	// younger events is written by then, also by a node whose clock differs.
	settled = 5 * time.Minute
	// isLate is the age from which an event may come too late for the sealer.
	isLate = 2 * time.Minute
	// blockLines is how many lines a block has. The newest one is written anew with each change.
	blockLines = 128
	// outlasts is how long a block is kept after its last event would have expired. An event that
	// stands for several lasts for up to a day longer than one that doesn't.
	outlasts = 48 * time.Hour
)

// Hash is a hash of the chain.
type Hash [sha256.Size]byte

// String returns the hash as hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText implements [encoding.TextMarshaler].
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return fmt.Errorf("chain: a hash has %d characters", hex.EncodedLen(len(h)))
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// block is a part of the chain. Its fields are in the hash of its first line.
type block struct {
	Number uint64 `json:"number"`
	Before Hash   `json:"before"` // the hash of the chain before the block
	// Since is the time of the newest event in all blocks before.
	Since time.Time `json:"since,omitzero"`
	// Kept is how long its events are kept, in seconds. A line may be without its event after that.
	Kept  int64  `json:"kept"`
	Lines []byte `json:"lines,omitempty"` // see appendLines
}

// head is the newest block, which isn't full, and how far the events are sealed.
type head struct {
	block
	// To is the time up to which all events have lines.
	To time.Time `json:"to,omitzero"`
	// Target is the time up to which the sealer is at work, from the newest event to the oldest;
	// Cursor is the last one that has a line.
	Target time.Time `json:"target,omitzero"`
	Cursor mark      `json:"cursor,omitzero"`
	// Ahead is set if a clock was ahead. Then events before this time may have lines already.
	Ahead time.Time `json:"ahead,omitzero"`
}

// lateEvent says since when an event waits to be sealed.
type lateEvent struct {
	Since time.Time `json:"since"`
}

// newHead begins a chain. Its first hash is random, so that no two chains are alike.
func newHead(number uint64) head {
	h := head{block: block{Number: number}}
	rand.Read(h.Before[:]) // never fails, as crypto/rand promises
	return h
}

// blockKey is the key of a block. Keys have the order of the numbers.
func blockKey(number uint64) string { return fmt.Sprintf("%016x", number) }

// link is the hash of the chain after a line, which is the first of its block if b isn't nil.
func link(before Hash, b *block, l line) Hash {
	sum := sha256.New()
	if b != nil {
		sum.Write([]byte("keypeg events 1\x00"))
		binary.Write(sum, binary.BigEndian, []int64{int64(b.Number), b.Since.UnixNano(), b.Kept})
	}
	sum.Write(before[:])
	sum.Write(l.id[:])
	sum.Write(l.user[:])
	sum.Write(l.hash[:])
	return Hash(sum.Sum(nil))
}

// hashes returns the hash of the chain after each line of a block, with that before it first.
func (b *block) hashes(lines []line) []Hash {
	all := []Hash{b.Before}
	for i, l := range lines {
		first := b
		if i > 0 {
			first = nil
		}
		all = append(all, link(all[i], first, l))
	}
	return all
}

// expires is when a full block may go.
func (b *block) expires(newest time.Time) time.Time {
	return newest.Add(time.Duration(b.Kept)*time.Second + outlasts)
}

// mark is a [store.EventMark] as JSON.
type mark store.EventMark

// MarshalText implements [encoding.TextMarshaler].
func (m mark) MarshalText() ([]byte, error) {
	return []byte(hex.EncodeToString(m.ID[:]) + m.UserID), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (m *mark) UnmarshalText(text []byte) error {
	const digits = 2 * len(m.ID)
	if len(text) < digits {
		return fmt.Errorf("chain: %q is no mark of an event", text)
	}
	m.UserID = string(text[digits:])
	_, err := hex.Decode(m.ID[:], text[:digits])
	return err
}
