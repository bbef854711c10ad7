package store

import (
	"context"
	"encoding/hex"
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

var (
	tombstones = Collection[struct{}]{Name: "removed-passkey"} // by the hash of the credential id
	held       = Collection[struct{}]{Name: "signals-held"}    // one item, with the key ""
)

// A tombstone lasts longer than people keep a passkey that doesn't work. An expired one
// proves nothing.
const tombstoneLasts = 10 * 365 * 24 * time.Hour

// Tombstone returns an operation that every batch must have that removes this passkey.
func Tombstone(now time.Time, removed Passkey) Op {
	return tombstones.Put(Entry[struct{}]{
		Key: tombstoneKey(removed.CredentialID), Version: AnyVersion, Expires: now.Add(tombstoneLasts),
	})
}

func tombstoneKey(credentialID []byte) string {
	hash := HashOf(string(credentialID))
	return hex.EncodeToString(hash[:])
}

// HasTombstone reports whether a passkey with this credential id was removed here.
func HasTombstone(ctx context.Context, s Store, credentialID []byte) (bool, error) {
	return tombstones.Has(ctx, s, "", tombstoneKey(credentialID))
}

// HoldSignals returns the operation that holds all signals of a database.
func HoldSignals() Op { return held.Put(Entry[struct{}]{Version: AnyVersion}) }

// AllowSignals allows or holds the signals of a database. Only IT may decide it.
func AllowSignals(ctx context.Context, s Store, allowed bool) error {
	op := HoldSignals()
	if allowed {
		op = held.Remove(Entry[struct{}]{Version: AnyVersion})
	}
	return s.Apply(ctx, Batch{op})
}

// AreSignalsHeld reports whether the signals of a database are held.
func AreSignalsHeld(ctx context.Context, s Store) (bool, error) { return held.Has(ctx, s, "", "") }

// HoldsSignals reports whether an item is that of [HoldSignals]. It is about one database, so
// it must not be copied into another.
func HoldsSignals(item Item) bool { return held.Holds(item) }
