package account

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// TestHasher lets two organisations hash with one Hasher, and a third with its own.
func TestHasher(t *testing.T) {
	cost := Cost{MemoryKiB: 64, Time: 1, Threads: 1}
	hasher := NewHasher(cost, 1)
	service := func(shared *Hasher) *Service {
		return New(Config{Store: memstore.New(time.Now), Now: time.Now, PasswordCost: cost, Hashing: 1, Hasher: shared})
	}
	one, two, alone := service(hasher), service(hasher), service(nil)

	end, err := one.Hasher.turns.take(t.Context(), false)
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
	// As many strangers as may wait, at both together.
	hasher.turns.waiting.Add(waitingForOne)
	if _, _, err := two.verify(ended, "wrong", hasher.nobody, true); shared.CodeOf(err) != shared.CodeTooManyAttempts {
		t.Errorf("one stranger more: %v", err)
	}
	hasher.turns.waiting.Add(-waitingForOne)
	end()
	if _, err := two.hash(t.Context(), "correct horse battery"); err != nil {
		t.Errorf("when the other has ended: %v", err)
	}
}
