package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/tenant"
)

// programFlags are those of commands that say which program a tenant is.
type programFlags struct{ Arrive, Hooks string }

func (f *programFlags) take(l *commandLine) {
	l.StringVar(&f.Arrive, "arrive", "", "The `URL` of the tenant's program to which a sign-in with a passkey goes, such as https://tools.acme.example/keypeg-arrive. Keypeg is built into it then, and has no users of its own there.")
	l.StringVar(&f.Hooks, "hooks", "", "The `URL` at which that program is told what its users do with their passkeys.")
}

// printSecret prints a new secret of a program.
func printSecret(t terminal, secret string) error {
	_, err := fmt.Fprintf(t.Out, "The secret that its program and Keypeg share, which nothing tells again:\n\n  %s\n\n", secret)
	return err
}

type tenantChange struct {
	Name    string
	program programFlags

	isTyped func(flag string) bool
}

func (c *tenantChange) takes(l *commandLine) {
	l.argument(&c.Name, "name", "The tenant's name.")
	c.program.take(l)
	c.isTyped = l.isTyped
}

func (c *tenantChange) Run(ctx context.Context, t terminal, s *settings) error {
	wish := installation.ChangeTenant{Name: c.Name}
	typed := false
	for flag, field := range map[string]struct {
		to    **string
		value *string
	}{
		"product": {&wish.Product, &s.Product}, "contact": {&wish.Contact, &s.Contact},
		"arrive": {&wish.Arrive, &c.program.Arrive}, "hooks": {&wish.Hooks, &c.program.Hooks},
	} {
		if c.isTyped(flag) {
			*field.to, typed = field.value, true
		}
	}
	if !typed {
		return errors.New("nothing is typed that could be changed: add --product, --contact, --arrive or --hooks; another address is a move, with keypeg domain move")
	}
	return s.installation().Tenants(ctx, func(tenants installation.Tenants) error {
		changed, err := installation.SetTenant(ctx, tenants, wish)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.Out, "Changed %s.\n", changed.Name)
		if changed.Secret == "" {
			return nil
		}
		fmt.Fprintln(t.Out)
		return printSecret(t, changed.Secret)
	})
}

type tenantRotate struct {
	Name      string
	Now, JSON bool
}

func (c *tenantRotate) takes(l *commandLine) {
	l.argument(&c.Name, "name", "The tenant's name.")
	l.BoolVar(&c.Now, "now", false, "Somebody else may have the old secret: it counts no more, and neither does who was introduced with it.")
	l.BoolVar(&c.JSON, "json", false, "JSON, for programs.")
}

// rotated is a secret as programs read it.
type rotated struct {
	Tenant string `json:"tenant"`
	Secret string `json:"secret"`
}

func (c *tenantRotate) Run(ctx context.Context, t terminal, s *settings) error {
	return s.installation().Tenants(ctx, func(tenants installation.Tenants) error {
		made, err := installation.RotateTenantSecret(ctx, tenants, installation.RotateTenant{Name: c.Name, Now: c.Now})
		if err != nil {
			return err
		}
		if c.JSON {
			return t.printJSON(rotated{c.Name, made.Secret})
		}
		if err := printSecret(t, made.Secret); err != nil {
			return err
		}
		_, err = fmt.Fprintf(t.Err, either(c.Now, "The old one counts no more. Other nodes notice within %s.\n", "The old one is accepted until the next rotation. Other nodes take the new one within %s: then give it to the program.\n"), tenant.NoticedAfter)
		return err
	})
}
