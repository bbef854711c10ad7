// Package storetest is the contract of package store as tests: a backend is
// right when they pass. It runs them in a few lines:
//
//	func TestContract(t *testing.T) {
//		storetest.Run(t, func(t *testing.T, now store.Clock) store.Store { return New(now) })
//	}
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Open opens an empty store with this clock. It closes it when the test ends.
type Open func(t *testing.T, now store.Clock) store.Store

// Run tests every promise.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*bench){
		"users":    users,
		"removal":  removal,
		"paging":   paging,
		"updates":  updates,
		"batches":  batches,
		"sessions": sessions,
		"events":   events,
		"tickets":  tickets,
		"links":    links,
		"secrets":  secrets,
		"records":  records,
		"bytes":    ownership,
		"contexts": contexts,
		"probes":   probes,
	} {
		t.Run(name, func(t *testing.T) { test(&bench{T: t, open: open}) })
	}
}

// bench gives each claim a store of its own.
type bench struct {
	*testing.T
	open Open
}

// fixture is a store and its clock.
type fixture struct {
	*testing.T
	store.Store
	mu    sync.Mutex
	clock time.Time
}

func (b *bench) claim(sentence string, test func(*fixture)) {
	b.Run(sentence, func(t *testing.T) {
		f := &fixture{T: t, clock: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
		f.Store = b.open(t, f.now)
		test(f)
	})
}

func (f *fixture) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.clock
}

func (f *fixture) passes(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clock = f.clock.Add(d)
}

func (f *fixture) apply(ops ...store.Op) {
	f.Helper()
	if err := f.Apply(f.Context(), ops); err != nil {
		f.Fatalf("applying %+v: %v", ops, err)
	}
}

func (f *fixture) refuses(want error, ops ...store.Op) {
	f.Helper()
	if err := f.Apply(f.Context(), ops); !errors.Is(err, want) {
		f.Fatalf("applying %+v: got %v, want %v", ops, err, want)
	}
}

func (f *fixture) user(id string) store.User {
	f.Helper()
	u, err := f.User(f.Context(), id)
	if err != nil {
		f.Fatalf("reading user %q: %v", id, err)
	}
	return u
}

func (f *fixture) is(what string, got, want any) {
	f.Helper()
	if !reflect.DeepEqual(got, want) {
		f.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func (f *fixture) fails(what string, err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Errorf("%s: got %v, want %v", what, err, want)
	}
}

// ann is a user with every field set.
func ann() store.User {
	return store.User{
		ID: "1", Name: "ann", DisplayName: "Ann Admin", Handle: bytes.Repeat([]byte{7}, 64), Admin: true,
		Created: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), Password: "$argon2id$",
		Passkeys: []store.Passkey{{
			ID: "p1", CredentialID: []byte("credential 1"), PublicKey: []byte("key"), Name: "Work laptop",
			AAGUID: [16]byte{1, 2}, Format: "none", Attachment: "platform", Transports: []string{"internal", "hybrid"},
			Flags: 0x5d, SignCount: 9, Verified: true, RPID: "example.com",
			Created: time.Date(2026, 2, 3, 4, 5, 6, 7000, time.UTC), LastUsed: time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC),
		}},
		Identities: []store.Identity{{
			ID: "i1", Issuer: "https://login.example.com", Subject: "248289761001", Name: "ann@example.com",
			Created: time.Date(2026, 4, 5, 6, 7, 8, 9000, time.UTC), LastUsed: time.Date(2026, 5, 6, 7, 8, 9, 10000, time.UTC),
		}},
		RecoveryCodes: []store.Hash{{1}, {2}}, RecoveryCodesMade: time.Date(2026, 6, 7, 8, 9, 10, 11000, time.UTC),
	}
}

func bob() store.User {
	return store.User{ID: "2", Name: "bob", Passkeys: []store.Passkey{{ID: "p2", CredentialID: []byte("credential 2")}}}
}

