package storetest

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

func users(b *suite) {
	b.claim("a user comes back whole, by id, name, credential id and identity, with revision 1", func(f *fixture) {
		f.apply(store.PutUser{User: ann()})
		want := ann()
		want.Revision = 1
		f.is("by id", f.user(id1), want)
		byName, err := f.UserByName(f.Context(), "ann")
		f.is("by name", byName, want)
		f.fails("by name", err, nil)
		byCredential, err := f.UserByCredential(f.Context(), []byte("credential 1"))
		f.is("by credential", byCredential, want)
		f.fails("by credential", err, nil)
		byEmail, err := f.UserByEmail(f.Context(), "ann@EXAMPLE.com")
		f.is("by e-mail address", byEmail, want)
		f.fails("by e-mail address", err, nil)
		byIdentity, err := f.UserByIdentity(f.Context(), "https://login.example.com", "248289761001")
		f.is("by identity", byIdentity, want)
		f.fails("by identity", err, nil)
	})
	b.claim("nobody is not found", func(f *fixture) {
		_, err := f.User(f.Context(), id1)
		f.fails("by id", err, store.ErrNotFound)
		_, err = f.UserByName(f.Context(), "ann")
		f.fails("by name", err, store.ErrNotFound)
		_, err = f.UserByCredential(f.Context(), []byte("x"))
		f.fails("by credential", err, store.ErrNotFound)
		_, err = f.UserByIdentity(f.Context(), "https://login.example.com", "1")
		f.fails("by identity", err, store.ErrNotFound)
		f.apply(store.PutUser{User: bob()})
		for _, address := range []string{"", "ann@example.com", "a\x00b", "\xff"} {
			_, err = f.UserByEmail(f.Context(), address)
			f.fails("by e-mail address", err, store.ErrNotFound)
		}
	})
	b.claim("a user id is given once", func(f *fixture) {
		f.apply(store.PutUser{User: ann()})
		other := bob()
		other.ID = id1
		f.refuses(store.ErrUserExists, store.PutUser{User: other})
		f.refuses(store.ErrExists, store.PutUser{User: other})
	})
	b.claim("a name is one user's, also when another changes theirs", func(f *fixture) {
		f.apply(store.PutUser{User: ann()}, store.PutUser{User: bob()})
		third := store.User{ID: id3, Name: "ann"}
		f.refuses(store.ErrNameExists, store.PutUser{User: third})
		changed := f.user(id2)
		changed.Name = "ann"
		f.refuses(store.ErrNameExists, store.PutUser{User: changed})
	})
	b.claim("a credential id is one user's, also when another adds it", func(f *fixture) {
		f.apply(store.PutUser{User: ann()}, store.PutUser{User: bob()})
		third := store.User{ID: id3, Name: "carol", Passkeys: ann().Passkeys}
		f.refuses(store.ErrCredentialExists, store.PutUser{User: third})
		changed := f.user(id2)
		changed.Passkeys = append(changed.Passkeys, ann().Passkeys...)
		f.refuses(store.ErrCredentialExists, store.PutUser{User: changed})
	})
	b.claim("an identity is one user's, also when another adds it", func(f *fixture) {
		f.apply(store.PutUser{User: ann()}, store.PutUser{User: bob()})
		third := store.User{ID: id3, Name: "carol", Identities: ann().Identities}
		f.refuses(store.ErrIdentityExists, store.PutUser{User: third})
		changed := f.user(id2)
		changed.Identities = ann().Identities
		f.refuses(store.ErrIdentityExists, store.PutUser{User: changed})
	})
	b.claim("a subject is another at another issuer, and no prefix of one", func(f *fixture) {
		other := bob()
		other.Identities = ann().Identities
		other.Identities[0].Issuer = "https://other.example.com"
		f.apply(store.PutUser{User: ann()}, store.PutUser{User: other})
		for _, identity := range [][2]string{
			{"https://login.example.com", "24828976100"}, {"https://login.example.co", "m248289761001"}, {"https://login.example.com", ""},
		} {
			_, err := f.UserByIdentity(f.Context(), identity[0], identity[1])
			f.fails("by "+identity[1], err, store.ErrNotFound)
		}
		got, err := f.UserByIdentity(f.Context(), "https://other.example.com", "248289761001")
		f.fails("at the other", err, nil)
		f.is("at the other", got.ID, id2)
	})
	b.claim("identities and recovery codes change, and go", func(f *fixture) {
		f.apply(store.PutUser{User: ann()})
		changed := f.user(id1)
		second := changed.Identities[0]
		second.ID, second.Subject = "i2", "2"
		changed.Identities[0].Name = "anna@example.com"
		changed.Identities = append(changed.Identities, second)
		changed.RecoveryCodes = changed.RecoveryCodes[1:]
		f.apply(store.PutUser{User: changed})
		changed.Revision = 2
		f.is("changed", f.user(id1), changed)
		changed.Identities, changed.RecoveryCodes, changed.RecoveryCodesMade = nil, nil, time.Time{}
		f.apply(store.PutUser{User: changed})
		changed.Revision = 3
		f.is("without", f.user(id1), changed)
	})
	b.claim("a name, a credential id and an identity that were given up are free", func(f *fixture) {
		f.apply(store.PutUser{User: ann()})
		changed := f.user(id1)
		changed.Name, changed.Passkeys, changed.Identities = "anna", nil, nil
		f.apply(store.PutUser{User: changed})
		_, err := f.UserByName(f.Context(), "ann")
		f.fails("the old name", err, store.ErrNotFound)
		_, err = f.UserByCredential(f.Context(), []byte("credential 1"))
		f.fails("the removed passkey", err, store.ErrNotFound)
		_, err = f.UserByIdentity(f.Context(), ann().Identities[0].Issuer, ann().Identities[0].Subject)
		f.fails("the removed identity", err, store.ErrNotFound)
		f.apply(store.PutUser{User: store.User{ID: id3, Name: "ann", Passkeys: ann().Passkeys, Identities: ann().Identities}})
	})
	b.claim("a write with an old revision is stale, and changes nothing", func(f *fixture) {
		f.apply(store.PutUser{User: ann()})
		first, second := f.user(id1), f.user(id1)
		first.DisplayName, second.DisplayName = "first", "second"
		f.apply(store.PutUser{User: first})
		f.refuses(store.ErrStale, store.PutUser{User: second})
		f.is("display name", f.user(id1).DisplayName, "first")
		f.is("revision", f.user(id1).Revision, uint64(2))
	})
	b.claim("a write to a user who isn't there is stale", func(f *fixture) {
		gone := ann()
		gone.Revision = 4
		f.refuses(store.ErrStale, store.PutUser{User: gone})
	})
	b.claim("it is known whether anybody is an administrator", func(f *fixture) {
		has := func() bool {
			yes, err := f.HasAdministrator(f.Context())
			f.fails("asking", err, nil)
			return yes
		}
		f.is("at first", has(), false)
		f.apply(store.PutUser{User: bob()})
		f.is("with a user", has(), false)
		f.apply(store.PutUser{User: ann()})
		f.is("with an administrator", has(), true)
		changed := f.user(id1)
		changed.Disabled = true
		f.apply(store.PutUser{User: changed})
		f.is("with a disabled one", has(), true)
		changed = f.user(id1)
		changed.Role = shared.RoleNone
		f.apply(store.PutUser{User: changed})
		f.is("with none any more", has(), false)
	})
}

