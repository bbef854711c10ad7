package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/shared"
)

// smallUsers is how many users a small installation has.
const smallUsers = 1000

// installation is a running program with users in a file.
type installation struct {
	*process
	*population
	database string
	started  time.Duration
}

// install makes a file with users, and runs the program on it.
func (b *bench) install(name string, users int) (*installation, error) {
	people, err := newPopulation(users)
	if err != nil {
		return nil, err
	}
	in := &installation{population: people, database: filepath.Join(b.dir, name+".db")}
	file, err := boltstore.Open(in.database, time.Now)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(people.live(context.Background(), file), file.Close()); err != nil {
		return nil, err
	}
	in.process, in.started, err = b.startKeypeg(in.database)
	return in, err
}

// phase drives connections for a while. A request that fails ends the run.
func phase(s *process, connections int, d time.Duration, do func(*connection, int) task) (load, error) {
	var tasks []task
	for i := range connections {
		c := newConnection(s.address)
		defer c.client.CloseIdleConnections()
		tasks = append(tasks, do(c, i))
	}
	l := drive(tasks, s, d)
	if l.failures > 0 {
		return l, fmt.Errorf("%d of %d connections failed, with: %w", l.failures, connections, l.err)
	}
	return l, nil
}

// figures are those of one kind of load, over all rounds.
type figures struct{ rate, p50, cpu series }

func (f *figures) add(l load) {
	f.rate.add(l.rate)
	f.p50.add(millis(l.p50))
	f.cpu.add(micros(l.cpu))
}

func (f *figures) text() string {
	return fmt.Sprintf("%s, p50 %s, server CPU %s", f.rate.text("%.0f /s"), f.p50.text("%.2f ms"), f.cpu.text("%.0f µs"))
}

// signIns measures whole sign-ins and what the signed-in ask, with the floors under them.
func (b *bench) signIns() error {
	in, err := b.install("small", smallUsers)
	if err != nil {
		return err
	}
	plain, err := b.startExchanges()
	if err != nil {
		return err
	}
	var (
		verify                              series
		bare, lists                         figures
		signIns                             [2]figures
		syncs                               [2]series
		cpuRatio, rateRatio, tail, listsCPU series
		connections                         = [2]int{1, 64}
	)
	for range b.rounds {
		verified, err := in.verification(b.round / 4)
		if err != nil {
			return err
		}
		verify.add(micros(verified))
		floor, err := phase(plain, 64, b.round, exchange(plain))
		if err != nil {
			return err
		}
		bare.add(floor)
		for i, n := range connections {
			before, err := commits(in.database)
			if err != nil {
				return err
			}
			l, err := phase(in.process, n, b.round, in.signIn(in.process))
			if err != nil {
				return err
			}
			after, err := commits(in.database)
			if err != nil {
				return err
			}
			signIns[i].add(l)
			syncs[i].add(syncsPerCommit * float64(after-before) / float64(l.done))
			if n == 64 {
				cpuRatio.add(float64(l.cpu) / float64(verified+2*floor.cpu))
				rateRatio.add(l.rate / floor.rate)
				tail.add(float64(l.p99) / float64(l.p50))
			}
		}
		l, err := phase(in.process, 64, b.round, in.asks(in.process, shared.PathPasskeys))
		if err != nil {
			return err
		}
		lists.add(l)
		listsCPU.add(float64(l.cpu) / float64(floor.cpu))
	}

	b.title("Floors")
	b.line("one P-256 verification", verify.text("%.1f µs"))
	b.line("plain exchanges, 64 connections", bare.text())
	b.title("Sign-ins, complete and on disk")
	for i, n := range connections {
		b.line(fmt.Sprintf("%d connections", n), signIns[i].text())
	}
	b.judged("server CPU, of one verification and two exchanges", cpuRatio, "%.2f×", atMost(2))
	b.judged("sign-ins per second, of plain exchanges", rateRatio, "%.3f×", atLeast(0.12))
	b.judged("p99, of p50", tail, "%.2f×", atMost(2.5))
	b.judged("fdatasync for each, 1 connection", syncs[0], "%.3f", atMost(2))
	b.judged("fdatasync for each, 64 connections", syncs[1], "%.3f", atMost(0.1))
	b.title("Signed in")
	b.line("list of passkeys, 64 connections", lists.text())
	b.judged("server CPU, of a plain exchange", listsCPU, "%.2f×", atMost(1.5))
	return nil
}
