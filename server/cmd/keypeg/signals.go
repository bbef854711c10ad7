package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/keypeg/keypeg/server/internal/control"
)

// Whether password managers may be told of removed passkeys. Only IT knows whether a
// database that was restored or copied is the one in use; see store.HoldSignals.

const signalsHelp = "Say whether password managers may be told of passkeys that are removed.\n\n" +
	"When somebody removes a passkey, Keypeg has their password manager delete it too. Nobody can undo that. " +
	"A database that was restored from a backup or copied from another one may not be the one that counts: there nothing is told until you say so.\n\n" +
	"Say on once this database is complete and the only one: people use it and no other, and no newer one comes back in its place. " +
	"If you are in doubt, leave it off: a passkey that was removed stays in password managers then, where its user can delete it by hand. That does no harm."

// signalsOf chooses the organisations of a command about signals.
type signalsOf struct{ AllTenants bool }

func (c *signalsOf) takes(l *commandLine) {
	ofTenant(l)
	l.BoolVar(&c.AllTenants, "all-tenants", false, "In the cloud edition: all tenants, one after the other.")
}

// each calls do for every chosen organisation.
func (c *signalsOf) each(ctx context.Context, s *settings, do func(tenant string, users control.Users) error) error {
	switch {
	case c.AllTenants && s.tenant != "": // one of them is a mistake, and a signal can't be undone
		return errors.New("--tenant and --all-tenants contradict each other: leave one of them out")
	case c.AllTenants:
		return s.installation().UsersOfAll(ctx, do)
	}
	return s.withUsers(ctx, func(users control.Users) error { return do(s.tenant, users) })
}

type signalsSet struct {
	signalsOf
	allowed bool
}

func (c *signalsSet) Run(ctx context.Context, t terminal, s *settings) error {
	return c.each(ctx, s, func(tenant string, users control.Users) error {
		if err := control.AllowSignals(ctx, users, c.allowed); err != nil {
			return err
		}
		writeSignals(t.Out, tenant, c.allowed)
		return nil
	})
}

type signalsStatus struct{ signalsOf }

func (c *signalsStatus) Run(ctx context.Context, t terminal, s *settings) error {
	return c.each(ctx, s, func(tenant string, users control.Users) error {
		allowed, err := control.SignalsAllowed(ctx, users, control.None{})
		if err == nil {
			writeSignals(t.Out, tenant, allowed)
		}
		return err
	})
}

func writeSignals(out io.Writer, tenant string, allowed bool) {
	fmt.Fprintf(out, "%s%s\n", either(tenant == "", "", tenant+": "), either(allowed,
		"on: password managers are told of passkeys that are removed.",
		"off: password managers are told nothing."))
}

// printSignalsHeld says what a restored or copied database doesn't do. Behind is what the
// command for it needs in the cloud edition.
func printSignalsHeld(out io.Writer, behind string) {
	fmt.Fprintf(out, "Password managers are told nothing of passkeys that are removed, because they delete them for ever. "+
		"Once this database is complete and the only one in use, run keypeg signals on%s.\n", behind)
}
