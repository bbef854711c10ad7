package store

import (
	"context"
	"encoding/hex"
	"errors"
	"time"
)

// A signal tells a password manager that a passkey was removed, and the password manager may
// delete the passkey for ever. That harms if another server has the same relying party id, or
// if IT serves an old database instead of the current one. So a signal needs two conditions.
//
// First, the database has a tombstone, which proves that the passkey was removed here. The
// batch that removes the passkey writes it. It has the hash of the credential id, and nothing
// of the user. A passkey that no user has proves nothing: it may be the wrong database.
//
// Second, signals are not held. They are held in a database that was restored from a backup or
// copied from another one, until IT says that this database is complete and the only one.

const (
	tombstonePrefix = "removed-passkey/"
	heldKey         = "signals-held"

	// A tombstone lasts longer than people keep a passkey that doesn't work. An expired one
	// proves nothing.
	tombstoneLasts = 10 * 365 * 24 * time.Hour
	// heldLasts is longer than anybody leaves signals held.
	heldLasts = 100 * 365 * 24 * time.Hour
)

// Tombstone returns an operation that every batch must have that removes this passkey.
func Tombstone(now time.Time, removed Passkey) Op {
	return PutLink{Link: Link{
		Key: tombstoneKey(removed.CredentialID), Hash: HashOf(string(removed.CredentialID)), Expires: now.Add(tombstoneLasts),
	}}
}

func tombstoneKey(credentialID []byte) string {
	hash := HashOf(string(credentialID))
	return tombstonePrefix + hex.EncodeToString(hash[:])
}

// HasTombstone reports whether a passkey with this credential id was removed here.
func HasTombstone(ctx context.Context, s Store, credentialID []byte) (bool, error) {
	return hasLink(ctx, s, tombstoneKey(credentialID))
}

// HoldSignals returns the operation that holds all signals of a database.
func HoldSignals(now time.Time) Op {
	return PutLink{Link: Link{Key: heldKey, Hash: HashOf(heldKey), Expires: now.Add(heldLasts)}}
}

// AllowSignals allows or holds the signals of a database. Only IT may decide it.
func AllowSignals(ctx context.Context, s Store, allowed bool, now time.Time) error {
	if !allowed {
		return s.Apply(ctx, Batch{HoldSignals(now)})
	}
	err := s.Apply(ctx, Batch{TakeLink{Key: heldKey, Hash: HashOf(heldKey)}})
	if errors.Is(err, ErrNotFound) {
		return nil // nothing was held
	}
	return err
}

// AreSignalsHeld reports whether the signals of a database are held.
func AreSignalsHeld(ctx context.Context, s Store) (bool, error) { return hasLink(ctx, s, heldKey) }

func hasLink(ctx context.Context, s Store, key string) (bool, error) {
	_, err := s.Link(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// HoldsSignals reports whether a record is that of [HoldSignals]. It is about one database, so
// it must not be copied into another.
func HoldsSignals(record Record) bool {
	link, is := record.Op.(PutLink)
	return is && link.Link.Key == heldKey
}
