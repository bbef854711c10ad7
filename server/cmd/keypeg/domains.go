package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/tenant"
)

type domainList struct{ JSON bool }

func (c *domainList) takes(l *commandLine) {
	l.BoolVar(&c.JSON, "json", false, "One JSON object for each domain.")
}

func (c *domainList) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		all, err := control.ListDomains(ctx, users, control.None{})
		if err != nil {
			return err
		}
		if c.JSON {
			for _, domain := range all {
				if err := json.NewEncoder(t.Out).Encode(domain); err != nil {
					return err
				}
			}
			return nil
		}
		return printDomains(t, all)
	})
}

func printDomains(t terminal, all []account.Domain) error {
	table := tabwriter.NewWriter(t.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "DOMAIN\tSTATE\tPASSKEYS\tUSERS\tHAVE YET TO MOVE\tHAVE NO OTHER WAY IN")
	for _, d := range all {
		toMove, stranded := fmt.Sprint(d.ToMove), fmt.Sprint(d.Stranded)
		if d.State == account.DomainPresent {
			toMove, stranded = "-", "-"
		}
		state := string(d.State)
		if d.Ended && d.State != account.DomainEnded {
			state += ", given up"
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%s\t%s\n", d.RPID, state, d.Passkeys, d.Users, toMove, stranded)
	}
	return table.Flush()
}

// ofDomain is the argument of commands about one relying party id.
type ofDomain struct{ RPID string }

func (c *ofDomain) takes(l *commandLine) {
	l.argument(&c.RPID, "domain", "The relying party id, as keypeg domain list prints it, such as old.example.com.")
}

type domainUsers struct {
	ofDomain
	JSON bool
}

func (c *domainUsers) takes(l *commandLine) {
	c.ofDomain.takes(l)
	l.BoolVar(&c.JSON, "json", false, "One JSON object for each user.")
}

func (c *domainUsers) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		found, err := control.ListDomainUsers(ctx, users, c.RPID)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(t.Out, 0, 8, 2, ' ', 0)
		if !c.JSON {
			fmt.Fprintln(table, "NAME\tLAST SIGN-IN\tOTHER WAY IN")
		}
		for _, user := range found.Users {
			if c.JSON {
				if err := json.NewEncoder(t.Out).Encode(user); err != nil {
					return err
				}
				continue
			}
			last := "never"
			if !user.LastSignIn.IsZero() {
				last = user.LastSignIn.Local().Format(time.DateOnly)
			}
			fmt.Fprintf(table, "%s\t%s\t%s\n", user.Name, last, either(user.Disabled, "disabled", either(user.Stranded, "no", "yes")))
		}
		if err := table.Flush(); err != nil {
			return err
		}
		if found.More > 0 {
			fmt.Fprintf(t.Err, "There are %d more.\n", found.More)
		}
		return nil
	})
}

// domainMove makes another address the main one. On premise the settings are a file of IT's, so it says what to write
// there, after it has made sure that this can be used.
type domainMove struct {
	URL     string
	isTyped func(flag string) bool
}

func (c *domainMove) takes(l *commandLine) {
	l.argument(&c.URL, "url", "The new address, such as https://id.new.example.")
	c.isTyped = l.isTyped
}

func (c *domainMove) Run(ctx context.Context, t terminal, s *settings) error {
	if s.IsCloud() {
		return s.withTenants(ctx, func(tenants installation.Tenants) error {
			moved, err := installation.SetTenantAddress(ctx, tenants, installation.MoveTenant{Name: s.tenant, URL: c.URL, RPID: s.RPID})
			if err != nil {
				return err
			}
			return printAddresses(t, moved)
		})
	}
	if c.isTyped("rp-id") && !c.isTyped("public-url") { // with both, all settings are typed
		return errors.New("on premise --rp-id is the present one, from the settings: leave it out here; to change it at the same host, see keypeg manual moving")
	}
	now, err := s.PublicAddress()
	if err != nil {
		return err
	}
	org, err := s.Organisation(tenant.Tenant{})
	if err != nil {
		return err
	}
	address, err := server.ParseMove(c.URL, "", now, org.Related)
	if err != nil {
		return err
	}
	if address.Host == now.Host {
		return fmt.Errorf("%s is the address already", now.Origin)
	}
	kept := []server.Related{{Address: now, Former: true}}
	for _, other := range org.Related {
		if other.Address != address { // or a move is given up
			kept = append(kept, other)
		}
	}
	if err := server.CheckRelated(address, kept); err != nil {
		return err
	}
	lines := fmt.Sprintf("  public-url = %q\n", address.Origin)
	if address.RPID != server.HostName(address.Host) {
		lines += fmt.Sprintf("  rp-id = %q\n", address.RPID)
	}
	names := []string{"public-url", "rp-id", "former-urls"}
	lines += listOf("former-urls", kept, true, address)
	if len(s.OtherURLs) > 0 { // they may be shorter or longer beside another main address
		names = append(names, "other-urls")
		lines += listOf("other-urls", kept, false, address)
	}
	if org.Host != nil {
		names = append(names, "arrive")
		lines += fmt.Sprintf("\n  [host]\n  arrive = %q\n", embed.Moved(org.Host.Arrive, now.Origin, address.Origin))
		if hooks := embed.Moved(org.Host.Hooks, now.Origin, address.Origin); hooks != org.Host.Hooks { // the former address redirects
			names = append(names, "hooks")
			lines += fmt.Sprintf("  hooks = %q\n", hooks)
		}
	}
	last := len(names) - 1
	fmt.Fprintf(t.Out, "Nothing is changed yet. Write these settings in the place of %s and %s:\n\n%s\n", strings.Join(names[:last], ", "), names[last], lines)
	fmt.Fprintf(t.Out, "Both names must lead to this server, with a certificate for each. Then restart it, and run:\n\n  keypeg doctor\n  keypeg domain list\n\n")
	if address.RPID == now.RPID {
		fmt.Fprintf(t.Out, "Passkeys go on working at both addresses, as they are for %s as before: nobody needs a new one. When nobody comes by %s any more, take it out of former-urls.\n", now.RPID, now.Host)
		return nil
	}
	fmt.Fprintf(t.Out, "People sign in at both addresses with the passkeys that they have, and are offered new ones for %s. When nobody has to move any more, run keypeg domain end %s.\n", address.RPID, now.RPID)
	return nil
}

