package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/admin"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/shared"
)

// selection says which users a command is about.
type selection struct{ Find, In string }

func (c *selection) takes(l *commandLine) {
	l.StringVar(&c.Find, "find", "", "Only users with words in their names or e-mail address that begin with these `WORDS`.")
	l.StringVar(&c.In, "in", "", "Only users of this `KIND`: "+filtersText+".")
}

// filtersText lists what --in can be.
var filtersText = strings.Join(account.Filters, ", ") + ", or " + shared.MembersOfGroup + " and the name of a group"

// check refuses a filter that there isn't, and lists those that there are.
func (c *selection) check() error {
	group, isGroup := strings.CutPrefix(c.In, shared.MembersOfGroup)
	if isGroup {
		_, err := account.CanonicalName(group)
		isGroup = err == nil
	}
	if c.In == "" || isGroup || slices.Contains(account.Filters, c.In) {
		return nil
	}
	return fmt.Errorf("there is no filter %s: --in is one of %s", shown.Text(c.In), filtersText)
}

// each calls do with every user of the selection, a page at a time.
func (c *selection) each(ctx context.Context, users control.Users, do func(shared.Member) error) error {
	if err := c.check(); err != nil {
		return err
	}
	for query := (shared.MembersQuery{Find: c.Find, In: c.In}); ; {
		page, err := control.ListUsers(ctx, users, query)
		if err != nil {
			return err
		}
		for _, user := range page.Users {
			if err := do(user); err != nil {
				return err
			}
		}
		if query.After = page.Next; query.After == "" {
			return nil
		}
	}
}

type userList struct {
	selection
	JSON bool
}

func (c *userList) takes(l *commandLine) {
	c.selection.takes(l)
	l.BoolVar(&c.JSON, "json", false, "One JSON object for each user, as the API has it.")
}

func (c *userList) Run(ctx context.Context, t terminal, s *settings) error {
	if c.JSON {
		lines := json.NewEncoder(t.Out)
		return s.withUsers(ctx, func(users control.Users) error {
			return c.each(ctx, users, func(u shared.Member) error { return lines.Encode(u) })
		})
	}
	table := tabwriter.NewWriter(t.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tDISPLAY NAME\tROLE\tPASSWORD\tPASSKEYS\tPROVIDERS\tSTATE\tCREATED\tLAST SIGN-IN\tE-MAIL\tGROUPS")
	err := s.withUsers(ctx, func(users control.Users) error {
		return c.each(ctx, users, func(u shared.Member) error {
			_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\n", u.Name, u.DisplayName,
				cmp.Or(string(u.Role), "user"), either(u.HasPassword, "yes", "no"), u.Passkeys, u.Identities, admin.StateOf(u), dayOf(u.Created), dayOf(u.LastSignIn),
				cmp.Or(u.Email, "-"), cmp.Or(strings.Join(u.Groups, " "), "-"))
			return err
		})
	})
	if err != nil {
		return err
	}
	return table.Flush()
}

// dayOf writes a day as a local date, or "never".
func dayOf(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return at.Local().Format(time.DateOnly)
}

type userShow struct{ ofUser }

func (c *userShow) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		user, err := control.FindUser(ctx, users, c.Name)
		if err != nil {
			return err
		}
		return showUser(t, user, c.JSON)
	})
}

// printJSON prints one thing, as people and programs can read it.
func (t terminal) printJSON(v any) error {
	text := json.NewEncoder(t.Out)
	text.SetIndent("", "  ")
	return text.Encode(v)
}

// showUser prints what is known of a user, a line for each fact that there is.
func showUser(t terminal, u shared.Member, asJSON bool) error {
	if asJSON {
		return t.printJSON(u)
	}
	table := tabwriter.NewWriter(t.Out, 0, 8, 2, ' ', 0)
	for _, fact := range []struct{ what, is string }{
		{"name", u.Name}, {"display name", u.DisplayName},
		{"e-mail", u.Email + either(u.Email != "" && !u.EmailVerified, " (not verified)", "")},
		{"role", cmp.Or(string(u.Role), "user")}, {"helps", strings.Join(u.Helps, ", ")}, {"groups", strings.Join(u.Groups, ", ")},
		{"language", u.Language}, {"external id", u.ExternalID}, {"state", admin.StateOf(u)},
		{"password", either(u.HasPassword, "yes", "no") + either(u.PasswordSet.IsZero(), "", ", since "+dayOf(u.PasswordSet))}, {"passkeys", fmt.Sprint(u.Passkeys)}, {"providers", fmt.Sprint(u.Identities)},
		{"created", dayOf(u.Created)}, {"invited", either(u.InvitedAt.IsZero(), "", dayOf(u.InvitedAt))}, {"first passkey", either(u.FirstPasskey.IsZero(), "", dayOf(u.FirstPasskey))}, {"last sign-in", dayOf(u.LastSignIn)},
		{"held until", either(u.HeldUntil.IsZero(), "", clock(u.HeldUntil))}, {"id", u.ID},
	} {
		if fact.is != "" {
			fmt.Fprintf(table, "%s\t%s\n", fact.what, fact.is)
		}
	}
	return table.Flush()
}

type userExport struct {
	selection
	JSON bool
}

func (c *userExport) takes(l *commandLine) {
	c.selection.takes(l)
	l.BoolVar(&c.JSON, "json", false, "One JSON object for each user, as user list prints it, in place of a table.")
}

func (c *userExport) Run(ctx context.Context, t terminal, s *settings) error {
	if c.JSON {
		return (&userList{selection: c.selection, JSON: true}).Run(ctx, t, s)
	}
	table, err := admin.NewTable(t.Out)
	if err != nil {
		return err
	}
	err = s.withUsers(ctx, func(users control.Users) error { return c.each(ctx, users, table.Write) })
	if err != nil {
		return err
	}
	return table.Flush()
}
