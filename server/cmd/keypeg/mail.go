package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/mail"
)

// mailTest sends a mail from this process, so that it needs neither a server nor a database.
type mailTest struct {
	Address string
	JSON    bool
}

func (c *mailTest) takes(l *commandLine) {
	l.argument(&c.Address, "address", "Where it is sent to.")
	l.BoolVar(&c.JSON, "json", false, "JSON, for programs: also of what went wrong.")
}

// tested is what mail test found.
type tested struct {
	Address string     `json:"address"`
	Server  string     `json:"server"`
	Port    int        `json:"port"`
	Sent    bool       `json:"sent"`
	Stage   mail.Stage `json:"stage,omitempty"` // at which it wasn't sent
	Trouble string     `json:"trouble,omitempty"`
}

func (c *mailTest) Run(ctx context.Context, t terminal, s *settings) error {
	address, err := account.CanonicalEmail(c.Address)
	if err != nil {
		return err
	}
	if err := s.installation().CheckTenant(s.tenant); err != nil {
		return err
	}
	org, err := s.Organisation(tenant.Tenant{Name: s.tenant})
	if err != nil {
		return err
	}
	if !org.Mail.IsOn() {
		return errors.New("no mail server is set, so no mails are sent: set --smtp-server and --mail-from")
	}
	about := mail.Organisation{Product: org.Product, Contact: org.Contact, Language: org.MailLanguage}
	err = org.Mail.Send(ctx, about.Test(rand.Text(), address))
	if c.JSON {
		found := tested{Address: address, Server: org.Mail.Host, Port: org.Mail.Port, Sent: err == nil}
		if trouble, is := errors.AsType[*mail.Trouble](err); is {
			found.Stage, found.Trouble = trouble.Stage, trouble.Detail
		}
		if err := json.NewEncoder(t.Out).Encode(found); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("the mail wasn't sent: %w", err)
	}
	if c.JSON {
		return nil
	}
	fmt.Fprintf(t.Out, "%s, port %d, has taken a mail to %s.\n", org.Mail.Host, org.Mail.Port, address)
	return nil
}

type mailQueue struct{ JSON bool }

func (c *mailQueue) takes(l *commandLine) {
	l.BoolVar(&c.JSON, "json", false, "JSON, for programs.")
}

func (c *mailQueue) Run(ctx context.Context, t terminal, s *settings) error {
	var waiting []control.QueuedMail
	err := s.withUsers(ctx, func(users control.Users) (err error) {
		waiting, err = control.ListMails(ctx, users, control.None{})
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.Out).Encode(waiting)
	}
	if len(waiting) == 0 {
		fmt.Fprintln(t.Out, "No mail waits.")
		return nil
	}
	const format = "2006-01-02 15:04:05"
	table := tabwriter.NewWriter(t.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "QUEUED\tUSER\tABOUT\tTRIES\tNEXT\tTROUBLE")
	for _, m := range waiting {
		next := "given up"
		if m.Next != nil {
			next = m.Next.Local().Format(format)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\n", m.Queued.Local().Format(format), nameOr(m.Name, m.User), m.Kind, m.Tries, next, m.Trouble)
	}
	return table.Flush()
}

type mailRetry struct{ JSON bool }

func (c *mailRetry) takes(l *commandLine) {
	l.BoolVar(&c.JSON, "json", false, "JSON, for programs.")
}

// retried is what mail retry did.
type retried struct {
	Mails int `json:"mails"`
}

func (c *mailRetry) Run(ctx context.Context, t terminal, s *settings) error {
	var found retried
	err := s.withUsers(ctx, func(users control.Users) (err error) {
		found.Mails, err = control.RetryMails(ctx, users, control.None{})
		return err
	})
	if err != nil {
		return err
	}
	switch {
	case c.JSON:
		return json.NewEncoder(t.Out).Encode(found)
	case found.Mails == 0:
		fmt.Fprintln(t.Out, "No mail waits.")
	case found.Mails == 1:
		fmt.Fprintln(t.Out, "One mail is tried again, within half a minute while a server runs.")
	default:
		fmt.Fprintf(t.Out, "%d mails are tried again, within half a minute while a server runs.\n", found.Mails)
	}
	return nil
}
