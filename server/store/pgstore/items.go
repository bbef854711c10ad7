package pgstore

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/keypeg/keypeg/server/store"
)

const itemColumns = `owner, collection, key, value, version, expires`

// Item implements [store.Store].
func (s *Store) Item(ctx context.Context, owner, collection, key string) (store.Item, error) {
	if !storable(owner) || !storable(collection) || !storable(key) {
		return store.Item{}, store.ErrNotFound
	}
	return query(ctx, s, `SELECT `+itemColumns+` FROM items
		WHERE organisation = $1 AND owner = $2 AND collection = $3 AND key = $4 AND (expires IS NULL OR expires > $5)`,
		[]any{s.organisation, owner, collection, key, s.now()}, one(scanItem))
}

// Items implements [store.Store].
func (s *Store) Items(ctx context.Context, owner, collection, after string, limit int) ([]store.Item, error) {
	if !storable(owner) || !storable(collection) {
		return nil, nil
	}
	return query(ctx, s, `SELECT `+itemColumns+` FROM items
		WHERE organisation = $1 AND owner = $2 AND collection = $3 AND key > $4 AND (expires IS NULL OR expires > $5) ORDER BY key LIMIT $6`,
		[]any{s.organisation, owner, collection, after, s.now(), limit}, many(scanItem))
}

func scanItem(rows pgx.Rows) (v store.Item, err error) {
	var version int64
	var expires pgtype.Timestamptz
	err = rows.Scan(&v.Owner, &v.Collection, &v.Key, &v.Value, &version, &expires)
	v.Version, v.Expires = uint64(version), moment(expires)
	return v, err
}

func (w *writer) putItem(v store.Item) {
	changed := &store.ItemChanged{Collection: v.Collection, Key: v.Key}
	// Not []byte, which would be bytea where statements are not prepared.
	args := []any{v.Owner, v.Collection, v.Key, string(v.Value), newVersion(), at(v.Expires)}
	const insert = `INSERT INTO items AS i (organisation, ` + itemColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (organisation, owner, collection, key) DO UPDATE SET value = excluded.value, version = excluded.version, expires = excluded.expires`
	switch v.Version {
	case store.AnyVersion:
		w.add(nil, insert, args...)
	case 0:
		w.add(changed, insert+` WHERE i.expires <= $8`, append(args, w.now)...)
	default:
		w.add(changed, `UPDATE items SET value = $5, version = $6, expires = $7
			WHERE organisation = $1 AND owner = $2 AND collection = $3 AND key = $4 AND version = $8 AND (expires IS NULL OR expires > $9)`,
			append(args, int64(v.Version), w.now)...)
	}
}

func (w *writer) removeItem(op store.RemoveItem) {
	switch op.Version {
	case store.AnyVersion:
		w.add(nil, `DELETE FROM items WHERE organisation = $1 AND owner = $2 AND collection = $3 AND key = $4`, op.Owner, op.Collection, op.Key)
	case 0:
		// A row that has expired is no item. It takes the place, so that this batch is refused
		// if another one makes the item at the same time.
		w.putItem(store.Item{Owner: op.Owner, Collection: op.Collection, Key: op.Key, Value: []byte("null"), Expires: time.Unix(0, 0)})
	default:
		w.add(&store.ItemChanged{Collection: op.Collection, Key: op.Key}, `DELETE FROM items
			WHERE organisation = $1 AND owner = $2 AND collection = $3 AND key = $4 AND version = $5 AND (expires IS NULL OR expires > $6)`,
			op.Owner, op.Collection, op.Key, int64(op.Version), w.now)
	}
}

// newVersion returns the version of an item's next state: 63 random bits, because a counter
// would begin again after the item was removed.
func newVersion() int64 {
	var b [8]byte
	rand.Read(b[:]) // never fails, as crypto/rand promises
	return max(int64(binary.BigEndian.Uint64(b[:])>>1), 1)
}
