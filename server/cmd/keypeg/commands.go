package main

import (
	"bufio"
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
	Name        string
	DisplayName string
	Admin       bool
}

func (c *newUser) takes(l *commandLine) {
	l.argument(&c.Name, "name", "What the user types to sign in.")
	l.StringVar(&c.DisplayName, "display-name", "", "What others see. Unset: the name.")
	l.BoolVar(&c.Admin, "admin", false, "Make the user an administrator.")
}

func (c *newUser) role() shared.Role {
	if c.Admin {
		return shared.RoleAdministrator
	}
	return shared.RoleNone
}

type userAdd newUser

func (c *userAdd) takes(l *commandLine) { (*newUser)(c).takes(l) }

func (c *userAdd) Run(ctx context.Context, t terminal, s *settings) error {
	password, err := s.newPassword(ctx, t, func(users control.Users) error {
		user, err := control.FindUser(ctx, users, c.Name)
		switch {
		case err == nil:
			return account.NameTaken(user.Name)
		case shared.CodeOf(err) == shared.CodeNotFound:
			return nil
		default:
			return err
		}
	})
	if err != nil {
		return err
	}
	if c.DisplayName == "" {
		c.DisplayName = c.Name
	}
	return s.withUsers(ctx, func(users control.Users) error {
		added, err := control.AddUser(ctx, users, account.NewUser{Name: c.Name, DisplayName: c.DisplayName, Password: password, Role: (*newUser)(c).role()})
		if err != nil {
			return err
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
	Email string
	Mail  bool
}

func (c *userInvite) takes(l *commandLine) {
	c.newUser.takes(l)
	l.StringVar(&c.Email, "email", "", "The user's e-mail `ADDRESS`.")
	l.BoolVar(&c.Mail, "mail", false, "Mail the link to that address rather than print it.")
}

func (c *userInvite) Run(ctx context.Context, t terminal, s *settings) error {
	return s.makeLink(ctx, t, func(users control.Users) (control.Link, error) {
		return control.InviteUser(ctx, users, shared.Invite{Name: c.Name, DisplayName: c.DisplayName, Email: c.Email, Role: c.role(), Mail: c.Mail})
	})
}

// ofUser is the argument of commands about an existing user.
type ofUser struct{ Name string }

func (c *ofUser) takes(l *commandLine) { l.argument(&c.Name, "name", "The user's sign-in name.") }

type userRecoveryLink struct{ ofUser }

func (c *userRecoveryLink) Run(ctx context.Context, t terminal, s *settings) error {
	return s.makeLink(ctx, t, func(users control.Users) (control.Link, error) {
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
		fmt.Fprintln(t.Out, either(withdrew, "The link of "+c.Name+" doesn't work any more.", c.Name+" has no link that works."))
		return nil
	})
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

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
			fmt.Fprintf(t.Out, "Removed the password of %s. Their sessions have ended.\n", c.Name)
			return nil
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
		fmt.Fprintf(t.Out, "Set the password of %s. Their sessions have ended.\n", c.Name)
		return nil
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
			fmt.Fprintf(t.Out, "%s was disabled already.\n", before.Name)
			return nil
		}
		err = control.DisableUser(ctx, users, control.ShutOut{Name: c.Name, EvenTheLast: c.EvenTheLast})
		if err != nil {
			return orForce(c.Name, err)
		}
		fmt.Fprintf(t.Out, "%s can't sign in any more. Their sessions have ended.\n", c.Name)
		return nil
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
			fmt.Fprintf(t.Out, "%s %s, and has no way to sign in: make a link with keypeg user recovery-link %s.\n", before.Name, state, before.Name)
		case before.Disabled:
			fmt.Fprintf(t.Out, "%s can sign in again.\n", before.Name)
		default:
			fmt.Fprintf(t.Out, "%s %s, and can sign in.\n", before.Name, state)
		}
		return nil
	})
}

type userRelease struct{ ofUser }

func (c *userRelease) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		before, err := control.FindUser(ctx, users, c.Name)
		if err == nil {
			err = control.ReleaseUser(ctx, users, c.Name)
		}
		if err == nil {
			fmt.Fprintf(t.Out, either(before.HeldUntil.IsZero(), "Ways to sign in could be added for %s before.\n", "Ways to sign in can be added for %s again.\n"), before.Name)
		}
		return err
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
		fmt.Fprintf(t.Out, "%s can sign in at %s%s.\n", user.Name, c.Provider, either(user.Disabled, " once they are enabled: they are disabled now", ""))
		return nil
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
		fmt.Fprintf(t.Out, "%s can't sign in at %s any more.\n", c.Name, c.Provider)
		return nil
	})
}

type setupLinkCommand struct{}

func (c *setupLinkCommand) takes(l *commandLine) { ofTenant(l) }

func (c *setupLinkCommand) Run(ctx context.Context, t terminal, s *settings) error {
	return s.makeLink(ctx, t, func(users control.Users) (control.Link, error) {
		url, err := control.NewSetupLink(ctx, users, control.None{})
		return control.Link{URL: url}, err
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
