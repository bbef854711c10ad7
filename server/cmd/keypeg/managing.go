package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/shared"
)

// Commands that change one user.

// changes is what these commands share.
type changes struct {
	ofUser
	EvenTheLast bool
}

// change changes what is set, and prints the user.
func (c *changes) change(ctx context.Context, t terminal, s *settings, wish shared.ChangeMember) error {
	return s.withUsers(ctx, func(users control.Users) error {
		return c.apply(ctx, t, users, wish)
	})
}

func (c *changes) apply(ctx context.Context, t terminal, users control.Users, wish shared.ChangeMember) error {
	user, err := control.ChangeUser(ctx, users, control.UserChange{Name: c.Name, Change: wish, EvenTheLast: c.EvenTheLast})
	if err != nil {
		return orForce(c.Name, err)
	}
	return showUser(t, user, c.JSON)
}

// orForce says how to do it all the same to the last administrator.
func orForce(name string, err error) error {
	if shared.CodeOf(err) != shared.CodeLastAdministrator {
		return err
	}
	return fmt.Errorf("%s is the only administrator who can sign in: make another one with keypeg user role NAME administrator, or say --even-the-last", name)
}

func (c *changes) takesForce(l *commandLine) {
	l.BoolVar(&c.EvenTheLast, "even-the-last", false, "Also where this is the only administrator who can sign in.")
}

type userRename struct {
	changes
	To          string
	DisplayName string
}

func (c *userRename) takes(l *commandLine) {
	c.changes.takes(l)
	l.argument(&c.To, "new-name", "What the user types to sign in from now on. It may be the same, to change only the display name.")
	l.StringVar(&c.DisplayName, "display-name", "", "What others see. Unset: as it is.")
}

func (c *userRename) Run(ctx context.Context, t terminal, s *settings) error {
	wish := shared.ChangeMember{Name: &c.To}
	if c.DisplayName != "" {
		wish.DisplayName = &c.DisplayName
	}
	return c.change(ctx, t, s, wish)
}

type userEmail struct {
	changes
	Address string
}

func (c *userEmail) takes(l *commandLine) {
	c.changes.takes(l)
	l.argument(&c.Address, "address", "The e-mail address, or none.")
}

func (c *userEmail) Run(ctx context.Context, t terminal, s *settings) error {
	if c.Address == "none" {
		c.Address = ""
	}
	return c.change(ctx, t, s, shared.ChangeMember{Email: &c.Address})
}

type userRole struct {
	changes
	Role  string
	Helps string
}

func (c *userRole) takes(l *commandLine) {
	c.changes.takes(l)
	l.argument(&c.Role, "role", "One of "+rolesText+".")
	takesHelps(l, &c.Helps)
	c.takesForce(l)
}

func (c *userRole) Run(ctx context.Context, t terminal, s *settings) error {
	role, err := roleOf(c.Role)
	if err != nil {
		return err
	}
	wish := shared.ChangeMember{Role: &role}
	if c.Helps != "" {
		wish.Helps = new(commaList(c.Helps))
	}
	if err := checkHelper(role, commaList(c.Helps)); err != nil {
		return err
	}
	return c.change(ctx, t, s, wish)
}

func takesHelps(l *commandLine, to *string) {
	l.StringVar(to, "helps", "", "The `GROUPS` whose users a helper may help, with commas between them.")
}

// noRole is how people type [shared.RoleNone].
const noRole = "none"

// rolesText lists the roles, from the most that they may do.
var rolesText = func() string {
	var names []string
	for _, role := range slices.Backward(shared.Roles) {
		names = append(names, cmp.Or(string(role), noRole))
	}
	return strings.Join(names, ", ")
}()

// roleOf returns the role with a name.
func roleOf(name string) (shared.Role, error) {
	if name == noRole {
		return shared.RoleNone, nil
	}
	role := shared.Role(name)
	if !role.IsKnown() {
		return role, fmt.Errorf("there is no role %s: it is one of %s", shown.Text(name), rolesText)
	}
	return role, nil
}

func checkHelper(role shared.Role, helps []string) error {
	if role == shared.RoleHelper && len(helps) == 0 {
		return errors.New("a helper helps the users of some groups: name them with --helps")
	}
	return nil
}

// commaList takes a list apart, and leaves out what is empty.
func commaList(text string) []string {
	return slices.DeleteFunc(strings.Split(text, ","), func(part string) bool { return strings.TrimSpace(part) == "" })
}

type userGroup struct {
	changes
	Add, Remove string
}

func (c *userGroup) takes(l *commandLine) {
	c.changes.takes(l)
	l.StringVar(&c.Add, "add", "", "The `GROUPS` to add the user to, with commas between them.")
	l.StringVar(&c.Remove, "remove", "", "The `GROUPS` to take the user from.")
}

func (c *userGroup) Run(ctx context.Context, t terminal, s *settings) error {
	return c.change(ctx, t, s, shared.ChangeMember{AddGroups: new(commaList(c.Add)), RemoveGroups: new(commaList(c.Remove))})
}

type userRemove struct {
	changes
	Yes string
}

func (c *userRemove) takes(l *commandLine) {
	c.ofUser.takes(l)
	l.Lookup("json").Usage = "Print the user as they were, as JSON."
	l.StringVar(&c.Yes, "yes", "", "The `NAME` again, in place of typing it.")
	c.takesForce(l)
}

func (c *userRemove) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		user, err := control.FindUser(ctx, users, c.Name)
		if err != nil {
			return err
		}
		if c.Yes == "" {
			c.Yes, err = t.asks(fmt.Sprintf("This deletes %s (%s) with their passkeys and activity, for ever. Type the user name to go on: ", user.Name, user.DisplayName))
			if err != nil {
				return fmt.Errorf("nothing was removed: to remove %s where there is no terminal, add --yes %s", user.Name, user.Name)
			}
		}
		if err := control.RemoveUser(ctx, users, control.UserRemoval{Name: c.Name, Typed: c.Yes, EvenTheLast: c.EvenTheLast}); err != nil {
			return orForce(c.Name, err)
		}
		if c.JSON {
			return showUser(t, user, true)
		}
		fmt.Fprintf(t.Out, "Removed %s and all that belonged to them.\n", user.Name)
		return nil
	})
}
