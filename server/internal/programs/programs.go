// Package programs shows users the other programs that they sign in to with their accounts, and ends
// them. [Programs] is the feature with the routes; the rules are those of package grant.
//
// A program is listed from its first sign-in on, also if nobody was asked for it, and also when it isn't
// registered any more: what the user has allowed would count again for a new one with its id.
package programs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Programs serves the programs of a user to that user.
type Programs struct {
	Grants *grant.Service
	// About returns the name of a program and the host where it is, by the id that Grants has. It fails with
	// [store.ErrNotFound] for one that isn't registered any more.
	About func(ctx context.Context, id string) (name, host string, err error)
	Now   store.Clock
	Gates httpapi.Gates
}

// Mount names the routes. Ending needs no confirmation, since it must be quick.
func (p Programs) Mount(api func(pattern string, h httpapi.Handler)) {
	api("GET "+shared.PathPrograms, p.Gates.SignedIn(p.show))
	api("DELETE "+shared.PathProgram+"{id}", p.Gates.SignedIn(p.end))
}

func (p Programs) show(w http.ResponseWriter, r *http.Request) error {
	list, err := p.List(r.Context(), httpapi.CallerOf(r).Actor)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, list)
}

// end answers what is left.
//
// Refusal: [shared.CodeNotFound] if the user has no such program.
func (p Programs) end(w http.ResponseWriter, r *http.Request) error {
	who := httpapi.CallerOf(r).Actor
	id, err := p.find(r.Context(), who.User.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	name, _, err := p.about(r.Context(), id)
	if err != nil {
		return err
	}
	ended := who.Recorded(shared.EventProgramEnded, p.Now())
	for i, op := range ended {
		if add, is := op.(store.AddEvent); is {
			add.Event.Program = name
			ended[i] = add
		}
	}
	if err := p.Grants.End(r.Context(), who, id, ended...); err != nil {
		return err
	}
	return p.show(w, r)
}

// List returns the programs of the actor's user, by their names.
func (p Programs) List(ctx context.Context, who session.Actor) (shared.ProgramList, error) {
	list := shared.ProgramList{Programs: []shared.Program{}}
	all, err := p.Grants.Programs(ctx, who.User.ID)
	if err != nil {
		return list, err
	}
	for _, one := range all {
		shown := shared.Program{ID: publicID(one.ID), Scopes: gets(one, who.User), Since: one.Since, Used: one.Used}
		if shown.Name, shown.Host, err = p.about(ctx, one.ID); err != nil {
			return list, err
		}
		list.Programs = append(list.Programs, shown)
	}
	slices.SortFunc(list.Programs, func(a, b shared.Program) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	})
	return list, nil
}

// gets returns what a program gets: what the user has allowed, or what it got last if nobody was asked.
// Every program has [shared.ScopeOpenID], so it says nothing, and nobody's e-mail address is got of a user without one.
func gets(one grant.Program, user store.User) []string {
	scopes := one.Allowed
	if scopes == nil {
		scopes = one.Given
	}
	return slices.DeleteFunc(append([]string{}, scopes...), func(scope string) bool {
		return scope == shared.ScopeOpenID || scope == shared.ScopeEmail && user.Email == ""
	})
}

// about is About, with the id as the name of a program that isn't registered any more.
func (p Programs) about(ctx context.Context, id string) (name, host string, err error) {
	name, host, err = p.About(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		_, name, _ = strings.Cut(id, ":")
		return name, "", nil
	case err != nil:
		return "", "", fmt.Errorf("programs: looking up %s: %w", id, err)
	}
	return name, host, nil
}

// find returns the id of a program of the user, by the id that the API has, or that id if the user has no
// such program.
func (p Programs) find(ctx context.Context, userID, public string) (string, error) {
	all, err := p.Grants.Programs(ctx, userID)
	if err != nil {
		return "", err
	}
	for _, one := range all {
		if publicID(one.ID) == public {
			return one.ID, nil
		}
	}
	return public, nil
}

// publicID is the id of a program in the API. The program's own may be an address, which a path can't have
// without something between taking it for several segments.
func publicID(id string) string {
	sum := sha256.Sum256([]byte("program " + id))
	return hex.EncodeToString(sum[:12])
}
