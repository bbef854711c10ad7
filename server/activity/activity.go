// Package activity records, bounds and lists what happened to a user's account, as the user
// reads it.
//
// A rule adds an event to the batch that changes something. So every change has a line, and
// every line stands for a change. Rules write through [Service.Store], which bounds the
// events of one user (bounded.go). A failed attempt changes nothing and has no batch:
// [Service.Failed] takes its event, and package failures merges such events and writes them
// a few seconds later.
//
// This package imports session for the [session.Actor]. Session doesn't import it.
package activity

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/keypeg/keypeg/server/internal/failures"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Service records and lists the activity of an organisation's users. It is safe for
// concurrent use. Call [Service.Close] last, before the store is closed.
type Service struct {
	store    *bounded
	failures *failures.Recorder
}

// New returns a Service over a store. Events are kept for so long, and 0 means
// [store.EventsKept], which is also the longest.
func New(s store.Store, kept time.Duration, log *slog.Logger) *Service {
	b, is := s.(*bounded)
	if !is { // else each event would be counted twice
		b = bound(present{retaining{s, cmp.Or(kept, store.EventsKept)}})
	}
	return &Service{store: b, failures: failures.New(b.Store, log)}
}

// Store is the store that rules write through. It bounds the events of each user.
func (s *Service) Store() store.Store { return s.store }

// Failed takes the event of a failed attempt. It never waits for the store. The user sees
// the event some seconds after the answer.
func (s *Service) Failed(event store.Event) { s.failures.Add(event) }

// Flush writes the failed attempts that aren't written yet.
func (s *Service) Flush(ctx context.Context) { s.failures.Flush(ctx) }

// Close writes the failed attempts that aren't written yet. After it, Failed does nothing.
func (s *Service) Close(ctx context.Context) { s.failures.Close(ctx) }

// page is the number of events on one page.
const page = 25

// List returns a page of the actor's user's activity, newest first. An empty before means
// the first page; otherwise it is the Next of the page before.
//
// Refusal: [shared.CodeInvalidRequest] for a before that can't be a Next.
func (s *Service) List(ctx context.Context, who session.Actor, before string) (shared.Activity, error) {
	from, err := parseEventID(before)
	if err != nil {
		return shared.Activity{}, err
	}
	events, err := s.store.Events(ctx, who.User.ID, from, page+1)
	if err != nil {
		return shared.Activity{}, fmt.Errorf("listing events: %w", err)
	}
	list := shared.Activity{Events: []shared.Event{}}
	if len(events) > page {
		events = events[:page]
		list.Next = hex.EncodeToString(events[page-1].ID[:])
	}
	names, err := s.others(ctx, events)
	if err != nil {
		return shared.Activity{}, err
	}
	for _, e := range events {
		line := describe(who, e)
		name, there := names[e.By]
		line.By, line.ByRemoved = name, e.By != "" && !there
		name, there = names[e.About]
		line.About, line.AboutRemoved = name, e.About != "" && !there
		list.Events = append(list.Events, line)
	}
	return list, nil
}

// others returns the display names of the other users in these events, by their ids: who acted, and
// to whom something was done. It has none for a user who was removed. Events hold ids only, so that
// the name of a removed user is in nobody's activity.
func (s *Service) others(ctx context.Context, events []store.Event) (map[string]string, error) {
	names := map[string]string{}
	for _, e := range events {
		for _, id := range []string{e.By, e.About} {
			if _, known := names[id]; known || id == "" {
				continue
			}
			other, err := s.store.User(ctx, id)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("loading another user of an event: %w", err)
			}
			names[id] = other.DisplayName
		}
	}
	return names, nil
}

// parseEventID reads the id of an event from a request. An empty text is the zero id.
func parseEventID(text string) (id store.EventID, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || (text != "" && len(raw) != len(id)) {
		return id, shared.Errorf(shared.CodeInvalidRequest, "There is no such page.")
	}
	if copy(id[:], raw) > 0 && id == (store.EventID{}) {
		return id, shared.Errorf(shared.CodeInvalidRequest, "There is no such page.") // no event has it
	}
	return id, nil
}

// describe returns an event as a line of the page, without the administrator who acts in it.
func describe(who session.Actor, e store.Event) shared.Event {
	passkey, _ := who.Passkey(e.PasskeyID)
	line := shared.Event{
		ID: hex.EncodeToString(e.ID[:]), Kind: e.Kind, Time: e.Time, Method: string(e.Method), Passkey: e.Passkey, Provider: e.Provider, Program: e.Program,
		PasskeyID: passkey.ID, // "" if the user has removed it
		Reason:    e.Reason, Change: e.Change,
		Browser: e.Client.Browser, System: e.Client.System, Address: e.Client.Address,
		// A line that counts several events has the client of the last one only.
		Here: who.Client.Mark != "" && e.Client.Mark == who.Client.Mark && e.Count <= 1,
	}
	if e.Count > 1 {
		line.Count, line.Last = e.Count, &e.Last
	}
	return line
}
