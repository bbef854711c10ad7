// Command bench measures what Keypeg costs to run, and prints one table: each figure
// beside the floor under it and beside its goal, met or not.
//
// # Method
//
// It starts the real program on files of its own and talks to it over HTTP, as browsers
// do: a complete sign-in is both halves of the ceremony, with a valid ES256 assertion that
// the generator signs, and ends with a session in the store.
//
// What a sign-in can't do without is measured in the same rounds, because machines are
// noisy and differ: bare verifications of P-256 signatures, and plain exchanges of JSON with
// a net/http server that does nothing else, in a process of its own. Goals are ratios to
// these floors, within a round. The table has the median of the rounds, and the least and
// the most of them in brackets.
//
// CPU time is what the kernel accounts to the server's process (proc(5), utime and stime),
// divided by what was done meanwhile. The generator runs on the same cores, so rates are
// those of the whole machine and not of a server that has it alone. Latency is what one
// connection waits for a whole sign-in, without the time in which the generator signs.
//
// The generator has a light client (fasthttp), with one connection for each browser. Each
// has the cookie of a browser that was here before, and no session. Users and keys are made
// ahead, and written to the store directly; a few dozen keys are shared by all of them, which
// no server can notice.
//
// Memory is what the process has for itself (RssAnon): the pages of the program and of its
// database, which the kernel takes back at will, stand beside it. A commit of bbolt waits for
// the disk twice (fdatasync of the pages, then of the one that makes them count); how many
// there were is told by the number of the last transaction, which is in the file.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// plan is what the flags say.
type plan struct {
	keypeg string
	dir    string
	rounds int
	round  time.Duration // one phase of a round
	users  int           // of the large installation
	begins int
	pages  int // with a live stream
}

// parts are what can be measured, in the table's order.
var parts = []struct {
	name string
	run  func(*bench) error
}{
	{"signin", (*bench).signIns},
	{"begin", (*bench).beginnings},
	{"memory", (*bench).memory},
	{"streams", (*bench).streams},
	{"postgres", (*bench).postgres},
	{"scale", (*bench).scale},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == exchangeCommand {
		serveExchanges()
		return
	}
	var p plan
	flag.StringVar(&p.keypeg, "keypeg", "bin/keypeg", "the program to measure")
	flag.IntVar(&p.rounds, "rounds", 5, "how often everything is measured")
	flag.DurationVar(&p.round, "round", time.Second, "how long each phase of a round takes")
	flag.IntVar(&p.users, "users", 1_000_000, "how many users the large installation has, with two passkeys each")
	flag.IntVar(&p.begins, "begins", 1_000_000, "how many sign-ins are begun and left")
	flag.IntVar(&p.pages, "pages", 10_000, "how many pages are open at once")
	only := flag.String("only", "", "the parts to run: "+strings.Join(names(), ", "))
	flag.Parse()

	chosen := names()
	if *only != "" {
		chosen = strings.Split(*only, ",")
	}
	t, err := measure(p, chosen)
	t.print(os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func names() (list []string) {
	for _, part := range parts {
		list = append(list, part.name)
	}
	return list
}

// bench is a run.
type bench struct {
	plan
	*table
	running []*process // until the part ends
}

// measure runs the chosen parts. The table has what was measured before one failed.
func measure(p plan, chosen []string) (t *table, err error) {
	b := &bench{plan: p, table: &table{}}
	for _, name := range chosen {
		if !slices.Contains(names(), name) {
			return b.table, fmt.Errorf("there is no part %q, only %s", name, strings.Join(names(), ", "))
		}
	}
	if err := raiseOpenFiles(); err != nil {
		return b.table, err
	}
	if b.dir, err = os.MkdirTemp("", "keypeg-bench-"); err != nil {
		return b.table, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	for _, part := range parts {
		if slices.Contains(chosen, part.name) {
			if err := errors.Join(part.run(b), b.stopAll()); err != nil {
				return b.table, fmt.Errorf("%s: %w", part.name, err)
			}
		}
	}
	return b.table, nil
}