func removal(b *suite) {
	// with is a user's, with a session and two events.
	with := func(f *fixture, u store.User) []store.Op {
		session := store.Session{ID: SessionID(u.ID, "hers"), UserID: u.ID, Expires: f.now().Add(time.Hour)}
		return []store.Op{
			store.PutUser{User: u}, store.AddSession{Session: session},
			store.AddEvent{Event: store.NewEvent(f.now(), u.ID, shared.EventSignedIn, store.Client{})},
			store.AddEvent{Event: store.NewEvent(f.now(), u.ID, shared.EventPasskeyAdded, store.Client{})},
			store.PutItem{Item: store.Item{Owner: u.ID, Collection: "note", Key: "hers", Value: []byte(`"hello"`)}},
		}
	}
	b.claim("a user who is removed leaves nothing behind, and others keep what they have", func(f *fixture) {
		neighbour := bob()
		neighbour.ID = id10 // begins as hers does
		f.apply(with(f, ann())...)
		f.apply(with(f, neighbour)...)
		f.apply(store.RemoveUser{ID: id1})

		for _, kind := range store.Kinds {
			left, err := f.Records(f.Context(), kind, nil, 9)
			f.fails("reading", err, nil)
			f.is("records of kind "+string(kind), len(left), map[store.Kind]int{store.KindUser: 1, store.KindSession: 1, store.KindEvent: 2, store.KindItem: 1}[kind])
		}
		_, err := f.User(f.Context(), id1)
		f.fails("by id", err, store.ErrNotFound)
		_, err = f.UserByName(f.Context(), "ann")
		f.fails("by name", err, store.ErrNotFound)
		_, err = f.UserByCredential(f.Context(), []byte("credential 1"))
		f.fails("by credential", err, store.ErrNotFound)
		_, err = f.UserByIdentity(f.Context(), ann().Identities[0].Issuer, ann().Identities[0].Subject)
		f.fails("by identity", err, store.ErrNotFound)
		admin, _ := f.HasAdministrator(f.Context())
		f.is("an administrator", admin, false)
		_, err = f.Session(f.Context(), SessionID(id1, "hers"))
		f.fails("the session", err, store.ErrNotFound)
		events, _ := f.Events(f.Context(), id1, store.EventID{}, 9)
		f.is("events", len(events), 0)
		_, err = f.Item(f.Context(), id1, "note", "hers")
		f.fails("the item", err, store.ErrNotFound)
		all, _ := f.AllEvents(f.Context(), store.EventQuery{}, 9)
		f.is("all events", len(all), 2)
		f.is("the other's passkeys", len(f.user(id10).Passkeys), 1)
		events, _ = f.Events(f.Context(), id10, store.EventID{}, 9)
		f.is("the other's events", len(events), 2)
		f.passes(store.EventsKept) // nor does anything of hers expire

		f.apply(store.PutUser{User: ann()}) // what was hers is free, her id too
		events, _ = f.Events(f.Context(), id1, store.EventID{}, 9)
		f.is("events of who has the id now", len(events), 0)
	})
	b.claim("nobody can be removed, and somebody whose events alone are left", func(f *fixture) {
		f.apply(store.RemoveUser{ID: id1})
		f.apply(with(f, ann())[2:]...)
		f.apply(store.RemoveUser{ID: id1})
		events, _ := f.Events(f.Context(), id1, store.EventID{}, 9)
		f.is("events", len(events), 0)
	})
	b.claim("who has changed since they were read isn't removed", func(f *fixture) {
		f.refuses(store.ErrStale, store.RemoveUser{ID: id1, Revision: 1})
		f.apply(with(f, ann())...)
		read := f.user(id1)
		f.apply(store.PutUser{User: read})
		f.refuses(store.ErrStale, store.RemoveUser{ID: id1, Revision: read.Revision})
		f.is("name", f.user(id1).Name, "ann")
		events, _ := f.Events(f.Context(), id1, store.EventID{}, 9)
		f.is("events", len(events), 2)
		f.apply(store.RemoveUser{ID: id1, Revision: f.user(id1).Revision})
		_, err := f.User(f.Context(), id1)
		f.fails("afterwards", err, store.ErrNotFound)
	})
	b.claim("a removal in a batch that is refused removes nothing", func(f *fixture) {
		f.apply(with(f, ann())...)
		f.changed("k", store.RemoveUser{ID: id1}, store.RemoveItem{Collection: "note", Key: "k", Version: never})
		f.is("name", f.user(id1).Name, "ann")
		events, _ := f.Events(f.Context(), id1, store.EventID{}, 9)
		f.is("events", len(events), 2)
	})
	b.claim("a batch can stand on what another user's record says", func(f *fixture) {
		f.apply(store.PutUser{User: ann()}, store.PutUser{User: bob()})
		change := func(revision uint64) store.Batch {
			u := f.user(id2)
			u.DisplayName += "!"
			return store.Batch{store.HasUser{ID: id1, Revision: revision}, store.PutUser{User: u}}
		}
		f.refuses(store.ErrStale, change(2)...)
		f.apply(change(1)...)
		f.is("the other's revision", f.user(id1).Revision, uint64(1))
		f.apply(store.PutUser{User: f.user(id1)})
		f.refuses(store.ErrStale, change(1)...)
		f.apply(store.RemoveUser{ID: id1})
		f.refuses(store.ErrStale, change(2)...)
		f.is("the user", f.user(id2).DisplayName, "!")
	})
	b.claim("two users who change on the word of each other's record: one of them does", func(f *fixture) {
		for range 20 {
			f.apply(store.PutUser{User: ann()}, store.PutUser{User: bob()})
			first, second := f.user(id1), f.user(id2)
			first.Disabled, second.Disabled = true, true
			var both sync.WaitGroup
			errs := make([]error, 2)
			both.Go(func() {
				errs[0] = f.Apply(f.Context(), store.Batch{store.HasUser{ID: id2, Revision: 1}, store.PutUser{User: first}})
			})
			both.Go(func() {
				errs[1] = f.Apply(f.Context(), store.Batch{store.HasUser{ID: id1, Revision: 1}, store.PutUser{User: second}})
			})
			both.Wait()
			f.is("who is disabled", f.user(id1).Disabled != f.user(id2).Disabled, true)
			f.is("who has lost", errors.Is(errs[0], store.ErrStale) != errors.Is(errs[1], store.ErrStale), true)
			f.apply(store.RemoveUser{ID: id1}, store.RemoveUser{ID: id2})
		}
	})
	b.claim("what needs the user isn't written without them, not even beside a removal", func(f *fixture) {
		event := func() store.Batch {
			return store.Batch{store.HasUser{ID: id1}, store.AddEvent{Event: store.NewEvent(f.now(), id1, shared.EventSignInFailed, store.Client{Address: "192.0.2.1"})}}
		}
		f.refuses(store.ErrNotFound, event()...)
		f.apply(store.PutUser{User: bob()})
		f.refuses(store.ErrNotFound, event()...)
		for range 20 {
			f.apply(store.PutUser{User: ann()})
			f.apply(event()...)
			var writing sync.WaitGroup
			for range 4 {
				writing.Go(func() {
					for {
						if err := f.Apply(f.Context(), event()); err != nil {
							if !errors.Is(err, store.ErrNotFound) {
								f.Errorf("an event: %v", err)
							}
							return
						}
					}
				})
			}
			f.apply(store.RemoveUser{ID: id1})
			writing.Wait()
			events, err := f.Events(f.Context(), id1, store.EventID{}, 9)
			f.fails("reading", err, nil)
			f.is("events", len(events), 0)
		}
	})
	b.claim("a change that is on its way doesn't bring anybody back, nor their events", func(f *fixture) {
		f.apply(with(f, ann())...)
		read := f.user(id1)
		f.apply(store.RemoveUser{ID: id1})
		f.refuses(store.ErrStale, store.PutUser{User: read})

		f.apply(store.PutUser{User: ann()})
		var changing sync.WaitGroup
		for range 8 {
			changing.Go(func() {
				for {
					err := store.Update(f.Context(), f, id1, func(u store.User) (store.Batch, error) {
						u.Passkeys[0].SignCount++
						return store.Batch{store.PutUser{User: u}, store.AddEvent{Event: store.NewEvent(f.now(), id1, shared.EventSignedIn, store.Client{})}}, nil
					})
					if errors.Is(err, store.ErrNotFound) {
						return
					}
					if err != nil && !errors.Is(err, store.ErrStale) { // others were faster 64 times
						f.Errorf("a change: %v", err)
						return
					}
				}
			})
		}
		f.apply(store.RemoveUser{ID: id1})
		changing.Wait()
		_, err := f.User(f.Context(), id1)
		f.fails("afterwards", err, store.ErrNotFound)
		events, _ := f.Events(f.Context(), id1, store.EventID{}, 9)
		f.is("events", len(events), 0)
	})
}

func paging(b *suite) {
	b.claim("sessions come in pages by id, one user's only", func(f *fixture) {
		var want []store.Hash
		for i := range 5 {
			id := SessionID(id1, string(rune('a'+i)))
			want = append(want, id)
			f.apply(store.AddSession{Session: store.Session{ID: id, UserID: id1, Expires: f.now().Add(time.Hour)}})
		}
		slices.SortFunc(want, func(a, b store.Hash) int { return bytes.Compare(a[:], b[:]) })
		f.apply(store.AddSession{Session: store.Session{ID: SessionID(id10, "a"), UserID: id10, Expires: f.now().Add(time.Hour)}})
		f.apply(store.AddSession{Session: store.Session{ID: SessionID(id1, "short"), UserID: id1, Expires: f.now().Add(time.Minute)}})
		f.passes(time.Minute)

		var got []store.Hash
		for after := (store.Hash{}); ; {
			page, err := f.Sessions(f.Context(), id1, after, 2)
			f.fails("a page", err, nil)
			for _, s := range page {
				got = append(got, s.ID)
			}
			if len(page) < 2 {
				break
			}
			after = page[len(page)-1].ID
		}
		f.is("ids", got, want)
	})
}
