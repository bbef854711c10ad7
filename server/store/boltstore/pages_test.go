package boltstore

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// crowd is a store of users who sign in, with a clock that goes on with each sign-in.
type crowd struct {
	testing.TB
	*Store
	mu   sync.Mutex
	at   time.Time
	dice *rand.Rand
	ids  []string
}

func (c *crowd) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *crowd) passes(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// newCrowd makes users with two passkeys each, whose ids are random.
func newCrowd(t testing.TB, users int) *crowd {
	c := &crowd{TB: t, at: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), dice: rand.New(rand.NewPCG(1, 18))}
	c.Store = open(t, filepath.Join(t.TempDir(), "keypeg.db"), c.time)
	c.passed.Store(math.MaxInt64)
	c.db.NoSync = true // nothing here is about the disk
	var batch store.Batch
	for i := range users {
		id := fmt.Sprintf("%016x%016x", c.dice.Uint64(), c.dice.Uint64())
		c.ids = append(c.ids, id)
		u := store.User{ID: id, Name: fmt.Sprintf("user%d@example.com", i), DisplayName: fmt.Sprintf("User Number %d", i), Handle: make([]byte, 64), Created: c.at}
		for j, name := range []string{"Laptop", "iPhone"} {
			p := store.Passkey{
				ID: fmt.Sprintf("%08x", c.dice.Uint32()), CredentialID: make([]byte, 32), PublicKey: make([]byte, 77), Name: name, Format: "none",
				Attachment: "platform", Transports: []string{"internal", "hybrid"}, Flags: 0x1d, Verified: true, RPID: "keypeg.example.com", Created: c.at,
			}
			for k := range p.CredentialID {
				p.CredentialID[k] = byte(c.dice.Uint32())
			}
			p.AAGUID[0] = byte(j)
			u.Passkeys = append(u.Passkeys, p)
		}
		if batch = append(batch, store.PutUser{User: u}); len(batch) == 5000 || i == users-1 {
			c.apply(batch)
			batch = nil
		}
	}
	return c
}

func (c *crowd) apply(batch store.Batch) {
	c.Helper()
	if err := c.Apply(c.Context(), batch); err != nil {
		c.Fatal(err)
	}
}

// signIn returns what a sign-in writes.
func (c *crowd) signIn(id string) store.Batch {
	u, err := c.User(c.Context(), id)
	if err != nil {
		c.Fatal(err)
	}
	now := c.time()
	u.Passkeys[0].LastUsed = now
	u.Passkeys[0].SignCount++
	event := c.signedIn(id, now)
	return store.Batch{
		store.PutUser{User: u}, store.SpendTicket(store.NewTicketID(now.Add(-3*time.Second)), now.Add(5*time.Minute)),
		store.AddSession{Session: store.Session{
			ID: storetest.SessionID(id, fmt.Sprint(c.dice.Uint64())), UserID: id, Method: store.MethodPasskey, PasskeyID: u.Passkeys[0].ID, Client: event.Client,
			Created: now, Seen: now, Authenticated: now, Expires: now.Add(24 * time.Hour),
		}, Most: 100},
		store.AddEvent{Event: event},
	}
}

// signedIn returns the event of a sign-in.
func (c *crowd) signedIn(id string, at time.Time) store.Event {
	v := store.NewEvent(at, id, shared.EventSignedIn, store.Client{Browser: "Firefox", System: "Linux", Address: "192.0.2.17", Mark: "0123456789abcdef"})
	v.Method, v.PasskeyID, v.Passkey = store.MethodPasskey, id[:8], "Laptop"
	return v
}

// pages returns how many pages a function writes.
func (c *crowd) pages(do func()) int64 {
	stats := c.db.Stats()
	before := stats.TxStats.GetWrite()
	do()
	stats = c.db.Stats()
	return stats.TxStats.GetWrite() - before
}

// group applies batches in one transaction.
func (c *crowd) group(n int, batch func() store.Batch) {
	writes := make([]write, n)
	for i := range writes {
		ops := batch()
		writes[i] = write{checkOf(ops), make(chan error, 1)}
	}
	c.commit(writes, func(group []write) []write { return group })
	for _, w := range writes {
		if err := <-w.done; err != nil {
			c.Fatal(err)
		}
	}
}

