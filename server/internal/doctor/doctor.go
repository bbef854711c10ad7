// Package doctor examines an installation as IT and users reach it, and says how to mend what is wrong.
//
// Begin with a [Patient], which has the settings with which keypeg serve runs. [Patient.Examine] makes one
// [Check] after the other, goes on after each, and returns a [Report], which prints itself as a tree or as
// JSON. A check that needs another one that failed is left out, so that one cause turns one check red.
//
// It asks the running server for what only that knows: by the socket for commands (package control), and by
// the public URL for what a proxy in front changes (package probe). It writes nothing to the database, but
// the value with which /readyz tries whether it can be written. Nothing secret is in a report.
package doctor

import (
	"context"
	"net/netip"
	"time"

	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/warning"
)

// Patient is what is examined.
type Patient struct {
	Installation installation.Installation
	Listen       string // the setting
	TLS          installation.TLS
	Backups      installation.Schedule

	// Faults are what is wrong with the settings, and Notices what IT should know about them.
	Faults  []string
	Notices []Notice
	// Refused reports whether one of these settings can't be used.
	Refused func(settings ...string) bool

	// Tenant limits the examination to one tenant of the cloud edition; "" is all.
	Tenant string
	// Resolve is the address at which the public URLs are reached, whatever their names lead to; the zero
	// Addr is for where these lead.
	Resolve netip.Addr
	Now     func() time.Time
}

// Notice is something that the log says at the start.
type Notice struct {
	Warns bool
	Text  string
}

// Check is one question with its answer.
type Check struct {
	Group, Name string
	Within      time.Duration // how long it may take; 0 is for usual
	Run         func(ctx context.Context) Result
}

// usual is how long a check may take that says nothing else.
const usual = 10 * time.Second

// State is the outcome of a check.
type State string

// The values of [State]. Only Failed makes a report fail.
const (
	OK      State = "ok"
	Warning State = "warning"
	Failed  State = "failed"
	LeftOut State = "left out" // it needs something that failed, or there is nothing to check
)

// Result is the answer of a check.
type Result struct {
	State State `json:"state"`
	// Compared says what was found and expected, in a sentence.
	Compared string `json:"compared"`
	Mend     []Mend `json:"mend,omitempty"`
}

// Mend is a line to write, or something to do.
type Mend struct {
	In   string `json:"in,omitempty"` // "nginx", "Caddy", "keypeg"; or "" for what else is to be done
	Line string `json:"line"`
}

func ok(compared string) Result { return Result{State: OK, Compared: compared} }

func leftOut(why string) Result { return Result{State: LeftOut, Compared: why} }

func failed(compared string, mends ...Mend) Result {
	return Result{State: Failed, Compared: compared, Mend: mends}
}

func warn(compared string, mends ...Mend) Result {
	return Result{State: Warning, Compared: compared, Mend: mends}
}

// do is what is to be done where no line of a file helps.
func do(what string) Mend { return Mend{Line: what} }

func keypegLine(line string) Mend { return Mend{"keypeg", line} }

// linesFor returns the lines to write for something that a proxy breaks: those that the log has too.
func linesFor(cause warning.Cause) (mends []Mend) {
	advice := warning.AdviceOn(cause)
	for _, m := range []Mend{{"keypeg", advice.Keypeg}, {"nginx", advice.Nginx}, {"Caddy", advice.Caddy}} {
		if m.Line != "" {
			mends = append(mends, m)
		}
	}
	return mends
}

// Examine makes all checks.
func (p Patient) Examine(ctx context.Context) Report {
	report := Report{Checks: []Made{}}
	make := func(checks []Check) {
		for _, c := range checks {
			report.add(c, c.run(ctx))
		}
	}
	make(p.ofSettings())
	tenants, listed := p.tenants(ctx)
	make(listed)
	for _, t := range tenants {
		if ctx.Err() != nil {
			break
		}
		make(p.ofOrganisation(t))
	}
	return report
}

func (c Check) run(ctx context.Context) (r Result) {
	within := c.Within
	if within == 0 {
		within = usual
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	done := make(chan Result, 1)
	go func() { done <- c.Run(ctx) }()
	select {
	case r = <-done:
		return r
	case <-ctx.Done():
	}
	select {
	case r = <-done: // it says itself what it waited for
		return r
	case <-time.After(time.Second):
		return failed("there was no answer within "+within.String(), do("see whether the machine that it asks is there, and can be reached from here"))
	}
}
