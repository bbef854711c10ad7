package boltstore

import (
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// format is the version of the layout. A program refuses a file with another format: nothing
// before format 4 was released.
const format = 4

var formatKey = []byte("format")

// formatOf returns the format of a file, 0 for a new one. It refuses other formats than this
// program's, and a file that has not the buckets of its format.
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
		switch have = binary.BigEndian.Uint32(written); {
		case have > format:
			return fmt.Errorf("it was written by a newer Keypeg (format %d, this program knows %d): update this program", have, format)
		case have == 0:
			return errors.New("it is damaged: there is no format 0")
		case have < format:
			return fmt.Errorf("it has format %d of an earlier Keypeg, and this program reads format %d only. Go on with that program, whose keypeg backup and keypeg restore keep it, or name a new database here, to which everybody is invited again", have, format)
		}
		for _, name := range buckets {
			if tx.Bucket(name) == nil {
				return fmt.Errorf("it is damaged: it says format %d and has no %s", have, name)
			}
		}
		return nil
	})
	return have, err
}

// prepare makes the buckets of a new file.
func prepare(db *bbolt.DB) error {
	have, err := formatOf(db)
	if err != nil || have == format {
		return err
	}
	return db.Update(func(tx *bbolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put(formatKey, binary.BigEndian.AppendUint32(nil, format))
	})
}
