package storetest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/keypeg/keypeg/server/store"
)

func emails(b *suite) {
	b.claim("a verified e-mail address is one user's, in upper and lower case, and free again later", func(f *fixture) {
		f.apply(store.PutUser{User: ann()}, store.PutUser{User: bob()})
		f.apply(store.PutUser{User: store.User{ID: id3, Name: "carol", EmailVerified: true}}) // many have none
		changed := f.user(id2)
		changed.Email, changed.EmailVerified = "ANN@example.com", true
		f.refuses(store.ErrEmailExists, store.PutUser{User: changed})
		f.refuses(store.ErrExists, store.PutUser{User: changed})
		hers := f.user(id1)
		hers.Email = "ann@example.com" // her own in other letters
		f.apply(store.PutUser{User: hers})
		hers = f.user(id1)
		hers.Email = ""
		f.apply(store.PutUser{User: hers})
		f.apply(store.PutUser{User: store.User{ID: id10, Name: "dora", Email: "ann@example.com", EmailVerified: true}})
		f.is("whose it is", f.userByEmail("Ann@Example.com").ID, id10)
	})
	b.claim("an e-mail address is one in each spelling of its domain", func(f *fixture) {
		f.apply(store.PutUser{User: store.User{ID: id1, Name: "ann", Email: "ann@bücher.example", EmailVerified: true}})
		f.apply(store.PutUser{User: store.User{ID: id2, Name: "bob", Email: "bob@xn--bcher-kva.example", EmailVerified: true}})
		for _, same := range []string{"ann@xn--bcher-kva.example", "Ann@BÜCHER.example", "ann@XN--BCHER-KVA.example", "ann@bu\u0308cher.example"} {
			f.is("whose "+same+" is", f.userByEmail(same).ID, id1)
			f.refuses(store.ErrEmailExists, store.PutUser{User: store.User{ID: id3, Name: "carol", Email: same, EmailVerified: true}})
		}
		f.is("whose it is", f.userByEmail("bob@bücher.example").ID, id2)
		hers := f.user(id1)
		hers.Email = "ann@xn--bcher-kva.example" // her own in the other spelling
		f.apply(store.PutUser{User: hers})
		f.is("whose it is", f.userByEmail("ann@bücher.example").ID, id1)
	})
	b.claim("many may have an e-mail address that isn't verified, and the first who verifies it has it", func(f *fixture) {
		f.apply(store.PutUser{User: store.User{ID: id1, Name: "ann", Email: "Ann@example.com"}}, store.PutUser{User: store.User{ID: id2, Name: "bob", Email: "ann@example.com"}})
		_, err := f.UserByEmail(f.Context(), "ann@example.com")
		f.fails("by an address that nobody has verified", err, store.ErrNotFound)
		verify := func(id string) store.PutUser {
			user := f.user(id)
			user.EmailVerified = true
			return store.PutUser{User: user}
		}
		f.apply(verify(id2))
		f.is("whose it is", f.userByEmail("ANN@example.com").ID, id2)
		f.refuses(store.ErrEmailExists, verify(id1))
		f.apply(store.PutUser{User: store.User{ID: id3, Name: "carol", Email: "ann@example.com"}}) // as before
		given := f.user(id2)
		given.EmailVerified = false
		f.apply(store.PutUser{User: given})
		_, err = f.UserByEmail(f.Context(), "ann@example.com")
		f.fails("by an address that isn't verified any more", err, store.ErrNotFound)
		f.apply(verify(id1))
		f.is("whose it is now", f.userByEmail("ann@example.com").ID, id1)
		f.apply(store.RemoveUser{ID: id1})
		f.apply(verify(id3))
		f.is("whose it is after a removal", f.userByEmail("ann@example.com").ID, id3)
	})
	b.claim("a reserved e-mail address is one user's, as a verified one is", func(f *fixture) {
		f.apply(store.PutUser{User: store.User{ID: id1, Name: "ann", Email: "Ann@example.com", EmailReserved: true}})
		f.is("whose it is", f.userByEmail("ann@example.com").ID, id1)
		f.refuses(store.ErrEmailExists, store.PutUser{User: store.User{ID: id2, Name: "bob", Email: "ann@example.com", EmailReserved: true}})
		f.refuses(store.ErrEmailExists, store.PutUser{User: store.User{ID: id2, Name: "bob", Email: "ann@example.com", EmailVerified: true}})
		f.apply(store.PutUser{User: store.User{ID: id2, Name: "bob", Email: "ann@example.com"}})
		hers := f.user(id1)
		hers.EmailReserved = false
		f.apply(store.PutUser{User: hers})
		his := f.user(id2)
		his.EmailReserved = true
		f.apply(store.PutUser{User: his})
		f.is("whose it is then", f.userByEmail("ann@example.com").ID, id2)
	})
	b.claim("of many who verify an e-mail address at once one has it", func(f *fixture) {
		var waits sync.WaitGroup
		won := make(chan string, 8)
		for i := range cap(won) {
			user := store.User{ID: UserID(i), Name: fmt.Sprint("user", i), Email: "ann@example.com"}
			f.apply(store.PutUser{User: user})
			user.Revision, user.EmailVerified = 1, true
			waits.Go(func() {
				err := f.Apply(f.Context(), store.Batch{store.PutUser{User: user}})
				if err == nil {
					won <- user.ID
				} else if !errors.Is(err, store.ErrEmailExists) {
					f.Errorf("verifying: %v", err)
				}
			})
		}
		waits.Wait()
		close(won)
		f.is("how many have it", len(won), 1)
		f.is("whose it is", f.userByEmail("ann@example.com").ID, <-won)
	})
}
