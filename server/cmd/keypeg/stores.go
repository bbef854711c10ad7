package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/transfer"
)

// organisation is the one of an installation for one.
const organisation = ""

// openStore opens the database that a setting names, if it is whole.
func openStore(ctx context.Context, database string, now store.Clock) (store.Store, error) {
	db, err := openAnyStore(ctx, database, now)
	if err != nil {
		return nil, err
	}
	if err := transfer.Unfinished(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// openAnyStore opens a database: a PostgreSQL URL, or the path of a file. Errors
// are sentences for IT.
func openAnyStore(ctx context.Context, database string, now store.Clock) (store.Store, error) {
	switch {
	case pgstore.IsURL(database):
		return pgstore.Open(ctx, database, organisation, now)
	case strings.Contains(database, "://"):
		scheme, _, _ := strings.Cut(database, "://")
		return nil, fmt.Errorf("there is no kind of database called %q: write the path of a file, or postgres://user@host/database", scheme)
	default:
		return boltstore.Open(database, now)
	}
}

// isShared tells whether others may have the database open at the same time. One
// that isn't takes commands over the socket of its server.
func (s *settings) isShared() bool { return pgstore.IsURL(s.Database) }

// withStore opens the database for one command.
func (s *settings) withStore(ctx context.Context, do func(store.Store) error) error {
	db, err := openStore(ctx, s.Database, time.Now)
	if err != nil {
		return err
	}
	defer db.Close()
	return do(db)
}
