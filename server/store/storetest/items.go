package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// item returns the operation that writes an item of the collection "note", without an owner.
func item(key string, version uint64) store.PutItem {
	return store.PutItem{Item: store.Item{Collection: "note", Key: key, Value: []byte(`{"n":1}`), Version: version}}
}

// never is a version that no item has.
const never = 1 << 62

func isChanged(err error) bool { return store.Collection[any]{Name: "note"}.Changed(err) }

func items(b *suite) {
	read := func(f *fixture, owner, key string) store.Item {
		f.Helper()
		found, err := f.Item(f.Context(), owner, "note", key)
		f.fails("reading "+key, err, nil)
		return found
	}
	b.claim("an item comes back whole, byte by byte, with a version", func(f *fixture) {
		for _, value := range []string{`null`, `""`, `{ "b": 1.0, "a" : [1e3, "\u00e9", "é", "\\u0000"] }`, `"` + strings.Repeat("x", 100_000) + `"`} {
			for _, owner := range []string{"", id1} {
				for _, key := range []string{"", "k", "with space", "é/%_\\", strings.Repeat("k", store.MostKey)} {
					put := store.Item{Owner: owner, Collection: "note", Key: key, Value: []byte(value), Version: store.AnyVersion, Expires: f.now().Add(time.Hour)}
					f.apply(store.PutItem{Item: put})
					got := read(f, owner, key)
					if got.Version == 0 || got.Version == store.AnyVersion {
						f.Errorf("it has the version %d", got.Version)
					}
					put.Version = got.Version
					f.is("item", got, put)
				}
			}
		}
	})
	b.claim("an item without an end has none", func(f *fixture) {
		f.apply(item("k", 0))
		f.passes(100 * 365 * 24 * time.Hour)
		f.is("expires", read(f, "", "k").Expires.IsZero(), true)
	})
	b.claim("an item is made once, of however many who try", func(f *fixture) {
		f.oneOf(func() error { return f.Apply(f.Context(), store.Batch{item("k", 0)}) }, isChanged)
	})
	b.claim("an item is changed by one of those who read it", func(f *fixture) {
		f.apply(item("k", 0))
		version := read(f, "", "k").Version
		f.oneOf(func() error { return f.Apply(f.Context(), store.Batch{item("k", version)}) }, isChanged)
		f.changed("k", item("k", 0))
		f.changed("k", item("other", 0), item("k", version))
		_, err := f.Item(f.Context(), "", "note", "other")
		f.fails("another item of a refused batch", err, store.ErrNotFound)
	})
	b.claim("an item is removed by one of those who read it", func(f *fixture) {
		f.apply(item("k", 0))
		remove := store.RemoveItem{Collection: "note", Key: "k", Version: read(f, "", "k").Version}
		f.oneOf(func() error { return f.Apply(f.Context(), store.Batch{remove}) }, isChanged)
		_, err := f.Item(f.Context(), "", "note", "k")
		f.fails("reading it then", err, store.ErrNotFound)
	})
	b.claim("a version is never given twice, not even to an item that is made again", func(f *fixture) {
		seen := map[uint64]bool{}
		for range 20 {
			f.apply(item("k", store.AnyVersion))
			seen[read(f, "", "k").Version] = true
			f.apply(store.RemoveItem{Collection: "note", Key: "k", Version: read(f, "", "k").Version})
		}
		f.is("versions", len(seen), 20)
	})
	b.claim("with any version an item is written and removed whatever there is", func(f *fixture) {
		remove := store.RemoveItem{Collection: "note", Key: "k", Version: store.AnyVersion}
		f.apply(remove)
		f.apply(item("k", store.AnyVersion))
		f.apply(item("k", store.AnyVersion))
		f.apply(remove)
		_, err := f.Item(f.Context(), "", "note", "k")
		f.fails("afterwards", err, store.ErrNotFound)
	})
	b.claim("an item that has expired is none", func(f *fixture) {
		put := item("k", 0)
		put.Item.Expires = f.now().Add(time.Minute)
		f.apply(put)
		f.passes(time.Minute - time.Microsecond)
		old := read(f, "", "k").Version
		f.passes(time.Microsecond)
		_, err := f.Item(f.Context(), "", "note", "k")
		f.fails("reading", err, store.ErrNotFound)
		f.changed("k", item("k", old))
		f.changed("k", store.RemoveItem{Collection: "note", Key: "k", Version: old})
		listed, _ := f.Items(f.Context(), "", "note", "", 9)
		f.is("listed", len(listed), 0)
		f.apply(item("k", 0)) // its place is free
		f.is("expires", read(f, "", "k").Expires.IsZero(), true)
	})
	b.claim("items come in pages by key, of one owner and one collection", func(f *fixture) {
		var want []string
		for i := range 5 {
			key := fmt.Sprintf("k%d", i)
			want = append(want, key)
			for _, owner := range []string{"", id0, id1, id10} {
				for _, collection := range []string{"note", "not", "notes"} {
					f.apply(store.PutItem{Item: store.Item{Owner: owner, Collection: collection, Key: key, Value: []byte("1")}})
				}
			}
		}
		f.apply(item("", 0)) // is not listed
		for _, owner := range []string{"", id1} {
			var got []string
			for after := ""; ; {
				page, err := f.Items(f.Context(), owner, "note", after, 2)
				f.fails("a page", err, nil)
				for _, found := range page {
					f.is("collection", found.Collection, "note")
					f.is("owner", found.Owner, owner)
					got = append(got, found.Key)
				}
				if len(page) < 2 {
					break
				}
				after = page[1].Key
			}
			f.is("keys", got, want)
		}
	})
}

