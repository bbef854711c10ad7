package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
)

// kind is a kind of record that expires. Each such record has an entry in the expiry bucket: 8
// bytes of time, the kind, and the record's key. Both are written and removed together.
type kind byte

const (
	kindSession kind = iota + 1
	kindEvent
	kindLink
	kindTicket
)

func (k kind) bucket(tx *bbolt.Tx) *bbolt.Bucket {
	switch k {
	case kindSession:
		return tx.Bucket(bucketSessions)
	case kindEvent:
		return tx.Bucket(bucketUsers)
	case kindLink:
		return tx.Bucket(bucketLinks)
	default:
		return tx.Bucket(bucketTickets)
	}
}

// expires returns when a record of this kind expires.
func (k kind) expires(encoded []byte) (time.Time, error) {
	switch k {
	case kindSession:
		v, err := store.DecodeSession(encoded)
		return v.Expires, err
	case kindEvent:
		v, err := store.DecodeEvent(encoded)
		return v.Expires, err
	case kindLink:
		v, err := store.DecodeLink(encoded)
		return v.Expires, err
	default:
		v, err := store.DecodeSpentTicket(encoded)
		return v.Expires, err
	}
}

// expiryKey returns the key of an entry. It rounds the time as the record does.
func expiryKey(at time.Time, k kind, key []byte) []byte {
	entry := make([]byte, 0, 9+len(key))
	entry = binary.BigEndian.AppendUint64(entry, uint64(at.Truncate(time.Microsecond).UnixNano()))
	entry = append(entry, byte(k))
	return append(entry, key...)
}

// put writes a record and its entry.
func put(tx *bbolt.Tx, k kind, key, encoded []byte, expires time.Time) error {
	if err := k.bucket(tx).Put(key, encoded); err != nil {
		return err
	}
	return tx.Bucket(bucketExpiry).Put(expiryKey(expires, k, key), []byte{})
}

// replace is put for a record that may exist already.
func replace(tx *bbolt.Tx, k kind, key, encoded []byte, expires time.Time) error {
	if err := dropExpiring(tx, k, key); err != nil {
		return err
	}
	return put(tx, k, key, encoded, expires)
}

// dropExpiring removes a record, if it exists, with its entry and what else points to it.
func dropExpiring(tx *bbolt.Tx, k kind, key []byte) error {
	encoded := k.bucket(tx).Get(key)
	if encoded == nil {
		return nil
	}
	if k == kindSession {
		session, err := store.DecodeSession(encoded)
		if err != nil {
			return err
		}
		if err := tx.Bucket(bucketUsers).Delete(sessionEntry(session.UserID, key)); err != nil {
			return err
		}
	}
	expires, err := k.expires(encoded)
	if err != nil {
		return err
	}
	if err := tx.Bucket(bucketExpiry).Delete(expiryKey(expires, k, key)); err != nil {
		return err
	}
	return k.bucket(tx).Delete(key)
}

const (
	sweepEvery = time.Minute
	// sweepStep limits what one step removes, so that no sign-in waits long.
	sweepStep = 256
)

func (s *Store) sweepNowAndThen() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	var clock store.ClockWatch
	for {
		select {
		case <-s.stop:
			return
		case at := <-ticker.C:
			s.sweepIfSteady(&clock, at)
		}
	}
}

// sweepIfSteady removes all expired records, unless the clock may be wrong.
func (s *Store) sweepIfSteady(clock *store.ClockWatch, at time.Time) {
	if clock.Look(at, s.now()); !clock.IsSteady() {
		return
	}
	// After a full step there may be more. An error is ignored: the next sweep tries again,
	// and a user's write will report the fault.
	for removed, err := sweepStep, error(nil); removed == sweepStep && err == nil; {
		removed, err = s.sweep()
	}
}

// sweep removes at most sweepStep expired records. Other writes can share its transaction. If
// nothing has expired, nothing is written.
func (s *Store) sweep() (removed int, err error) {
	err = s.submit(func(tx *bbolt.Tx) (apply, error) {
		var due [][]byte
		now := expiryKey(s.now(), 0, nil)[:8]
		cursor := tx.Bucket(bucketExpiry).Cursor()
		for entry, _ := cursor.First(); entry != nil && bytes.Compare(entry[:8], now) <= 0 && len(due) < sweepStep; entry, _ = cursor.Next() {
			due = append(due, bytes.Clone(entry))
		}
		if removed = len(due); removed == 0 {
			return nil, errNothingToWrite
		}
		return func(tx *bbolt.Tx) error {
			for _, entry := range due {
				if err := dropExpiring(tx, kind(entry[8]), entry[9:]); err != nil {
					return err
				}
			}
			return nil
		}, nil
	})
	if errors.Is(err, errNothingToWrite) {
		err = nil
	}
	return removed, err
}
