package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

func updates(b *suite) {
	b.claim("of many writers at once no change is lost", func(f *fixture) {
		f.apply(store.PutUser{User: bob()})
		const writers, rounds = 8, 5
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				for range rounds {
					err := store.Update(f.Context(), f, id2, func(u store.User) (store.Batch, error) {
						u.Passkeys[0].SignCount++
						return store.Batch{store.PutUser{User: u}}, nil
					})
					f.fails("an update", err, nil)
				}
			})
		}
		all.Wait()
		f.is("count", f.user(id2).Passkeys[0].SignCount, uint32(writers*rounds))
	})
	b.claim("of many who make the same user at once none is lost", func(f *fixture) {
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				err := store.UpdateFrom(f.Context(), f, store.User{ID: id3, Name: "carol"}, func(u store.User) (store.Batch, error) {
					u.Passkeys = append(u.Passkeys, store.Passkey{ID: fmt.Sprint("p", i), CredentialID: []byte{byte(i)}})
					return store.Batch{store.PutUser{User: u}}, nil
				})
				f.fails("an update", err, nil)
			})
		}
		all.Wait()
		f.is("passkeys", len(f.user(id3).Passkeys), 8)
	})
	b.claim("an error of the change ends it and writes nothing", func(f *fixture) {
		f.apply(store.PutUser{User: bob()})
		no := errors.New("no")
		err := store.Update(f.Context(), f, id2, func(u store.User) (store.Batch, error) {
			u.Passkeys[0].Name = "changed"
			return nil, no
		})
		f.fails("the update", err, no)
		f.is("name", f.user(id2).Passkeys[0].Name, "")
	})
	b.claim("nobody can't be updated", func(f *fixture) {
		err := store.Update(f.Context(), f, id2, func(store.User) (store.Batch, error) { return nil, nil })
		f.fails("the update", err, store.ErrNotFound)
	})
}

func batches(b *suite) {
	b.claim("a batch whose last operation is refused writes nothing", func(f *fixture) {
		f.apply(store.PutUser{User: bob()}, item("k", 0))
		ticket := store.NewTicketID(f.now())
		session := store.Session{ID: SessionID(id1, "a"), UserID: id1, Expires: f.now().Add(time.Hour)}
		changed := f.user(id2)
		changed.Name = "robert"
		f.changed("k",
			store.PutUser{User: ann()}, store.PutUser{User: changed}, store.AddSession{Session: session},
			store.AddEvent{Event: store.NewEvent(f.now(), id2, shared.EventSignedIn, store.Client{})},
			store.SpendTicket(ticket, f.now().Add(time.Hour)), item("s", 0), item("k", never))

		_, err := f.User(f.Context(), id1)
		f.fails("the new user", err, store.ErrNotFound)
		_, err = f.UserByName(f.Context(), "ann")
		f.fails("the new user's name", err, store.ErrNotFound)
		_, err = f.UserByCredential(f.Context(), []byte("credential 1"))
		f.fails("the new user's passkey", err, store.ErrNotFound)
		admin, _ := f.HasAdministrator(f.Context())
		f.is("an administrator", admin, false)
		f.is("the other's name", f.user(id2).Name, "bob")
		_, err = f.Session(f.Context(), session.ID)
		f.fails("the session", err, store.ErrNotFound)
		events, _ := f.Events(f.Context(), id2, store.EventID{}, 9)
		f.is("events", len(events), 0)
		all, _ := f.AllEvents(f.Context(), store.EventQuery{}, 9)
		f.is("all events", len(all), 0)
		counts, _ := f.Counts(f.Context())
		f.is("counts", counts, store.Counts{store.CountWithPasskey: 1, store.CountOneDevice: 1, store.CountDeviceBound: 1})
		_, err = f.Item(f.Context(), "", "note", "s")
		f.fails("the new item", err, store.ErrNotFound)
		_, err = f.Item(f.Context(), "", "note", "k")
		f.fails("the other item", err, nil)
		f.apply(store.SpendTicket(ticket, f.now().Add(time.Hour)))
	})
	b.claim("an empty batch is nothing", func(f *fixture) { f.apply() })
}