func users(b *bench) {
	b.claim("a user comes back whole, by id, name, credential id and identity, with revision 1", func(f *fixture) {
		f.apply(store.PutUser{User: ann()})
		want := ann()
		want.Revision = 1
		f.is("by id", f.user("1"), want)
		byName, err := f.UserByName(f.Context(), "ann")
		f.is("by name", byName, want)
		f.fails("by name", err, nil)
		byCredential, err := f.UserByCredential(f.Context(), []byte("credential 1"))
		f.is("by credential", byCredential, want)
		f.fails("by credential", err, nil)
		byIdentity, err := f.UserByIdentity(f.Context(), "https://login.example.com", "248289761001")
		f.is("by identity", byIdentity, want)
		f.fails("by identity", err, nil)
	})
	b.claim("nobody is not found", func(f *fixture) {
		_, err := f.User(f.Context(), "1")
		f.fails("by id", err, store.ErrNotFound)
		_, err = f.UserByName(f.Context(), "ann")
		f.fails("by name", err, store.ErrNotFound)
		_, err = f.UserByCredential(f.Context(), []byte("x"))
		f.fails("by credential", err, store.ErrNotFound)
		_, err = f.UserByIdentity(f.Context(), "https://login.example.com", "1")
		f.fails("by identity", err, store.ErrNotFound)
	})
	b.claim("a user id is given once", func(f *fixture) {
		f.apply(store.PutUser{User: ann()})
		other := bob()
		other.ID = "1"
		f.refuses(store.ErrUserExists, store.PutUser{User: other})
		f.refuses(store.ErrExists, store.PutUser{User: other})
	})
	b.claim("a name is one user's, also when another changes theirs", func(f *fixture) {
		f.apply(store.PutUser{User: ann()}, store.PutUser{User: bob()})
		third := store.User{ID: "3", Name: "ann"}
		f.refuses(store.ErrNameExists, store.PutUser{User: third})
		changed := f.user("2")
		changed.Name = "ann"
		f.refuses(store.ErrNameExists, store.PutUser{User: changed})
	})
	b.claim("a credential id is one user's, also when another adds it", func(f *fixture) {
		f.apply(store.PutUser{User: ann()}, store.PutUser{User: bob()})
		third := store.User{ID: "3", Name: "carol", Passkeys: ann().Passkeys}
		f.refuses(store.ErrCredentialExists, store.PutUser{User: third})
		changed := f.user("2")
		changed.Passkeys = append(changed.Passkeys, ann().Passkeys...)
		f.refuses(store.ErrCredentialExists, store.PutUser{User: changed})
	})
	b.claim("an identity is one user's, also when another adds it", func(f *fixture) {
		f.apply(store.PutUser{User: ann()}, store.PutUser{User: bob()})
		third := store.User{ID: "3", Name: "carol", Identities: ann().Identities}
		f.refuses(store.ErrIdentityExists, store.PutUser{User: third})
		changed := f.user("2")
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
		f.is("at the other", got.ID, "2")
	})
	b.claim("identities and recovery codes change, and go", func(f *fixture) {
		f.apply(store.PutUser{User: ann()})
		changed := f.user("1")
		second := changed.Identities[0]
		second.ID, second.Subject = "i2", "2"
		changed.Identities[0].Name = "anna@example.com"
		changed.Identities = append(changed.Identities, second)
		changed.RecoveryCodes = changed.RecoveryCodes[1:]
		f.apply(store.PutUser{User: changed})
		changed.Revision = 2
		f.is("changed", f.user("1"), changed)
		changed.Identities, changed.RecoveryCodes, changed.RecoveryCodesMade = nil, nil, time.Time{}
		f.apply(store.PutUser{User: changed})
		changed.Revision = 3
		f.is("without", f.user("1"), changed)
	})
	b.claim("a name, a credential id and an identity that were given up are free", func(f *fixture) {
		f.apply(store.PutUser{User: ann()})
		changed := f.user("1")
		changed.Name, changed.Passkeys, changed.Identities = "anna", nil, nil
		f.apply(store.PutUser{User: changed})
		_, err := f.UserByName(f.Context(), "ann")
		f.fails("the old name", err, store.ErrNotFound)
		_, err = f.UserByCredential(f.Context(), []byte("credential 1"))
		f.fails("the removed passkey", err, store.ErrNotFound)
		_, err = f.UserByIdentity(f.Context(), ann().Identities[0].Issuer, ann().Identities[0].Subject)
		f.fails("the removed identity", err, store.ErrNotFound)
		f.apply(store.PutUser{User: store.User{ID: "3", Name: "ann", Passkeys: ann().Passkeys, Identities: ann().Identities}})
	})
	b.claim("a write with an old revision is stale, and changes nothing", func(f *fixture) {
		f.apply(store.PutUser{User: ann()})
		first, second := f.user("1"), f.user("1")
		first.DisplayName, second.DisplayName = "first", "second"
		f.apply(store.PutUser{User: first})
		f.refuses(store.ErrStale, store.PutUser{User: second})
		f.is("display name", f.user("1").DisplayName, "first")
		f.is("revision", f.user("1").Revision, uint64(2))
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
		changed := f.user("1")
		changed.Disabled = true
		f.apply(store.PutUser{User: changed})
		f.is("with a disabled one", has(), true)
		changed = f.user("1")
		changed.Admin = false
		f.apply(store.PutUser{User: changed})
		f.is("with none any more", has(), false)
	})
}

