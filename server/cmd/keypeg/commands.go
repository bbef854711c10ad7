package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"golang.org/x/term"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/shared"
)

// withUsers calls do with the users, by the running server or in this process.
func (s *settings) withUsers(ctx context.Context, do func(control.Users) error) error {
	return s.installation().Users(ctx, s.tenant, do)
}

// newUser is a user whom a command makes.
type newUser struct {
	ofUser
	DisplayName string
	Email       string
	Admin       bool
}

func (c *newUser) takes(l *commandLine) {
	l.argument(&c.Name, "name", "What the user types to sign in.")
	l.StringVar(&c.DisplayName, "display-name", "", "What others see. Unset: the name.")
	l.StringVar(&c.Email, "email", "", "The user's e-mail `ADDRESS`.")
	l.BoolVar(&c.Admin, "admin", false, "Make the user an administrator.")
}

type userAdd struct{ newUser }

func (c *userAdd) takes(l *commandLine) {
	c.newUser.takes(l)
	c.takesJSON(l)
}

func (c *userAdd) Run(ctx context.Context, t terminal, s *settings) error {
	user := account.NewUser{Name: c.Name, DisplayName: cmp.Or(c.DisplayName, c.Name), Email: c.Email}
	if c.Admin {
		user.Role = shared.RoleAdministrator
	}
	password, err := s.newPassword(ctx, t, func(users control.Users) error { return control.CheckNewUser(ctx, users, user) })
	if err != nil {
		return err
	}
	user.Password = password
	return s.withUsers(ctx, func(users control.Users) error {
		added, err := control.AddUser(ctx, users, user)
		if err != nil {
			return err
		}
		if c.JSON {
			return showUser(t, added, true)
		}
		fmt.Fprintf(t.Out, "Added %s.\n", added.Name)
		return nil
	})
}

// newPassword asks for a password after a check has found nothing that would refuse the
// command. So nobody types it twice in vain.
func (s *settings) newPassword(ctx context.Context, t terminal, check func(control.Users) error) (string, error) {
	if err := s.withUsers(ctx, check); err != nil {
		return "", err
	}
	return t.newPassword()
}

type userInvite struct {
	newUser
	Role, Helps, Groups string
	Mail                bool
}

func (c *userInvite) takes(l *commandLine) {
	c.newUser.takes(l)
	l.StringVar(&c.Role, "role", "", "What the user may do for others: one of "+rolesText+".")
	takesHelps(l, &c.Helps)
	l.StringVar(&c.Groups, "groups", "", "The `GROUPS` of the user, with commas between them.")
	l.BoolVar(&c.Mail, "mail", false, "Mail the link to that address rather than print it.")
	l.BoolVar(&c.JSON, "json", false, "Print the user and the link as JSON, as the API has them.")
}

func (c *userInvite) Run(ctx context.Context, t terminal, s *settings) error {
	if c.Admin && c.Role != "" {
		return errors.New("--admin and --role both name a role: leave one of them out")
	}
	role, err := roleOf(either(c.Admin, string(shared.RoleAdministrator), c.Role))
	if err != nil {
		return err
	}
	invites := shared.Invite{Name: c.Name, DisplayName: c.DisplayName, Email: c.Email, Role: role, Helps: commaList(c.Helps), Groups: commaList(c.Groups), Mail: c.Mail}
	if err := checkHelper(role, invites.Helps); err != nil {
		return err
	}
	if !c.JSON {
		return s.makeLink(ctx, t, false, func(users control.Users) (control.Link, error) { return control.InviteUser(ctx, users, invites) })
	}
	return s.withUsers(ctx, func(users control.Users) (err error) {
		var invited struct {
			User shared.Member `json:"user"`
			Link control.Link  `json:"link"`
		}
		if invited.Link, err = control.InviteUser(ctx, users, invites); err != nil {
			return err
		}
		if invited.User, err = control.FindUser(ctx, users, c.Name); err != nil {
			return err
		}
		return t.printJSON(invited)
	})
}

// ofUser is the argument of commands about an existing user. With --json they print the user as it is
// then.
type ofUser struct {
	Name string
	JSON bool
}

