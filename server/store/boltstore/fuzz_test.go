package boltstore

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// FuzzBlock reads damaged blocks. Each is refused, or is one that can be written and read again.
func FuzzBlock(f *testing.F) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	var events []kept
	var entries []entry
	for i, kind := range []shared.EventKind{shared.EventSignedIn, shared.EventSignedIn, shared.EventPasskeyAdded, "another kind"} {
		v := store.NewEvent(at.Add(time.Duration(i)*time.Hour+time.Duration(i)), storetest.UserID(i), kind, store.Client{Browser: "Firefox"})
		events = append(events, kept{v.ID, encodeEvent(v)})
		entries = append(entries, entry{v.ID, [shortLength]byte(rawOf(v.UserID)), kind})
	}
	f.Add(events[0].id[:], append([]byte{blockVersion}, pastCodec.encode(events)...))
	f.Add(entries[0].key(), append([]byte{blockVersion}, archiveCodec.encode(entries)...))
	f.Add(entries[0].key(), []byte{blockVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f}) // huge numbers

	f.Fuzz(func(t *testing.T, key, value []byte) {
		readsAgain(t, pastCodec, key, value)
		readsAgain(t, archiveCodec, key, value)
	})
}

func readsAgain[E any](t *testing.T, codec blockCodec[E], key, value []byte) {
	b := blocks[E]{codec: codec}
	read, err := b.read(key, value)
	if err != nil || key == nil {
		return
	}
	again, err := b.read(key, append([]byte{blockVersion}, codec.encode(read)...))
	if err != nil || !reflect.DeepEqual(read, again) {
		t.Errorf("read %+v\nwrote and read %+v (%v)", read, again, err)
	}
}

// FuzzValue reads damaged values in the same way.
func FuzzValue(f *testing.F) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	user := storetest.UserID(7)
	event := store.NewEvent(at, user, shared.EventSignedIn, store.Client{Browser: "Firefox"})
	session := store.Session{ID: storetest.SessionID(user, "a"), UserID: user, Method: store.MethodPasskey, Created: at, Seen: at, Expires: at.Add(time.Hour)}
	f.Add(encodeEvent(event))
	f.Add(encodeSession(session))
	f.Add(encodeItem(store.Item{Value: []byte(`{"a":1}`), Version: 5, Expires: at}))
	f.Add(encodeUser(store.User{ID: user, Name: "ann", Passkeys: []store.Passkey{{ID: "p", CredentialID: []byte("c")}}}))
	f.Add(bytes.Repeat([]byte{0xff}, 16))

	f.Fuzz(func(t *testing.T, value []byte) {
		same(t, value, encodeEvent, func(b []byte) (store.Event, error) { return decodeEvent(rawOf(user), event.ID, b) })
		same(t, value, encodeSession, func(b []byte) (store.Session, error) { return decodeSession(session.ID, b) })
		same(t, value, encodeItem, func(b []byte) (store.Item, error) { return decodeItem(user, "note", "k", b) })
		same(t, value, encodeUser, func(b []byte) (store.User, error) { return decodeUser(rawOf(user), b) })
	})
}

func same[V any](t *testing.T, value []byte, encode func(V) []byte, decode func([]byte) (V, error)) {
	read, err := decode(value)
	if err != nil {
		return
	}
	again, err := decode(encode(read))
	if err != nil || !reflect.DeepEqual(read, again) {
		t.Errorf("read %+v\nwrote and read %+v (%v)", read, again, err)
	}
}
