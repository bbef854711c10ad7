package boltstore

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
)

// Check reads every record, every index entry and every number of a file that nobody writes. It
// returns how many records of each kind the file has. The error says what is wrong. The file is
// not changed. Now is the time: numbers of days that are too long ago don't count.
func Check(path string, now time.Time) (counts map[store.Kind]int, err error) {
	db, err := openReadOnly(path)
	if err != nil {
		return nil, err
	}
	damaged := func(err error) error {
		if err == nil {
			return nil
		}
		return errors.Join(fmt.Errorf("the database %s is damaged: %w", path, err), db.Close())
	}
	if err := damaged(db.View(func(tx *bbolt.Tx) error { return checkPages(tx, path) })); err != nil {
		return nil, err
	}
	if err := refuseOther(db, path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	c := checker{now: now, records: map[store.Kind]int{}, counted: map[string]int{}}
	if err := damaged(db.View(c.all)); err != nil {
		return nil, err
	}
	return c.records, db.Close()
}

// checker compares the records of a file with what is derived from them, in both directions.
type checker struct {
	now     time.Time
	tx      *bbolt.Tx
	records map[store.Kind]int
	counted map[string]int // by category
}

func (c *checker) all(tx *bbolt.Tx) error {
	c.tx = tx
	err := tx.Bucket(bucketPeople).ForEach(func(key, _ []byte) error {
		if _, _, _, ok := cutKey(key); !ok {
			return fmt.Errorf("%x is nothing that belongs to a user", key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = tx.Bucket(bucketKinds).ForEach(func(key, _ []byte) error {
		if _, _, ok := cutKindKey(key); !ok {
			return fmt.Errorf("%q marks no kind of events", key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = tx.Bucket(bucketPast).ForEach(func(key, _ []byte) error {
		if len(key) != rawLength+idLength {
			return fmt.Errorf("%x is no block of a user's events", key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, kind := range store.Kinds {
		if err := c.kind(kind); err != nil {
			return err
		}
	}
	for _, index := range []struct {
		bucket []byte
		holds  func(key, value []byte) error
	}{
		{bucketNames, c.name}, {bucketCredentials, c.credential}, {bucketIdentities, c.identity}, {bucketEmails, c.email}, {bucketLists, c.listed},
	} {
		if err := tx.Bucket(index.bucket).ForEach(index.holds); err != nil {
			return fmt.Errorf("the index %s: %w", index.bucket, err)
		}
	}
	return errors.Join(c.orderOfEvents(), c.counts())
}

// kind reads all records of a kind.
func (c *checker) kind(kind store.Kind) error {
	var last []byte
	for op, err := range opsFrom(c.tx, kind, nil) {
		if err != nil {
			return fmt.Errorf("%s record after %q: %w", kind, last, err)
		}
		key := store.RecordOf(op).Key
		if last != nil && bytes.Compare(key, last) <= 0 {
			return fmt.Errorf("%s %q comes after %q", kind, key, last)
		}
		last = key
		c.records[kind]++
		if err := op.Check(); err != nil {
			return fmt.Errorf("%s %q: %w", kind, key, err)
		}
		switch op := op.(type) {
		case store.PutUser:
			for _, category := range op.User.Counted() {
				c.counted[category]++
			}
			if err := c.user(op.User); err != nil {
				return err
			}
		case store.AddEvent:
			if category, n := op.Event.Counted(); category != "" {
				c.counted[category] += n
			}
		}
	}
	return nil
}

// user looks for the index entries of a user.
func (c *checker) user(u store.User) error {
	leads := func(index, key []byte) bool { return bytes.Equal(c.tx.Bucket(index).Get(key), rawOf(u.ID)) }
	if !leads(bucketNames, []byte(u.Name)) {
		return fmt.Errorf("user %q isn't found by their name", u.Name)
	}
	for _, p := range u.Passkeys {
		if !leads(bucketCredentials, p.CredentialID) {
			return fmt.Errorf("user %q isn't found by the passkey %q", u.Name, p.Name)
		}
	}
	for _, i := range u.Identities {
		if !leads(bucketIdentities, identityKey(i.Issuer, i.Subject)) {
			return fmt.Errorf("user %q isn't found by the identity %q", u.Name, i.Name)
		}
	}
	if key := u.UniqueEmail(); key != "" && !leads(bucketEmails, []byte(key)) {
		return fmt.Errorf("user %q isn't found by their e-mail address", u.Name)
	}
	for _, entry := range u.Entries() {
		if c.tx.Bucket(bucketLists).Get(listKey(entry, rawOf(u.ID))) == nil {
			return fmt.Errorf("user %q isn't listed under %q", u.Name, entry)
		}
	}
	return nil
}

func (c *checker) name(name, raw []byte) error {
	u, err := getUser(c.tx, raw)
	if err != nil || u.Name != string(name) {
		return fmt.Errorf("%q leads to nobody of that name", name)
	}
	return nil
}

func (c *checker) credential(credentialID, raw []byte) error {
	u, err := getUser(c.tx, raw)
	if err != nil || !hasCredential(u, credentialID) {
		return fmt.Errorf("%x leads to nobody who has it", credentialID)
	}
	return nil
}

func (c *checker) identity(identity, raw []byte) error {
	u, err := getUser(c.tx, raw)
	issuer, subject, _ := bytes.Cut(identity, []byte{0})
	if err != nil || !u.Has(string(issuer), string(subject)) {
		return fmt.Errorf("%q leads to nobody who has it", identity)
	}
	return nil
}

func (c *checker) email(key, raw []byte) error {
	u, err := getUser(c.tx, raw)
	if err != nil || u.UniqueEmail() != string(key) {
		return fmt.Errorf("%q leads to nobody who has verified that address", key)
	}
	return nil
}

func (c *checker) listed(key, _ []byte) error {
	entry, raw := cutListKey(key)
	u, err := getUser(c.tx, raw)
	if err != nil || !slices.Contains(u.Entries(), entry) {
		return fmt.Errorf("%q leads to nobody who belongs there", key)
	}
	return nil
}

// orderOfEvents follows each entry of the order. Every event must be found by one.
func (c *checker) orderOfEvents() error {
	found, before := 0, map[store.EventMark]bool{}
	var last store.EventID
	for e, err := range entriesFrom(c.tx, store.EventID{}) {
		if err != nil {
			return err
		}
		if e.id != last {
			clear(before)
			last = e.id
		}
		if e.kind != usualKind && c.tx.Bucket(bucketKinds).Get(kindKey(e.kind, spanOf(e.id))) == nil {
			return fmt.Errorf("the order of all events has no mark for %s at %v", e.kind, e.id.Time())
		}
		events, err := e.events(c.tx)
		if err != nil {
			return err
		}
		for _, v := range events {
			if !before[v.Mark()] {
				before[v.Mark()] = true
				found++
			}
		}
	}
	if found != c.records[store.KindEvent] {
		return fmt.Errorf("the order of all events leads to %d of %d", found, c.records[store.KindEvent])
	}
	return nil
}

// counts compares the numbers with those of the records.
func (c *checker) counts() error {
	kept := map[string]int{}
	for _, bucket := range [][]byte{bucketCounts, bucketDays} {
		err := c.tx.Bucket(bucket).ForEach(func(category, value []byte) error {
			kept[string(category)] += numberOf(value)
			return nil
		})
		if err != nil {
			return err
		}
	}
	past := func(category string, _ int) bool { return !store.IsCounted(category, c.now) }
	maps.DeleteFunc(kept, past)
	maps.DeleteFunc(c.counted, past)
	if !maps.Equal(kept, c.counted) {
		return fmt.Errorf("its counts are %v, and of its records %v", kept, c.counted)
	}
	return nil
}
