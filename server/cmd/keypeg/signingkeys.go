package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/openid"
)

// openidCommands are the commands about the OpenID provider itself.
func openidCommands() []branch {
	return []branch{
		{name: "keys", help: "List the keys that sign tokens for programs.", does: &keysList{}},
		{name: "rotate", help: "Make new keys that sign tokens. They are published at once and sign ten minutes later; the old ones stay published for a week, so that no program notices.", does: &keysRotate{}},
	}
}

type keysList struct{ JSON bool }

func (c *keysList) takes(l *commandLine) {
	l.BoolVar(&c.JSON, "json", false, "Print the keys as JSON.")
}

func (c *keysList) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		keys, err := control.ListKeys(ctx, users, control.None{})
		if err != nil {
			return err
		}
		return printKeys(t, keys, c.JSON)
	})
}

type keysRotate struct{ JSON, Now bool }

func (c *keysRotate) takes(l *commandLine) {
	l.BoolVar(&c.JSON, "json", false, "Print the keys as JSON.")
	l.BoolVar(&c.Now, "now", false, "Somebody else may have the old keys: nothing that they have signed counts any more. Programs that have fetched our keys a moment ago refuse sign-ins until they fetch them again.")
}

func (c *keysRotate) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		keys, err := control.RotateSigningKeys(ctx, users, control.RotateKeys{Now: c.Now})
		if err != nil {
			return err
		}
		return printKeys(t, keys, c.JSON)
	})
}

func printKeys(t terminal, keys []openid.KeyInfo, asJSON bool) error {
	if asJSON {
		return t.printJSON(keys)
	}
	table := tabwriter.NewWriter(t.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tALGORITHM\tSIGNS FROM\tPUBLISHED UNTIL")
	for _, key := range keys {
		until := "-"
		if !key.Until.IsZero() {
			until = key.Until.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", key.ID, key.Algorithm, key.Signs.UTC().Format(time.RFC3339), until)
	}
	return table.Flush()
}