func tickets(b *suite) {
	b.claim("a ticket is spent once, of however many who try", func(f *fixture) {
		for _, id := range []store.TicketID{store.NewTicketID(f.now()), store.TicketIDOf(f.now(), "state"), {}, {0xff}} {
			spend := store.SpendTicket(id, f.now().Add(time.Minute))
			f.oneOf(func() error { return f.Apply(f.Context(), store.Batch{spend}) }, store.IsSpent)
		}
	})
	b.claim("a spent ticket is remembered until it expires, while others are spent", func(f *fixture) {
		spend := store.SpendTicket(store.NewTicketID(f.now()), f.now().Add(10*time.Minute))
		f.apply(spend)
		for i := range 500 {
			f.passes(time.Second)
			f.apply(store.SpendTicket(store.NewTicketID(f.now()), f.now().Add(5*time.Minute)),
				store.AddEvent{Event: store.NewEvent(f.now(), UserID(i), "", store.Client{})})
		}
		f.passes(100*time.Second - time.Microsecond)
		if err := f.Apply(f.Context(), store.Batch{spend}); !store.IsSpent(err) {
			f.Errorf("just before its end: got %v", err)
		}
		f.passes(time.Microsecond)
		spend.Item.Expires = f.now().Add(time.Minute)
		f.apply(spend)
		found, err := f.Item(f.Context(), "", spend.Item.Collection, spend.Item.Key)
		f.fails("reading", err, nil)
		f.is("expires", found.Expires, spend.Item.Expires)
	})
}

func faults(b *suite) {
	b.claim("a fault of the caller is refused, and nothing is written", func(f *fixture) {
		for what, op := range map[string]store.Op{
			"a user without an id":          store.PutUser{User: store.User{Name: "x"}},
			"a user with another's form":    store.PutUser{User: store.User{ID: "1", Name: "x"}},
			"a user invited by nobody":      store.PutUser{User: store.User{ID: id3, Name: "x", InvitedBy: "1"}},
			"a removal of no id":            store.RemoveUser{ID: "1"},
			"a session of no user":          store.AddSession{Session: store.Session{ID: SessionID(id1, "a"), UserID: "1"}},
			"a session of another user":     store.AddSession{Session: store.Session{ID: SessionID(id2, "a"), UserID: id1}},
			"a session that changes hands":  store.ReplaceSession{Old: SessionID(id2, "a"), Session: store.Session{ID: SessionID(id1, "a"), UserID: id1}},
			"an end of nobody's sessions":   store.EndSessions{UserID: "1"},
			"an event of nobody":            store.AddEvent{Event: store.Event{ID: store.EventID{1}, UserID: "1"}},
			"an event by a name":            store.AddEvent{Event: store.Event{ID: store.EventID{1}, UserID: id1, By: "Ann"}},
			"an event without an id":        store.AddEvent{Event: store.Event{UserID: id1}},
			"an item of no user":            store.PutItem{Item: store.Item{Owner: "1", Collection: "note"}},
			"an item of no collection":      store.PutItem{Item: store.Item{Key: "k"}},
			"a collection with a long name": store.PutItem{Item: store.Item{Collection: strings.Repeat("c", store.MostCollection+1)}},
			"a collection with zero bytes":  store.PutItem{Item: store.Item{Collection: "a\x00b"}},
			"a ticket of a user":            store.PutItem{Item: store.Item{Owner: id1, Collection: store.Tickets.Name, Key: UserID(7)}},
			"a ticket without an id":        store.PutItem{Item: store.Item{Collection: store.Tickets.Name, Key: "k"}},
			"a long key":                    store.RemoveItem{Collection: "note", Key: strings.Repeat("k", store.MostKey+1)},
			"a key with zero bytes":         store.RemoveItem{Collection: "note", Key: "a\x00b"},
			"a key that is no text":         store.RemoveItem{Collection: "note", Key: "\xff"},
		} {
			if err := f.Apply(f.Context(), store.Batch{store.PutUser{User: ann()}, op}); err == nil {
				f.Errorf("%s is written", what)
			} else {
				f.fails(what, err, store.ErrInvalid)
			}
		}
		_, err := f.User(f.Context(), id1)
		f.fails("a user of the same batches", err, store.ErrNotFound)
	})
	b.claim("what has no form is not found", func(f *fixture) {
		f.apply(store.PutUser{User: ann()}, item("k", 0))
		for _, id := range []string{"", "1", strings.Repeat("0", 31), id1 + "0", strings.ToUpper(UserID(0xa)), strings.Repeat("\x00", 32)} {
			_, err := f.User(f.Context(), id)
			f.fails("a user", err, store.ErrNotFound)
			listed, err := f.Sessions(f.Context(), id, store.Hash{}, 9)
			f.fails("sessions", err, nil)
			f.is("sessions", len(listed), 0)
			events, err := f.Events(f.Context(), id, store.EventID{}, 9)
			f.fails("events", err, nil)
			f.is("events", len(events), 0)
			if id != "" {
				_, err = f.Item(f.Context(), id, "note", "k")
				f.fails("an item", err, store.ErrNotFound)
			}
		}
	})
}
