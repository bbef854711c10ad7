package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/namedfile"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/transfer"
	"github.com/keypeg/keypeg/server/tenant"
)

// organisation is the one of an installation for one, and in the cloud edition the
// installation itself.
const organisation = ""

// openStore opens the database that a setting names, if it is whole.
func openStore(ctx context.Context, database string, now store.Clock) (store.Store, error) {
	db, err := openAnyStore(ctx, database, now)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(transfer.Unfinished(ctx, db), refuseCloud(ctx, db)); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// refuseCloud keeps a command that was given the wrong edition from making users
// where nobody would find them.
func refuseCloud(ctx context.Context, db store.Store) error {
	is, err := tenant.Exists(ctx, db)
	if err == nil && is {
		return errors.New("this database belongs to an installation of the cloud edition: set --edition cloud")
	}
	return err
}

// openAnyStore opens the one organisation of a database, or the installation's own
// store in the cloud edition.
func openAnyStore(ctx context.Context, database string, now store.Clock) (store.Store, error) {
	return openAny(ctx, database, organisation, now)
}

// openAny opens an organisation of a database: a PostgreSQL URL, or the path of a
// file. Errors are sentences for IT.
func openAny(ctx context.Context, database, name string, now store.Clock) (store.Store, error) {
	if err := checkDatabase(database); err != nil {
		return nil, err
	}
	if pgstore.IsURL(database) {
		return pgstore.Open(ctx, database, name, now)
	}
	return openDatabaseFile(fileOf(database, name), now)
}

// otherKind begins the URL of a database that isn't PostgreSQL's.
var otherKind = regexp.MustCompile(`(?i)^([a-z][a-z0-9+.-]+)://`)

// checkDatabase refuses what is neither a path nor a URL that can be used, before anything
// is made. What it says holds nothing of the text: there may be a password in it.
func checkDatabase(text string) error {
	const write = "write the path of a file, or postgres://user@host:5432/database"
	if pgstore.IsURL(text) {
		return pgstore.Check(text)
	}
	if found := otherKind.FindStringSubmatch(text); found != nil {
		return fmt.Errorf("there is no kind of database called %q: "+write, strings.ToLower(found[1]))
	}
	if err := namedfile.Check(text); err != nil {
		return fmt.Errorf("the database %w: "+write, err)
	}
	return nil
}

// nameOf names a database for logs and messages.
func nameOf(database string) string {
	if pgstore.IsURL(database) {
		return pgstore.Describe(database)
	}
	return database
}

// openDatabaseFile opens a file, or makes it.
func openDatabaseFile(path string, now store.Clock) (*boltstore.Store, error) {
	_, missing := os.Stat(path)
	db, err := boltstore.Open(path, now)
	if err != nil {
		return nil, notAllowed(path, err)
	}
	if errors.Is(missing, os.ErrNotExist) {
		if err := giveToServer(path); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

// isShared tells whether others may have the database open at the same time. One
// that isn't takes commands over the socket of its server.
func (s *settings) isShared() bool { return pgstore.IsURL(s.Database) }

// mustExist refuses a command where there is no database yet: only keypeg serve begins a new
// installation. In another folder than the server's, or with a name that is mistyped, a
// command would else change an installation that nobody knows.
func (s *settings) mustExist(ctx context.Context) error {
	const write = "name the database that the server uses with --database, or begin a new one with keypeg serve"
	if s.isShared() {
		has, err := pgstore.IsKeypegs(ctx, s.Database)
		if err == nil && !has {
			return fmt.Errorf("there is nothing of Keypeg in the database %s: %s", nameOf(s.Database), write)
		}
		return err
	}
	info, err := namedfile.Look(s.Database)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("there is no database at %s: %s", seenFromHere(s.Database), write)
	case err == nil && info.Size() == 0: // a new one would be made of it
		return fmt.Errorf("the database %s is empty: %s", seenFromHere(s.Database), write)
	case errors.Is(err, os.ErrPermission):
		return notAllowed(s.Database, err)
	}
	return err
}

// seenFromHere says of a relative path where it begins: mostly the folder is the mistake.
func seenFromHere(path string) string {
	folder, err := os.Getwd()
	if filepath.IsAbs(path) || err != nil {
		return path
	}
	return path + " in the folder " + folder
}

// withStore opens the database for one command.
func (s *settings) withStore(ctx context.Context, do func(store.Store) error) error {
	if err := s.mustExist(ctx); err != nil {
		return err
	}
	db, err := openStore(ctx, s.Database, time.Now)
	if errors.Is(err, boltstore.ErrInUse) {
		return fmt.Errorf("%w; a Keypeg server that has it open doesn't answer at %s: give this command the same --socket, or stop the server first", err, s.socket())
	}
	if err != nil {
		return err
	}
	defer db.Close()
	return do(db)
}
