package store_test

import (
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

func TestClockWatch(t *testing.T) {
	begin := time.Now()
	type look struct {
		passed, clock, jumped time.Duration
		steady                bool
	}
	for name, looks := range map[string][]look{
		"a clock that goes on is steady after an hour": {
			{0, 0, 0, false}, {time.Minute, time.Minute, 0, false}, {59 * time.Minute, 59 * time.Minute, 0, false}, {time.Hour, time.Hour, 0, true},
		},
		"one that is a little off is steady": {
			{0, 0, 0, false}, {time.Hour, time.Hour + 30*time.Second, 0, true}, {2 * time.Hour, 2*time.Hour - 20*time.Second, 0, true},
		},
		"one that was set ahead has to be steady anew": {
			{0, 0, 0, false}, {time.Hour, time.Hour, 0, true}, {time.Hour + time.Second, 25*time.Hour + time.Second, 24 * time.Hour, false},
			{2 * time.Hour, 26 * time.Hour, 0, false}, {2*time.Hour + time.Second, 26*time.Hour + time.Second, 0, true},
		},
		"and so has one that was set back": {
			{0, 0, 0, false}, {2 * time.Hour, 0, -2 * time.Hour, false}, {3 * time.Hour, time.Hour, 0, true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var w store.ClockWatch
			if w.IsSteady() {
				t.Error("a clock that nobody looked at is steady")
			}
			for _, l := range looks {
				if got := w.Look(begin.Add(l.passed), begin.Add(l.clock)); got != l.jumped {
					t.Errorf("after %s: it jumped by %s, want %s", l.passed, got, l.jumped)
				}
				if got := w.IsSteady(); got != l.steady {
					t.Errorf("after %s: steady is %t", l.passed, got)
				}
			}
		})
	}
}
