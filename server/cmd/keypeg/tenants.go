package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/tenant"
)

// ofTenant declares the flag of commands about one organisation.
func ofTenant(l *commandLine) {
	l.StringVar(&l.settings.tenant, "tenant", "", "In the cloud edition: the `NAME` of the tenant that is meant.")
}

type tenantAdd struct {
	Name, PublicURL string
	program         programFlags

	isTyped func(flag string) bool
}

func (c *tenantAdd) takes(l *commandLine) {
	l.argument(&c.Name, "name", "The tenant's name: lower-case letters, digits and dashes.")
	l.argument(&c.PublicURL, "public-url", "Address that its people use, such as https://id.acme.example.")
	c.program.take(l)
	c.isTyped = l.isTyped
}

func (c *tenantAdd) Run(ctx context.Context, t terminal, s *settings) error {
	own := tenant.Tenant{Name: c.Name, PublicURL: c.PublicURL, RPID: s.RPID, Arrive: c.program.Arrive, Hooks: c.program.Hooks}
	if c.isTyped("product") {
		own.Product = s.Product
	}
	if c.isTyped("contact") {
		own.Contact = s.Contact
	}
	if _, err := own.Address(); err != nil { // before anything is made
		return err
	}
	return s.installation().Tenants(ctx, func(tenants installation.Tenants) error {
		added, err := installation.AddTenant(ctx, tenants, own)
		if err != nil {
			return err
		}
		if added.Arrive != "" {
			fmt.Fprintf(t.Out, "Added %s at %s.\n\n", added.Name, added.PublicURL)
			return printSecret(t, added.Secret)
		}
		fmt.Fprintf(t.Out, "Added %s at %s.\n\nOpen this link to make its first administrator. It works once, for 30 minutes:\n\n  %s\n\n", added.Name, added.PublicURL, added.SetupLink)
		s.printWhereItWorks(t.Err, tenants.IsRunning(), added.SetupLink)
		return nil
	})
}

type tenantList struct{ JSON bool }

func (c *tenantList) takes(l *commandLine) {
	l.BoolVar(&c.JSON, "json", false, "One JSON object for each tenant.")
}

// listedTenant is a tenant as programs read it.
type listedTenant struct {
	Name    string    `json:"name"`
	Address string    `json:"address"`
	RPID    string    `json:"rpId"`
	Former  []string  `json:"former,omitempty"` // addresses before a move
	Others  []string  `json:"others,omitempty"` // further addresses
	State   string    `json:"state"`            // enabled, disabled, being removed, or why it isn't served
	Created time.Time `json:"created"`

	Arrive     string    `json:"arrive,omitempty"` // of the program that has the users
	Hooks      string    `json:"hooks,omitempty"`
	SecretMade time.Time `json:"secretMade,omitzero"` // the newest one
}

func listed(t tenant.Tenant) listedTenant {
	row := listedTenant{Name: t.Name, State: either(t.Removing, "being removed", either(t.IsActive(), "enabled", "disabled")), Created: t.Created, Arrive: t.Arrive, Hooks: t.Hooks, SecretMade: t.SecretMade}
	address, err := t.Address()
	if err != nil { // an earlier version accepted it
		address, row.State = server.Address{Origin: t.PublicURL, RPID: t.RPID}, "not served: "+err.Error()
	}
	row.Address, row.RPID = address.Origin, address.RPID
	related, _ := t.Related()
	for _, other := range related {
		if other.Former {
			row.Former = append(row.Former, other.Origin)
		} else {
			row.Others = append(row.Others, other.Origin)
		}
	}
	return row
}

func (c *tenantList) Run(ctx context.Context, t terminal, s *settings) error {
	var all []tenant.Tenant
	err := s.installation().Tenants(ctx, func(tenants installation.Tenants) (err error) {
		all, err = installation.ListTenants(ctx, tenants, control.None{})
		return err
	})
	if err != nil {
		return err
	}
	table, lines := tabwriter.NewWriter(t.Out, 0, 8, 2, ' ', 0), json.NewEncoder(t.Out)
	if !c.JSON {
		fmt.Fprintln(table, "NAME\tADDRESS\tRP ID\tSTATE\tCREATED\tPROGRAM")
	}
	for _, each := range all {
		row := listed(each)
		if c.JSON {
			err = lines.Encode(row)
		} else {
			_, err = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", row.Name, row.Address, row.RPID, row.State, row.Created.Local().Format(time.DateOnly), either(row.Arrive == "", "-", row.Arrive))
		}
		if err != nil {
			return err
		}
	}
	return table.Flush()
}

// tenantSuspend suspends a tenant, or makes it active again.
type tenantSuspend struct {
	Name      string
	suspended bool
}

func (c *tenantSuspend) takes(l *commandLine) { l.argument(&c.Name, "name", "The tenant's name.") }

func (c *tenantSuspend) Run(ctx context.Context, t terminal, s *settings) error {
	return s.installation().Tenants(ctx, func(tenants installation.Tenants) error {
		if err := installation.SetTenantSuspended(ctx, tenants, installation.SuspendTenant{Name: c.Name, Suspended: c.suspended}); err != nil {
			return err
		}
		fmt.Fprintf(t.Out, either(c.suspended, "%s is switched off. Its people read whom to ask.\n", "%s is switched on.\n"), c.Name)
		return nil
	})
}

type tenantRemove struct {
	Name string
	Yes  string
}

func (c *tenantRemove) takes(l *commandLine) {
	l.argument(&c.Name, "name", "The tenant's name.")
	l.StringVar(&c.Yes, "yes", "", "The `NAME` again, in place of typing it.")
}

func (c *tenantRemove) Run(ctx context.Context, t terminal, s *settings) error {
	return s.installation().Tenants(ctx, func(tenants installation.Tenants) error {
		if c.Yes == "" {
			typed, err := t.asks(fmt.Sprintf("This deletes all users, passkeys and activity of %s, for ever. Type its name to go on: ", c.Name))
			if err != nil {
				return fmt.Errorf("nothing was removed: to remove %s where there is no terminal, add --yes %s", c.Name, c.Name)
			}
			c.Yes = typed
		}
		if c.Yes != c.Name {
			return fmt.Errorf("nothing was removed: %q isn't %q", c.Yes, c.Name)
		}
		if err := installation.RemoveTenant(ctx, tenants, c.Name); err != nil {
			return err
		}
		fmt.Fprintf(t.Out, "Removed %s and all of its records.\n", c.Name)
		return nil
	})
}

// asks reads a line from the person at the terminal. Without a terminal it is an error.
func (t terminal) asks(question string) (string, error) {
	if !term.IsTerminal(int(t.In.Fd())) {
		return "", errors.New("there is no terminal")
	}
	fmt.Fprint(t.Err, question)
	line, err := bufio.NewReader(t.In).ReadString('\n')
	return strings.TrimSpace(line), err
}
