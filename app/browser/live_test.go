package browser

import (
	"slices"
	"testing"
	"time"
)

func TestPauses(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		claim        string
		lasted, want []time.Duration
	}{
		{"a server that is away is asked ever less often", []time.Duration{0, 0, 0, 0, 0, 0, 0}, []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s, 30 * s}},
		{"a server that ends each stream at once is asked ever less often", []time.Duration{s / 10, s, s / 10, 5 * s}, []time.Duration{s, 2 * s, 4 * s, 8 * s}},
		{"after a stream that lasted, the next comes soon", []time.Duration{0, 0, 0, time.Hour, 0, 10 * s}, []time.Duration{s, 2 * s, 4 * s, s, 2 * s, s}},
	} {
		t.Run(test.claim, func(t *testing.T) {
			var between pauses
			var got []time.Duration
			for _, lasted := range test.lasted {
				got = append(got, between.after(lasted))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("after streams of %v: got %v, want %v", test.lasted, got, test.want)
			}
		})
	}
}

// tabs are the tabs of one browser, without a browser. The first in the queue leads.
type tabs struct {
	*testing.T
	now  time.Time
	list []*tab
}

type tab struct {
	election
	notified []LiveState
	closed   bool
	frozen   bool
}

func open(t *testing.T, n int) *tabs {
	all := &tabs{T: t, now: time.Now()}
	for range n {
		mine := &tab{}
		mine.notify = func(state LiveState) { mine.notified = append(mine.notified, state) }
		mine.post = func(message string) {
			for _, other := range all.list {
				if other != mine && !other.closed && !other.frozen {
					other.receives(message, all.now)
				}
			}
		}
		all.list = append(all.list, mine)
	}
	for _, one := range all.list {
		one.asks(all.now)
		one.ticks(all.now)
	}
	return all
}

// passes lets time pass, and reports which tabs took the lock.
func (t *tabs) passes(d time.Duration) (took []int) {
	for end := t.now.Add(d); t.now.Before(end); {
		t.now = t.now.Add(askEvery)
		for i, one := range t.list {
			if one.closed || one.frozen || !one.ticks(t.now) {
				continue
			}
			took = append(took, i)
			t.leads(i)
		}
	}
	return took
}

// leads gives the lock to a tab, which connects. The tab that had it notices, unless it is
// frozen.
func (t *tabs) leads(i int) {
	for _, other := range t.list {
		if other.leads && !other.frozen {
			other.loses(t.now)
		}
	}
	t.list[i].wins()
	t.list[i].streams(LiveConnected, t.now)
}

// wereNotified checks the states that each live tab was notified of since the last call.
func (t *tabs) wereNotified(when string, want ...LiveState) {
	t.Helper()
	for i, one := range t.list {
		if !one.closed && !one.frozen && !slices.Equal(one.notified, want) {
			t.Errorf("%s: tab %d was notified of %v, want %v", when, i, one.notified, want)
		}
		one.notified = nil
	}
}

