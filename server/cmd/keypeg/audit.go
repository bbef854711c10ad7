package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/audit"
	"github.com/keypeg/keypeg/server/internal/chain"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/shared"
)

// eventFilter says which events a command is about.
type eventFilter struct{ audit.Filter }

func (c *eventFilter) takes(l *commandLine) {
	l.StringVar(&c.Kind, "kind", "", "Only events of these `KINDS`, with commas between, such as sign_in_failed; or sign-ins, failures, passkeys, passwords, users, programs.")
	l.StringVar(&c.User, "user", "", "Only what happened to this `USER`: the user name, the e-mail address or the id.")
	l.StringVar(&c.By, "by", "", "Only what this `USER` did to others; or administrators, users, or command-line.")
	l.StringVar(&c.Address, "address", "", "Only from this IP `ADDRESS`, or from a network such as 192.0.2.0/24.")
	l.StringVar(&c.From, "from", "", "Only from this `TIME` on: a day in UTC such as 2026-11-29, or 2026-11-29T08:00:00Z.")
	l.StringVar(&c.To, "to", "", "Only before this `TIME`.")
}

// pages returns a function that returns one page after the other.
func (c *eventFilter) pages(users control.Users, limit int) func(context.Context) (shared.AuditPage, error) {
	filter := c.Filter
	return func(ctx context.Context) (shared.AuditPage, error) {
		if err := c.checkKinds(); err != nil {
			return shared.AuditPage{}, err
		}
		page, err := control.ListEvents(ctx, users, control.EventsBefore{Filter: filter, Limit: limit})
		filter.Before = page.Next
		return page, err
	}
}

// checkKinds refuses a kind that there isn't, and lists those that there are.
func (c *eventFilter) checkKinds() error {
	var kinds, groups []string
	for kind, group := range shared.EventGroups {
		kinds, groups = append(kinds, string(kind)), append(groups, string(group))
	}
	for _, kind := range commaList(c.Kind) {
		if !slices.Contains(kinds, kind) && !slices.Contains(groups, kind) {
			slices.Sort(kinds)
			slices.Sort(groups)
			return fmt.Errorf("there is no kind of event %s: it is one of %s; or all of one of %s", shown.Text(kind), strings.Join(kinds, ", "), strings.Join(slices.Compact(groups), ", "))
		}
	}
	return nil
}

// newest returns up to n events, oldest first.
func (c *eventFilter) newest(ctx context.Context, users control.Users, n int) (events []shared.AuditEvent, err error) {
	next := c.pages(users, n)
	for more := true; more && len(events) < n; {
		page, err := next(ctx)
		if err != nil {
			return nil, err
		}
		events, more = append(events, page.Events...), page.Next != ""
	}
	events = events[:min(n, len(events))]
	slices.Reverse(events)
	return events, nil
}

type auditExport struct {
	eventFilter
	CSV bool
}

func (c *auditExport) takes(l *commandLine) {
	c.eventFilter.takes(l)
	l.BoolVar(&c.CSV, "csv", false, "A table (CSV) in place of one JSON object for each event.")
}

func (c *auditExport) Run(ctx context.Context, t terminal, s *settings) error {
	const page = 500
	return s.withUsers(ctx, func(users control.Users) error {
		return audit.Export(ctx, t.Out, either(c.CSV, shared.ExportTable, shared.ExportLines), c.pages(users, page), func() error { return nil })
	})
}

type auditTail struct {
	eventFilter
	Lines        uint
	Follow, JSON bool
}

func (c *auditTail) takes(l *commandLine) {
	c.eventFilter.takes(l)
	l.UintVarP(&c.Lines, "lines", "n", 20, "How many events are printed, at most 1000.")
	l.BoolVarP(&c.Follow, "follow", "f", false, "Go on and print what happens, until it is interrupted.")
	l.BoolVar(&c.JSON, "json", false, "One JSON object for each event, as the API has it.")
}

const (
	// followEvery is how often new events are looked for.
	followEvery = 2 * time.Second
	// comesLate is how much later than its time an event may appear.
	comesLate = 2 * time.Minute
	// mostFollowed is how many events are printed at once.
	mostFollowed = 1000
)

func (c *auditTail) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		var known []shared.AuditEvent
		if c.Follow {
			var err error
			if known, err = c.recent(ctx, users); err != nil { // before the others, so that none is missed
				return err
			}
		}
		events, err := c.newest(ctx, users, int(min(c.Lines, mostFollowed)))
		if err != nil {
			return err
		}
		for err = c.print(t, events); err == nil && c.Follow; {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(followEvery):
			}
			events, err := c.recent(ctx, users)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			news := slices.DeleteFunc(slices.Clone(events), func(v shared.AuditEvent) bool {
				return slices.ContainsFunc(known, func(k shared.AuditEvent) bool { return k.ID == v.ID && k.Count == v.Count })
			})
			known = events
			if err := c.print(t, news); err != nil {
				return err
			}
		}
		return err
	})
}

