package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/csvfile"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// userImport invites the people of a table. It looks at the whole table before it makes anybody, so
// that a table with a mistake makes nobody.
type userImport struct {
	File   string
	DryRun bool
}

func (c *userImport) takes(l *commandLine) {
	l.argument(&c.File, "file", "A table as CSV, with the columns name, display_name, email and groups. Only name is needed; groups have spaces between them.")
	l.BoolVar(&c.DryRun, "dry-run", false, "Only say what is wrong with which line.")
}

// mostNamed is how many wrong lines are printed.
const mostNamed = 100

func (c *userImport) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		good, wrong, seen := 0, 0, map[string]int{}
		err := c.rows(func(line int, who shared.Invite, refusal error) error {
			if refusal == nil {
				refusal = twice(seen, line, who)
			}
			if refusal == nil {
				_, refusal = control.CheckInvitation(ctx, users, who)
				if refusal != nil && shared.CodeOf(refusal) == "" {
					return refusal
				}
			}
			if refusal == nil {
				good++
				return nil
			}
			if wrong++; wrong <= mostNamed {
				fmt.Fprintf(t.Err, "line %d: %s\n", line, sentence(refusal))
			}
			return nil
		})
		switch {
		case err != nil:
			return err
		case wrong > 0:
			return fmt.Errorf("nobody was invited: %d of %d lines are wrong", wrong, wrong+good)
		case good == 0:
			return errors.New("nobody was invited: the table has no lines")
		case c.DryRun:
			fmt.Fprintf(t.Out, "All %d lines are right. Nobody was invited yet.\n", good)
			return nil
		}
		return c.invite(ctx, t, users)
	})
}

// twice refuses a user name, or an e-mail address, that an earlier line has.
func twice(seen map[string]int, line int, who shared.Invite) error {
	name, err := account.CanonicalName(who.Name)
	if err != nil {
		return err
	}
	for _, key := range []string{"name " + name, "address " + store.EmailKey(who.Email)} {
		if key == "address " {
			continue
		}
		if earlier, is := seen[key]; is {
			return fmt.Errorf("line %d has the same %s already", earlier, strings.Fields(key)[0])
		}
		seen[key] = line
	}
	return nil
}

// invite makes the users, and prints a table with their links.
func (c *userImport) invite(ctx context.Context, t terminal, users control.Users) error {
	table, made := csvfile.NewWriter(t.Out), 0
	if err := table.Write("name", "display_name", "email", "link", "expires"); err != nil {
		return err
	}
	err := c.rows(func(line int, who shared.Invite, refusal error) error {
		if refusal != nil {
			return refusal
		}
		link, err := control.InviteUser(ctx, users, who)
		if err != nil {
			return fmt.Errorf("line %d: %s. The %d users of the lines before are invited, and their links are above", line, sentence(err), made)
		}
		made++
		return table.Write(who.Name, who.DisplayName, who.Email, link.URL, link.Expires.UTC().Format(time.RFC3339))
	})
	return errors.Join(table.Flush(), err)
}

// rows calls do with each line of the table, or with what is wrong with it.
func (c *userImport) rows(do func(line int, who shared.Invite, refusal error) error) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	table, err := csvfile.NewReader(file)
	if err != nil {
		return fmt.Errorf("%s can't be read: %w", c.File, err)
	}
	for {
		row, err := table.Next()
		wrong, inLine := errors.AsType[*csvfile.LineError](err)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case inLine && !errors.Is(err, csvfile.ErrTooLong):
			if err := do(wrong.Line, shared.Invite{}, wrong.Err); err != nil {
				return err
			}
			continue
		case err != nil:
			return fmt.Errorf("%s can't be read: %w", c.File, err)
		}
		who := shared.Invite{Name: row.Cell("name"), DisplayName: row.Cell("display_name"), Email: row.Cell("email"), Groups: strings.Fields(row.Cell("groups"))}
		if err := do(row.Line, who, nil); err != nil {
			return err
		}
	}
}
