package account

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// TestHasher runs two organisations that share a Hasher, and a third with its own.
func TestHasher(t *testing.T) {
	cost := Cost{MemoryKiB: 64, Time: 1, Threads: 1}
	hasher := NewHasher(cost, 1)
	service := func(shared *Hasher) *Service {
		return New(Config{Store: memstore.New(time.Now), Now: time.Now, PasswordCost: cost, Hashing: 1, Hasher: shared})
	}
	one, two, alone := service(hasher), service(hasher), service(nil)

	end, err := one.c.Hasher.turns.take(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := two.hash(ended, "correct horse battery"); !errors.Is(err, context.Canceled) {
		t.Errorf("while the other hashes: %v, want to wait", err)
	}
	if _, err := alone.hash(t.Context(), "correct horse battery"); err != nil {
		t.Errorf("with a Hasher of one's own: %v", err)
	}
	// As many requests as may wait, at both together.
	hasher.turns.waiting.Add(waitingForOne)
	if _, _, err := two.verify(ended, "wrong", hasher.nobody, true); shared.CodeOf(err) != shared.CodeTooManyAttempts {
		t.Errorf("one request more: %v", err)
	}
	hasher.turns.waiting.Add(-waitingForOne)
	end()
	if _, err := two.hash(t.Context(), "correct horse battery"); err != nil {
		t.Errorf("when the other has ended: %v", err)
	}
}

// TestEvenWork compares the memory that argon2id takes, which is its work, for a name that
// nobody has and for one whose password was hashed when that was cheaper.
func TestEvenWork(t *testing.T) {
	const today = 8 << 10 // KiB
	db := memstore.New(time.Now)
	once := New(Config{Store: db, Now: time.Now, PasswordCost: Cost{MemoryKiB: today / 4, Time: 1, Threads: 1}})
	now := New(Config{Store: db, Now: time.Now, PasswordCost: Cost{MemoryKiB: today, Time: 1, Threads: 1}})
	if _, err := once.AddUser(t.Context(), session.Actor{}, NewUser{Name: "old", DisplayName: "Old", Password: "correct horse battery"}); err != nil {
		t.Fatal(err)
	}
	if _, err := now.AddUser(t.Context(), session.Actor{}, NewUser{Name: "new", DisplayName: "New", Password: "correct horse battery"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"old", "new", "nobody"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := now.SignInWithPassword(t.Context(), session.Actor{}, PasswordSignIn{Name: name, Password: "wrong"})
		runtime.ReadMemStats(&after)
		if shared.CodeOf(err) != shared.CodeSignInRefused {
			t.Fatal(err)
		}
		if worked := (after.TotalAlloc - before.TotalAlloc) >> 10; worked < today || worked > today+today/10 {
			t.Errorf("a wrong password for %q takes %d KiB, want %d", name, worked, today)
		}
	}
}