// recent returns the events of the last minutes.
func (c *auditTail) recent(ctx context.Context, users control.Users) ([]shared.AuditEvent, error) {
	recent := c.eventFilter
	if recent.From == "" && recent.To == "" {
		recent.From = time.Now().Add(-comesLate).UTC().Format(time.RFC3339Nano)
	}
	return recent.newest(ctx, users, mostFollowed)
}

func (c *auditTail) print(t terminal, events []shared.AuditEvent) error {
	for _, v := range events {
		var err error
		if c.JSON {
			err = json.NewEncoder(t.Out).Encode(v)
		} else {
			_, err = fmt.Fprintln(t.Out, eventLine(v))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// eventLine is an event for IT to read: when, what, to whom, by whom, and from where.
func eventLine(v shared.AuditEvent) string {
	words := []string{v.Time.Local().Format("2006-01-02 15:04:05"), string(v.Kind)}
	if v.Count > 1 {
		words = append(words, fmt.Sprintf("%d times", v.Count))
	}
	if v.User != nil {
		words = append(words, personOf(v.User))
	}
	if v.By != nil {
		words = append(words, "by "+personOf(v.By))
	} else if v.User != nil && v.Browser+v.System+v.Address == "" {
		words = append(words, "by the command line")
	}
	for _, fact := range []struct{ what, is string }{{"", v.Method}, {"", v.Change}, {"passkey ", v.Passkey}, {"at ", v.Provider}, {"program ", v.Program}, {"", v.Browser}, {"on ", v.System}, {"from ", v.Address}} {
		if fact.is != "" {
			words = append(words, fact.what+strings.Trim(strconv.QuoteToGraphic(fact.is), `"`)) // nothing moves the cursor
		}
	}
	return strings.Join(words, "  ")
}

// personOf names a user of an event.
func personOf(u *shared.AuditUser) string { return nameOr(u.Name, u.ID) }

// nameOr returns a user's name. A user who was removed has none.
func nameOr(name, id string) string { return either(name != "", name, "a removed user ("+id+")") }

type auditVerify struct {
	Head string
	JSON bool
}

func (c *auditVerify) takes(l *commandLine) {
	l.StringVar(&c.Head, "head", "", "A `HASH` that was printed earlier and kept elsewhere: the chain must lead to it.")
	l.BoolVar(&c.JSON, "json", false, "JSON, for programs.")
}

func (c *auditVerify) Run(ctx context.Context, t terminal, s *settings) error {
	var kept chain.Hash
	if c.Head != "" {
		if err := kept.UnmarshalText([]byte(c.Head)); err != nil {
			return fmt.Errorf("--head must be a hash as keypeg audit verify prints it, of 64 hexadecimal digits")
		}
	}
	var report chain.Report
	err := s.withUsers(ctx, func(users control.Users) (err error) {
		report, err = control.VerifyEvents(ctx, users, control.KeptHash{Hash: kept})
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(t.Out).Encode(report)
	} else {
		writeReport(t, report)
	}
	if n := len(report.Findings) + report.More; n > 0 && err == nil {
		err = fmt.Errorf("the events aren't as they were sealed: %s", count(n, "finding", "findings"))
	}
	return err
}

func writeReport(t terminal, report chain.Report) {
	for _, f := range report.Findings {
		switch f.What {
		case chain.Broken:
			fmt.Fprintf(t.Out, "broken   the chain: its block %d is missing, or was changed\n", f.Block)
		case chain.Unknown:
			fmt.Fprintln(t.Out, "unknown  the hash of --head: the chain never had it. It was written anew, or the database is of an earlier backup, or the hash is older than the events that are kept")
		default:
			fmt.Fprintf(t.Out, "%-8s %s  %s  event %s  user %s\n", f.What, f.Time.Format("2006-01-02 15:04:05.000000 UTC"), either(f.Kind != "", string(f.Kind), "?"), f.Event, f.User)
		}
	}
	if report.More > 0 {
		fmt.Fprintf(t.Out, "and %d more\n", report.More)
	}
	fmt.Fprintln(t.Out, count(report.Events, "event is as it was sealed.", "events are as they were sealed."))
	for _, fact := range []struct {
		n         int
		one, many string
	}{
		{report.Erased, "line is of a user who was removed since.", "lines are of users who were removed since."},
		{report.Expired, "line is of an event that was kept long enough.", "lines are of events that were kept long enough."},
		{report.NotSealed, "event isn't sealed yet. The running server seals events that are five minutes old.", "events aren't sealed yet. The running server seals events that are five minutes old."},
	} {
		if fact.n > 0 {
			fmt.Fprintln(t.Out, count(fact.n, fact.one, fact.many))
		}
	}
	if report.Head != (chain.Hash{}) {
		fmt.Fprintf(t.Out, "Newest hash: %s\nKeep it elsewhere. Later, keypeg audit verify --head shows whether the chain still leads to it.\n", report.Head)
	}
}
