package store

import (
	"context"
	"io"
	"time"
)

// What a [Store] may be able to do besides. Each ability is an interface here, and [As] asks
// for it: no other code asserts one. The stores of Keypeg have these:
//
//	              memstore  boltstore  pgstore
//	Prober        no        yes        yes
//	BackupWriter  no        yes        no
//	Clocked       no        no         yes
//	Notifier      no        no         yes

// Prober is a [Store] that can tell whether a batch could be written just now.
type Prober interface {
	// Probe writes something that nobody reads, in the place of what it wrote before, as
	// durably as a batch is. Its error is a sentence for IT.
	Probe(ctx context.Context) error
}

// BackupWriter is a [Store] that is one file. WriteTo writes that file as it is at one moment,
// while others read and write. What it writes opens like any other file of its kind.
type BackupWriter interface {
	io.WriterTo
}

// Clocked is a [Store] on a machine with a clock of its own, which may tell another time than
// ours.
type Clocked interface {
	// Clock returns the time there. While it and ours [AreApart], nothing that has expired is
	// removed, and IT should be told.
	Clock(ctx context.Context) (time.Time, error)
}

// Notifier is a [Store] that other processes may write to at the same time.
type Notifier interface {
	// Changes calls tell with each user whose records have changed, in any process, until ctx
	// ends. It may tell of one more than once, and of one where nothing that matters has
	// changed.
	Changes(ctx context.Context, tell func(userID string))
}

// Wrapper is a [Store] that stands before another one, such as that of live.Hub. It changes
// what a batch does, and keeps the other's abilities.
type Wrapper interface {
	// Unwrap returns the other one.
	Unwrap() Store
}

// As returns an ability of a store, or of the one that it wraps, and reports whether any of
// them has it.
func As[Ability any](s Store) (ability Ability, has bool) {
	for {
		if ability, has = s.(Ability); has {
			return ability, true
		}
		wrapper, is := s.(Wrapper)
		if !is {
			return ability, false
		}
		s = wrapper.Unwrap()
	}
}

// Probe asks a store that is a [Prober]. Any other is taken to be well.
func Probe(ctx context.Context, s Store) error {
	if prober, can := As[Prober](s); can {
		return prober.Probe(ctx)
	}
	return nil
}
