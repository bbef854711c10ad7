package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// format is the version of the layout. A program refuses a file with a later format, and brings
// a file with an earlier format up to its own. Format 2 added identities. Format 3 put the
// records of a user together.
const format = 3

var formatKey = []byte("format")

// formatOf returns the format of a file, 0 for a new one. It refuses formats that this program
// doesn't know, and a file that has not the buckets of its format: the number may be damaged,
// and an update from the wrong format would delete records.
func formatOf(db *bbolt.DB) (have uint32, err error) {
	err = db.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			if name, _ := tx.Cursor().First(); name != nil {
				return errors.New("it is a bbolt file, but not Keypeg's")
			}
			return nil
		}
		written := meta.Get(formatKey)
		if len(written) != 4 {
			return errors.New("it doesn't say its format")
		}
		if have = binary.BigEndian.Uint32(written); have > format {
			return fmt.Errorf("it was written by a newer Keypeg (format %d, this program knows %d): update this program", have, format)
		}
		needed := buckets
		if have < format {
			needed = nil
			for _, part := range scattered {
				needed = append(needed, part.bucket)
			}
		}
		for _, name := range needed {
			if tx.Bucket(name) == nil {
				return fmt.Errorf("it is damaged: it says format %d and has no %s", have, name)
			}
		}
		if have == 0 {
			return errors.New("it is damaged: there is no format 0")
		}
		return nil
	})
	return have, err
}

// prepare makes the buckets of a new file, and brings an older file up to date. The older
// program can still use the file until the last step.
func prepare(db *bbolt.DB) error {
	have, err := formatOf(db)
	if err != nil || have == format {
		return err
	}
	if have != 0 {
		if err := gather(db); err != nil {
			return err
		}
	}
	return db.Update(func(tx *bbolt.Tx) error {
		for _, part := range scattered {
			if err := dropBucket(tx, part.bucket); err != nil {
				return err
			}
		}
		for _, name := range buckets {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put(formatKey, binary.BigEndian.AppendUint32(nil, format))
	})
}

func dropBucket(tx *bbolt.Tx, name []byte) error {
	if err := tx.DeleteBucket(name); !errors.Is(err, bolterrors.ErrBucketNotFound) {
		return err
	}
	return nil
}

// scattered are the buckets of formats 1 and 2 whose entries are in bucketUsers now.
var scattered = []struct {
	bucket []byte
	key    func(old []byte) []byte
}{
	{[]byte("users"), func(id []byte) []byte { return userKey(string(id)) }},
	{[]byte("events"), func(key []byte) []byte { return key }},
	{[]byte("userSessions"), func(key []byte) []byte {
		userID, id, _ := bytes.Cut(key, []byte{0})
		return sessionEntry(string(userID), id)
	}},
}

// gatherStep limits the memory that gather takes.
const gatherStep = 20_000

// gather copies the scattered entries. It first deletes what an interrupted try left, because
// the older program may have changed the file since.
func gather(db *bbolt.DB) error {
	err := db.Update(func(tx *bbolt.Tx) error {
		if err := dropBucket(tx, bucketUsers); err != nil {
			return err
		}
		_, err := tx.CreateBucket(bucketUsers)
		return err
	})
	if err != nil {
		return err
	}
	for _, part := range scattered {
		var next []byte
		for more := true; more; {
			err := db.Update(func(tx *bbolt.Tx) error {
				people, cursor := tx.Bucket(bucketUsers), tx.Bucket(part.bucket).Cursor()
				key, value := cursor.Seek(next)
				for n := 0; key != nil && n < gatherStep; n++ {
					if err := people.Put(part.key(key), value); err != nil {
						return err
					}
					key, value = cursor.Next()
				}
				next, more = bytes.Clone(key), key != nil
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
