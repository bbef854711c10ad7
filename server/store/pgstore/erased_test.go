package pgstore

import (
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// TestErased reads every table after a user was removed: nothing of the user is left in any. The
// database's statistics, which have samples of what columns hold, have nothing but ids.
func TestErased(t *testing.T) {
	url := pgtest.Empty(t)
	s, err := Open(t.Context(), url, "acme", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ann, bob := writesUser(t, s, "ann", 0xa11), writesUser(t, s, "bob", 0xb0b)
	do(t, url, `ANALYZE`) // what autovacuum does
	holds := func(traces map[string]string, want bool) {
		t.Helper()
		holdsIn(t, "the tables", strings.Join(contents(t, url), "\n"), traces, want)
	}
	holds(ann, true)
	if err := s.Apply(t.Context(), store.Batch{store.RemoveUser{ID: storetest.UserID(0xa11)}}); err != nil {
		t.Fatal(err)
	}
	holds(ann, false)
	holds(map[string]string{"part of any": "ann"}, false)
	holds(bob, true)

	var statistics string
	if err := s.db.pool.QueryRow(t.Context(), `SELECT string_agg(s::text, ' ') FROM pg_stats s WHERE schemaname = current_schema()`).Scan(&statistics); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(statistics, ann["id"]) {
		t.Errorf("the statistics are not those of the time when the user was there: %s", statistics)
	}
	delete(ann, "id")
	delete(ann, "session") // an id too
	holdsIn(t, "the statistics", statistics, ann, false)
	if err := storetest.Consistent(t.Context(), s, time.Now()); err != nil {
		t.Error(err)
	}
}

// TestErasedFiles reads the files of the database after VACUUM FULL, which the manual names for IT
// that must be sure: no byte of a removed user is in them.
func TestErasedFiles(t *testing.T) {
	url := pgtest.Start(t).URL("postgres")
	s, err := Open(t.Context(), url, "acme", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ann, bob := writesUser(t, s, "ann", 0xa11), writesUser(t, s, "bob", 0xb0b)
	files := func() string {
		t.Helper()
		do(t, url, `CHECKPOINT`) // so that the files have what was written
		var folder, database string
		if err := s.db.pool.QueryRow(t.Context(), `SELECT current_setting('data_directory'), oid::text FROM pg_database WHERE datname = current_database()`).Scan(&folder, &database); err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		paths, err := filepath.Glob(filepath.Join(folder, "base", database, "*"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no files in %s: %v", folder, err)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(content)
		}
		return all.String()
	}
	holdsIn(t, "the files", files(), raw(t, ann), true)
	if err := s.Apply(t.Context(), store.Batch{store.RemoveUser{ID: storetest.UserID(0xa11)}}); err != nil {
		t.Fatal(err)
	}
	do(t, url, `ANALYZE`)
	do(t, url, `VACUUM FULL`)
	content := files()
	holdsIn(t, "the files after VACUUM FULL", content, raw(t, ann), false)
	holdsIn(t, "the files after VACUUM FULL", content, raw(t, bob), true)
}

// raw returns the traces as the files have them: not in hexadecimal digits.
func raw(t *testing.T, traces map[string]string) map[string]string {
	t.Helper()
	bytes := maps.Clone(traces)
	for _, what := range []string{"handle", "credential id", "public key", "recovery code", "session"} {
		plain, err := hex.DecodeString(traces[what])
		if err != nil {
			t.Fatal(err)
		}
		bytes[what] = string(plain)
	}
	return bytes
}

func holdsIn(t *testing.T, where, all string, traces map[string]string, want bool) {
	t.Helper()
	for what, trace := range traces {
		if is := strings.Contains(all, trace); is != want {
			t.Errorf("%s have the %s %q: %t, want %t", where, what, trace, is, want)
		}
	}
}

// writesUser writes a user with a record of each kind, and returns what is the user's in them.
func writesUser(t *testing.T, s *Store, name string, n int) (traces map[string]string) {
	t.Helper()
	id, now := storetest.UserID(n), time.Now()
	client := store.Client{Browser: "browser of " + name, System: "system of " + name, Address: "2001:db8::" + name, Mark: "mark of " + name}
	user := store.User{
		ID: id, Name: "name of " + name, DisplayName: "displayed " + name, Handle: []byte("handle of " + name), Role: shared.RoleAdministrator, Password: "hash of " + name,
		Passkeys:      []store.Passkey{{ID: "p", CredentialID: []byte("credential of " + name), PublicKey: []byte("key of " + name), Name: "phone of " + name}},
		Identities:    []store.Identity{{ID: "i", Issuer: "https://login.example.com", Subject: "subject of " + name, Name: name + "@example.com"}},
		RecoveryCodes: []store.Hash{store.HashOf(name)},
		Email:         "e-mail of " + name, EmailVerified: true, ExternalID: "outside " + name, Groups: []string{"sales", "group of " + name},
	}
	signedIn, failed := store.NewEvent(now, id, shared.EventSignedIn, client), store.NewEvent(now, id, shared.EventSignInFailed, client)
	signedIn.Passkey = "phone of " + name
	if err := s.Apply(t.Context(), store.Batch{
		store.PutUser{User: user}, store.AddEvent{Event: signedIn}, store.AddEvent{Event: failed},
		store.AddSession{Session: store.Session{ID: storetest.SessionID(id, name), UserID: id, Client: client, Expires: now.Add(time.Hour)}},
		store.PutItem{Item: store.Item{Owner: id, Collection: "note", Key: "key of " + name, Value: []byte(`"value of ` + name + `"`)}},
	}); err != nil {
		t.Fatal(err)
	}
	// Renamed, so that an earlier state might be left.
	user.Revision, user.Name = 1, "new name of "+name
	if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
		t.Fatal(err)
	}
	session, code := storetest.SessionID(id, name), store.HashOf(name)
	return map[string]string{
		"id": id, "name": user.Name, "display name": user.DisplayName, "handle": hex.EncodeToString(user.Handle), "password": user.Password,
		"credential id": hex.EncodeToString(user.Passkeys[0].CredentialID), "public key": hex.EncodeToString(user.Passkeys[0].PublicKey),
		"passkey's name": user.Passkeys[0].Name, "subject": user.Identities[0].Subject, "e-mail address": user.Identities[0].Name, "group": user.Groups[1],
		"address for mails": user.Email, "external id": user.ExternalID, "recovery code": hex.EncodeToString(code[:]), "browser": client.Browser, "system": client.System, "address": client.Address, "mark": client.Mark,
		"session": hex.EncodeToString(session[:]), "item's key": "key of " + name, "item's value": "value of " + name,
	}
}
