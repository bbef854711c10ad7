package boltstore

import (
	"bytes"
	"context"
	"iter"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
)

// Lists of users come from an index, so that a page takes no longer in a large organisation. An
// entry of bucketListed has a term and a name; all users are in bucketNames.

// Users implements [store.Store].
func (s *Store) Users(ctx context.Context, query store.UserQuery, limit int) ([]store.User, error) {
	if err := query.Check(); err != nil {
		return nil, err
	}
	return view(ctx, s, func(tx *bbolt.Tx) (users []store.User, err error) {
		for word, raw := range listedFrom(tx, query) {
			if len(users) >= limit {
				break
			}
			user, err := getUser(tx, raw)
			if err != nil {
				return nil, err
			}
			if query.Find == "" || query.Word(user) == word { // and not again by a later word
				users = append(users, user)
			}
		}
		return users, nil
	})
}

// listedFrom lists the ids of the users after query.After, with the word of Find.
func listedFrom(tx *bbolt.Tx, query store.UserQuery) iter.Seq2[string, []byte] {
	return func(yield func(word string, raw []byte) bool) {
		bucket, prefix, from := bucketNames, "", query.After
		switch term, isBeginning := query.Term(); {
		case isBeginning:
			bucket, prefix = bucketListed, term
			from = term
			if query.After != "" {
				word, name := store.CutPlace(query.After)
				from = string(listedKey(store.TermOf(word), name))
			}
		case term != "":
			bucket, prefix = bucketListed, term+"\x00"
			from = prefix + query.After
		}
		cursor := tx.Bucket(bucket).Cursor()
		key, raw := cursor.Seek([]byte(from))
		if query.After != "" && string(key) == from {
			key, raw = cursor.Next()
		}
		for ; key != nil && bytes.HasPrefix(key, []byte(prefix)); key, raw = cursor.Next() {
			term, _, _ := bytes.Cut(key, []byte{0})
			word, _ := store.CutTerm(string(term))
			if !yield(word, raw) {
				return
			}
		}
	}
}

// HasAdministrator implements [store.Store].
func (s *Store) HasAdministrator(ctx context.Context) (bool, error) {
	some, err := s.Users(ctx, store.UserQuery{In: store.CountAdministrators}, 1)
	return len(some) > 0, err
}
