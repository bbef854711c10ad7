package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
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
					err := store.Update(f.Context(), f, "2", func(u store.User) (store.Batch, error) {
						u.Passkeys[0].SignCount++
						return store.Batch{store.PutUser{User: u}}, nil
					})
					f.fails("an update", err, nil)
				}
			})
		}
		all.Wait()
		f.is("count", f.user("2").Passkeys[0].SignCount, uint32(writers*rounds))
	})
	b.claim("of many who make the same user at once none is lost", func(f *fixture) {
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				err := store.UpdateFrom(f.Context(), f, store.User{ID: "3", Name: "carol"}, func(u store.User) (store.Batch, error) {
					u.Passkeys = append(u.Passkeys, store.Passkey{ID: fmt.Sprint("p", i), CredentialID: []byte{byte(i)}})
					return store.Batch{store.PutUser{User: u}}, nil
				})
				f.fails("an update", err, nil)
			})
		}
		all.Wait()
		f.is("passkeys", len(f.user("3").Passkeys), 8)
	})
	b.claim("an error of the change ends it and writes nothing", func(f *fixture) {
		f.apply(store.PutUser{User: bob()})
		no := errors.New("no")
		err := store.Update(f.Context(), f, "2", func(u store.User) (store.Batch, error) {
			u.Passkeys[0].Name = "changed"
			return nil, no
		})
		f.fails("the update", err, no)
		f.is("name", f.user("2").Passkeys[0].Name, "")
	})
	b.claim("nobody can't be updated", func(f *fixture) {
		err := store.Update(f.Context(), f, "2", func(store.User) (store.Batch, error) { return nil, nil })
		f.fails("the update", err, store.ErrNotFound)
	})
}

func batches(b *suite) {
	b.claim("a batch whose last operation is refused writes nothing", func(f *fixture) {
		f.apply(store.PutUser{User: bob()}, store.PutLink{Link: store.Link{Key: "k", Hash: store.Hash{1}, Expires: f.now().Add(time.Hour)}})
		session := store.Session{ID: store.Hash{1}, UserID: "1", Expires: f.now().Add(time.Hour)}
		changed := f.user("2")
		changed.Name = "robert"
		f.refuses(store.ErrNotFound,
			store.PutUser{User: ann()}, store.PutUser{User: changed}, store.AddSession{Session: session},
			store.AddEvent{Event: store.NewEvent(f.now(), "2", shared.EventSignedIn, store.Client{})},
			store.SpendTicket{Ticket: store.SpentTicket{ID: [16]byte{1}, Expires: f.now().Add(time.Hour)}},
			store.AddSecret{Name: "s", Value: []byte{1}},
			store.TakeLink{Key: "k", Hash: store.Hash{2}})

		_, err := f.User(f.Context(), "1")
		f.fails("the new user", err, store.ErrNotFound)
		_, err = f.UserByName(f.Context(), "ann")
		f.fails("the new user's name", err, store.ErrNotFound)
		_, err = f.UserByCredential(f.Context(), []byte("credential 1"))
		f.fails("the new user's passkey", err, store.ErrNotFound)
		admin, _ := f.HasAdministrator(f.Context())
		f.is("an administrator", admin, false)
		f.is("the other's name", f.user("2").Name, "bob")
		_, err = f.Session(f.Context(), session.ID)
		f.fails("the session", err, store.ErrNotFound)
		events, _ := f.Events(f.Context(), "2", store.EventID{}, 9)
		f.is("events", len(events), 0)
		_, err = f.Secret(f.Context(), "s")
		f.fails("the secret", err, store.ErrNotFound)
		f.apply(store.SpendTicket{Ticket: store.SpentTicket{ID: [16]byte{1}, Expires: f.now().Add(time.Hour)}})
		_, err = f.Link(f.Context(), "k")
		f.fails("the link", err, nil)
	})
	b.claim("an empty batch is nothing", func(f *fixture) { f.apply() })
}

// oneOf makes 16 goroutines try the same. Exactly one must succeed, and the others fail with
// loser.
func (f *fixture) oneOf(try func() error, loser error) {
	f.Helper()
	var won atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if err := try(); err == nil {
				won.Add(1)
			} else {
				f.fails("a loser", err, loser)
			}
		})
	}
	all.Wait()
	f.is("winners", won.Load(), int32(1))
}

func tickets(b *suite) {
	b.claim("a ticket is spent once, of however many who try", func(f *fixture) {
		spend := store.SpendTicket{Ticket: store.SpentTicket{ID: [16]byte{1}, Expires: f.now().Add(time.Minute)}}
		f.oneOf(func() error { return f.Apply(f.Context(), store.Batch{spend}) }, store.ErrTicketSpent)
	})
	b.claim("a spent ticket is remembered until it expires", func(f *fixture) {
		spend := store.SpendTicket{Ticket: store.SpentTicket{ID: [16]byte{1}, Expires: f.now().Add(time.Minute)}}
		f.apply(spend)
		f.passes(time.Minute - time.Microsecond)
		f.refuses(store.ErrTicketSpent, spend)
		f.passes(time.Microsecond)
		f.apply(spend)
	})
}
