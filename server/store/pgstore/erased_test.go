package pgstore

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// TestErased reads every table after a user was removed: nothing of the user is left in any.
func TestErased(t *testing.T) {
	url := pgtest.Empty(t)
	s, err := Open(t.Context(), url, "acme", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	writes := func(name string, n int) (traces map[string]string) {
		t.Helper()
		id, now := storetest.UserID(n), time.Now()
		client := store.Client{Browser: "browser of " + name, System: "system of " + name, Address: "2001:db8::" + name, Mark: "mark of " + name}
		user := store.User{
			ID: id, Name: "name of " + name, DisplayName: "displayed " + name, Handle: []byte("handle of " + name), Admin: true, Password: "hash of " + name,
			Passkeys:      []store.Passkey{{ID: "p", CredentialID: []byte("credential of " + name), PublicKey: []byte("key of " + name), Name: "phone of " + name}},
			Identities:    []store.Identity{{ID: "i", Issuer: "https://login.example.com", Subject: "subject of " + name, Name: name + "@example.com"}},
			RecoveryCodes: []store.Hash{store.HashOf(name)},
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
			"passkey's name": user.Passkeys[0].Name, "subject": user.Identities[0].Subject, "e-mail address": user.Identities[0].Name,
			"recovery code": hex.EncodeToString(code[:]), "browser": client.Browser, "system": client.System, "address": client.Address, "mark": client.Mark,
			"session": hex.EncodeToString(session[:]), "item's key": "key of " + name, "item's value": "value of " + name,
		}
	}
	ann, bob := writes("ann", 0xa11), writes("bob", 0xb0b)
	holds := func(traces map[string]string, want bool) {
		t.Helper()
		all := strings.Join(contents(t, url), "\n")
		for what, trace := range traces {
			if is := strings.Contains(all, trace); is != want {
				t.Errorf("the tables have the %s %q: %t, want %t", what, trace, is, want)
			}
		}
	}
	holds(ann, true)
	if err := s.Apply(t.Context(), store.Batch{store.RemoveUser{ID: storetest.UserID(0xa11)}}); err != nil {
		t.Fatal(err)
	}
	holds(ann, false)
	holds(map[string]string{"part of any": "ann"}, false)
	holds(bob, true)
	if err := storetest.Consistent(t.Context(), s, time.Now()); err != nil {
		t.Error(err)
	}
}
