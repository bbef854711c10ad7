package store

import (
	"context"
	"io"
	"time"
)

// The optional abilities of a [Store]. Each is an interface here. All code finds them with
// [As], and never with a type assertion of its own. The stores of Keypeg have these:
//
//	              memstore  boltstore  pgstore
//	Prober        no        yes        yes
//	BackupWriter  no        yes        no
//	Clocked       no        no         yes
//	Notifier      no        no         yes
//	WriteCounter  yes       yes        no

// Prober is a [Store] that can check whether it can write a batch now.
type Prober interface {
	// Probe writes a value that nobody reads, as durably as a batch, and replaces the value
	// of the last probe. Its error is a sentence for IT.
	Probe(ctx context.Context) error
}

// BackupWriter is a [Store] that is one file. WriteTo writes that file as it is at one moment,
// while others read and write. What it writes opens like any other file of its kind.
type BackupWriter interface {
	io.WriterTo
}

// Clocked is a [Store] on another machine, whose clock may differ from ours.
type Clocked interface {
	// Clock returns the time there. While it and ours [AreApart], no expired record is
	// removed, and IT should get a warning.
	Clock(ctx context.Context) (time.Time, error)
}

// Notifier is a [Store] that other processes may write to at the same time.
type Notifier interface {
	// Changes calls notify with the id of each user whose records changed, in any process,
	// until ctx ends. It may name a user more than once, or one without a relevant change.
	Changes(ctx context.Context, notify func(userID string))
}

// WriteCounter is a [Store] that nobody else writes to. Whoever has read something may keep it, and
// needn't read again while the count is the same.
type WriteCounter interface {
	// Writes returns how many batches were written since the store was opened. It counts a batch, or
	// several that are written at once, before [Store.Apply] returns. It counts one too often where a
	// batch may have failed. What expires is not counted: a reader of kept records compares their
	// Expires with the time.
	Writes() uint64
}

// Wrapper is a [Store] that wraps another one, such as that of live.Hub. It changes what a
// batch does, and keeps the abilities of the other store.
type Wrapper interface {
	// Unwrap returns the wrapped store.
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

// Probe probes a store that is a [Prober]. Any other store counts as healthy.
func Probe(ctx context.Context, s Store) error {
	if prober, can := As[Prober](s); can {
		return prober.Probe(ctx)
	}
	return nil
}
