package main

import (
	"cmp"
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/keypeg/keypeg/server/internal/admin"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

type rolloutCommand struct{ JSON, CSV bool }

func (c *rolloutCommand) takes(l *commandLine) {
	ofTenant(l)
	l.BoolVar(&c.JSON, "json", false, "JSON, as the API has it, with each day.")
	l.BoolVar(&c.CSV, "csv", false, "A table for spreadsheets, with each day.")
}

func (c *rolloutCommand) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		rollout, err := control.Rollout(ctx, users, control.None{})
		if err != nil {
			return err
		}
		if c.JSON {
			return t.printJSON(rollout)
		}
		if c.CSV {
			return admin.WriteRollout(t.Out, rollout)
		}
		return printRollout(t, rollout)
	})
}

// reasonTexts says why passkeys failed, as people read it.
var reasonTexts = map[shared.FailureReason]string{
	shared.ReasonClosed: message.English.Reasons.Closed, shared.ReasonRemoved: message.English.Reasons.Removed, shared.ReasonNoLock: message.English.Reasons.NoLock,
	shared.ReasonElsewhere: message.English.Reasons.Elsewhere, shared.ReasonUnsupported: message.English.Reasons.Unsupported,
	shared.ReasonProvider: message.English.Reasons.Provider, shared.ReasonRefused: message.English.Reasons.Refused,
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
	if points, known := r.Points(); known {
		fmt.Fprintf(table, "more with a passkey than on %s\t%+d\tpercentage points\n", r.Before.Day, points)
	}
	fmt.Fprint(table, "first passkey after the invitation\t\t\n")
	within := map[string]string{"hour": "within an hour", "day": "within a day", "week": "within a week", "month": "within a month", "later": "later"}
	for _, took := range r.Enrolled.List() {
		fmt.Fprintf(table, "%s\t%d\t\n", within[took.Within], took.Count)
	}
	fmt.Fprintf(table, "passkeys that failed in the last %d days\t\t\n", shared.FailedDays)
	for _, failed := range r.Failed {
		fmt.Fprintf(table, "%s\t%d\t%s\n", cmp.Or(reasonTexts[failed.Reason], string(failed.Reason)), failed.Count, cmp.Or(failed.Browser, "other browsers"))
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
