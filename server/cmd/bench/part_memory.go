package main

import (
	"fmt"
	"os"
	"time"
)

// memory looks at what the program takes, idle and under load.
func (b *bench) memory() error {
	in, err := b.install("memory", smallUsers)
	if err != nil {
		return err
	}
	idle, idleAll := series{in.status("RssAnon")}, in.status("VmRSS")
	var most float64
	for range b.rounds {
		watched := make(chan struct{})
		peak := make(chan float64)
		go func() {
			highest := 0.0
			for tick := time.NewTicker(20 * time.Millisecond); ; {
				select {
				case <-watched:
					tick.Stop()
					peak <- highest
					return
				case <-tick.C:
					highest = max(highest, in.status("RssAnon"))
				}
			}
		}()
		_, err := phase(in.process, 64, b.round, in.signIn(in.process))
		close(watched)
		most = max(most, <-peak)
		if err != nil {
			return err
		}
	}
	program, err := os.Stat(b.keypeg)
	if err != nil {
		return err
	}
	b.title("Memory and size")
	b.judged("own memory, idle", idle, "%.1f MiB", atMost(12))
	b.line("  with the pages of program and database", fmt.Sprintf("%.1f MiB", idleAll))
	b.judged("own memory at most, 64 connections signing in", series{most}, "%.1f MiB", atMost(40))
	b.line("  with the pages of program and database", fmt.Sprintf("%.1f MiB", in.status("VmRSS")))
	b.judged("the program, with the app inside", series{float64(program.Size()) / 1e6}, "%.1f MB", atMost(32))
	return nil
}