func TestElection(t *testing.T) {
	begins := func(t *testing.T) *tabs {
		all := open(t, 3)
		all.leads(0)
		all.wereNotified("at first", LiveConnected)
		return all
	}
	t.Run("all tabs get what the leader gets", func(t *testing.T) {
		all := begins(t)
		for _, state := range []LiveState{LiveChanged, LiveLost, LiveConnected, LiveChanged} {
			all.list[0].streams(state, all.now)
			all.wereNotified(string(state), state)
		}
		if took := all.passes(time.Minute); took != nil {
			t.Errorf("%v took the lock from a leader that answers", took)
		}
		all.wereNotified("when nothing happens")
	})
	t.Run("a tab that comes later is notified of the state", func(t *testing.T) {
		all := begins(t)
		all.list[0].streams(LiveLost, all.now)
		all.list[2].state, all.list[2].notified = "", nil
		all.list[2].asks(all.now)
		if got := all.list[2].notified; !slices.Equal(got, []LiveState{LiveLost}) {
			t.Errorf("it was notified of %v", got)
		}
	})
	t.Run("the next tab in the queue leads when the leader is closed, and all are notified", func(t *testing.T) {
		all := begins(t)
		all.list[0].closed, all.list[0].leads = true, false
		all.leads(1)
		all.wereNotified("the new leader is connected", LiveConnected)
	})
	t.Run("a frozen leader loses the lock to one tab within three seconds", func(t *testing.T) {
		all := begins(t)
		all.list[0].frozen = true
		if took := all.passes(2 * time.Second); !slices.Equal(took, []int{1}) {
			t.Errorf("%v took the lock", took)
		}
		all.wereNotified("the new leader is connected", LiveConnected)
		if took := all.passes(time.Minute); took != nil {
			t.Errorf("then %v took it", took)
		}
		all.list[0].frozen = false
		all.list[0].loses(all.now)
		if got := all.list[0].notified; !slices.Equal(got, []LiveState{LiveConnected}) && len(got) != 0 {
			t.Errorf("the frozen tab was notified of %v", got)
		}
		if all.list[0].leads || !all.list[1].leads {
			t.Error("there are two leaders")
		}
	})
	t.Run("a hidden tab doesn't take the lock, and does when it becomes visible", func(t *testing.T) {
		all := begins(t)
		all.list[1].looks(false, all.now)
		all.list[2].looks(false, all.now)
		all.list[0].frozen = true
		if took := all.passes(time.Minute); took != nil {
			t.Errorf("%v took the lock", took)
		}
		all.list[2].looks(true, all.now)
		if took := all.passes(2 * time.Second); !slices.Equal(took, []int{2}) {
			t.Errorf("%v took the lock", took)
		}
	})
	t.Run("a tab that was asleep doesn't take the lock from a leader that answers", func(t *testing.T) {
		all := begins(t)
		all.now = all.now.Add(time.Hour)
		if took := all.passes(time.Minute); took != nil {
			t.Errorf("%v took the lock", took)
		}
	})
	t.Run("a hidden leader that has lost the stream loses the lock to a visible tab", func(t *testing.T) {
		all := begins(t)
		all.list[0].looks(false, all.now)
		all.list[0].streams(LiveLost, all.now)
		if took := all.passes(5 * time.Second); len(took) == 0 {
			t.Error("nobody took the lock")
		}
	})
	t.Run("tabs of a slow machine don't take the lock from each other for ever", func(t *testing.T) {
		all := begins(t)
		times := 0
		for range 200 { // every tab is slow while it leads
			for _, one := range all.list {
				one.frozen = one.leads
			}
			times += len(all.passes(askEvery))
		}
		if times > 30 {
			t.Errorf("in 200 seconds the lock was taken %d times", times)
		}
	})
}

func TestGathering(t *testing.T) {
	now := time.Now()
	var notified []LiveState
	g := gathering{notify: func(state LiveState) { notified = append(notified, state) }}
	if wait := g.comes(LiveChanged, now); wait != 0 || len(notified) != 1 {
		t.Errorf("the first change: notified %v, wait %s", notified, wait)
	}
	due := time.Duration(0)
	for range 24 {
		now = now.Add(10 * time.Millisecond)
		due += g.comes(LiveChanged, now)
	}
	if len(notified) != 1 || due != gatherFor-10*time.Millisecond {
		t.Errorf("24 more within a quarter of a second: notified %v, due after %s", notified, due)
	}
	now = now.Add(time.Second)
	g.due(now)
	g.due(now)
	if len(notified) != 2 {
		t.Errorf("they were notified as %v", notified[1:])
	}
	g.comes(LiveChanged, now.Add(time.Millisecond))
	g.comes(LiveLost, now.Add(2*time.Millisecond))
	g.due(now.Add(time.Second))
	if !slices.Equal(notified[2:], []LiveState{LiveLost}) {
		t.Errorf("a change before the stream was lost, and that: %v", notified[2:])
	}
}