func (c *ofUser) takes(l *commandLine) {
	l.argument(&c.Name, "name", "The user's sign-in name.")
	c.takesJSON(l)
}

func (c *ofUser) takesJSON(l *commandLine) {
	l.BoolVar(&c.JSON, "json", false, "Print the user as JSON, as the API has it.")
}

// done prints what a command has done, or the user.
func (c *ofUser) done(ctx context.Context, t terminal, users control.Users, format string, args ...any) error {
	if !c.JSON {
		_, err := fmt.Fprintf(t.Out, format, args...)
		return err
	}
	user, err := control.FindUser(ctx, users, c.Name)
	if err != nil {
		return err
	}
	return showUser(t, user, true)
}

type userRecoveryLink struct{ ofUser }

func (c *userRecoveryLink) takes(l *commandLine) {
	c.ofUser.takes(l)
	l.Lookup("json").Usage = linkJSON
}

func (c *userRecoveryLink) Run(ctx context.Context, t terminal, s *settings) error {
	return s.makeLink(ctx, t, c.JSON, func(users control.Users) (control.Link, error) {
		return control.NewRecoveryLink(ctx, users, c.Name)
	})
}

type userWithdrawLink struct{ ofUser }

func (c *userWithdrawLink) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		withdrew, err := control.WithdrawLinks(ctx, users, c.Name)
		if err != nil {
			return err
		}
		return c.done(ctx, t, users, either(withdrew, "The link of %s doesn't work any more.\n", "%s has no link that works.\n"), c.Name)
	})
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// count is a number with what is counted.
func count(n int, one, many string) string { return fmt.Sprint(n, " ", either(n == 1, one, many)) }

type userPasswd struct {
	ofUser
	Remove bool
}

func (c *userPasswd) takes(l *commandLine) {
	c.ofUser.takes(l)
	l.BoolVar(&c.Remove, "remove", false, "Leave the user with their passkeys alone. Refused for a user who has none.")
}

func (c *userPasswd) Run(ctx context.Context, t terminal, s *settings) error {
	if c.Remove {
		return s.withUsers(ctx, func(users control.Users) error {
			if err := control.RemovePassword(ctx, users, c.Name); err != nil {
				return err
			}
			return c.done(ctx, t, users, "Removed the password of %s. Their sessions have ended.\n", c.Name)
		})
	}
	password, err := s.newPassword(ctx, t, func(users control.Users) error {
		_, err := control.FindUser(ctx, users, c.Name)
		return err
	})
	if err != nil {
		return err
	}
	return s.withUsers(ctx, func(users control.Users) error {
		if err := control.SetPassword(ctx, users, control.NewPassword{Name: c.Name, Password: password}); err != nil {
			return err
		}
		return c.done(ctx, t, users, "Set the password of %s. Their sessions have ended.\n", c.Name)
	})
}

type userDisable struct {
	ofUser
	EvenTheLast bool
}

func (c *userDisable) takes(l *commandLine) {
	c.ofUser.takes(l)
	l.BoolVar(&c.EvenTheLast, "even-the-last", false, "Also where this is the only administrator who can sign in.")
}

func (c *userDisable) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		before, err := control.FindUser(ctx, users, c.Name)
		if err != nil {
			return err
		}
		if before.Disabled {
			return c.done(ctx, t, users, "%s was disabled already.\n", before.Name)
		}
		err = control.DisableUser(ctx, users, control.ShutOut{Name: c.Name, EvenTheLast: c.EvenTheLast})
		if err != nil {
			return orForce(c.Name, err)
		}
		return c.done(ctx, t, users, "%s can't sign in any more. Their sessions have ended.\n", c.Name)
	})
}

type userEnable struct{ ofUser }

func (c *userEnable) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		before, err := control.FindUser(ctx, users, c.Name)
		if err != nil {
			return err
		}
		if before.Disabled {
			if err := control.EnableUser(ctx, users, c.Name); err != nil {
				return err
			}
		}
		switch state := either(before.Disabled, "is enabled", "was not disabled"); {
		case before.Invited: // and so it is still
			return c.done(ctx, t, users, "%s %s, and has no way to sign in: make a link with keypeg user recovery-link %s.\n", before.Name, state, before.Name)
		case before.Disabled:
			return c.done(ctx, t, users, "%s can sign in again.\n", before.Name)
		default:
			return c.done(ctx, t, users, "%s %s, and can sign in.\n", before.Name, state)
		}
	})
}

