// Package storetest has the contract of package store as tests. A backend is
// correct when they pass. It runs them in a few lines:
//
//	func TestContract(t *testing.T) {
//		storetest.Run(t, func(t *testing.T, now store.Clock) store.Store { return New(now) })
//	}
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Open opens an empty store with this clock, and closes it when the test ends.
type Open func(t *testing.T, now store.Clock) store.Store

// Run runs every test.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*suite){
		"users":    users,
		"emails":   emails,
		"removal":  removal,
		"paging":   paging,
		"lists":    lists,
		"updates":  updates,
		"batches":  batches,
		"sessions": sessions,
		"events":   events,
		"order":    order,
		"counts":   counts,
		"random":   random,
		"items":    items,
		"tickets":  tickets,
		"faults":   faults,
		"records":  records,
		"bytes":    ownership,
		"contexts": contexts,
		"probes":   probes,
		"writes":   writes,
	} {
		t.Run(name, func(t *testing.T) { test(&suite{T: t, open: open}) })
	}
}

// suite gives each claim a store of its own.
type suite struct {
	*testing.T
	open Open
}

// fixture is a store with a clock that the test sets.
type fixture struct {
	*testing.T
	store.Store
	mu    sync.Mutex
	clock time.Time
}

func (b *suite) claim(sentence string, test func(*fixture)) {
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
		f.Fatalf("applying %.300s: %v", fmt.Sprintf("%+v", ops), err)
	}
}

func (f *fixture) refuses(want error, ops ...store.Op) {
	f.Helper()
	if err := f.Apply(f.Context(), ops); !errors.Is(err, want) {
		f.Fatalf("applying %.300s: got %v, want %v", fmt.Sprintf("%+v", ops), err, want)
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

// changed expects a batch to be refused because of an item.
func (f *fixture) changed(key string, ops ...store.Op) {
	f.Helper()
	err := f.Apply(f.Context(), ops)
	if changed, is := errors.AsType[*store.ItemChanged](err); !is || changed.Key != key {
		f.Fatalf("applying %.300s: got %v, want a change of the item %q", fmt.Sprintf("%+v", ops), err, key)
	}
}

// userByEmail is the user with an address.
func (f *fixture) userByEmail(address string) store.User {
	f.Helper()
	user, err := f.UserByEmail(f.Context(), address)
	f.fails("by e-mail address", err, nil)
	return user
}

// oneOf makes 16 goroutines try the same. Exactly one must succeed, and lost must report true
// for the errors of the others.
func (f *fixture) oneOf(try func() error, lost func(error) bool) {
	f.Helper()
	var won atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if err := try(); err == nil {
				won.Add(1)
			} else if !lost(err) {
				f.Errorf("a loser: %v", err)
			}
		})
	}
	all.Wait()
	f.is("winners", won.Load(), int32(1))
}

// The ids of the users in these tests.
var id0, id1, id2, id3, id10 = UserID(0), UserID(1), UserID(2), UserID(3), UserID(10)

// ann is a user with every field set.
func ann() store.User {
	return store.User{
		ID: id1, Name: "ann", DisplayName: "Ann Admin", Handle: bytes.Repeat([]byte{7}, 64), Role: shared.RoleAdministrator,
		Created: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), Password: "$argon2id$",
		Passkeys: []store.Passkey{{
			ID: "p1", CredentialID: []byte("credential 1"), PublicKey: []byte("key"), Name: "Work laptop",
			AAGUID: [16]byte{1, 2}, Format: "none", Attachment: "platform", Transports: []string{"internal", "hybrid"},
			Flags: 0x5d, SignCount: 9, Verified: true, RPID: "example.com", Attested: true,
			Created: time.Date(2026, 2, 3, 4, 5, 6, 7000, time.UTC), LastUsed: time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC),
		}},
		Identities: []store.Identity{{
			ID: "i1", Issuer: "https://login.example.com", Subject: "248289761001", Name: "ann@example.com",
			Created: time.Date(2026, 4, 5, 6, 7, 8, 9000, time.UTC), LastUsed: time.Date(2026, 5, 6, 7, 8, 9, 10000, time.UTC),
		}},
		RecoveryCodes: []store.Hash{{1}, {2}}, RecoveryCodesMade: time.Date(2026, 6, 7, 8, 9, 10, 11000, time.UTC),
		Email: "Ann@example.com", EmailVerified: true, EmailReserved: true, Language: "de", Groups: []string{"it", "sales"}, Helps: []string{"sales"},
		ExternalID: "e-1", LastSignIn: time.Date(2026, 7, 8, 9, 10, 11, 12000, time.UTC),
		PasswordSet: time.Date(2026, 8, 9, 10, 11, 12, 13000, time.UTC), Invited: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), InvitedBy: id2,
		FirstPasskey: time.Date(2026, 2, 3, 4, 5, 6, 7000, time.UTC), HeldUntil: time.Date(2026, 9, 10, 11, 12, 13, 14000, time.UTC),
		Changed: time.Date(2026, 9, 11, 12, 13, 14, 15000, time.UTC),
	}
}

func bob() store.User {
	return store.User{ID: id2, Name: "bob", Passkeys: []store.Passkey{{ID: "p2", CredentialID: []byte("credential 2")}}}
}
