package checks

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// TestTurns: of many organisations, few are examined at a time. The others wait, and go if that takes too long.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns, running, many, begun := NewTurns(2), atomic.Int32{}, atomic.Bool{}, atomic.Int32{}
		examine := turns.Limit(func(context.Context, Found) string {
			begun.Add(1)
			if running.Add(1) > 2 {
				many.Store(true)
			}
			defer running.Add(-1)
			time.Sleep(time.Minute)
			return "done"
		})
		ended := make(chan string, 7)
		for range 6 {
			go func() { ended <- examine(t.Context(), nil) }()
		}
		impatient, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		time.Sleep(time.Millisecond)
		if got := examine(impatient, nil); got != "" {
			t.Errorf("it is examined all the same: %q", got)
		}
		for range 6 {
			if got := <-ended; got != "done" {
				t.Errorf("one ends with %q", got)
			}
		}
		if many.Load() || begun.Load() != 6 {
			t.Errorf("more than two ran at a time: %t; %d have begun", many.Load(), begun.Load())
		}
	})
}

func TestExamination(t *testing.T) {
	var begun atomic.Int32
	newChecks := func(examine Examine) *Checks {
		begun.Store(0)
		return &Checks{Now: time.Now, Examine: func(ctx context.Context, found Found) string {
			begun.Add(1)
			return examine(ctx, found)
		}}
	}
	t.Run("one that is cut off says so", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newChecks(func(ctx context.Context, found Found) string {
				found(shared.Check{Title: "port", State: shared.CheckOK})
				<-ctx.Done()
				return ""
			})
			cut := c.current()
			<-cut.ended
			if got := cut.answer().Checks; len(got) != 2 || got[1].State != shared.CheckFailed || !strings.Contains(got[1].Compared, "cut off after 5m") {
				t.Errorf("it found %+v", got)
			}
			c.Close()
		})
	})
	t.Run("one runs at a time, however many ask", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newChecks(func(_ context.Context, found Found) string {
				found(shared.Check{Title: "port"})
				time.Sleep(time.Minute)
				return "the text"
			})
			first := c.current()
			for range 100 {
				if c.current() != first {
					t.Fatal("another one began")
				}
			}
			synctest.Wait()
			if got := first.answer(); !got.Running || len(got.Checks) != 1 || got.Support != "" || begun.Load() != 1 {
				t.Errorf("meanwhile %d run, and the answer is %+v", begun.Load(), got)
			}
			<-first.ended
			if got := first.answer(); got.Running || got.Support != "the text" {
				t.Errorf("at the end the answer is %+v", got)
			}
			time.Sleep(rest - time.Second)
			if c.current() != first {
				t.Error("whoever asks a moment later gets another one")
			}
			time.Sleep(time.Second)
			if next := c.current(); next == first {
				t.Error("nobody ever gets another one")
			}
			c.Close()
		})
	})
	t.Run("one that is faulty ends, and the server goes on", func(t *testing.T) {
		c := newChecks(func(context.Context, Found) string { panic("nil map") })
		e := c.current()
		<-e.ended
		if got := e.answer(); got.Running || len(got.Checks) != 1 || got.Checks[0].State != shared.CheckFailed {
			t.Errorf("the answer is %+v", got)
		}
	})
	t.Run("closing ends it, and none begins any more", func(t *testing.T) {
		c := newChecks(func(ctx context.Context, _ Found) string { <-ctx.Done(); return "" })
		e := c.current()
		c.Close()
		if e.answer().Running || c.current() != e {
			t.Error("it still runs, or another one has begun")
		}
	})
	t.Run("one that takes too long is ended", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newChecks(func(ctx context.Context, _ Found) string { <-ctx.Done(); return "" })
			begin := time.Now()
			<-c.current().ended
			if took := time.Since(begin); took != longest {
				t.Errorf("it took %s", took)
			}
		})
	})
}
