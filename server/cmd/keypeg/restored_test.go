package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// TestRestored takes things back after a backup, and restores it. Nothing that was open
// then lets anybody in, and IT reads what is in force again.
func TestRestored(t *testing.T) {
	for where, databases := range map[string]func(t *testing.T) (inUse, restored string){
		"in files": func(t *testing.T) (string, string) {
			return filepath.Join(t.TempDir(), "keypeg.db"), filepath.Join(t.TempDir(), "restored.db")
		},
		"in PostgreSQL": func(t *testing.T) (string, string) { return pgtest.Empty(t), pgtest.Empty(t) },
	} {
		t.Run(where, func(t *testing.T) {
			inUse, restored := databases(t)
			p := newProgramOn(t, inUse, "")
			later := time.Now().Add(time.Hour)
			users := map[string]store.User{}
			for _, name := range []string{"ann", "bob", "carl", "dora"} {
				id, _ := p.hasUser(name)
				p.opens(func(db store.Store) {
					user, err := db.User(t.Context(), id)
					if err != nil {
						t.Fatal(err)
					}
					user.Passkeys = []store.Passkey{{ID: "p", CredentialID: []byte("of " + name), Name: "Laptop of " + name, Created: time.Now()}}
					user.RecoveryCodes = []store.Hash{{1}, {2}, {3}}
					user.Password = "an old hash"
					if err := db.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
						t.Fatal(err)
					}
					user.Revision++
					users[name] = user
				})
			}
			expired := storetest.SessionID(users["ann"].ID, "expired")
			old := store.NewEvent(ago(2*time.Hour), users["ann"].ID, shared.EventPasskeyAdded, store.Client{})
			old.Expires = ago(time.Hour)
			put := func(item store.Item) store.Op {
				item.Value, item.Version = []byte(`"x"`), store.AnyVersion
				return store.PutItem{Item: item}
			}
			p.opens(func(db store.Store) {
				err := db.Apply(t.Context(), store.Batch{
					put(store.Item{Owner: users["ann"].ID, Collection: "enrolment-link", Key: "invitation", Expires: later}),
					put(store.Item{Collection: "setup-link", Expires: later}),
					put(store.Item{Collection: "checked-policy"}),
					// By a clock of this machine that is ahead these have expired.
					put(store.Item{Owner: users["bob"].ID, Collection: "enrolment-link", Key: "invitation", Expires: ago(time.Hour)}),
					put(store.Item{Collection: "note", Expires: ago(time.Hour)}),
					store.AddSession{Session: store.Session{ID: expired, UserID: users["ann"].ID, Expires: ago(time.Hour)}},
					store.AddEvent{Event: old},
				})
				if err != nil {
					t.Fatal(err)
				}
			})
			backup := filepath.Join(t.TempDir(), "backup.db")
			if out, err := command(t, "backup", backup, "--database", inUse).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}

			p.opens(func(db store.Store) {
				ann, bob, carl := users["ann"], users["bob"], users["carl"]
				ann.Passkeys = []store.Passkey{{ID: "q", CredentialID: []byte("new"), Name: "New phone", Created: time.Now()}}
				bob.Disabled, bob.Password = true, "a new hash"
				carl.RecoveryCodes = carl.RecoveryCodes[1:]
				err := db.Apply(t.Context(), store.Batch{
					store.PutUser{User: ann}, store.PutUser{User: bob}, store.PutUser{User: carl}, store.RemoveUser{ID: users["dora"].ID},
					store.PutUser{User: store.User{ID: store.NewUserID(), Name: "erin", Handle: []byte("handle of erin")}},
				})
				if err != nil {
					t.Fatal(err)
				}
			})
			out, err := command(t, "restore", backup, "--database", restored, "--previous", inUse).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, line := range []string{
				"Everybody has to sign in again",
				`ann: the passkey "Laptop of ann" works again, and was removed since the backup`,
				`ann: the passkey "New phone" is missing, and was added since the backup`,
				"bob: is let in again, and was disabled since the backup",
				"bob: an earlier password works again",
				"carl: recovery codes that were used or replaced since the backup work again: 1",
				"dora is back, and was removed since the backup",
				"erin is missing, and was added since the backup",
			} {
				if !strings.Contains(string(out), line) {
					t.Errorf("restore doesn't say %q:\n%s", line, out)
				}
			}

			has := func(db store.Store, owner, collection, key string, want bool) {
				t.Helper()
				if _, err := db.Item(t.Context(), owner, collection, key); (err == nil) != want {
					t.Errorf("the item of %s: %v, want it there: %t", collection, err, want)
				}
			}
			// Then the clock is set right.
			right, err := installation.OpenStore(t.Context(), restored, "", func() time.Time { return ago(2 * time.Hour) })
			if err != nil {
				t.Fatal(err)
			}
			if _, err := right.Session(t.Context(), expired); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("a session that had expired by the clock of the restore: %v", err)
			}
			if events, err := right.Events(t.Context(), users["ann"].ID, store.EventID{}, 9); err != nil || len(events) != 1 {
				t.Errorf("events that had: %+v, %v", events, err)
			}
			has(right, users["bob"].ID, "enrolment-link", "invitation", false)
			has(right, "", "note", "", true)
			if err := right.Close(); err != nil {
				t.Fatal(err)
			}

			again := newProgramOn(t, restored, "")
			again.opens(func(db store.Store) {
				if err := storetest.Consistent(t.Context(), db, time.Now()); err != nil {
					t.Error(err)
				}
				for kind, want := range map[store.Kind]int{store.KindSession: 0, store.KindUser: 4} {
					found, err := db.Records(t.Context(), kind, nil, 99)
					if err != nil || len(found) != want {
						t.Errorf("%d records of kind %s (%v), want %d", len(found), kind, err, want)
					}
				}
				has(db, users["ann"].ID, "enrolment-link", "invitation", false)
				has(db, "", "setup-link", "", false)
				has(db, "", "checked-policy", "", true)
			})
		})
	}
}

// TestRestoreGoesOn interrupts a restore into PostgreSQL. IT reads how to continue it, and
// that works.
func TestRestoreGoesOn(t *testing.T) {
	backup, database := filledDatabase(t, 20), pgtest.Empty(t)
	halfCopy(t, backup, database)
	out, err := command(t, "user", "list", "--database", database).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "was not finished") || !strings.Contains(string(out), "keypeg restore") {
		t.Errorf("the half database: %v\n%s", err, out)
	}
	if out, err := command(t, "restore", backup, "--database", database).CombinedOutput(); err != nil {
		t.Errorf("again: %v\n%s", err, out)
	}
	if out, err := command(t, "user", "list", "--database", database).CombinedOutput(); err != nil || strings.Count(string(out), "\nuser") != 20 {
		t.Errorf("the whole database: %v\n%s", err, out)
	}
}

func ago(long time.Duration) time.Time { return time.Now().Add(-long) }