// TestPages counts the pages that a sign-in writes, alone and in groups of 40, with the two
// that each commit writes, and the waits for the disk. All users have 60 events. It takes make soak to make
// 100,000 users under the race detector.
func TestPages(t *testing.T) {
	t.Parallel()
	many := 10_000
	if os.Getenv("KEYPEG_SOAK") != "" {
		many = 100_000
	}
	for _, test := range []struct {
		users          int
		alone, grouped float64
	}{{1000, 7.5, 2.2}, {many, 8.6, 2.9}} {
		t.Run(fmt.Sprint(test.users, " users"), func(t *testing.T) {
			c := newCrowd(t, test.users)
			c.remember(60)
			for range foldAfter { // what the first commits catch up with
				c.apply(c.signIn(c.ids[c.dice.IntN(test.users)]))
				c.passes(7 * time.Second)
			}
			const some = 200
			var alone, grouped int64
			transaction := c.transaction()
			for range some {
				batch := c.signIn(c.ids[c.dice.IntN(test.users)])
				alone += c.pages(func() { c.apply(batch) })
				c.passes(7 * time.Second)
			}
			if commits := c.transaction() - transaction; commits != some {
				t.Errorf("%d sign-ins in %d commits, each of which waits for the disk twice", some, commits)
			}
			for range some / 40 {
				chosen := c.dice.Perm(test.users)
				grouped += c.pages(func() {
					c.group(40, func() store.Batch { chosen = chosen[1:]; return c.signIn(c.ids[chosen[0]]) })
				})
				c.passes(time.Second)
			}
			a, g := float64(alone)/some, float64(grouped)/some
			t.Logf("%.2f pages alone, %.2f in groups of 40", a, g)
			if a > test.alone || g > test.grouped {
				t.Errorf("%.2f pages alone, %.2f in groups; want at most %.1f and %.1f", a, g, test.alone, test.grouped)
			}
		})
	}
}

// transaction returns the number of the last commit.
func (c *crowd) transaction() (id int) {
	c.db.View(func(tx *bbolt.Tx) error { id = tx.ID(); return nil })
	return id
}

// remember gives each user daily sign-ins, as they lie in the file after these days. The order of
// all events has the last week of them: its length decides nothing but what a fold writes.
func (c *crowd) remember(days int) {
	ids := make([][]store.EventID, len(c.ids)) // of each user's events
	for day := range days {
		at := c.time().Add(-time.Duration(days-day) * 24 * time.Hour)
		entries := make([]entry, len(c.ids))
		for i, id := range c.ids {
			v := c.signedIn(id, at.Add(time.Duration(i)*time.Millisecond))
			ids[i] = append(ids[i], v.ID)
			entries[i] = entry{v.ID, [shortLength]byte(rawOf(id)), v.Kind}
		}
		if day < days-7 {
			continue
		}
		if err := c.db.Update(func(tx *bbolt.Tx) error { return archive(tx).insert(entries) }); err != nil {
			c.Fatal(err)
		}
	}
	inOrder := make([]int, len(c.ids)) // bbolt takes one transaction of 100,000 users much faster so
	for i := range inOrder {
		inOrder[i] = i
	}
	slices.SortFunc(inOrder, func(i, j int) int { return strings.Compare(c.ids[i], c.ids[j]) })
	err := c.db.Update(func(tx *bbolt.Tx) error {
		for _, i := range inOrder {
			id := c.ids[i]
			raw, value := rawOf(id), encodeEvent(c.signedIn(id, time.Now())) // is the same at any time
			var events []kept
			for _, id := range ids[i] {
				events = append(events, kept{id, value})
			}
			singles := singlesLeft + i%(singlesMost-singlesLeft)
			if err := past(tx, raw).insert(events[:days-singles]); err != nil {
				return err
			}
			for _, e := range events[days-singles:] {
				if err := tx.Bucket(bucketPeople).Put(eventKey(raw, e.id), e.value); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		c.Fatal(err)
	}
}

// TestYear lives through more than a year of daily sign-ins. After it the file doesn't grow.
func TestYear(t *testing.T) {
	t.Parallel()
	const users = 200
	c := newCrowd(t, users)
	var sizes, used []int64 // bytes for each user: of the file, and without its free pages
	for day := range 430 {
		for from := 0; from < users; from += 40 {
			next := from
			c.group(min(40, users-from), func() store.Batch { next++; c.passes(time.Minute); return c.signIn(c.ids[next-1]) })
		}
		c.passes(24*time.Hour - users*time.Minute)
		if _, err := c.sweep(); err != nil {
			t.Fatal(err)
		}
		if day%30 == 29 {
			stats, high := c.db.Stats(), int64(0)
			c.db.View(func(tx *bbolt.Tx) error { high = tx.Size(); return nil })
			sizes = append(sizes, high/users)
			used = append(used, (high-int64((stats.FreePageN+stats.PendingPageN)*c.db.Info().PageSize))/users)
		}
	}
	t.Logf("bytes for each user, every 30 days: %d, without free pages %d", sizes, used)
	if last := sizes[len(sizes)-1]; last > 20_000 {
		t.Errorf("a user takes %d bytes, want at most 20,000", last)
	}
	if level, last := used[len(used)-2], used[len(used)-1]; last > level+level/50 {
		t.Errorf("the file grows on after a year: %d", used)
	}
}

// BenchmarkSignIn writes sign-ins of users who exist, alone and in groups of 40, without waits for
// the disk.
func BenchmarkSignIn(b *testing.B) {
	for _, size := range []int{1, 40} {
		b.Run(fmt.Sprintf("group=%d", size), func(b *testing.B) {
			c := newCrowd(b, 1000)
			c.remember(60)
			for b.Loop() {
				b.StopTimer()
				chosen := c.dice.Perm(1000)[:size]
				batches := make([]store.Batch, size)
				for i := range batches {
					batches[i] = c.signIn(c.ids[chosen[i]])
				}
				c.passes(7 * time.Second)
				b.StartTimer()
				c.group(size, func() store.Batch { next := batches[0]; batches = batches[1:]; return next })
			}
		})
	}
}
