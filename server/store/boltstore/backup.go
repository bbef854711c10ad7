package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/internal/namedfile"
	"github.com/keypeg/keypeg/server/store"
)

// WriteTo implements [store.BackupWriter].
func (s *Store) WriteTo(w io.Writer) (n int64, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		n, err = tx.WriteTo(w)
		return err
	})
	return n, err
}

// Copy is [Store.WriteTo] for a file that nobody writes. It checks nothing; see [Check].
func Copy(path string, w io.Writer) error {
	db, err := openReadOnly(path)
	if err != nil {
		return err
	}
	_, err = (&Store{db: db}).WriteTo(w)
	return errors.Join(err, db.Close())
}

// OpenReadOnly opens a file that nobody writes, and never writes to it. Apply fails. If the file
// has an older format, a copy in the folder for temporary files (TMPDIR) is brought up to date
// and read instead. That needs room for twice the size of the file.
func OpenReadOnly(path string, now store.Clock) (*Store, error) {
	db, err := openReadOnly(path)
	if err != nil {
		return nil, err
	}
	if db, err = upToDate(db, path); err != nil {
		return nil, err
	}
	return &Store{db: db, now: now, readOnly: true}, nil
}

func openReadOnly(path string) (*bbolt.DB, error) {
	info, err := namedfile.Look(path)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if info.Size() == 0 {
		return nil, fmt.Errorf("the database %s is empty", path)
	}
	return openFile(path, &bbolt.Options{ReadOnly: true})
}

// upToDate returns a database in the current format: the given one, or an updated copy of it.
// It closes the given one unless it returns it.
func upToDate(db *bbolt.DB, path string) (*bbolt.DB, error) {
	have, err := formatOf(db)
	switch {
	case err == nil && have == format:
		return db, nil
	case err == nil && have == 0:
		err = errors.New("it is empty")
	}
	var newer *bbolt.DB
	if err == nil {
		newer, err = updatedCopy(db)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, fmt.Errorf("the database %s: %w", path, err)
	}
	return newer, nil
}

func updatedCopy(db *bbolt.DB) (*bbolt.DB, error) {
	file, err := os.CreateTemp("", "keypeg-*.db")
	if err != nil {
		return nil, err
	}
	err = db.View(func(tx *bbolt.Tx) error { _, err := tx.WriteTo(file); return err })
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(file.Name()))
	}
	newer, err := openFile(file.Name(), &bbolt.Options{NoSync: true})
	// The open file stays readable. Its space becomes free when it is closed, even by a crash.
	if err := errors.Join(err, os.Remove(file.Name())); err != nil {
		return nil, err
	}
	if err := prepare(newer); err != nil {
		return nil, errors.Join(err, newer.Close())
	}
	return newer, nil
}

// Check reads every record and every index entry of a file that nobody writes. It returns how
// many records of each kind the file has. The error says what is wrong. The file is not changed.
func Check(path string) (counts map[store.Kind]int, err error) {
	db, err := openReadOnly(path)
	if err != nil {
		return nil, err
	}
	look := func(check func(*bbolt.Tx) error) error {
		if err := db.View(check); err != nil {
			return errors.Join(fmt.Errorf("the database %s is damaged: %w", path, err), db.Close())
		}
		return nil
	}
	if err := look(func(tx *bbolt.Tx) error { return checkPages(tx, path) }); err != nil {
		return nil, err
	}
	if db, err = upToDate(db, path); err != nil {
		return nil, err
	}
	counts = map[store.Kind]int{}
	if err := look(func(tx *bbolt.Tx) error { return (&checker{tx, counts}).all() }); err != nil {
		return nil, err
	}
	return counts, db.Close()
}

// checker compares the records of a file with its indexes, in both directions.
type checker struct {
	tx     *bbolt.Tx
	counts map[store.Kind]int
}

func (c *checker) all() error {
	if err := c.tx.Bucket(bucketUsers).ForEach(c.part); err != nil {
		return err
	}
	for _, kind := range []store.Kind{store.KindSession, store.KindLink, store.KindSecret, store.KindTicket} {
		if err := c.tx.Bucket(bucketOf[kind]).ForEach(func(key, value []byte) error { return c.record(kind, key, value) }); err != nil {
			return err
		}
	}
	for _, index := range []struct {
		bucket []byte
		holds  func(key, value []byte) error
	}{
		{bucketNames, c.name}, {bucketCredentials, c.credential}, {bucketIdentities, c.identity}, {bucketAdmins, c.admin}, {bucketExpiry, c.expiry},
	} {
		if err := c.tx.Bucket(index.bucket).ForEach(index.holds); err != nil {
			return fmt.Errorf("the index %s: %w", index.bucket, err)
		}
	}
	return nil
}

