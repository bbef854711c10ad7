package main

import (
	"os"
	"time"
)

// beginnings asks for sign-ins that nobody finishes: a stranger can, so they mustn't cost
// more than any exchange, or leave anything behind.
func (b *bench) beginnings() error {
	in, err := b.install("begin", smallUsers)
	if err != nil {
		return err
	}
	plain, err := b.startExchanges()
	if err != nil {
		return err
	}
	var ratio series
	var begun figures
	for range b.rounds {
		floor, err := phase(plain, 64, b.round, exchange(plain))
		if err != nil {
			return err
		}
		l, err := phase(in.process, 64, b.round, begins(in.process))
		if err != nil {
			return err
		}
		begun.add(l)
		ratio.add(l.rate / floor.rate)
	}
	b.title("Sign-ins begun and left")
	b.line("64 connections", begun.text())
	b.judged("rate, of plain exchanges", ratio, "%.2f×", atLeast(0.9))

	// The log is a file as well, which the kernel may have written at any time.
	before, err := os.Stat(in.database)
	if err != nil {
		return err
	}
	var memory series
	for done := 0; done < b.begins; {
		l, err := phase(in.process, 64, time.Second, begins(in.process))
		if err != nil {
			return err
		}
		done += l.done
		memory.add(in.status("RssAnon"))
	}
	after, err := os.Stat(in.database)
	if err != nil {
		return err
	}
	written := 0.0
	if after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		written = 1
	}
	b.judged("writes to the database", series{written}, "%.0f", atMost(0))
	third := max(1, len(memory)/3)
	b.judged("own memory, the last third of so many of the first", series{memory[len(memory)-third:].median() / memory[:third].median()}, "%.2f×",
		atMost(1.1))
	return nil
}
