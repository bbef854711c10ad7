// Package activity is what happened to a user's account, as the user reads it: recorded,
// bounded and listed.
//
// Whatever a rule does leaves an event in the batch that does it, so nothing happens without
// a line, and no line tells of what didn't. Rules write through [Service].Store, which keeps
// one user's events from growing without bound (bounded.go). Attempts that failed change
// nothing and have no batch: [Service.Failed] takes them in, and package failures merges and
// writes them a few seconds later.
//
// This package imports session for the [session.Actor], and no rule imports it the other way
// round: session knows nothing of activity.
package activity

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"

	"github.com/keypeg/keypeg/server/internal/failures"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Service records and lists the activity of an organisation's users. It is safe for
// concurrent use. [Service.Close] comes last, before the store is closed.
type Service struct {
	// Store is the one to write through: it bounds what events of one user take.
	Store *Bounded

	failures *failures.Recorder
}

// New returns a Service of what is kept in a store.
func New(s store.Store, log *slog.Logger) *Service {
	return &Service{Store: Bound(s), failures: failures.New(s, log)}
}

// Failed takes in an attempt that failed. It never waits for the store: the user reads of it
// some seconds after the answer.
func (s *Service) Failed(event store.Event) { s.failures.Add(event) }

// Flush writes the failed attempts that wait to be written.
func (s *Service) Flush(ctx context.Context) { s.failures.Flush(ctx) }

// Close writes what waits, and takes nothing in from then on.
func (s *Service) Close(ctx context.Context) { s.failures.Close(ctx) }

// page is how many events a page has.
const page = 25

// List returns a page of what happened to the actor's user, newest first: the first one for
// before "", else the one after the page whose Next this is.
//
// Refusal: [shared.CodeInvalidRequest] for a page that there can't be.
func (s *Service) List(ctx context.Context, who session.Actor, before string) (shared.Activity, error) {
	from, err := parseEventID(before)
	if err != nil {
		return shared.Activity{}, err
	}
	events, err := s.Store.Events(ctx, who.User.ID, from, page+1)
	if err != nil {
		return shared.Activity{}, fmt.Errorf("listing events: %w", err)
	}
	list := shared.Activity{Events: []shared.Event{}}
	if len(events) > page {
		events = events[:page]
		list.Next = hex.EncodeToString(events[page-1].ID[:])
	}
	for _, e := range events {
		list.Events = append(list.Events, describe(who, e))
	}
	return list, nil
}

// parseEventID reads the id of an event as a page has it: "" is the zero id.
func parseEventID(text string) (id store.EventID, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || (text != "" && len(raw) != len(id)) {
		return id, shared.Errorf(shared.CodeInvalidRequest, "There is no such page.")
	}
	copy(id[:], raw)
	return id, nil
}

// describe makes the line of an event.
func describe(who session.Actor, e store.Event) shared.Event {
	passkey, _ := who.Passkey(e.PasskeyID)
	line := shared.Event{
		ID: hex.EncodeToString(e.ID[:]), Kind: e.Kind, Time: e.Time, Method: string(e.Method), Passkey: e.Passkey, Provider: e.Provider, By: e.By,
		PasskeyID: passkey.ID, // of one that the user still has
		Browser:   e.Client.Browser, System: e.Client.System, Address: e.Client.Address,
		// Of several, only the last is known.
		Here: who.Client.Mark != "" && e.Client.Mark == who.Client.Mark && e.Count <= 1,
	}
	if e.Count > 1 {
		line.Count, line.Last = e.Count, &e.Last
	}
	return line
}
