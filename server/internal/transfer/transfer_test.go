package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/transfer"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

func stillClock() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

var backends = map[string]func(t *testing.T) store.Store{
	"memstore": func(*testing.T) store.Store { return memstore.New(stillClock) },
	"boltstore": func(t *testing.T) store.Store {
		s, err := boltstore.Open(filepath.Join(t.TempDir(), "keypeg.db"), stillClock)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	},
	"pgstore": func(t *testing.T) store.Store {
		s, err := pgstore.Open(t.Context(), pgtest.Database(t), pgtest.Name(), stillClock)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	},
}

// fill writes records of every kind, more than a page of some.
func fill(t *testing.T, s store.Store, users int) {
	t.Helper()
	later := stillClock().Add(time.Hour)
	batch := store.Batch{
		store.Secrets.Put(store.Entry[[]byte]{Key: "ticket-key", Value: []byte(fmt.Sprint("key of ", users))}),
		store.PutItem{Item: store.Item{Collection: "note", Value: []byte(`"x"`), Expires: later}},
		store.SpendTicket(store.NewTicketID(stillClock()), later),
	}
	for i := range users {
		id := storetest.UserID(i)
		batch = append(batch,
			store.PutUser{User: store.User{ID: id, Name: fmt.Sprintf("user%05d", users-i), Handle: []byte(id), Created: stillClock().Add(time.Duration(i) * 1001), Passkeys: []store.Passkey{
				{ID: "a", CredentialID: []byte("a" + id), Name: "ü", Transports: []string{"usb"}, SignCount: uint32(i)}, {ID: "b", CredentialID: []byte("b" + id)},
			}}},
			store.AddSession{Session: store.Session{ID: storetest.SessionID(id, ""), UserID: id, Expires: later}},
			store.AddEvent{Event: store.NewEvent(stillClock(), id, shared.EventSignedIn, store.Client{Address: "::1"})})
	}
	if err := s.Apply(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

func silent(int, int) {}

func TestCopy(t *testing.T) {
	for fromName, openFrom := range backends {
		for toName, openTo := range backends {
			t.Run(fromName+" to "+toName, func(t *testing.T) {
				from, to := openFrom(t), openTo(t)
				fill(t, from, 700)
				last, total := 0, 0
				sum, err := transfer.Copy(t.Context(), from, to, func(done, all int) {
					if done < last {
						t.Errorf("progress went back from %d to %d", last, done)
					}
					last, total = done, all
				})
				if err != nil {
					t.Fatal(err)
				}
				if want := 3 + 3*700; sum.Total() != want || last != want || total != want {
					t.Errorf("copied %d, reported %d of %d, want %d", sum.Total(), last, total, want)
				}
				if err := transfer.Unfinished(t.Context(), to); err != nil {
					t.Errorf("afterwards: %v", err)
				}
				if err := storetest.Consistent(t.Context(), to, stillClock()); err != nil {
					t.Error(err)
				}
				user, err := to.UserByCredential(t.Context(), []byte("a"+storetest.UserID(7)))
				if err != nil || user.Passkeys[0].SignCount != 7 {
					t.Errorf("a user: %+v, %v", user, err)
				}
			})
		}
	}
}

// TestSignalsOfACopy says of which of two databases password managers may be told.
func TestSignalsOfACopy(t *testing.T) {
	removed := store.Passkey{CredentialID: []byte("removed")}
	for name, open := range backends {
		for state, more := range map[string]store.Batch{"that may": nil, "that holds signals back": {store.HoldSignals()}} {
			t.Run(name+", from a source "+state, func(t *testing.T) {
				from, to := open(t), open(t)
				fill(t, from, 3)
				if err := from.Apply(t.Context(), append(more, store.Tombstone(stillClock(), removed))); err != nil {
					t.Fatal(err)
				}
				before, err := store.AreSignalsHeld(t.Context(), from)
				if err != nil || before != (more != nil) {
					t.Fatalf("held: %t, %v", before, err)
				}
				if _, err := transfer.Copy(t.Context(), from, to, silent); err != nil {
					t.Fatal(err)
				}
				if held, err := store.AreSignalsHeld(t.Context(), to); err != nil || !held {
					t.Errorf("held in the copy: %t, %v", held, err)
				}
				if held, err := store.AreSignalsHeld(t.Context(), from); err != nil || held != before {
					t.Errorf("held in the source: %t, %v", held, err)
				}
				if has, err := store.HasTombstone(t.Context(), to, removed.CredentialID); err != nil || !has {
					t.Errorf("the tombstone was copied: %t, %v", has, err)
				}
				one, _ := transfer.AddUp(t.Context(), from)
				if other, err := transfer.AddUp(t.Context(), to); err != nil || !one.Same(other) {
					t.Errorf("they differ (%v)", err)
				}
			})
		}
	}
}

// breaking is a store that fails after some writes, as one whose process is killed.
type breaking struct {
	store.Store
	left int
}

var errBroken = errors.New("broken")

func (b *breaking) Apply(ctx context.Context, batch store.Batch) error {
	if b.left--; b.left < 0 {
		return errBroken
	}
	return b.Store.Apply(ctx, batch)
}

func TestInterrupted(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			from, to := memstore.New(stillClock), open(t)
			fill(t, from, 1200)
			for writes := 1; ; writes++ {
				_, err := transfer.Copy(t.Context(), from, &breaking{to, writes % 3}, silent)
				if err == nil {
					break
				}
				if !errors.Is(err, errBroken) {
					t.Fatal(err)
				}
				if writes > 1 { // the mark was written
					if err := transfer.Unfinished(t.Context(), to); !errors.Is(err, transfer.ErrUnfinished) {
						t.Fatalf("after an interruption: %v", err)
					}
					stranger := memstore.New(stillClock)
					fill(t, stranger, 1)
					if _, err := transfer.Copy(t.Context(), stranger, to, silent); !errors.Is(err, transfer.ErrNotEmpty) {
						t.Fatalf("going on with another source: %v", err)
					}
				}
				if writes > 100 {
					t.Fatal("it never ends")
				}
			}
			one, err := transfer.AddUp(t.Context(), from)
			if err != nil {
				t.Fatal(err)
			}
			other, err := transfer.AddUp(t.Context(), to)
			if err != nil || !one.Same(other) {
				t.Errorf("they differ: %v and %v (%v)", one.Counts, other.Counts, err)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	from, to := memstore.New(stillClock), memstore.New(stillClock)
	fill(t, from, 3)
	fill(t, to, 1)
	before, _ := transfer.AddUp(t.Context(), to)
	if _, err := transfer.Copy(t.Context(), from, to, silent); !errors.Is(err, transfer.ErrNotEmpty) {
		t.Errorf("into a store with records: %v", err)
	}
	if after, _ := transfer.AddUp(t.Context(), to); !after.Same(before) {
		t.Error("it was written to")
	}

	// A source that is used meanwhile.
	to = memstore.New(stillClock)
	_, err := transfer.Copy(t.Context(), from, to, func(done, total int) {
		if done == total {
			from.Apply(t.Context(), store.Batch{store.PutUser{User: store.User{ID: store.NewUserID(), Name: "new"}}})
		}
	})
	if !errors.Is(err, transfer.ErrChanged) {
		t.Errorf("a source that changes: %v", err)
	}
	if err := transfer.Unfinished(t.Context(), to); !errors.Is(err, transfer.ErrUnfinished) {
		t.Errorf("its copy: %v", err)
	}
}
