package main

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// load is what many browsers did in a phase.
type load struct {
	done     int
	rate     float64 // per second
	p50, p99 time.Duration
	cpu      time.Duration // the server's, for one
	failures int
	err      error // of one of those
}

// task is what a browser does again and again. It returns what the browser waited.
type task func() (time.Duration, error)

// drive has each browser do its task until time is over, and looks at the server's CPU time
// meanwhile.
func drive(tasks []task, server *process, d time.Duration) load {
	var (
		together sync.WaitGroup
		over     atomic.Bool
		waits    = make([][]time.Duration, len(tasks))
		failed   = make([]int, len(tasks))
		errs     = make([]error, len(tasks))
	)
	before, begin := server.cpu(), time.Now()
	for i, do := range tasks {
		together.Go(func() {
			for !over.Load() {
				wait, err := do()
				if err != nil {
					failed[i]++
					errs[i] = err
					return
				}
				waits[i] = append(waits[i], wait)
			}
		})
	}
	time.Sleep(d)
	over.Store(true)
	together.Wait()
	took, used := time.Since(begin), server.cpu()-before

	all := slices.Concat(waits...)
	slices.Sort(all)
	l := load{done: len(all), rate: float64(len(all)) / took.Seconds()}
	if n := len(all); n > 0 {
		l.p50, l.p99, l.cpu = all[n/2], all[n*99/100], used/time.Duration(n)
	}
	for i := range tasks {
		l.failures += failed[i]
		if errs[i] != nil {
			l.err = errs[i]
		}
	}
	return l
}

// timed makes a task of something that waits all the time.
func timed(do func() error) task {
	return func() (time.Duration, error) {
		begin := time.Now()
		err := do()
		return time.Since(begin), err
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
