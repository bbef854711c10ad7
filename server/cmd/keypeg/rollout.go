package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/shared"
)

type rolloutCommand struct{ JSON bool }

func (c *rolloutCommand) takes(l *commandLine) {
	ofTenant(l)
	l.BoolVar(&c.JSON, "json", false, "JSON, as the API has it, with each day.")
}

func (c *rolloutCommand) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		rollout, err := control.Rollout(ctx, users, control.None{})
		if err != nil {
			return err
		}
		if c.JSON {
			lines := json.NewEncoder(t.Out)
			lines.SetIndent("", "  ")
			return lines.Encode(rollout)
		}
		return printRollout(t, rollout)
	})
}

func printRollout(t terminal, r shared.Rollout) error {
	table := tabwriter.NewWriter(t.Out, 0, 8, 2, ' ', 0)
	for _, row := range []struct {
		what string
		n    int
		in   string // with which keypeg user list shows them
	}{
		{"users", r.Users.All, ""}, {"with a passkey", r.Users.WithPasskey, shared.MembersWithPasskey},
		{"of whom with one, on one device", r.Users.OneDevice, shared.MembersOneDevice},
		{"without a passkey", r.Users.WithoutPasskey, shared.MembersWithoutPasskey}, {"of whom with a password only", r.Users.PasswordOnly, shared.MembersPasswordOnly},
		{"with no way to sign in yet", r.Users.Invited, shared.MembersInvited}, {"disabled", r.Users.Disabled, shared.MembersDisabled},
	} {
		hint := ""
		if row.in != "" {
			hint = "keypeg user list --in " + row.in
		}
		fmt.Fprintf(table, "%s\t%d\t%s\n", row.what, row.n, hint)
	}
	methods := map[string]int{}
	for _, day := range r.Days {
		for method, n := range day.Methods {
			methods[method] += n
		}
	}
	fmt.Fprintf(table, "sign-ins of the last %d days\t\t\n", shared.RolloutDays)
	for _, method := range []string{shared.MethodPasskey, shared.MethodPassword, shared.MethodSSO, shared.MethodRecoveryCode, shared.MethodSetupLink} {
		fmt.Fprintf(table, "with %s\t%d\t\n", method, methods[method])
	}
	return table.Flush()
}
