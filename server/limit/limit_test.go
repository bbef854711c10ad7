package limit

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	try := func(l *Limiter, key string, failed bool, at time.Time) time.Duration {
		attempt, wait := l.Begin(key, at)
		if wait == 0 {
			attempt.End(failed, at)
		}
		return wait
	}

	t.Run("so many fail, then one more after each while", func(t *testing.T) {
		l := New(3, time.Minute)
		for i := range 3 {
			if wait := try(l, "ann", true, start); wait != 0 {
				t.Fatalf("attempt %d waits %s", i, wait)
			}
		}
		if wait := try(l, "ann", true, start.Add(20*time.Second)); wait != 40*time.Second {
			t.Errorf("the fourth waits %s", wait)
		}
		if wait := try(l, "ann", true, start.Add(time.Minute)); wait != 0 {
			t.Errorf("after the wait it waits %s", wait)
		}
		if wait := try(l, "ann", true, start.Add(time.Minute)); wait != time.Minute {
			t.Errorf("the next one waits %s", wait)
		}
		if wait := try(l, "bob", true, start); wait != 0 {
			t.Errorf("another key waits %s", wait)
		}
	})
	t.Run("a success costs nothing", func(t *testing.T) {
		l := New(2, time.Minute)
		for i := range 1000 {
			if wait := try(l, "ann", false, start); wait != 0 {
				t.Fatalf("attempt %d waits %s", i, wait)
			}
		}
	})
	t.Run("attempts at the same time share the tokens", func(t *testing.T) {
		l := New(2, time.Minute)
		first, _ := l.Begin("ann", start)
		l.Begin("ann", start)
		if _, wait := l.Begin("ann", start); wait != time.Minute {
			t.Errorf("the third waits %s", wait)
		}
		first.End(false, start)
		if _, wait := l.Begin("ann", start); wait != 0 {
			t.Errorf("after one succeeded it waits %s", wait)
		}
	})
	t.Run("a clock that goes back makes nobody wait longer", func(t *testing.T) {
		l := New(1, time.Minute)
		try(l, "ann", true, start)
		if wait := try(l, "ann", true, start.Add(-time.Hour)); wait > time.Minute {
			t.Errorf("it waits %s", wait)
		}
	})
	t.Run("a million keys take no more memory than a few", func(t *testing.T) {
		heap := func() uint64 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		l := New(10, time.Minute)
		before := heap()
		for i := range 1_000_000 {
			try(l, fmt.Sprintf("2001:db8:%x::/64", i), true, start)
		}
		// Twice mostBuckets of some 150 bytes.
		if grown := int64(heap()) - int64(before); grown > 16<<20 {
			t.Errorf("it has grown by %d kB", grown>>10)
		} else {
			t.Logf("%d kB", grown>>10)
		}
		if wait := try(l, "2001:db8:f423f::/64", true, start); wait != 0 {
			t.Errorf("the last one waits %s", wait)
		}
		runtime.KeepAlive(l)
	})
}
