package failures_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/failures"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// ann and bob are ids of users.
var ann, bob = storetest.UserID(1), storetest.UserID(2)

var began = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

// moody is a store that counts batches, and refuses them while it is ill.
type moody struct {
	store.Store
	batches atomic.Int64
	ill     atomic.Bool
}

func (m *moody) Apply(ctx context.Context, batch store.Batch) error {
	m.batches.Add(1)
	if m.ill.Load() {
		return errors.New("no space left on device")
	}
	return m.Store.Apply(ctx, batch)
}

type book struct {
	*testing.T
	*failures.Recorder
	store *moody
	log   strings.Builder
}

func newBook(t *testing.T) *book {
	b := &book{T: t, store: &moody{Store: memstore.New(func() time.Time { return began })}}
	b.Recorder = failures.New(b.store, slog.New(slog.NewTextHandler(&b.log, nil)))
	for _, id := range []string{ann, bob} {
		if err := b.store.Apply(t.Context(), store.Batch{store.PutUser{User: store.User{ID: id, Name: id}}}); err != nil {
			t.Fatal(err)
		}
	}
	b.store.batches.Store(0)
	return b
}

func (b *book) fails(user string, after time.Duration, method store.Method, address string) {
	event := store.NewEvent(began.Add(after), user, shared.EventSignInFailed, store.Client{Address: address})
	event.Method = method
	b.Add(event)
}

func (b *book) activity(user string) []store.Event {
	b.Helper()
	events, err := b.store.Events(b.Context(), user, store.EventID{}, 100)
	if err != nil {
		b.Fatal(err)
	}
	return events
}

func TestRecorder(t *testing.T) {
	t.Run("nothing is written before Flush", func(t *testing.T) {
		b := newBook(t)
		b.fails(ann, 0, store.MethodPassword, "::1")
		if n := b.store.batches.Load(); n != 0 {
			t.Errorf("%d batches", n)
		}
	})
	t.Run("a single failure is an ordinary event", func(t *testing.T) {
		b := newBook(t)
		b.fails(ann, 0, store.MethodPassword, "::1")
		b.Flush(t.Context())
		if got := b.activity(ann); len(got) != 1 || got[0].Count != 0 || !got[0].Last.IsZero() || got[0].Client.Address != "::1" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("many of one user and method are one line with a count, however often it is written", func(t *testing.T) {
		b := newBook(t)
		for i := range 1000 {
			b.fails(ann, time.Duration(i)*time.Second, store.MethodRecoveryCode, fmt.Sprint("::", i))
			if i%100 == 0 {
				b.Flush(t.Context())
			}
		}
		b.fails(ann, time.Minute, store.MethodPassword, "::1")
		b.fails(bob, time.Minute, store.MethodRecoveryCode, "::2")
		b.Flush(t.Context())

		got := b.activity(ann)
		if len(got) != 2 || len(b.activity(bob)) != 1 {
			t.Fatalf("Ann has %+v, Bob has %+v", got, b.activity(bob))
		}
		line := got[1] // the older one
		if line.Count != 1000 || !line.Time.Equal(began) || !line.Last.Equal(began.Add(999*time.Second)) || line.Client.Address != "::999" {
			t.Errorf("got %+v", line)
		}
		if n := b.store.batches.Load(); n != 11 {
			t.Errorf("%d batches, want one for each Flush", n)
		}
	})
	t.Run("after an hour there is another line", func(t *testing.T) {
		b := newBook(t)
		for i := range 180 {
			b.fails(ann, time.Duration(i)*time.Minute, store.MethodPassword, "::1")
			b.Flush(t.Context())
		}
		got := b.activity(ann)
		if len(got) != 3 || got[0].Count != 60 || got[2].Count != 60 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("failures that a store in trouble refused are written later, and counted", func(t *testing.T) {
		b := newBook(t)
		b.store.ill.Store(true)
		b.fails(ann, 0, store.MethodPassword, "::1")
		b.Flush(t.Context())
		b.fails(ann, 2*time.Hour, store.MethodPassword, "::1")
		b.Flush(t.Context())
		if lines := b.log.String(); !strings.Contains(lines, "no space left") {
			t.Errorf("the log says %q", lines)
		}
		b.store.ill.Store(false)
		b.Flush(t.Context())
		if got := b.activity(ann); len(got) != 1 || got[0].Count != 2 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("however many users are tried, memory is bounded, and the log says what was dropped", func(t *testing.T) {
		b := newBook(t)
		for i := range 20_000 {
			b.fails(storetest.UserID(100+i), 0, store.MethodPassword, "::1")
		}
		b.Flush(t.Context())
		if lines := b.log.String(); !strings.Contains(lines, "dropped=10000") {
			t.Errorf("the log says %q", lines)
		}
		b.fails(ann, time.Second, store.MethodPassword, "::1") // there is room again
		b.Flush(t.Context())
		if got := b.activity(ann); len(got) != 1 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("Close writes the last ones", func(t *testing.T) {
		b := newBook(t)
		b.fails(ann, 0, store.MethodPassword, "::1")
		b.Close(t.Context())
		b.fails(ann, 0, store.MethodPassword, "::1")
		b.Flush(t.Context())
		if got := b.activity(ann); len(got) != 1 || got[0].Count != 0 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("nobody has to call Flush", func(t *testing.T) {
		b := newBook(t)
		b.fails(ann, 0, store.MethodPassword, "::1")
		for len(b.activity(ann)) == 0 {
			if t.Context().Err() != nil {
				t.Fatal("it was never written")
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}
