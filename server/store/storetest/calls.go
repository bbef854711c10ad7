package storetest

import (
	"context"
	"errors"

	"github.com/keypeg/keypeg/server/store"
)

func ownership(b *suite) {
	b.claim("what is handed in stays the caller's, and what is handed out is theirs", func(f *fixture) {
		mine := ann()
		value := []byte(`"hello"`)
		put := item("k", 0)
		put.Item.Value = value
		f.apply(store.PutUser{User: mine}, put)
		mine.Handle[0], mine.Passkeys[0].CredentialID[0], mine.Passkeys[0].Transports[0], value[1] = 0, 0, "x", 'j'

		theirs := f.user(id1)
		theirs.Handle[0], theirs.Passkeys[0].PublicKey[0], theirs.Passkeys[0].Name = 0, 0, "x"
		taken, _ := f.Item(f.Context(), "", "note", "k")
		taken.Value[1] = 'j'

		want := ann()
		want.Revision = 1
		f.is("user", f.user(id1), want)
		kept, _ := f.Item(f.Context(), "", "note", "k")
		f.is("value", string(kept.Value), `"hello"`)
	})
}

func probes(b *suite) {
	b.claim("a probe changes no record, however often it comes", func(f *fixture) {
		f.apply(store.PutUser{User: ann()})
		for range 3 {
			f.fails("a probe", store.Probe(f.Context(), f.Store), nil)
		}
		for _, kind := range store.Kinds {
			found, err := f.Records(f.Context(), kind, nil, 9)
			f.fails("reading", err, nil)
			f.is("records of kind "+string(kind), len(found), map[store.Kind]int{store.KindUser: 1}[kind])
		}
	})
	b.claim("a store that is closed can't be written", func(f *fixture) {
		if _, can := store.As[store.Prober](f.Store); !can {
			return
		}
		f.fails("closing", f.Close(), nil)
		if err := store.Probe(context.Background(), f.Store); err == nil {
			f.Error("a probe of a closed store succeeded")
		}
	})
}

func writes(b *suite) {
	b.claim("a batch is counted before it is answered", func(f *fixture) {
		counter, can := store.As[store.WriteCounter](f.Store)
		if !can {
			return
		}
		for _, op := range []store.Op{store.PutUser{User: ann()}, store.PutItem{Item: store.Item{Owner: id1, Collection: "note", Key: "k", Value: []byte("1")}}, store.RemoveUser{ID: id1}} {
			before := counter.Writes()
			f.apply(op)
			if counter.Writes() == before {
				f.Errorf("%T wasn't counted", op)
			}
		}
		before := counter.Writes()
		_, err := f.User(f.Context(), id1)
		f.fails("reading", err, store.ErrNotFound)
		f.is("what reading counts", counter.Writes()-before, uint64(0))
	})
}

func contexts(b *suite) {
	b.claim("a context that has ended reads and writes nothing", func(f *fixture) {
		f.apply(store.PutUser{User: bob()})
		ended, cancel := context.WithCancel(f.Context())
		cancel()
		f.fails("writing", f.Apply(ended, store.Batch{store.PutUser{User: ann()}}), context.Canceled)
		_, err := f.User(ended, id2)
		f.fails("reading", err, context.Canceled)
		_, err = f.User(f.Context(), id1)
		f.fails("what was not written", err, store.ErrNotFound)
	})
	b.claim("a closed store refuses, and closes twice", func(f *fixture) {
		f.fails("closing", f.Close(), nil)
		f.fails("closing again", f.Close(), nil)
		if err := f.Apply(context.Background(), store.Batch{store.PutUser{User: ann()}}); err == nil {
			f.Error("a write after Close succeeded")
		}
		if _, err := f.User(context.Background(), id1); err == nil || errors.Is(err, store.ErrNotFound) {
			f.Errorf("a read after Close: got %v, want a fault", err)
		}
	})
}
