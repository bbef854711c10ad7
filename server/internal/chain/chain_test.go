package chain_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/activity"
	"github.com/keypeg/keypeg/server/internal/chain"
	"github.com/keypeg/keypeg/server/internal/transfer"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/storetest/backends"
	"github.com/keypeg/keypeg/shared"
)

var began = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// clock is set by a test, and read by a store.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) passes(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// book is an organisation whose events are sealed. What is written to store directly passes the
// program by.
type book struct {
	*testing.T
	*clock
	store, other store.Store
	marked       store.Store
	users        []string
	kept         chain.Hash // is given to Verify
}

func onEveryStore(t *testing.T, do func(*book)) {
	for kind, open := range backends.Two {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := &book{T: t, clock: &clock{at: began}}
			b.store, b.other = open(t, b.now)
			b.marked = chain.Marked(b.store, b.now)
			for i := range 5 {
				b.users = append(b.users, store.NewUserID())
				b.apply(store.PutUser{User: store.User{ID: b.users[i], Name: fmt.Sprint("user", i)}})
			}
			do(b)
		})
	}
}

func (b *book) apply(batch ...store.Op) {
	b.Helper()
	if err := b.marked.Apply(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
}

// tampers writes past the program.
func (b *book) tampers(batch ...store.Op) {
	b.Helper()
	if err := b.store.Apply(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
}

// signIns has n sign-ins of all users, a second apart. Up to twenty are written at once: each batch waits for the disk.
func (b *book) signIns(n int) (events []store.Event) {
	b.Helper()
	var batch store.Batch
	for i := range n {
		b.passes(time.Second)
		v := store.NewEvent(b.now(), b.users[i%len(b.users)], shared.EventSignedIn, store.Client{Browser: "Chrome", Address: "192.0.2.7"})
		v.Method = store.MethodPasskey
		events = append(events, v)
		if batch = append(batch, store.AddEvent{Event: v}); len(batch) == 20 || i == n-1 {
			b.apply(batch...)
			batch = nil
		}
	}
	return events
}

func (b *book) seal() {
	b.Helper()
	if err := (chain.Sealer{Store: b.store, Now: b.now}).Seal(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// seals seals everything.
func (b *book) seals() {
	b.Helper()
	b.passes(10 * time.Minute)
	b.seal()
}

func (b *book) verify() chain.Report {
	b.Helper()
	report, err := chain.Verify(b.Context(), b.store, b.now, b.kept)
	if err != nil {
		b.Fatal(err)
	}
	return report
}

// isWhole checks that nothing is found, and how much there is.
func (b *book) isWhole(what string, events, erased, expired, notSealed int) chain.Report {
	b.Helper()
	got := b.verify()
	if len(got.Findings) > 0 || got.Events != events || got.Erased != erased || got.Expired != expired || got.NotSealed != notSealed {
		b.Errorf("%s: got %+v, want %d events, %d erased, %d expired, %d not sealed", what, got, events, erased, expired, notSealed)
	}
	return got
}

// finds checks that exactly these are found.
func (b *book) finds(what string, want ...chain.Finding) {
	b.Helper()
	if got := b.verify(); !slices.Equal(got.Findings, want) {
		b.Errorf("%s: got %+v, want %+v", what, got.Findings, want)
	}
}

func of(what chain.Wrong, v store.Event) chain.Finding {
	return chain.Finding{What: what, Time: v.Time, Event: fmt.Sprintf("%x", v.ID), Kind: v.Kind, User: v.UserID}
}

// gone is what is known of an event that isn't there.
func gone(v store.Event) chain.Finding {
	f := of(chain.Removed, v)
	f.Kind = ""
	return f
}

// isHidden makes an event disappear, as far as the program sees.
func (b *book) isHidden(v store.Event) store.AddEvent {
	v.Expires = b.now()
	return store.AddEvent{Event: v}
}

func TestTampering(t *testing.T) {
	onEveryStore(t, func(b *book) {
		events := b.signIns(700)
		b.seals()
		b.signIns(3)
		first := b.isWhole("untouched", 700, 0, 0, 3)

		changed := events[300]
		changed.Client.Address = "203.0.113.1"
		b.tampers(store.AddEvent{Event: changed})
		b.finds("a changed event", of(chain.Changed, changed))
		b.tampers(store.AddEvent{Event: events[300]})
		b.isWhole("set right again", 700, 0, 0, 3)

		for _, at := range []int{0, 127, 128, 699} {
			b.tampers(b.isHidden(events[at]))
			b.finds(fmt.Sprint("a removed event ", at), gone(events[at]))
			b.tampers(store.AddEvent{Event: events[at]})
		}

		added := store.NewEvent(events[100].Time.Add(time.Millisecond), b.users[0], shared.EventSignedIn, store.Client{})
		b.tampers(store.AddEvent{Event: added})
		b.finds("an added event", of(chain.Added, added))
		b.tampers(b.isHidden(added))

		salt, err := b.store.Item(t.Context(), b.users[0], "audit-salt", "")
		if err != nil {
			t.Fatal(err)
		}
		b.tampers(store.RemoveItem{Owner: salt.Owner, Collection: salt.Collection, Key: salt.Key, Version: salt.Version})
		if got := b.verify(); len(got.Findings) != 140 || got.Findings[0].What != chain.Changed || got.Findings[0].User != b.users[0] {
			b.Errorf("without a salt: %d findings, first %+v", len(got.Findings), got.Findings[:1])
		}
		salt.Version = 0
		b.tampers(store.PutItem{Item: salt})

		b.seals()
		if second := b.isWhole("more was sealed", 703, 0, 0, 0); second.Head == first.Head {
			b.Error("the chain has more lines, and the same head")
		}
		b.kept = first.Head
		b.isWhole("with an earlier hash", 703, 0, 0, 0)
		b.kept[0]++
		b.finds("with another hash", chain.Finding{What: chain.Unknown})
	})
}

// TestTamperedChain changes the blocks themselves.
func TestTamperedChain(t *testing.T) {
	onEveryStore(t, func(b *book) {
		b.signIns(700)
		b.seals()
		whole := b.isWhole("untouched", 700, 0, 0, 0)
		items, err := b.store.Items(t.Context(), "", "audit-block", "", 10)
		if err != nil || len(items) != 5 {
			t.Fatalf("%d blocks (%v), want 5", len(items), err)
		}
		broken := func(n uint64) chain.Finding { return chain.Finding{What: chain.Broken, Block: n} }
		isBroken := func(what string, want chain.Finding) {
			b.Helper()
			if got := b.verify(); !slices.Contains(got.Findings, want) {
				b.Errorf("%s: got %+v, want %+v", what, got.Findings, want)
			}
		}
		one := items[2]
		one.Version = store.AnyVersion
		b.tampers(store.RemoveItem{Collection: one.Collection, Key: one.Key, Version: store.AnyVersion})
		isBroken("without a block", broken(2))
		for what, value := range map[string]string{
			"another number of days": strings.Replace(string(one.Value), `"kept":31536000`, `"kept":1`, 1),
			"another block":          string(items[1].Value),
			"no lines":               `{"number":2,"before":"` + strings.Repeat("0", 64) + `","kept":31536000}`,
			"broken lines":           strings.Replace(string(one.Value), `"lines":"`, `"lines":"AAAA`, 1),
		} {
			changed := one
			changed.Value = []byte(value)
			b.tampers(store.PutItem{Item: changed})
			isBroken(what, broken(2))
		}
		b.tampers(store.PutItem{Item: one})
		b.isWhole("set right again", 700, 0, 0, 0)

		head, err := b.store.Item(t.Context(), "", "audit-head", "")
		if err != nil {
			t.Fatal(err)
		}
		b.tampers(store.RemoveItem{Collection: head.Collection, Version: head.Version})
		isBroken("without the newest block", broken(5))
		b.signIns(1)
		b.seals()
		isBroken("and after a new one was begun", broken(4))
		b.kept = whole.Head
		isBroken("with the hash that was kept", chain.Finding{What: chain.Unknown})
	})
}

// TestErased removes a user, in the way of the program and past it.
func TestErased(t *testing.T) {
	onEveryStore(t, func(b *book) {
		b.signIns(200)
		b.seals()
		accounts := account.New(account.Config{Store: b.store, Now: b.now})
		user, err := b.store.User(t.Context(), b.users[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := accounts.Remove(t.Context(), accounts.Actor(user), user.Name, false); err != nil {
			t.Fatal(err)
		}
		b.isWhole("right after the removal", 160, 40, 0, 1)
		b.seals()
		b.isWhole("after the removal was sealed", 161, 40, 0, 0)
		if _, err := b.store.Item(t.Context(), b.users[0], "audit-salt", ""); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the salt is still there (%v)", err)
		}

		b.tampers(store.RemoveUser{ID: b.users[1]})
		got := b.verify()
		if len(got.Findings) != 40 || got.Findings[0].What != chain.Removed || got.Findings[0].User != b.users[1][:16] {
			t.Errorf("past the program: %d findings, first %+v", len(got.Findings), got.Findings)
		}
	})
}

// TestMerged has attempts that fail for an hour, and a program that signs in all day: their events
// are written again and again after they were sealed.
func TestMerged(t *testing.T) {
	onEveryStore(t, func(b *book) {
		events := activity.New(b.marked, 0, slog.New(slog.DiscardHandler))
		for range 120 {
			b.passes(time.Minute)
			v := store.NewEvent(b.now(), b.users[0], shared.EventSignInFailed, store.Client{Address: "203.0.113.9"})
			events.Failed(v)
			events.Flush(t.Context())
			in := store.NewEvent(b.now(), b.users[1], shared.EventSignedIn, store.Client{Address: "192.0.2.9"})
			if err := events.Store().Apply(t.Context(), store.Batch{store.AddEvent{Event: in}}); err != nil {
				t.Fatal(err)
			}
			b.seal()
			if got := b.verify(); len(got.Findings) > 0 {
				t.Fatalf("at %s: %+v", b.now(), got)
			}
		}
		b.seals()
		b.isWhole("at the end", 2+51, 0, 0, 0)
		list, err := b.store.AllEvents(t.Context(), store.EventQuery{Kinds: []shared.EventKind{shared.EventSignInFailed}}, 1)
		if err != nil || list[0].Count != 60 {
			t.Fatalf("got %+v (%v)", list, err)
		}
		less := list[0]
		less.Count = 2
		b.tampers(store.AddEvent{Event: less})
		b.finds("fewer attempts", of(chain.Changed, less))
	})
}

// TestLate writes events after their time was sealed: a database was away for an hour.
func TestLate(t *testing.T) {
	onEveryStore(t, func(b *book) {
		waits := store.NewEvent(b.now().Add(time.Second), b.users[0], shared.EventSignInFailed, store.Client{Address: "203.0.113.9"})
		b.signIns(10)
		b.seals()
		b.passes(time.Hour)
		b.apply(store.AddEvent{Event: waits})
		b.isWhole("before it was sealed", 10, 0, 0, 1)
		b.seals()
		b.isWhole("afterwards", 11, 0, 0, 0)
		if notes, err := b.store.Items(t.Context(), "", "audit-late", "", 10); err != nil || len(notes) > 0 {
			t.Errorf("the notes are %+v (%v)", notes, err)
		}
	})
}

// TestClocks sets the clock ahead for a while, and back.
func TestClocks(t *testing.T) {
	onEveryStore(t, func(b *book) {
		b.signIns(200)
		b.passes(time.Hour)
		b.signIns(200)
		b.seals()
		b.passes(-2 * time.Hour)
		b.signIns(200)
		for range 12 {
			b.passes(10 * time.Minute)
			b.signIns(10)
			b.seal()
		}
		b.seals()
		b.isWhole("after the clock was set back", 720, 0, 0, 0)
	})
}

// TestExpired lets a year pass.
func TestExpired(t *testing.T) {
	onEveryStore(t, func(b *book) {
		b.signIns(700)
		b.seals()
		b.passes(store.EventsKept / 2)
		b.signIns(10)
		b.seals()
		b.passes(store.EventsKept/2 - 27*time.Minute) // some of the first are gone, and their blocks are there
		if got := b.verify(); len(got.Findings) > 0 || got.Expired == 0 || got.Expired == 700 {
			t.Errorf("got %+v", got)
		}
		b.passes(time.Hour)
		b.isWhole("after a year", 10, 0, 700, 0)
		b.passes(72 * time.Hour)
		b.signIns(1)
		b.seals()
		// The lines of the newest block outlast their events, since others share it.
		if got := b.verify(); len(got.Findings) > 0 || got.Events != 11 || got.Expired >= 128 {
			t.Errorf("after the blocks have expired: %+v", got)
		}
	})
}

// TestHistory seals what was written before there was a sealer, in many steps.
func TestHistory(t *testing.T) {
	onEveryStore(t, func(b *book) {
		b.signIns(2300)
		b.isWhole("without a chain", 0, 0, 0, 2300)
		b.seals()
		b.isWhole("sealed", 2300, 0, 0, 0)
	})
}

// TestNodes has two nodes that seal and write at the same time, one of which is stopped in between.
// No batch takes minutes: the clock stands still while one is written.
func TestNodes(t *testing.T) {
	onEveryStore(t, func(b *book) {
		var all sync.WaitGroup
		var writing sync.RWMutex
		for node, s := range []store.Store{b.store, b.other} {
			writes := func(s store.Store, userID string) error {
				writing.RLock()
				defer writing.RUnlock()
				return s.Apply(t.Context(), store.Batch{store.AddEvent{Event: store.NewEvent(b.now(), userID, shared.EventSignedIn, store.Client{})}})
			}
			all.Go(func() {
				marked := chain.Marked(s, b.now)
				for i := range 60 {
					ctx, stop := context.WithCancel(t.Context())
					if node == 1 && i%3 == 0 {
						go stop() // at some moment
					}
					writing.Lock()
					b.passes(10 * time.Second)
					writing.Unlock()
					if err := writes(marked, b.users[i%5]); err != nil {
						t.Error(err)
					}
					if err := (chain.Sealer{Store: s, Now: b.now}).Seal(ctx); err != nil && !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
					stop()
				}
			})
		}
		all.Wait()
		b.seals()
		b.isWhole("at the end", 120, 0, 0, 0)
	})
}

// TestCopy copies a chain to every kind of store, and verifies and continues it there.
func TestCopy(t *testing.T) {
	onEveryStore(t, func(b *book) {
		b.signIns(300)
		b.seals()
		b.kept = b.verify().Head
		for kind, open := range backends.Two {
			to, _ := open(t, b.now)
			if _, err := transfer.Copy(t.Context(), b.store, to, func(int, int) {}); err != nil {
				t.Fatal(err)
			}
			copied := *b
			copied.store, copied.marked = to, chain.Marked(to, b.now)
			copied.isWhole("in a "+kind, 300, 0, 0, 0)
			copied.signIns(10)
			copied.seals()
			copied.isWhole("later in a "+kind, 310, 0, 0, 0)
		}
	})
}

// TestBackup restores a chain from an earlier backup.
func TestBackup(t *testing.T) {
	c := &clock{at: began}
	s, err := boltstore.Open(filepath.Join(t.TempDir(), "keypeg.db"), c.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	b := &book{T: t, clock: c, store: s, marked: chain.Marked(s, c.now), users: []string{store.NewUserID()}}
	b.apply(store.PutUser{User: store.User{ID: b.users[0], Name: "ann"}})
	b.signIns(300)
	b.seals()
	earlier := b.verify().Head
	path := filepath.Join(t.TempDir(), "backup.db")
	if err := writeBackup(s, path); err != nil {
		t.Fatal(err)
	}
	b.signIns(10)
	b.seals()
	later := b.verify().Head

	restored, err := boltstore.Open(path, c.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { restored.Close() })
	b.store, b.marked, b.kept = restored, chain.Marked(restored, c.now), earlier
	b.isWhole("restored", 300, 0, 0, 0)
	b.kept = later
	b.finds("with a hash of later", chain.Finding{What: chain.Unknown})
}

// TestSize checks what the chain takes for each event.
func TestSize(t *testing.T) {
	c := &clock{at: began}
	s := memstore.New(c.now)
	b := &book{T: t, clock: c, store: s, marked: s}
	for i := range 400 {
		b.users = append(b.users, store.NewUserID())
		b.apply(store.PutUser{User: store.User{ID: b.users[i], Name: fmt.Sprint("user", i)}})
	}
	b.signIns(128 * 20)
	b.seals()
	bytes := 0
	for _, collection := range []string{"audit-block", "audit-head"} {
		items, err := s.Items(t.Context(), "", collection, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			bytes += len(item.Value) + len(item.Key)
		}
	}
	t.Logf("%.1f bytes for each event", float64(bytes)/(128*20))
	if bytes > 128*20*42 { // each line has another user
		t.Errorf("%d bytes for 2,560 events", bytes)
	}
}
