package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/admin"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/shared"
)

// userImport invites the people of a table. It looks at the whole table before it makes anybody, so
// that a table with a mistake makes nobody. Then it makes up to [account.MostInvited] at once.
type userImport struct {
	File               string
	DryRun, JSON, Mail bool
}

func (c *userImport) takes(l *commandLine) {
	l.argument(&c.File, "file", "A table as CSV UTF-8, with the columns name, display_name, email and groups. Only name is needed; groups have spaces or commas between them. Other columns are not read.")
	l.BoolVar(&c.DryRun, "dry-run", false, "Only say what is wrong with which line.")
	l.BoolVar(&c.Mail, "mail", false, "Mail each link to its user rather than print it. Users without an address get one that is printed.")
	l.BoolVar(&c.JSON, "json", false, "One JSON object for each user with the link, or for each line that is wrong, with its problem. With --dry-run, one for each line.")
}

// mostNamed is how many wrong lines are printed for people. A program gets all.
const mostNamed = 100

func (c *userImport) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		good, wrong := 0, 0
		refused := func(who person, problem shared.Problem) error {
			if wrong++; c.JSON {
				row := who.row()
				row.Problem, row.Code = problem.Detail, problem.Code
				return json.NewEncoder(t.Out).Encode(row)
			}
			if wrong <= mostNamed {
				fmt.Fprintf(t.Err, "line %d: %s\n", who.line, problem.Detail)
			}
			return nil
		}
		ignored, err := c.portions(refused, func(portion []person) error {
			found, err := control.CheckPeople(ctx, users, invites(portion))
			if err != nil {
				return err
			}
			for i, who := range portion {
				if len(found.Refusals) > 0 && found.Refusals[i] != nil {
					err = refused(who, *found.Refusals[i])
				} else {
					good++
					err = c.right(t, who)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if len(ignored) > 0 {
			fmt.Fprintf(t.Err, "These columns aren't read: %s.\n", strings.Join(ignored, ", "))
		}
		switch {
		case err != nil:
			return err
		case wrong > 0:
			return fmt.Errorf("nobody was invited: %d of %s", wrong, count(wrong+good, "line is wrong", either(wrong == 1, "lines is wrong", "lines are wrong")))
		case good == 0:
			return errors.New("nobody was invited: the table has no lines")
		case c.DryRun && !c.JSON:
			fmt.Fprintln(t.Out, either(good == 1, "The only line is right.", fmt.Sprintf("All %d lines are right.", good)), "Nobody was invited yet.")
		}
		if c.DryRun {
			return nil
		}
		return c.invite(ctx, t, users)
	})
}

// right prints a line of a dry run that isn't wrong, for programs.
func (c *userImport) right(t terminal, who person) error {
	if !c.DryRun || !c.JSON {
		return nil
	}
	return json.NewEncoder(t.Out).Encode(who.row())
}

// invite makes the users, and prints a table with their links.
func (c *userImport) invite(ctx context.Context, t terminal, users control.Users) error {
	prints, flush, err := c.printer(t)
	if err != nil {
		return err
	}
	made := 0
	refused := func(who person, problem shared.Problem) error {
		return fmt.Errorf("line %d: %s %s", who.line, problem.Detail, before(made))
	}
	_, err = c.portions(refused, func(portion []person) error {
		invited, err := control.InvitePeople(ctx, users, invites(portion))
		if err != nil {
			return fmt.Errorf("from line %d on, nobody was invited: %s %s", portion[0].line, sentence(err), before(made))
		}
		for i, problem := range invited.Refusals {
			if problem != nil { // since they were checked
				return refused(portion[i], *problem)
			}
		}
		for i, link := range invited.Links {
			if err := prints(portion[i], link); err != nil {
				return err
			}
		}
		made += len(portion)
		return flush()
	})
	return errors.Join(flush(), err)
}

// before says what happened to the lines before one that was refused.
func before(made int) string {
	switch made {
	case 0:
		return "Nobody was invited"
	case 1:
		return "The user of the line before is invited, and the link is above or on its way"
	}
	return fmt.Sprintf("The %d users of the lines before are invited, and their links are above or on their way", made)
}

// printer returns what prints a user with the link, as a row or as JSON.
func (c *userImport) printer(t terminal) (prints func(person, control.Link) error, flush func() error, err error) {
	if c.JSON {
		lines := json.NewEncoder(t.Out)
		return func(who person, link control.Link) error {
			return lines.Encode(struct {
				shared.ImportRow
				control.Link
			}{who.row(), link})
		}, func() error { return nil }, nil
	}
	table, err := admin.NewLinks(t.Out)
	return func(who person, link control.Link) error { return table.Write(who.Invite, link.URL, link.Expires) }, table.Flush, err
}

// person is a row of the table.
type person struct {
	line int
	shared.Invite
}

// row returns the person as the API has rows.
func (p person) row() shared.ImportRow {
	row := shared.ImportRow{Line: p.line, Invite: p.Invite}
	row.DisplayName = cmp.Or(row.DisplayName, row.Name)
	return row
}

func invites(portion []person) []shared.Invite {
	list := make([]shared.Invite, len(portion))
	for i, who := range portion {
		list[i] = who.Invite
	}
	return list
}

// portions calls do with the people of the table, as many at once as a command takes, and refused with
// each row that can't be read. It returns the columns that aren't read.
func (c *userImport) portions(refused func(person, shared.Problem) error, do func([]person) error) (ignored []string, err error) {
	file, err := os.Open(c.File)
	if err != nil {
		return nil, err
	}
	defer file.Close()

	var portion []person
	size := 0
	flush := func() error {
		if len(portion) == 0 {
			return nil
		}
		err := do(portion)
		portion, size = portion[:0], 0
		return err
	}
	ignored, err = admin.ReadPeople(file, func(line int, who shared.Invite, refusal error) error {
		if refusal != nil {
			if err := flush(); err != nil { // so that lines are named in their order
				return err
			}
			return refused(person{line, who}, shared.Problem{Code: shared.CodeOf(refusal), Detail: sentence(refusal)})
		}
		who.Mail = c.Mail
		portion = append(portion, person{line, who})
		size += len(who.Name) + len(who.DisplayName) + len(who.Email) + len(strings.Join(who.Groups, " "))
		if len(portion) == account.MostInvited || size > control.MaxInput/8 { // a character may need six in JSON
			return flush()
		}
		return nil
	})
	if shared.CodeOf(err) == shared.CodeInvalidRequest {
		return nil, fmt.Errorf("%s can't be read: %s", c.File, sentence(err))
	}
	if err != nil {
		return nil, err
	}
	return ignored, flush()
}