type userRelease struct{ ofUser }

func (c *userRelease) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		before, err := control.FindUser(ctx, users, c.Name)
		if err == nil {
			err = control.ReleaseUser(ctx, users, c.Name)
		}
		if err != nil {
			return err
		}
		return c.done(ctx, t, users, either(before.HeldUntil.IsZero(), "Ways to sign in could be added for %s before.\n", "Ways to sign in can be added for %s again.\n"), before.Name)
	})
}

type userLink struct {
	ofUser
	Provider, Subject string
}

func (c *userLink) takes(l *commandLine) {
	c.ofUser.takes(l)
	l.argument(&c.Provider, "provider", "The provider, as the configuration file calls it.")
	l.argument(&c.Subject, "subject", "How the provider knows the user: the claim sub of its ID tokens.")
}

func (c *userLink) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		if err := control.LinkUser(ctx, users, control.Identity{Name: c.Name, Provider: c.Provider, Subject: c.Subject}); err != nil {
			return err
		}
		user, err := control.FindUser(ctx, users, c.Name)
		if err != nil {
			return err
		}
		return c.done(ctx, t, users, "%s can sign in at %s%s.\n", user.Name, c.Provider, either(user.Disabled, " once they are enabled: they are disabled now", ""))
	})
}

type userUnlink struct {
	ofUser
	Provider string
}

func (c *userUnlink) takes(l *commandLine) {
	c.ofUser.takes(l)
	l.argument(&c.Provider, "provider", "The provider, as the configuration file calls it.")
}

func (c *userUnlink) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		if err := control.UnlinkUser(ctx, users, control.Identity{Name: c.Name, Provider: c.Provider}); err != nil {
			return err
		}
		return c.done(ctx, t, users, "%s can't sign in at %s any more.\n", c.Name, c.Provider)
	})
}

type setupLinkCommand struct{ JSON bool }

func (c *setupLinkCommand) takes(l *commandLine) {
	ofTenant(l)
	l.BoolVar(&c.JSON, "json", false, linkJSON)
}

func (c *setupLinkCommand) Run(ctx context.Context, t terminal, s *settings) error {
	return s.makeLink(ctx, t, c.JSON, func(users control.Users) (control.Link, error) {
		return control.NewSetupLink(ctx, users, control.None{})
	})
}

type versionCommand struct{}

func (c *versionCommand) takes(*commandLine) {}

func (c *versionCommand) Run(_ context.Context, t terminal, _ *settings) error {
	fmt.Fprintln(t.Out, "keypeg", version())
	return nil
}

// versionSet is the number at the top of CHANGELOG.md with the commit. make build sets it
// (-ldflags -X). Without make it is the version of the module.
var versionSet string

// configSet is the configuration file that counts where no other one is named. make dist sets it, for packages.
var configSet string

func version() string {
	if versionSet != "" {
		return versionSet
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// newPassword asks twice for a password without showing it. Without a terminal it reads one
// line.
func (t terminal) newPassword() (string, error) {
	if !term.IsTerminal(int(t.In.Fd())) {
		line, err := bufio.NewReader(t.In).ReadString('\n')
		if err != nil && line == "" {
			return "", fmt.Errorf("no password on standard input")
		}
		return strings.TrimRight(line, "\r\n"), nil
	}

	first, err := t.askPassword("New password: ")
	if err != nil {
		return "", err
	}
	second, err := t.askPassword("The same again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passwords differ; nothing was changed")
	}
	return first, nil
}

func (t terminal) askPassword(prompt string) (string, error) {
	fmt.Fprint(t.Err, prompt)
	typed, err := term.ReadPassword(int(t.In.Fd()))
	fmt.Fprintln(t.Err)
	if err != nil {
		return "", fmt.Errorf("reading a password: %w", err)
	}
	return string(typed), nil
}
