package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Program is a program that a user has let in, or that signed them in without asking.
type Program struct {
	ID string `json:"-"` // its kind and id
	// Allowed are the scopes that the user has allowed; nil if nobody asked them.
	Allowed []string `json:"allowed,omitempty"`
	// Given are the scopes that the program got last.
	Given []string  `json:"given,omitempty"`
	Since time.Time `json:"since"`
	Used  time.Time `json:"used,omitzero"` // when it signed the user in last
}

// programs have the user as owner and the program's id as key. An entry stays when its grants have
// ended, because the user isn't asked again.
var programs = store.Collection[Program]{Name: "program"}

// endedAt is when a user has ended a program. It stays as long as what they decided before could still be exchanged.
type endedAt struct {
	At time.Time `json:"at"`
}

// endings have the user as owner and the program's id as key.
var endings = store.Collection[endedAt]{Name: "program-ended"}

// notEnded returns the operation that lets a batch begin a grant only if its user hasn't ended the program meanwhile. It
// fails with [ErrInvalid] if they have, after they decided.
func (s *Service) notEnded(ctx context.Context, g Grant, decided time.Time) (store.Op, error) {
	found, err := endings.Get(ctx, s.c.Store, g.UserID, g.Program)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return endings.Remove(store.Entry[endedAt]{Owner: g.UserID, Key: g.Program}), nil // there is still none
	case err != nil:
		return nil, fmt.Errorf("looking whether a program was ended: %w", err)
	case decided.Before(found.Value.At):
		return nil, fmt.Errorf("%w: the user has ended the program since", ErrInvalid)
	}
	return endings.Put(found), nil // still the same
}

// unused is how long a program that nobody was asked for stays in the list after its last use.
const unused = 90 * 24 * time.Hour

// usedEvery is how often a program's last use is written.
const usedEvery = time.Minute

// Program returns what a user has allowed a program since it was registered. It is zero if that is nothing.
func (s *Service) Program(ctx context.Context, userID, id string, registered time.Time) (Program, error) {
	found, err := programs.Get(ctx, s.c.Store, userID, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && found.Value.Since.Before(registered) {
		return Program{}, nil
	}
	found.Value.ID = id
	return found.Value, err
}

// Programs returns the programs of a user by their ids.
func (s *Service) Programs(ctx context.Context, userID string) (list []Program, err error) {
	after := ""
	for {
		page, err := programs.List(ctx, s.c.Store, userID, after, most)
		if err != nil {
			return nil, fmt.Errorf("listing programs: %w", err)
		}
		for _, p := range page {
			p.Value.ID = p.Key
			list = append(list, p.Value)
		}
		if len(page) < most {
			return list, nil
		}
		after = page[len(page)-1].Key
	}
}

// Allowed is what a user allows a program.
type Allowed struct {
	Program string // its kind and id
	Scopes  []string
	// Registered is when IT registered the program, or zero. What was allowed before that was for another program of
	// the same id.
	Registered time.Time
}

// Allow records that the user lets a program in, with these scopes besides those that they allowed
// before. Also is written in the same batch.
func (s *Service) Allow(ctx context.Context, who session.Actor, a Allowed, also ...store.Op) error {
	id, scopes := a.Program, a.Scopes
	for attempt := 1; ; attempt++ {
		found, err := programs.Get(ctx, s.c.Store, who.User.ID, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("looking up a program: %w", err)
		}
		if errors.Is(err, store.ErrNotFound) || found.Value.Since.Before(a.Registered) {
			found = store.Entry[Program]{Owner: who.User.ID, Key: id, Version: found.Version, Value: Program{Since: s.c.Now().UTC()}}
		}
		for _, scope := range scopes {
			if !slices.Contains(found.Value.Allowed, scope) {
				found.Value.Allowed = append(found.Value.Allowed, scope)
			}
		}
		found.Expires = time.Time{}
		err = s.c.Store.Apply(ctx, append(store.Batch{programs.Put(found), store.HasUser{ID: who.User.ID}}, also...))
		if !programs.Changed(err) || attempt == store.Attempts {
			return err
		}
	}
}

// usedNow returns the operation that records the use of a program.
func (s *Service) usedNow(ctx context.Context, g Grant) (store.Batch, error) {
	found, err := programs.Get(ctx, s.c.Store, g.UserID, g.Program)
	switch {
	case errors.Is(err, store.ErrNotFound):
		found = store.Entry[Program]{Owner: g.UserID, Key: g.Program, Value: Program{Since: g.Since}}
	case err != nil:
		return nil, fmt.Errorf("looking up a program: %w", err)
	case g.Since.Sub(found.Value.Used) < usedEvery && slices.Equal(found.Value.Given, g.Scopes):
		return nil, nil
	}
	found.Value.Used, found.Value.Given = g.Since, g.Scopes
	if found.Value.Allowed == nil {
		found.Expires = g.Since.Add(unused)
	}
	return store.Batch{programs.Put(found)}, nil
}

// End ends a program for the actor's user: what it was allowed, each grant, codes that weren't exchanged yet, and, where
// the program can be told, the session that it began. Also is written in the same batch.
//
// Refusal: [shared.CodeNotFound] if the user has no such program.
func (s *Service) End(ctx context.Context, who session.Actor, id string, also ...store.Op) error {
	userID := who.User.ID
	if has, err := programs.Has(ctx, s.c.Store, userID, id); err != nil || !has {
		if err != nil {
			return fmt.Errorf("looking up a program: %w", err)
		}
		return shared.Errorf(shared.CodeNotFound, "This program isn't in your list any more.")
	}
	for attempt := 1; ; attempt++ {
		now := s.c.Now().UTC()
		batch := store.Batch{
			programs.Remove(store.Entry[Program]{Owner: userID, Key: id, Version: store.AnyVersion}),
			endings.Put(store.Entry[endedAt]{Owner: userID, Key: id, Version: store.AnyVersion, Value: endedAt{now}, Expires: now.Add(spentFor)}),
		}
		given, err := s.ending(ctx, userID, func(g Grant) bool { return g.Program == id })
		if err != nil {
			return err
		}
		due, err := s.due(ctx, userID, id)
		if err != nil {
			return err
		}
		err = s.c.Store.Apply(ctx, slices.Concat(batch, given, due, also))
		if promises.Changed(err) && attempt < store.Attempts {
			continue // the program signs the user in, or is told, just now
		}
		if err != nil {
			return fmt.Errorf("ending a program: %w", err)
		}
		s.Look(userID)
		return nil
	}
}

// ending returns the operations that end the grants of a user which are selected.
func (s *Service) ending(ctx context.Context, userID string, selected func(Grant) bool) (batch store.Batch, err error) {
	after := ""
	for {
		page, err := grants.List(ctx, s.c.Store, userID, after, most)
		if err != nil {
			return nil, fmt.Errorf("listing grants: %w", err)
		}
		for _, g := range page {
			if selected(g.Value) {
				batch = append(batch, grants.Remove(store.Entry[Grant]{Owner: userID, Key: g.Key, Version: store.AnyVersion}))
			}
		}
		if len(page) < most {
			return batch, nil
		}
		after = page[len(page)-1].Key
	}
}

// IsClient reports whether a program is a client, and returns its client_id.
func IsClient(program string) (id string, is bool) { return strings.CutPrefix(program, Client) }

// IsGate reports whether a program is a gate, and returns its name.
func IsGate(program string) (name string, is bool) { return strings.CutPrefix(program, Gate) }
