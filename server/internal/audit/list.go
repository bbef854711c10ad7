package audit

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

const (
	// onePage is the number of events on one page.
	onePage = 50
	// looksAt is how many events of the store are looked at for one page.
	looksAt = 2000
	// step is how many of them are read at once.
	step = 250
)

// List returns a page of up to limit events that a filter selects, newest first. For one page it
// looks at some 2,000 events: then the page may have fewer events, or none, and LookedUntil.
//
// Refusals: [shared.CodeInvalidRequest] and [shared.CodeNotFound].
func List(ctx context.Context, s store.Store, f Filter, limit int) (shared.AuditPage, error) {
	q, err := f.understand(ctx, s)
	if err != nil {
		return shared.AuditPage{}, err
	}
	return newPages(s, q).next(ctx, limit)
}

// pages reads the events of a query, page by page.
type pages struct {
	store store.Store
	query
	people map[string]*shared.AuditUser // by their ids; a user who was removed has no name
}

func newPages(s store.Store, q query) *pages {
	return &pages{store: s, query: q, people: map[string]*shared.AuditUser{}}
}

// next returns the next page, as List does.
func (p *pages) next(ctx context.Context, limit int) (shared.AuditPage, error) {
	page, looked := shared.AuditPage{Events: []shared.AuditEvent{}}, 0
	if len(p.people) > looksAt {
		clear(p.people)
	}
	for {
		found, err := p.read(ctx)
		if err != nil {
			return shared.AuditPage{}, fmt.Errorf("listing events: %w", err)
		}
		for _, v := range found {
			if v.Time.Before(p.from) {
				return page, nil
			}
			p.before = v.Mark()
			line, listed, err := p.line(ctx, v)
			if err != nil {
				return shared.AuditPage{}, err
			}
			if listed {
				page.Events = append(page.Events, line)
			}
			if len(page.Events) == limit {
				page.Next = textOf(p.before)
				return page, nil
			}
		}
		looked += len(found)
		switch {
		case len(found) < step:
			return page, nil
		case looked >= looksAt:
			until := p.before.ID.Time()
			page.Next, page.LookedUntil = textOf(p.before), &until
			return page, nil
		}
	}
}

// read reads the next events of the store.
func (p *pages) read(ctx context.Context) ([]store.Event, error) {
	if p.user != "" && !p.removed {
		return p.store.Events(ctx, p.user, p.before.ID, step)
	}
	return p.store.AllEvents(ctx, store.EventQuery{Before: p.before, Kinds: p.kinds}, step)
}

// line describes an event, and reports whether it is in the list.
func (p *pages) line(ctx context.Context, v store.Event) (line shared.AuditEvent, listed bool, err error) {
	if v.Client, err = p.clientOf(ctx, v); err != nil {
		return line, false, err
	}
	if !p.selects(v) {
		return line, false, nil
	}
	line = shared.AuditEvent{
		ID: hex.EncodeToString(v.ID[:]), Kind: v.Kind, Time: v.Time, Method: string(v.Method), Passkey: v.Passkey, Provider: v.Provider, Program: v.Program,
		Reason: v.Reason, Change: v.Change, Browser: v.Client.Browser, System: v.Client.System, Address: v.Client.Address,
	}
	if v.Count > 1 {
		line.Count, line.Last = v.Count, &v.Last
	}
	user, by := whose(v)
	if line.User, err = p.person(ctx, user); err != nil {
		return line, false, err
	}
	if line.By, err = p.person(ctx, by); err != nil {
		return line, false, err
	}
	return line, isListed(v, line), nil
}

// clientOf returns from where somebody did what an event says. If it was done for another user, only
// the event of whoever did it has that: it was written in the same batch.
func (p *pages) clientOf(ctx context.Context, v store.Event) (store.Client, error) {
	if v.By == "" || v.By == v.UserID || v.UserID == store.Organisation {
		return v.Client, nil
	}
	const atOnce = 100 // events of one user at the same moment
	pairs, err := p.store.Events(ctx, v.By, store.MarkOf(v.Time.Add(time.Microsecond)).ID, atOnce)
	if err != nil {
		return store.Client{}, fmt.Errorf("reading from where an administrator acted: %w", err)
	}
	for _, pair := range pairs {
		if pair.About == v.UserID && pair.Kind == v.Kind && pair.Time.Equal(v.Time) {
			return pair.Client, nil
		}
	}
	return store.Client{}, nil // it was removed, or it is counted in another line
}

// isListed leaves out the second event of each pair: see the package.
func isListed(v store.Event, line shared.AuditEvent) bool {
	switch {
	case v.UserID == store.Organisation: // whoever did it has one too, with the address
		return line.By == nil || line.By.Name == ""
	case v.About != "":
		return line.User.Name == ""
	}
	return true
}

// person returns a user with their names of today.
func (p *pages) person(ctx context.Context, id string) (*shared.AuditUser, error) {
	if id == "" {
		return nil, nil
	}
	if person, known := p.people[id]; known {
		return person, nil
	}
	user, err := p.store.User(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("loading a user of an event: %w", err)
	}
	person := &shared.AuditUser{ID: id, Name: user.Name, DisplayName: user.DisplayName}
	p.people[id] = person
	return person, nil
}

// timeText is how an export writes a time.
func timeText(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }
