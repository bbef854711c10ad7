package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/internal/control"
)

// hostCommands are the commands about a program that Keypeg is built into.
func hostCommands() []branch {
	return []branch{
		{name: "user", help: "Print the passkeys of a user of the program.", does: &hostUser{}},
		{name: "remove-user", help: "Delete all that Keypeg has of a user of the program. Their account there stays.", does: &hostRemoveUser{}},
		{name: "hooks", help: "List the hooks that the program hasn't taken yet, the oldest first.", does: &hostHooks{}},
	}
}

// ofHostUser is the argument of commands about a user of the program.
type ofHostUser struct {
	ID   string
	JSON bool
}

func (c *ofHostUser) takes(l *commandLine) {
	l.argument(&c.ID, "id", "The program's own id of the user, as introductions have it (sub).")
	l.BoolVar(&c.JSON, "json", false, "JSON, for programs.")
}

type hostUser struct{ ofHostUser }

func (c *hostUser) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		found, err := control.FindHostUser(ctx, users, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return t.printJSON(found)
		}
		if len(found.Passkeys) == 0 {
			_, err := fmt.Fprintf(t.Out, "%s has no passkey here.\n", c.ID)
			return err
		}
		table := tabwriter.NewWriter(t.Out, 0, 8, 2, ' ', 0)
		fmt.Fprintln(table, "PASSKEY\tID\tADDED\tLAST USED")
		for _, p := range found.Passkeys {
			used := "never"
			if p.LastUsed != nil {
				used = dayOf(*p.LastUsed)
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", p.Name, p.ID, dayOf(p.Created), used)
		}
		return table.Flush()
	})
}

type hostRemoveUser struct{ ofHostUser }

func (c *hostRemoveUser) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		gone, err := control.RemoveHostUser(ctx, users, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return t.printJSON(gone)
		}
		_, err = fmt.Fprintf(t.Out, "Removed %s of %s, and their activity. Their account in the program is as it was.\n", count(len(gone.Passkeys), "passkey", "passkeys"), c.ID)
		return err
	})
}

type hostHooks struct{ JSON bool }

func (c *hostHooks) takes(l *commandLine) {
	l.BoolVar(&c.JSON, "json", false, "JSON, for programs.")
}

func (c *hostHooks) Run(ctx context.Context, t terminal, s *settings) error {
	var waiting []embed.WaitingHook
	err := s.withUsers(ctx, func(users control.Users) (err error) {
		waiting, err = control.ListHooks(ctx, users, control.None{})
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return t.printJSON(waiting)
	}
	if len(waiting) == 0 {
		_, err := fmt.Fprintln(t.Out, "No hook waits.")
		return err
	}
	const format = "2006-01-02 15:04:05"
	table := tabwriter.NewWriter(t.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "QUEUED\tHOOK\tUSER\tTRIES\tNEXT\tTROUBLE")
	for _, h := range waiting {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\n", h.Queued.Local().Format(format), h.Type, h.User, h.Tries, h.Next.Local().Format(format), h.Trouble)
	}
	return table.Flush()
}
