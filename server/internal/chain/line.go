package chain

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/keypeg/keypeg/server/store"
)

// half is the first half of a user's id. It is enough to find the user: see [userOf].
type half [8]byte

// line is what the chain has of one event.
type line struct {
	place
	hash [16]byte // half of an HMAC-SHA256, which leaves 128 bits
}

// place names an event.
type place struct {
	id   store.EventID
	user half
}

func placeOf(v store.Event) place { return place{v.ID, halfOf(v.UserID)} }

func halfOf(userID string) (h half) {
	hex.Decode(h[:], []byte(userID)[:2*len(h)])
	return h
}

// text returns the first half of a user's id as it is in the id.
func (h half) text() string { return hex.EncodeToString(h[:]) }

// ofOrganisation reports whether an event belongs to no user. Its hash has no salt: it outlives
// all users, so it has nothing about one.
func (h half) ofOrganisation() bool { return h == halfOf(store.Organisation) }

// lineOf returns the line of an event as it is now.
func lineOf(v store.Event, salt []byte) line {
	sum := hmac.New(sha256.New, salt)
	sum.Write(contentOf(v))
	l := line{place: placeOf(v)}
	copy(l.hash[:], sum.Sum(nil))
	return l
}

// contentOf writes everything that an event says, each field with its length. How long the event is
// kept isn't part of it. A new field of an event is added at the end, and left out while it is
// empty, so that older lines stay right.
func contentOf(v store.Event) []byte {
	content := append([]byte("keypeg event 1\x00"), v.ID[:]...)
	for _, text := range []string{
		v.UserID, string(v.Kind), string(v.Method), v.PasskeyID, v.Passkey, v.Provider, v.By, v.About,
		v.Client.Browser, v.Client.System, v.Client.Address, v.Client.Mark,
	} {
		content = append(binary.AppendUvarint(content, uint64(len(text))), text...)
	}
	content = binary.BigEndian.AppendUint64(content, uint64(v.Time.UnixMicro()))
	last := int64(0)
	if !v.Last.IsZero() {
		last = v.Last.UnixMicro()
	}
	content = binary.BigEndian.AppendUint64(content, uint64(last))
	content = binary.BigEndian.AppendUint64(content, v.Count)
	for i, text := range []string{string(v.Reason), v.Change} { // each with its number
		if text != "" {
			content = append(binary.AppendUvarint(append(content, byte(i+1)), uint64(len(text))), text...)
		}
	}
	return content
}

// appendLines writes lines after others: the time since the event before in microseconds, the
// difference of the numbers in the ids, the place of the user among those of the block or a new
// user, and the hash.
func appendLines(b []byte, after, lines []line) []byte {
	var users []half
	var before store.EventID
	for _, l := range after {
		before = l.id
		if !slices.Contains(users, l.user) {
			users = append(users, l.user)
		}
	}
	for _, l := range lines {
		b = binary.AppendVarint(b, micros(l.id)-micros(before))
		b = binary.AppendVarint(b, number(l.id)-number(before))
		before = l.id
		at := slices.Index(users, l.user)
		b = binary.AppendUvarint(b, uint64(at+1))
		if at < 0 {
			users = append(users, l.user)
			b = append(b, l.user[:]...)
		}
		b = append(b, l.hash[:]...)
	}
	return b
}

var errDamaged = errors.New("chain: damaged lines")

// readLines reads what appendLines wrote.
func readLines(b []byte) (lines []line, err error) {
	var users []half
	var at, n int64
	for len(b) > 0 {
		var l line
		var since, ahead int64
		var place uint64
		if since, b, err = readNumber(b, binary.Varint); err != nil {
			return nil, err
		}
		if ahead, b, err = readNumber(b, binary.Varint); err != nil {
			return nil, err
		}
		if place, b, err = readNumber(b, binary.Uvarint); err != nil {
			return nil, err
		}
		at, n = at+since, n+ahead
		binary.BigEndian.PutUint64(l.id[:], uint64(at)*1000)
		binary.BigEndian.PutUint16(l.id[8:], uint16(n))
		switch {
		case place > uint64(len(users)):
			return nil, errDamaged
		case place > 0:
			l.user = users[place-1]
		default:
			if len(b) < len(l.user) {
				return nil, errDamaged
			}
			b = b[copy(l.user[:], b):]
			users = append(users, l.user)
		}
		if len(b) < len(l.hash) {
			return nil, errDamaged
		}
		b = b[copy(l.hash[:], b):]
		lines = append(lines, l)
	}
	return lines, nil
}

func readNumber[N int64 | uint64](b []byte, read func([]byte) (N, int)) (N, []byte, error) {
	n, length := read(b)
	if length <= 0 {
		return 0, nil, errDamaged
	}
	return n, b[length:], nil
}

// micros is the time in an id, which has whole microseconds.
func micros(id store.EventID) int64 { return int64(binary.BigEndian.Uint64(id[:]) / 1000) }

func number(id store.EventID) int64 { return int64(binary.BigEndian.Uint16(id[8:])) }