func removal(b *bench) {
	// with is a user's, with a session and two events.
	with := func(f *fixture, u store.User) []store.Op {
		session := store.Session{ID: store.HashOf("session of " + u.ID), UserID: u.ID, Expires: f.now().Add(time.Hour)}
		return []store.Op{
			store.PutUser{User: u}, store.AddSession{Session: session},
			store.AddEvent{Event: store.NewEvent(f.now(), u.ID, shared.EventSignedIn, store.Client{})},
			store.AddEvent{Event: store.NewEvent(f.now(), u.ID, shared.EventPasskeyAdded, store.Client{})},
		}
	}
	b.claim("a user who is removed leaves nothing behind, and others keep what they have", func(f *fixture) {
		neighbour := bob()
		neighbour.ID = "10" // begins as hers does
		f.apply(with(f, ann())...)
		f.apply(with(f, neighbour)...)
		f.apply(store.RemoveUser{ID: "1"})

		for _, kind := range store.Kinds {
			left, err := f.Records(f.Context(), kind, nil, 9)
			f.fails("reading", err, nil)
			f.is("records of kind "+string(kind), len(left), map[store.Kind]int{store.KindUser: 1, store.KindSession: 1, store.KindEvent: 2}[kind])
		}
		_, err := f.User(f.Context(), "1")
		f.fails("by id", err, store.ErrNotFound)
		_, err = f.UserByName(f.Context(), "ann")
		f.fails("by name", err, store.ErrNotFound)
		_, err = f.UserByCredential(f.Context(), []byte("credential 1"))
		f.fails("by credential", err, store.ErrNotFound)
		_, err = f.UserByIdentity(f.Context(), ann().Identities[0].Issuer, ann().Identities[0].Subject)
		f.fails("by identity", err, store.ErrNotFound)
		admin, _ := f.HasAdministrator(f.Context())
		f.is("an administrator", admin, false)
		_, err = f.Session(f.Context(), store.HashOf("session of 1"))
		f.fails("the session", err, store.ErrNotFound)
		told, _ := f.Events(f.Context(), "1", store.EventID{}, 9)
		f.is("events", len(told), 0)
		f.is("the other's passkeys", len(f.user("10").Passkeys), 1)
		told, _ = f.Events(f.Context(), "10", store.EventID{}, 9)
		f.is("the other's events", len(told), 2)
		f.passes(store.EventsKept) // nor does anything of hers expire

		f.apply(store.PutUser{User: ann()}) // what was hers is free, her id too
		told, _ = f.Events(f.Context(), "1", store.EventID{}, 9)
		f.is("events of who has the id now", len(told), 0)
	})
	b.claim("nobody can be removed, and somebody whose events alone are left", func(f *fixture) {
		f.apply(store.RemoveUser{ID: "1"})
		f.apply(with(f, ann())[2:]...)
		f.apply(store.RemoveUser{ID: "1"})
		told, _ := f.Events(f.Context(), "1", store.EventID{}, 9)
		f.is("events", len(told), 0)
	})
	b.claim("who has changed since they were read isn't removed", func(f *fixture) {
		f.refuses(store.ErrStale, store.RemoveUser{ID: "1", Revision: 1})
		f.apply(with(f, ann())...)
		read := f.user("1")
		f.apply(store.PutUser{User: read})
		f.refuses(store.ErrStale, store.RemoveUser{ID: "1", Revision: read.Revision})
		f.is("name", f.user("1").Name, "ann")
		told, _ := f.Events(f.Context(), "1", store.EventID{}, 9)
		f.is("events", len(told), 2)
		f.apply(store.RemoveUser{ID: "1", Revision: f.user("1").Revision})
		_, err := f.User(f.Context(), "1")
		f.fails("afterwards", err, store.ErrNotFound)
	})
	b.claim("a removal in a batch that is refused removes nothing", func(f *fixture) {
		f.apply(with(f, ann())...)
		f.refuses(store.ErrNotFound, store.RemoveUser{ID: "1"}, store.TakeLink{Key: "k"})
		f.is("name", f.user("1").Name, "ann")
		told, _ := f.Events(f.Context(), "1", store.EventID{}, 9)
		f.is("events", len(told), 2)
	})
	b.claim("a change that is on its way doesn't bring anybody back, nor their events", func(f *fixture) {
		f.apply(with(f, ann())...)
		read := f.user("1")
		f.apply(store.RemoveUser{ID: "1"})
		f.refuses(store.ErrStale, store.PutUser{User: read})

		f.apply(store.PutUser{User: ann()})
		var changing sync.WaitGroup
		for range 8 {
			changing.Go(func() {
				for {
					err := store.Update(f.Context(), f, "1", func(u store.User) (store.Batch, error) {
						u.Passkeys[0].SignCount++
						return store.Batch{store.PutUser{User: u}, store.AddEvent{Event: store.NewEvent(f.now(), "1", shared.EventSignedIn, store.Client{})}}, nil
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
		f.apply(store.RemoveUser{ID: "1"})
		changing.Wait()
		_, err := f.User(f.Context(), "1")
		f.fails("afterwards", err, store.ErrNotFound)
		told, _ := f.Events(f.Context(), "1", store.EventID{}, 9)
		f.is("events", len(told), 0)
	})
}

func paging(b *bench) {
	b.claim("users come in pages by name", func(f *fixture) {
		var want []string
		for i := range 7 {
			name := fmt.Sprintf("user%d", i)
			want = append(want, name)
			f.apply(store.PutUser{User: store.User{ID: fmt.Sprint(9 - i), Name: name}})
		}
		var got []string
		for after := ""; ; {
			page, err := f.Users(f.Context(), after, 3)
			f.fails("a page", err, nil)
			for _, u := range page {
				got = append(got, u.Name)
			}
			if len(page) < 3 {
				break
			}
			after = page[len(page)-1].Name
		}
		f.is("names", got, want)
		none, err := f.Users(f.Context(), "", 0)
		f.is("a page of none", len(none), 0)
		f.fails("a page of none", err, nil)
		between, err := f.Users(f.Context(), "user3x", 1)
		f.fails("after a name that isn't there", err, nil)
		f.is("after a name that isn't there", between[0].Name, "user4")
	})
	b.claim("sessions come in pages by id, one user's only", func(f *fixture) {
		var want []store.Hash
		for i := range 5 {
			id := store.Hash{byte(i + 1)}
			want = append(want, id)
			f.apply(store.AddSession{Session: store.Session{ID: id, UserID: "1", Expires: f.now().Add(time.Hour)}})
		}
		f.apply(store.AddSession{Session: store.Session{ID: store.Hash{3, 1}, UserID: "10", Expires: f.now().Add(time.Hour)}})
		f.apply(store.AddSession{Session: store.Session{ID: store.Hash{3, 2}, UserID: "1", Expires: f.now().Add(time.Minute)}})
		f.passes(time.Minute)

		var got []store.Hash
		for after := (store.Hash{}); ; {
			page, err := f.Sessions(f.Context(), "1", after, 2)
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

func updates(b *bench) {
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

func batches(b *bench) {
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
		told, _ := f.Events(f.Context(), "2", store.EventID{}, 9)
		f.is("events", len(told), 0)
		_, err = f.Secret(f.Context(), "s")
		f.fails("the secret", err, store.ErrNotFound)
		f.apply(store.SpendTicket{Ticket: store.SpentTicket{ID: [16]byte{1}, Expires: f.now().Add(time.Hour)}})
		_, err = f.Link(f.Context(), "k")
		f.fails("the link", err, nil)
	})
	b.claim("an empty batch is nothing", func(f *fixture) { f.apply() })
}

func sessions(b *bench) {
	full := func(f *fixture) store.Session {
		return store.Session{
			ID: store.HashOf("a"), UserID: "1", Method: store.MethodPasskey, PasskeyID: "p1",
			Client:  store.Client{Browser: "Chrome", System: "Linux", Address: "::1", Mark: "0123456789abcdef"},
			Created: f.now(), Seen: f.now(), Authenticated: f.now(), Expires: f.now().Add(time.Hour),
		}
	}
	b.claim("a session comes back whole until it ends", func(f *fixture) {
		f.apply(store.AddSession{Session: full(f)})
		got, err := f.Session(f.Context(), store.HashOf("a"))
		f.fails("reading", err, nil)
		f.is("session", got, full(f))
		f.apply(store.EndSession{ID: got.ID})
		_, err = f.Session(f.Context(), got.ID)
		f.fails("after its end", err, store.ErrNotFound)
		f.apply(store.EndSession{ID: got.ID}) // ending it again is nothing
	})
	b.claim("a session comes with its user, or not at all", func(f *fixture) {
		session := full(f)
		f.apply(store.AddSession{Session: session})
		_, _, err := f.SessionUser(f.Context(), session.ID)
		f.fails("without a user", err, store.ErrNotFound)
		f.apply(store.PutUser{User: ann()})
		got, owner, err := f.SessionUser(f.Context(), session.ID)
		f.fails("reading", err, nil)
		f.is("session", got, session)
		f.is("user", owner, f.user("1"))
		_, _, err = f.SessionUser(f.Context(), store.HashOf("b"))
		f.fails("another id", err, store.ErrNotFound)
		f.passes(time.Hour)
		_, _, err = f.SessionUser(f.Context(), session.ID)
		f.fails("after its end", err, store.ErrNotFound)
	})
	b.claim("a session that has expired is not found", func(f *fixture) {
		s := full(f)
		f.apply(store.AddSession{Session: s})
		f.passes(time.Hour - time.Microsecond)
		_, err := f.Session(f.Context(), s.ID)
		f.fails("just before", err, nil)
		f.passes(time.Microsecond)
		_, err = f.Session(f.Context(), s.ID)
		f.fails("on time", err, store.ErrNotFound)
		f.refuses(store.ErrNotFound, store.ReplaceSession{Old: s.ID, Session: s})
		s.Expires = f.now().Add(time.Hour)
		f.apply(store.AddSession{Session: s}) // its place is free
	})
	b.claim("where there is room for some only, the least recently seen make it", func(f *fixture) {
		add := func(id string, userID string, most int) {
			f.passes(time.Second)
			s := full(f)
			s.ID, s.UserID = store.HashOf(id), userID
			f.apply(store.AddSession{Session: s, Most: most})
		}
		left := func(userID string) (ids []string) {
			for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "hers"} {
				if s, err := f.Session(f.Context(), store.HashOf(id)); err == nil && s.UserID == userID {
					ids = append(ids, id)
				}
			}
			return ids
		}
		add("hers", "2", 3)
		add("a", "1", 0)
		add("b", "1", 3)
		add("c", "1", 3)
		f.is("with room", left("1"), []string{"a", "b", "c"})

		f.passes(time.Second)
		seen, err := f.Session(f.Context(), store.HashOf("a"))
		f.fails("reading", err, nil)
		seen.Seen = f.now()
		f.apply(store.ReplaceSession{Old: seen.ID, Session: seen})
		add("d", "1", 3)
		f.is("with one too many", left("1"), []string{"a", "c", "d"})
		add("e", "1", 0)
		f.is("without a bound", left("1"), []string{"a", "c", "d", "e"})
		add("f", "1", 3)
		f.is("with two too many", left("1"), []string{"d", "e", "f"})
		add("g", "1", 1)
		f.is("with room for one", left("1"), []string{"g"})
		f.is("of somebody else", left("2"), []string{"hers"})

		listed, err := f.Sessions(f.Context(), "1", store.Hash{}, 9)
		f.fails("listing", err, nil)
		f.is("listed", len(listed), 1)
	})
	b.claim("a session id is given once", func(f *fixture) {
		f.apply(store.AddSession{Session: full(f)})
		f.refuses(store.ErrSessionExists, store.AddSession{Session: full(f)})
	})
	b.claim("a replaced session has its new id only", func(f *fixture) {
		old := full(f)
		f.apply(store.AddSession{Session: old})
		fresh := old
		fresh.ID = store.HashOf("b")
		f.apply(store.ReplaceSession{Old: old.ID, Session: fresh})
		_, err := f.Session(f.Context(), old.ID)
		f.fails("the old id", err, store.ErrNotFound)
		got, err := f.Session(f.Context(), fresh.ID)
		f.fails("the new id", err, nil)
		f.is("the new session", got, fresh)
		listed, _ := f.Sessions(f.Context(), "1", store.Hash{}, 9)
		f.is("listed", listed, []store.Session{fresh})
	})
	b.claim("a session replaced by itself lives longer", func(f *fixture) {
		s := full(f)
		f.apply(store.AddSession{Session: s})
		s.Expires = s.Expires.Add(time.Hour)
		f.apply(store.ReplaceSession{Old: s.ID, Session: s})
		f.passes(90 * time.Minute)
		_, err := f.Session(f.Context(), s.ID)
		f.fails("after its first end", err, nil)
	})
	b.claim("a session that was ended can't be replaced back to life, nor another's place be taken", func(f *fixture) {
		s, other := full(f), full(f)
		other.ID = store.HashOf("other")
		f.refuses(store.ErrNotFound, store.ReplaceSession{Old: s.ID, Session: s})
		f.apply(store.AddSession{Session: s}, store.AddSession{Session: other})
		f.refuses(store.ErrSessionExists, store.ReplaceSession{Old: s.ID, Session: other})
	})
	b.claim("all of a user's sessions end but the one excepted, or those of one passkey", func(f *fixture) {
		add := func(token, user, passkey string) store.Hash {
			s := full(f)
			s.ID, s.UserID, s.PasskeyID = store.HashOf(token), user, passkey
			f.apply(store.AddSession{Session: s})
			return s.ID
		}
		lives := func(id store.Hash) bool {
			_, err := f.Session(f.Context(), id)
			return err == nil
		}
		mine, p1, p2, hers := add("mine", "1", ""), add("p1", "1", "p1"), add("p2", "1", "p2"), add("hers", "2", "p1")
		f.apply(store.EndSessions{UserID: "1", Passkey: "p1"})
		f.is("lives", []bool{lives(mine), lives(p1), lives(p2), lives(hers)}, []bool{true, false, true, true})
		f.apply(store.EndSessions{UserID: "1", Except: mine})
		f.is("lives", []bool{lives(mine), lives(p2), lives(hers)}, []bool{true, false, true})
		f.apply(store.EndSessions{UserID: "1"})
		f.is("lives", []bool{lives(mine), lives(hers)}, []bool{false, true})
	})
}

func events(b *bench) {
	b.claim("events come back whole, newest first, in pages, one user's only", func(f *fixture) {
		var want []store.Event
		for i := range 5 {
			f.passes(time.Minute)
			event := store.NewEvent(f.now(), "1", shared.EventPasskeyAdded, store.Client{Browser: "Firefox", System: "Linux", Address: "::1", Mark: "0123456789abcdef"})
			event.Method, event.PasskeyID, event.Passkey = store.MethodPasskey, "p1", fmt.Sprint("name ", i)
			want = append(want, event)
			f.apply(store.AddEvent{Event: event}, store.AddEvent{Event: store.NewEvent(f.now(), "10", shared.EventSignedIn, store.Client{})},
				store.AddEvent{Event: store.NewEvent(f.now(), "0", shared.EventSignedIn, store.Client{})})
		}
		slices.Reverse(want)
		var got []store.Event
		for before := (store.EventID{}); ; {
			page, err := f.Events(f.Context(), "1", before, 2)
			f.fails("a page", err, nil)
			got = append(got, page...)
			if len(page) < 2 {
				break
			}
			before = page[len(page)-1].ID
		}
		f.is("events", got, want)
	})
	b.claim("an event takes the place of the one with its id", func(f *fixture) {
		first := store.NewEvent(f.now(), "1", shared.EventSignInFailed, store.Client{Address: "::1"})
		hers := store.NewEvent(f.now(), "2", shared.EventSignInFailed, store.Client{})
		hers.ID = first.ID
		f.apply(store.AddEvent{Event: first}, store.AddEvent{Event: hers})
		merged := first
		merged.Count, merged.Last, merged.Client.Address = 12, f.now().Add(time.Minute), "::2"
		merged.Expires = first.Expires.Add(time.Hour)
		f.apply(store.AddEvent{Event: merged})

		got, err := f.Events(f.Context(), "1", store.EventID{}, 9)
		f.fails("listing", err, nil)
		f.is("events", got, []store.Event{merged})
		got, _ = f.Events(f.Context(), "2", store.EventID{}, 9)
		f.is("of somebody else", got, []store.Event{hers})

		f.passes(store.EventsKept) // which goes by the later time
		got, _ = f.Events(f.Context(), "1", store.EventID{}, 9)
		f.is("events", len(got), 1)
	})
	b.claim("an event that has expired is not listed", func(f *fixture) {
		f.apply(store.AddEvent{Event: store.NewEvent(f.now(), "1", shared.EventSignedIn, store.Client{})})
		f.passes(store.EventsKept)
		got, err := f.Events(f.Context(), "1", store.EventID{}, 9)
		f.is("events", len(got), 0)
		f.fails("listing", err, nil)
	})
}

// oneOf lets many try the same, and counts who succeeds.
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

func tickets(b *bench) {
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

func links(b *bench) {
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

func secrets(b *bench) {
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

func records(b *bench) {
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
		// What is over is not listed.
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

func ownership(b *bench) {
	b.claim("what is handed in stays the caller's, and what is handed out is theirs", func(f *fixture) {
		mine := ann()
		secret := []byte("secret")
		f.apply(store.PutUser{User: mine}, store.AddSecret{Name: "s", Value: secret})
		mine.Handle[0], mine.Passkeys[0].CredentialID[0], mine.Passkeys[0].Transports[0], secret[0] = 0, 0, "x", 0

		theirs := f.user("1")
		theirs.Handle[0], theirs.Passkeys[0].PublicKey[0], theirs.Passkeys[0].Name = 0, 0, "x"
		taken, _ := f.Secret(f.Context(), "s")
		taken[0] = 0

		want := ann()
		want.Revision = 1
		f.is("user", f.user("1"), want)
		kept, _ := f.Secret(f.Context(), "s")
		f.is("secret", kept, []byte("secret"))
	})
}

func probes(b *bench) {
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
		if _, can := f.Store.(store.Prober); !can {
			return
		}
		f.fails("closing", f.Close(), nil)
		if err := store.Probe(context.Background(), f.Store); err == nil {
			f.Error("a probe of a closed store succeeded")
		}
	})
}

func contexts(b *bench) {
	b.claim("a context that has ended reads and writes nothing", func(f *fixture) {
		f.apply(store.PutUser{User: bob()})
		ended, cancel := context.WithCancel(f.Context())
		cancel()
		f.fails("writing", f.Apply(ended, store.Batch{store.PutUser{User: ann()}}), context.Canceled)
		_, err := f.User(ended, "2")
		f.fails("reading", err, context.Canceled)
		_, err = f.User(f.Context(), "1")
		f.fails("what was not written", err, store.ErrNotFound)
	})
	b.claim("a closed store refuses, and closes twice", func(f *fixture) {
		f.fails("closing", f.Close(), nil)
		f.fails("closing again", f.Close(), nil)
		if err := f.Apply(context.Background(), store.Batch{store.PutUser{User: ann()}}); err == nil {
			f.Error("a write after Close succeeded")
		}
		if _, err := f.User(context.Background(), "1"); err == nil || errors.Is(err, store.ErrNotFound) {
			f.Errorf("a read after Close: got %v, want a fault", err)
		}
	})
}
