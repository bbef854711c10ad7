package storetest

import (
	"bytes"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

func links(b *suite) {
	link := func(f *fixture, token string) store.Link {
		return store.Link{Key: "setup", Hash: store.HashOf(token), Expires: f.now().Add(time.Minute)}
	}
	b.claim("a link is taken once, of however many who try", func(f *fixture) {
		f.apply(store.PutLink{Link: link(f, "a")})
		got, err := f.Link(f.Context(), "setup")
		f.fails("reading", err, nil)
		f.is("link", got, link(f, "a"))
		f.oneOf(func() error {
			return f.Apply(f.Context(), store.Batch{store.TakeLink{Key: "setup", Hash: store.HashOf("a")}})
		}, store.ErrNotFound)
		_, err = f.Link(f.Context(), "setup")
		f.fails("reading it then", err, store.ErrNotFound)
	})
	b.claim("a new link takes the place of the old one", func(f *fixture) {
		f.apply(store.PutLink{Link: link(f, "a")})
		f.apply(store.PutLink{Link: link(f, "b")})
		f.refuses(store.ErrNotFound, store.TakeLink{Key: "setup", Hash: store.HashOf("a")})
		f.apply(store.TakeLink{Key: "setup", Hash: store.HashOf("b")})
	})
	b.claim("a link that has expired is not found", func(f *fixture) {
		f.apply(store.PutLink{Link: link(f, "a")})
		f.passes(time.Minute)
		_, err := f.Link(f.Context(), "setup")
		f.fails("reading", err, store.ErrNotFound)
		f.refuses(store.ErrNotFound, store.TakeLink{Key: "setup", Hash: store.HashOf("a")})
	})
}

func secrets(b *suite) {
	b.claim("a secret is made once", func(f *fixture) {
		_, err := f.Secret(f.Context(), "key")
		f.fails("before", err, store.ErrNotFound)
		f.oneOf(func() error {
			return f.Apply(f.Context(), store.Batch{store.AddSecret{Name: "key", Value: []byte("first")}})
		}, store.ErrSecretExists)
		got, err := f.Secret(f.Context(), "key")
		f.fails("reading", err, nil)
		f.is("secret", got, []byte("first"))
	})
	b.claim("a secret is replaced by whoever knows its value", func(f *fixture) {
		f.refuses(store.ErrStale, store.ReplaceSecret{Name: "key", Value: []byte("new")})
		f.apply(store.AddSecret{Name: "key", Value: []byte("old")}, store.AddSecret{Name: "other", Value: []byte("old")})
		f.refuses(store.ErrStale, store.ReplaceSecret{Name: "key", Old: []byte("guessed"), Value: []byte("new")})
		f.refuses(store.ErrStale, store.ReplaceSecret{Name: "key", Value: []byte("new")})
		f.oneOf(func() error {
			return f.Apply(f.Context(), store.Batch{store.ReplaceSecret{Name: "key", Old: []byte("old"), Value: []byte("new")}})
		}, store.ErrStale)
		for name, want := range map[string]string{"key": "new", "other": "old"} {
			got, err := f.Secret(f.Context(), name)
			f.fails("reading", err, nil)
			f.is(name, got, []byte(want))
		}
	})
	b.claim("a batch with a stale secret writes nothing", func(f *fixture) {
		f.apply(store.AddSecret{Name: "key", Value: []byte("old")})
		f.refuses(store.ErrStale, store.PutUser{User: bob()}, store.ReplaceSecret{Name: "key", Old: []byte("guessed"), Value: []byte("new")})
		_, err := f.User(f.Context(), bob().ID)
		f.fails("the user of the same batch", err, store.ErrNotFound)
	})
}

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
		written := map[store.Kind]store.Batch{
			store.KindUser: {store.PutUser{User: ann()}, store.PutUser{User: store.User{ID: "10", Name: "aaa"}}, store.PutUser{User: store.User{ID: "2", Name: "b"}}},
			store.KindSession: {
				store.AddSession{Session: store.Session{ID: store.Hash{0, 1}, UserID: "2", Expires: later}},
				store.AddSession{Session: store.Session{ID: store.Hash{1}, UserID: "1", Method: store.MethodPasskey, Created: f.now(), Expires: later}},
				store.AddSession{Session: store.Session{ID: store.Hash{2}, UserID: "1", Expires: later}},
			},
			store.KindEvent: {
				store.AddEvent{Event: store.Event{ID: store.EventID{9}, UserID: "1", Kind: shared.EventSignedIn, Time: f.now(), Expires: later}},
				store.AddEvent{Event: store.Event{ID: store.EventID{1}, UserID: "10", Kind: shared.EventSignedIn, Time: f.now(), Expires: later}},
				store.AddEvent{Event: store.Event{ID: store.EventID{2}, UserID: "10", Kind: shared.EventSignedIn, Time: f.now(), Expires: later}},
				store.AddEvent{Event: store.Event{ID: store.EventID{0}, UserID: "2", Kind: shared.EventSignedIn, Time: f.now(), Expires: later}},
			},
			store.KindLink:   {store.PutLink{Link: store.Link{Key: "a", Hash: store.Hash{1}, Expires: later}}, store.PutLink{Link: store.Link{Key: "b", Expires: later}}},
			store.KindSecret: {store.AddSecret{Name: "a", Value: []byte("1")}, store.AddSecret{Name: "b", Value: []byte("2")}},
			store.KindTicket: {store.SpendTicket{Ticket: store.SpentTicket{ID: [16]byte{1}, Expires: later}}},
		}
		// Expired records are not listed.
		f.apply(
			store.AddSession{Session: store.Session{ID: store.Hash{1, 1}, UserID: "1", Expires: f.now().Add(time.Minute)}},
			store.AddEvent{Event: store.Event{ID: store.EventID{7}, UserID: "1", Kind: shared.EventSignedIn, Time: f.now(), Expires: f.now().Add(time.Minute)}},
			store.PutLink{Link: store.Link{Key: "aa", Expires: f.now().Add(time.Minute)}},
			store.SpendTicket{Ticket: store.SpentTicket{ID: [16]byte{2}, Expires: f.now().Add(time.Minute)}})
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
				f.is("key of a "+string(kind), got[i].Key, want[i].Key)
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
