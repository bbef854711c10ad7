package checks

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keypeg/keypeg/shared"
)

func TestExamination(t *testing.T) {
	var begun atomic.Int32
	newChecks := func(examine Examine) *Checks {
		begun.Store(0)
		return &Checks{Now: time.Now, Examine: func(ctx context.Context, found Found) string {
			begun.Add(1)
			return examine(ctx, found)
		}}
	}
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
