package boltstore

import (
	"bytes"
	"context"
	"iter"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
)

// Lists of users come from an index, so that a page takes no longer in a large organisation:
// bucketLists has the entries of [store.User.Entries], and all users are in bucketNames.

// Users implements [store.Store].
func (s *Store) Users(ctx context.Context, query store.UserQuery, limit int) (page []store.User, next string, err error) {
	if err := query.Check(); err != nil {
		return nil, "", err
	}
	page, err = view(ctx, s, func(tx *bbolt.Tx) (users []store.User, err error) {
		search, err := query.Search(limit, func(prefix string, most int) (n int, err error) {
			for range entriesOfList(tx, prefix, prefix, "") {
				if n++; n >= most {
					break
				}
			}
			return n, nil
		})
		if err != nil {
			return nil, err
		}
		for entry, raw := range entriesOfList(tx, search.Prefix, search.From, search.FromID) {
			if !search.Take(entry, textOf(raw)) {
				break
			}
		}
		next = search.Next()
		for _, found := range search.Found {
			user, err := getUser(tx, rawOf(found.UserID))
			if err != nil {
				return nil, err
			}
			if search.Keeps(found, user) {
				users = append(users, user)
			}
		}
		return users, nil
	})
	return page, next, err
}

// entriesOfList lists the entries with a prefix that are not before from, and their users' ids. With
// an id, it begins behind the entry of that user. Without a prefix, it lists the sign-in names.
func entriesOfList(tx *bbolt.Tx, prefix, from, fromID string) iter.Seq2[string, []byte] {
	return func(yield func(entry string, raw []byte) bool) {
		if prefix == "" {
			cursor := tx.Bucket(bucketNames).Cursor()
			for name, raw := cursor.Seek([]byte(from)); name != nil && yield(string(name), raw); {
				name, raw = cursor.Next()
			}
			return
		}
		begin := []byte(from)
		if fromID != "" {
			begin = listKey(from, rawOf(fromID))
		}
		cursor := tx.Bucket(bucketLists).Cursor()
		for key, _ := cursor.Seek(begin); bytes.HasPrefix(key, []byte(prefix)); key, _ = cursor.Next() {
			entry, raw := cutListKey(key)
			if !(fromID != "" && bytes.Equal(key, begin)) && !yield(entry, raw) {
				return
			}
		}
	}
}

// HasAdministrator implements [store.Store].
func (s *Store) HasAdministrator(ctx context.Context) (bool, error) {
	some, _, err := s.Users(ctx, store.UserQuery{In: store.CountAdministrators}, 1)
	return len(some) > 0, err
}
