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
	"fmt"
	"net/netip"
	"time"

	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/shared"
)

// Patient is what is examined.
type Patient struct {
	Installation installation.Installation
	Listen       string // the setting
	Trusted      []netip.Prefix
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
	// Found is called after each check. Nil isn't.
	Found func(Made)

	hosted bool // whoever reads the report is of a tenant, and not of IT
}

// Notice is something that the log says at the start.
type Notice struct {
	Warns bool
	Text  string
}

// Check is one question with its answer.
type Check struct {
	Group, Name string
	// OfMachine says that the answer tells of the machine, which the tenants on it share.
	OfMachine bool
	Within    time.Duration // how long it may take; 0 is for usual
	// Run makes the check. The zero Result means that there is nothing to examine, and isn't reported.
	Run func(ctx context.Context) Result
}

// usual is how long a check may take that says nothing else.
const usual = 10 * time.Second

// State is the outcome of a check.
type State = shared.CheckState

// The values of [State]. Only Failed makes a report fail.
const (
	OK      = shared.CheckOK
	Warning = shared.CheckWarning
	Failed  = shared.CheckFailed
	LeftOut = shared.CheckLeftOut
)

// Result is the answer of a check.
type Result struct {
	State State `json:"state"`
	// Compared says what was found and expected, in a sentence.
	Compared string `json:"compared"`
	Mend     []Mend `json:"mend,omitempty"`

	support string // what a text for others says in the place of Compared, which names users; "" says the same
}

// Mend is a line to write, or something to do.
type Mend = shared.Mend

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

func keypegLine(line string) Mend { return Mend{In: "keypeg", Line: line} }

// linesFor returns the lines to write for something that a proxy breaks: those that the log has too.
func linesFor(cause warning.Cause) []Mend { return warning.Mends(cause) }

// Examine makes all checks.
func (p Patient) Examine(ctx context.Context) Report {
	report := Report{Checks: []Made{}}
	make := func(checks []Check) { p.make(ctx, &report, checks) }
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

// ExamineFor makes the checks that the administrators of an organisation may see: all of them on premise, and
// otherwise those of their tenant, without what is of the machine.
func (p Patient) ExamineFor(ctx context.Context, t tenant.Tenant) Report {
	if !p.Installation.Cloud {
		return p.Examine(ctx)
	}
	p.hosted, p.Listen = true, "127.0.0.1:8080" // as the manual has it
	report := Report{Checks: []Made{}}
	p.make(ctx, &report, p.ofOrganisation(t))
	return report
}

// elsewhere is what the administrator of a tenant reads of the machine.
const elsewhere = "it isn't of your organisation alone, so only whoever runs this installation can see more"

func (p Patient) make(ctx context.Context, report *Report, checks []Check) {
	for _, c := range checks {
		if ctx.Err() != nil {
			return
		}
		result := c.run(ctx)
		if result.State == "" { // there is nothing to examine
			continue
		}
		if p.hosted && c.OfMachine {
			if result.State != Failed && result.State != Warning {
				continue
			}
			result = Result{State: result.State, Compared: elsewhere, Mend: []Mend{do("ask whoever runs this installation to run keypeg doctor")}}
		}
		report.add(c, result)
		if p.Found != nil {
			p.Found(report.Checks[len(report.Checks)-1])
		}
	}
}

func (c Check) run(ctx context.Context) (r Result) {
	within := c.Within
	if within == 0 {
		within = usual
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	done := make(chan Result, 1)
	go func() {
		defer func() { // it may run in a server, which goes on
			if fault := recover(); fault != nil {
				done <- failed(fmt.Sprintf("the check itself is faulty: %v", fault), do("please report it"))
			}
		}()
		done <- c.Run(ctx)
	}()
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
