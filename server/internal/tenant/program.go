package tenant

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/embed"
)

// A tenant may be a program that Keypeg is built into: see package embed. Then its users are the program's.

// Change is what IT changes of a tenant. Nil leaves it as it is.
type Change struct {
	Product, Contact *string
	Arrive, Hooks    *string // of its program; see [Tenant]
}

// Change changes what is set of a tenant. The caller has made sure that its records go with its users being, or not
// being, those of a program.
func (r *Registry) Change(ctx context.Context, name string, to Change) (changed Tenant, err error) {
	err = r.changeTenant(ctx, name, func(t *Tenant) error {
		if t.Removing {
			return fmt.Errorf("the tenant %s is being removed: run keypeg tenant remove %s again", name, name)
		}
		for _, field := range []struct{ of, to *string }{{&t.Product, to.Product}, {&t.Contact, to.Contact}, {&t.Arrive, to.Arrive}, {&t.Hooks, to.Hooks}} {
			if field.to != nil {
				*field.of = strings.TrimSpace(*field.to)
			}
		}
		address, err := t.Address()
		if err != nil {
			return err
		}
		changed = *t
		return t.checkProgram(address)
	})
	return changed, err
}

// NoteSecret notes that the program of a tenant has a new secret. Each node opens the tenant anew, and so learns of it.
func (r *Registry) NoteSecret(ctx context.Context, name string) (changed Tenant, err error) {
	err = r.changeTenant(ctx, name, func(t *Tenant) error {
		t.SecretMade = r.now().UTC()
		changed = *t
		return nil
	})
	return changed, err
}

// checkProgram refuses the addresses of a program that can't work.
func (t Tenant) checkProgram(at server.Address) error {
	if t.Arrive == "" {
		if t.Hooks != "" {
			return errors.New("--hooks goes with --arrive: the address of the program to which a sign-in with a passkey goes")
		}
		return nil
	}
	if err := embed.CheckArrive(t.Arrive, at.Origin); err != nil {
		return fmt.Errorf("--arrive: %w", err)
	}
	if err := embed.CheckHooks(t.Hooks); err != nil {
		return fmt.Errorf("--hooks: %w", err)
	}
	return nil
}

// movedTo has the program of a tenant at another address, with the same paths.
func (t *Tenant) movedTo(from, to server.Address) {
	t.Arrive, t.Hooks = embed.Moved(t.Arrive, from.Origin, to.Origin), embed.Moved(t.Hooks, from.Origin, to.Origin)
}
