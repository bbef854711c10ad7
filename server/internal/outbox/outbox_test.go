package outbox_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/outbox"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/storetest/backends"
)

var notes = outbox.Kind[string]{Name: "note"}

// office sends notes, by two nodes.
type office struct {
	*testing.T
	stores [2]store.Store
	nodes  [2]*outbox.Queue[string]
	clock  time.Time
	log    strings.Builder
	ready  bool
	result outbox.Outcome // of each note
	sent   []string       // tried since the last look
}

func onEveryStore(t *testing.T, test func(*office)) {
	for name, open := range backends.Two {
		t.Run(name, func(t *testing.T) {
			o := &office{T: t, clock: time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC), ready: true}
			o.stores[0], o.stores[1] = open(t, func() time.Time { return o.clock })
			for i := range o.nodes {
				o.nodes[i] = outbox.New(outbox.Queue[string]{
					Kind: notes, Store: o.stores[i], Now: func() time.Time { return o.clock },
					Rules: outbox.Rules{Called: "note", Tried: time.Hour, Claimed: time.Minute, Keeps: true, Looks: time.Hour, Pauses: []time.Duration{time.Second, time.Minute}},
					Log:   slog.New(slog.NewTextHandler(&o.log, nil)), Ready: func() bool { return o.ready }, Send: o.sends,
					Words: func(note string) []any { return []any{"note", note} },
				})
			}
			test(o)
		})
	}
}

func (o *office) sends(_ context.Context, _ string, m outbox.Message[string]) (outbox.Outcome, error) {
	o.sent = append(o.sent, m.About)
	return o.result, nil
}

func (o *office) queues(list ...string) {
	o.Helper()
	for _, note := range list {
		o.clock = o.clock.Add(time.Millisecond)
		if err := o.stores[0].Apply(o.Context(), store.Batch{notes.Put(outbox.NewKey(o.clock), note, o.clock, 2*time.Hour)}); err != nil {
			o.Fatal(err)
		}
	}
}

// tries has a node look, with what becomes of each note, and says which notes it tries.
func (o *office) tries(node int, result outbox.Outcome, want ...string) {
	o.Helper()
	o.result, o.sent = result, nil
	if err := o.nodes[node].Deliver(o.Context()); err != nil {
		o.Fatal(err)
	}
	if !slices.Equal(o.sent, want) {
		o.Errorf("it tries %q, want %q", o.sent, want)
	}
}

// has compares the notes of the queue, as "text tries" and "text given up".
func (o *office) has(want ...string) {
	o.Helper()
	list, err := notes.List(o.Context(), o.stores[1], 100)
	if err != nil {
		o.Fatal(err)
	}
	var got []string
	for _, m := range list {
		state := strings.Repeat("|", m.Tries)
		if m.GivenUp {
			state = "given up"
		}
		got = append(got, m.About+" "+state)
	}
	if !slices.Equal(got, want) {
		o.Errorf("the queue has %q, want %q", got, want)
	}
}

func TestQueue(t *testing.T) {
	away := errors.New("nobody is there")
	t.Run("what is taken leaves, in order", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			o.queues("a", "b", "c")
			o.tries(1, outbox.Outcome{}, "a", "b", "c")
			o.tries(0, outbox.Outcome{})
			o.has()
		})
	})
	t.Run("while nobody is there, nothing counts", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			o.queues("a")
			o.ready = false
			o.tries(0, outbox.Outcome{})
			o.has("a ")
		})
	})
	t.Run("what isn't taken waits longer and longer, and is given up", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			o.queues("a", "b")
			o.tries(0, outbox.Outcome{Failure: away, IsOfAll: true}, "a")
			o.tries(1, outbox.Outcome{Failure: away}, "b")
			o.clock = o.clock.Add(time.Second)
			o.tries(1, outbox.Outcome{Failure: away}, "a", "b")
			o.clock = o.clock.Add(time.Second)
			o.tries(0, outbox.Outcome{})
			o.has("a ||", "b ||")
			o.clock = o.clock.Add(time.Hour)
			o.tries(0, outbox.Outcome{Failure: away, Trouble: "in words"}, "a", "b")
			o.has("a given up", "b given up")
			o.clock = o.clock.Add(time.Minute)
			o.tries(0, outbox.Outcome{})
			if log := o.log.String(); strings.Count(log, "couldn't be sent") != 2 || strings.Count(log, "given up") != 2 || !strings.Contains(log, "nobody is there") {
				o.Errorf("the log says %s", log)
			}
		})
	})
	t.Run("what makes no sense to try again is given up at once", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			o.queues("a")
			o.tries(0, outbox.Outcome{Failure: away, IsFinal: true}, "a")
			o.has("a given up")
			if n, err := notes.Retry(o.Context(), o.stores[0], o.clock); n != 0 || err != nil {
				o.Errorf("%d are tried again (%v)", n, err)
			}
		})
	})
	t.Run("what was given up leaves, where IT wants to see none", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			o.nodes[0].Keeps = false
			o.queues("a")
			o.tries(0, outbox.Outcome{Failure: away, IsFinal: true}, "a")
			o.has()
		})
	})
	t.Run("what a node that stops has not sent is for the others at once", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			o.queues("a")
			o.tries(0, outbox.Outcome{Failure: away, IsStopped: true, IsOfAll: true}, "a")
			o.has("a ")
			o.tries(1, outbox.Outcome{}, "a")
			o.has()
		})
	})
	t.Run("what a node that dies has claimed is for the others when the claim ends", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			o.queues("a")
			dead := *o.nodes[0]
			dead.Send = func(context.Context, string, outbox.Message[string]) (outbox.Outcome, error) {
				return outbox.Outcome{}, errors.New("the power goes off")
			}
			if err := dead.Deliver(o.Context()); err == nil {
				o.Fatal("it lives")
			}
			o.tries(1, outbox.Outcome{})
			o.clock = o.clock.Add(time.Minute)
			o.tries(1, outbox.Outcome{}, "a")
		})
	})
	t.Run("IT has all tried again", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			o.queues("a", "b")
			o.tries(0, outbox.Outcome{Failure: away}, "a", "b")
			if n, err := notes.Retry(o.Context(), o.stores[1], o.clock); n != 2 || err != nil {
				o.Errorf("%d are tried again (%v)", n, err)
			}
			o.tries(0, outbox.Outcome{}, "a", "b")
		})
	})
	t.Run("what belongs to a message goes with it", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			texts := store.Collection[string]{Name: "text"}
			puts := func() {
				if err := o.stores[0].Apply(o.Context(), store.Batch{texts.Put(store.Entry[string]{Key: "a", Value: "hello", Version: store.AnyVersion})}); err != nil {
					o.Fatal(err)
				}
			}
			for _, result := range []outbox.Outcome{{}, {Failure: away, IsFinal: true}} {
				puts()
				o.queues("a")
				result.Leaves = store.Batch{texts.Remove(store.Entry[string]{Key: "a", Version: store.AnyVersion})}
				o.tries(0, result, "a")
				if is, err := texts.Has(o.Context(), o.stores[1], "", "a"); is || err != nil {
					o.Errorf("it stays after %+v (%v)", result, err)
				}
			}
		})
	})
}