// listOf writes the setting of further addresses of one kind, beside a main address.
func listOf(name string, all []server.Related, former bool, main server.Address) string {
	var list []string
	for _, other := range all {
		if other.Former == former {
			list = append(list, other.Beside(main))
		}
	}
	return fmt.Sprintf("  %s = [%s]\n", name, quotedList(list))
}

func quotedList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = fmt.Sprintf("%q", text)
	}
	return strings.Join(quoted, ", ")
}

type domainAdd struct{ URL string }

func (c *domainAdd) takes(l *commandLine) {
	l.argument(&c.URL, "url", "The further address, such as https://id.acme.example.")
}

func (c *domainAdd) Run(ctx context.Context, t terminal, s *settings) error {
	if !s.IsCloud() {
		return fmt.Errorf("on premise, write the address into the setting other-urls: other-urls = [%q]", c.URL)
	}
	return s.withTenants(ctx, func(tenants installation.Tenants) error {
		changed, err := installation.AddTenantAddress(ctx, tenants, installation.MoveTenant{Name: s.tenant, URL: c.URL})
		if err != nil {
			return err
		}
		return printAddresses(t, changed)
	})
}

type domainRemove struct{ URL string }

func (c *domainRemove) takes(l *commandLine) {
	l.argument(&c.URL, "url", "The address that is served no more.")
}

func (c *domainRemove) Run(ctx context.Context, t terminal, s *settings) error {
	if !s.IsCloud() {
		return errors.New("on premise, take the address out of the setting former-urls or other-urls")
	}
	return s.withTenants(ctx, func(tenants installation.Tenants) error {
		left, err := installation.RemoveTenantAddress(ctx, tenants, installation.MoveTenant{Name: s.tenant, URL: c.URL})
		if err != nil {
			return err
		}
		return printAddresses(t, left)
	})
}

type domainEnd struct{ ofDomain }

func (c *domainEnd) Run(ctx context.Context, t terminal, s *settings) error {
	if s.IsCloud() {
		return s.withTenants(ctx, func(tenants installation.Tenants) error {
			left, err := installation.EndTenantDomain(ctx, tenants, installation.MoveTenant{Name: s.tenant, RPID: c.RPID})
			if err != nil {
				return err
			}
			fmt.Fprintf(t.Out, "Passkeys for %s aren't accepted any more. None was removed.\n", c.RPID)
			return printAddresses(t, left)
		})
	}
	return s.withUsers(ctx, func(users control.Users) error {
		if err := control.EndDomain(ctx, users, c.RPID); err != nil {
			return err
		}
		fmt.Fprintf(t.Out, "Passkeys for %s are given up. Take its address out of former-urls or other-urls, and restart the server: until then they work. None is removed.\n", c.RPID)
		return nil
	})
}

// withTenants calls do with the tenants, for a command about one of them.
func (s *settings) withTenants(ctx context.Context, do func(installation.Tenants) error) error {
	if err := s.installation().CheckTenant(s.tenant); err != nil {
		return err
	}
	return s.installation().Tenants(ctx, do)
}

func printAddresses(t terminal, of tenant.Tenant) error {
	related, err := of.Related()
	if err != nil {
		return err
	}
	fmt.Fprintf(t.Out, "%s is at %s", of.Name, of.PublicURL)
	for _, other := range related {
		fmt.Fprintf(t.Out, either(other.Former, ", and moves there from %s", ", and at %s"), other.Origin)
	}
	_, err = fmt.Fprintln(t.Out, ".")
	return err
}
