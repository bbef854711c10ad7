package openid

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Whose what is: the client of an id, what users have let it in for, and which grants are its own.

// client returns a client by its id. It fails with [store.ErrNotFound].
func (h *Handlers) client(ctx context.Context, id string) (Client, error) {
	if len(id) > mostClientID {
		return Client{}, store.ErrNotFound
	}
	if isDocument(id) && h.AnyClient {
		return h.documents.client(ctx, id)
	}
	c, err := h.Registry.Client(ctx, id)
	if errors.Is(err, store.ErrInvalid) {
		return c, store.ErrNotFound // an id that no key can be
	}
	return c, err
}

// mostClientID bounds an id, in bytes: with the kind of program before it, it is a key in the store.
const mostClientID = store.MostKey - len(grant.Client)

// allowed returns the event of a user who lets a program in.
func (h *Handlers) allowed(who *httpapi.Caller, c Client) []store.Op {
	event := who.Event(shared.EventProgramAllowed, h.Now())
	event.Program = c.Name
	return []store.Op{store.AddEvent{Event: event}}
}

// allows is what a user allows the client.
func (c Client) allows(scopes []string) grant.Allowed {
	return grant.Allowed{Program: grant.Client + c.ID, Scopes: scopes, Registered: c.Created}
}

// isOf refuses what was given to another client, or to one that had the id before: IT has removed that since, and what
// users had allowed it isn't allowed to the new one.
func (c Client) isOf(program string, since time.Time) error {
	if program != grant.Client+c.ID || since.Before(c.Created) {
		return fmt.Errorf("%w: it is for %s, and not for this client", grant.ErrInvalid, program)
	}
	return nil
}

// admitted refuses tokens for a user who may not use the program.
func (c Client) admitted(user store.User) error {
	if !c.Admits(user) {
		return fmt.Errorf("%w: the user is in no group that may use the client", grant.ErrInvalid)
	}
	return nil
}