// part checks an event or an entry of a session.
func (c *checker) part(key, value []byte) error {
	switch kind, userID, id := partOf(key); kind {
	case store.KindUser:
		return c.record(kind, userID, value)
	case store.KindEvent:
		return c.record(kind, key, value)
	case store.KindSession:
		session, err := store.DecodeSession(c.tx.Bucket(bucketSessions).Get(id))
		if err != nil || session.UserID != string(userID) {
			return fmt.Errorf("an entry of user %q leads to no session of theirs", userID)
		}
		return nil
	}
	return fmt.Errorf("%q is nothing that belongs to a user", key)
}

// expiringKinds maps the kinds of records that expire to their kinds in the expiry index.
var expiringKinds = map[store.Kind]kind{
	store.KindSession: kindSession, store.KindEvent: kindEvent, store.KindLink: kindLink, store.KindTicket: kindTicket,
}

func (c *checker) record(of store.Kind, key, value []byte) error {
	c.counts[of]++
	op, expires, err := opOf(of, key, value)
	if err != nil {
		return fmt.Errorf("%s %q: %w", of, key, err)
	}
	if !bytes.Equal(store.RecordOf(op).Key, key) {
		return fmt.Errorf("%s %q lies under another key", of, key)
	}
	if k, expiring := expiringKinds[of]; expiring && c.tx.Bucket(bucketExpiry).Get(expiryKey(expires, k, key)) == nil {
		return fmt.Errorf("%s %q is missing in the index of what expires", of, key)
	}

	switch op := op.(type) {
	case store.PutUser:
		u := op.User
		if !bytes.Equal(c.tx.Bucket(bucketNames).Get([]byte(u.Name)), key) {
			return fmt.Errorf("user %q isn't found by their name", u.Name)
		}
		for _, p := range u.Passkeys {
			if !bytes.Equal(c.tx.Bucket(bucketCredentials).Get(p.CredentialID), key) {
				return fmt.Errorf("user %q isn't found by the passkey %q", u.Name, p.Name)
			}
		}
		for _, i := range u.Identities {
			if !bytes.Equal(c.tx.Bucket(bucketIdentities).Get(identityKey(i.Issuer, i.Subject)), key) {
				return fmt.Errorf("user %q isn't found by the identity %q", u.Name, i.Name)
			}
		}
		if u.Admin != (c.tx.Bucket(bucketAdmins).Get(key) != nil) {
			return fmt.Errorf("user %q isn't listed rightly as an administrator", u.Name)
		}
	case store.AddSession:
		if c.tx.Bucket(bucketUsers).Get(sessionEntry(op.Session.UserID, key)) == nil {
			return fmt.Errorf("a session isn't found by its user")
		}
	}
	return nil
}

func (c *checker) name(name, id []byte) error {
	u, err := getUser(c.tx, id)
	if err != nil || u.Name != string(name) {
		return fmt.Errorf("%q leads to nobody of that name", name)
	}
	return nil
}

func (c *checker) credential(credentialID, id []byte) error {
	u, err := getUser(c.tx, id)
	if err != nil || !hasCredential(u, credentialID) {
		return fmt.Errorf("%x leads to nobody who has it", credentialID)
	}
	return nil
}

func (c *checker) identity(identity, id []byte) error {
	u, err := getUser(c.tx, id)
	issuer, subject, _ := bytes.Cut(identity, []byte{0})
	if err != nil || !u.Has(string(issuer), string(subject)) {
		return fmt.Errorf("%q leads to nobody who has it", identity)
	}
	return nil
}

func (c *checker) admin(id, _ []byte) error {
	u, err := getUser(c.tx, id)
	if err != nil || !u.Admin {
		return fmt.Errorf("%q is no administrator", id)
	}
	return nil
}

func (c *checker) expiry(entry, _ []byte) error {
	if len(entry) < 9 || !slices.Contains([]kind{kindSession, kindEvent, kindLink, kindTicket}, kind(entry[8])) {
		return fmt.Errorf("%x is no entry", entry)
	}
	expires, err := kind(entry[8]).expires(kind(entry[8]).bucket(c.tx).Get(entry[9:]))
	if err != nil || uint64(expires.UnixNano()) != binary.BigEndian.Uint64(entry) {
		return fmt.Errorf("an entry for %s leads to nothing that ends then", time.Unix(0, int64(binary.BigEndian.Uint64(entry))).UTC().Format(time.RFC3339))
	}
	return nil
}

// errReadOnly refuses writes to a store of OpenReadOnly.
var errReadOnly = errors.New("boltstore: opened for reading only")
