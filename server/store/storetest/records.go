package storetest

import (
	"bytes"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

func records(b *suite) {
	// all reads every record of a kind, in pages of two.
	all := func(f *fixture, kind store.Kind) (found []store.Record) {
		f.Helper()
		for after := []byte(nil); ; {
			page, err := f.Records(f.Context(), kind, after, 2)
			f.fails("a page", err, nil)
			found = append(found, page...)
			if len(page) < 2 {
				return found
			}
			after = page[1].Key
		}
	}
	b.claim("every record comes back as the operation that wrote it, by key, in pages", func(f *fixture) {
		later := f.now().Add(time.Hour)
		event := func(userID string, n byte, expires time.Time) store.Op {
			return store.AddEvent{Event: store.Event{ID: store.EventID{n}, UserID: userID, Kind: shared.EventSignedIn, Time: f.now(), Expires: expires}}
		}
		noted := func(owner, collection, key string, expires time.Time) store.Op {
			return store.PutItem{Item: store.Item{Owner: owner, Collection: collection, Key: key, Value: []byte(`"` + key + `"`), Expires: expires}}
		}
		written := map[store.Kind]store.Batch{
			store.KindUser: {store.PutUser{User: ann()}, store.PutUser{User: store.User{ID: id10, Name: "aaa"}}, store.PutUser{User: store.User{ID: id2, Name: "b"}}},
			store.KindSession: {
				store.AddSession{Session: store.Session{ID: SessionID(id2, "a"), UserID: id2, Expires: later}},
				store.AddSession{Session: store.Session{ID: SessionID(id1, "b"), UserID: id1, Method: store.MethodPasskey, Created: f.now(), Expires: later}},
				store.AddSession{Session: store.Session{ID: SessionID(id1, "c"), UserID: id1, Expires: later}},
			},
			store.KindEvent: {event(id1, 9, later), event(id10, 1, later), event(id10, 2, later), event(id2, 3, later)},
			store.KindItem: {
				noted("", "note", "a", later), noted("", "note", "b", time.Time{}), noted("", "zone", "", time.Time{}), noted("", "a", "z", later),
				store.SpendTicket(store.NewTicketID(f.now()), later), store.SpendTicket(store.TicketID{}, later),
				noted(id1, "note", "a", later), noted(id1, "a", "b", later), noted(id10, "zone", "", time.Time{}),
			},
		}
		// Expired records are not listed.
		soon := f.now().Add(time.Minute)
		f.apply(
			store.AddSession{Session: store.Session{ID: SessionID(id1, "soon"), UserID: id1, Expires: soon}},
			event(id1, 7, soon), noted("", "note", "aa", soon), noted(id1, "note", "aa", soon), store.SpendTicket(store.NewTicketID(f.now()), soon))
		for _, kind := range store.Kinds {
			slices.Reverse(written[kind])
			f.apply(written[kind]...)
			slices.Reverse(written[kind])
		}
		f.passes(time.Minute)

		for _, kind := range store.Kinds {
			var want []store.Record
			for _, op := range written[kind] {
				want = append(want, store.RecordOf(op))
			}
			slices.SortFunc(want, func(a, b store.Record) int { return bytes.Compare(a.Key, b.Key) })
			got := all(f, kind)
			f.is("number of "+string(kind)+" records", len(got), len(want))
			for i := range min(len(got), len(want)) {
				f.is("key of a "+string(kind), string(got[i].Key), string(want[i].Key))
				f.is("bytes of a "+string(kind), got[i].Encode(), want[i].Encode())
			}
		}
	})
	b.claim("an empty store has none", func(f *fixture) {
		for _, kind := range store.Kinds {
			f.is(string(kind), len(all(f, kind)), 0)
		}
	})
}
