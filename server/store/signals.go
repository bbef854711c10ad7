package store

import (
	"context"
	"encoding/hex"
	"errors"
	"time"
)

// What a password manager is told can't be taken back: a passkey that it deletes is gone,
// also for another server with the same relying party id, and for the newer database in
// whose place an older one is served. So it is told of a passkey only where this file has
// two proofs.
//
// A tombstone proves that the passkey was removed here. It is written in the batch that
// removes the passkey, and holds the hash of its credential id and nothing of its user. That
// nobody has a passkey proves nothing: the database may be the wrong one.
//
// And signals must not be held back. They are in a database that was restored from a backup
// or copied from another one, until IT says that it is the complete and only one.

const (
	tombstonePrefix = "removed-passkey/"
	heldKey         = "signals-held"

	// A tombstone is kept for longer than people keep a passkey that doesn't work. One that
	// has expired is no proof any more.
	tombstoneLasts = 10 * 365 * 24 * time.Hour
	// heldLasts is longer than anybody leaves signals held back.
	heldLasts = 100 * 365 * 24 * time.Hour
)

// Tombstone returns what a batch must have that removes a passkey.
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

// HoldSignals returns what keeps a database from having password managers told anything.
func HoldSignals(now time.Time) Op {
	return PutLink{Link: Link{Key: heldKey, Hash: HashOf(heldKey), Expires: now.Add(heldLasts)}}
}

// AllowSignals has password managers told from now on, or nothing. IT alone may say so.
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

// AreSignalsHeld reports whether password managers must be told nothing of what this
// database says.
func AreSignalsHeld(ctx context.Context, s Store) (bool, error) { return hasLink(ctx, s, heldKey) }

func hasLink(ctx context.Context, s Store, key string) (bool, error) {
	_, err := s.Link(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// HoldsSignals reports whether a record is the one of [HoldSignals]. It tells of its
// database, so that it isn't copied into another.
func HoldsSignals(record Record) bool {
	link, is := record.Op.(PutLink)
	return is && link.Link.Key == heldKey
}
