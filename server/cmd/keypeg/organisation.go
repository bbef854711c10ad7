package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/shown"
)

// organisationSettings are those that each organisation may have its own of. In the
// cloud edition a table [tenant.NAME] of the configuration file has the same keys,
// read by the same flags: one that is added here is a key there.
type organisationSettings struct {
	AttestationRoots certificates

	PasswordSignIn   policy.Passwords
	UserVerification policy.Verification

	MaxPasskeys int

	SessionIdle     time.Duration
	SessionLifetime time.Duration
	ConfirmAfter    time.Duration

	Product string
	Contact string
}

func (s *organisationSettings) declare(flags *pflag.FlagSet) {
	flags.Var(&s.AttestationRoots, "attestation-roots", "PEM file with root certificates of makers of security keys. Only passkeys on their devices can be added then.")

	flags.Var(oneOf(&s.PasswordSignIn, policy.PasswordsOn, policy.PasswordsOn, policy.PasswordsAdministrators, policy.PasswordsOff), "password-sign-in",
		"Who signs in with a password. The start refuses what would leave anybody without a way in.")
	flags.Var(oneOf(&s.UserVerification, policy.VerificationRequired, policy.VerificationRequired, policy.VerificationPreferred), "user-verification",
		"Whether signing in with a passkey must ask for a fingerprint, a face or a PIN, or only where the device can just then.")

	flags.IntVar(&s.MaxPasskeys, "max-passkeys", 20, "How many passkeys a user may have. Who has more keeps them.")

	flags.DurationVar(&s.SessionIdle, "session-idle", 24*time.Hour, "A session ends when it wasn't used for so long.")
	flags.DurationVar(&s.SessionLifetime, "session-lifetime", 720*time.Hour, "A session ends at the latest after so long.")
	flags.DurationVar(&s.ConfirmAfter, "confirm-after", 10*time.Minute, "Adding and removing passkeys needs a sign-in or confirmation younger than this.")

	flags.StringVar(&s.Product, "product", "Keypeg", "What this installation calls itself.")
	flags.StringVar(&s.Contact, "contact", "", "Whom users ask for help, such as \"IT desk, phone 1234\".")
}

// policy says which ways in are taken.
func (s *organisationSettings) policy(passkeys bool) policy.Policy {
	return policy.Policy{Passwords: s.PasswordSignIn, Verification: s.UserVerification, PasskeysOff: !passkeys}
}

// mostPasskeys keeps a user's record, which is read with every request, small.
const mostPasskeys = 60

// check refuses values that make no sense.
func (s *organisationSettings) check() error {
	for name, value := range map[string]time.Duration{
		"session-idle": s.SessionIdle, "session-lifetime": s.SessionLifetime, "confirm-after": s.ConfirmAfter,
	} {
		if value < time.Second {
			return fmt.Errorf("--%s must be at least 1s", name)
		}
	}
	if s.MaxPasskeys < 1 || s.MaxPasskeys > mostPasskeys {
		return fmt.Errorf("--max-passkeys must be from 1 to %d", mostPasskeys)
	}
	if s.SessionIdle > s.SessionLifetime {
		return fmt.Errorf("--session-idle (%s) must not be longer than --session-lifetime (%s)", s.SessionIdle, s.SessionLifetime)
	}
	if strings.TrimSpace(s.Product) == "" {
		return fmt.Errorf("--product must not be empty")
	}
	return nil
}

// set sets what a table has, and leaves the rest as it is. Errors name the key.
func (s *organisationSettings) set(table map[string]any) error {
	if len(table) == 0 {
		return nil
	}
	own := *s
	flags := newFlagSet()
	own.declare(flags)
	own = *s // instead of the defaults

	for _, key := range slices.Sorted(maps.Keys(table)) {
		flag := flags.Lookup(key)
		if flag == nil {
			return fmt.Errorf("unknown key %s", shown.Quoted(key))
		}
		if err := setKey(flag, table[key]); err != nil {
			return err
		}
	}
	*s = own
	return s.check()
}

// edition is which Keypeg this is.
type edition string

const (
	onPremise edition = "on-premise" // one organisation
	cloud     edition = "cloud"      // several tenants
)

// tenantTables is the key under which the configuration file has a table for each
// tenant that has settings of its own: [tenant.acme].
const tenantTables = "tenant"

// tenantTable is such a table.
type tenantTable struct {
	values    map[string]any // without the providers
	providers []provider
	roots     certificates
}

// readTables reads the tables of the configuration file: what is no flag.
func (s *settings) readTables() error {
	if s.Config == "" {
		return nil
	}
	var file struct {
		Provider map[string]providerSettings `toml:"provider"`
		Tenant   map[string]struct {
			Provider map[string]providerSettings `toml:"provider"`
		} `toml:"tenant"`
	}
	meta, err := toml.DecodeFile(s.Config, &file)
	if err != nil {
		return fmt.Errorf("the configuration file %s: %w", s.Config, err)
	}
	var whole struct {
		Tenant map[string]map[string]any `toml:"tenant"`
	}
	if _, err := toml.DecodeFile(s.Config, &whole); err != nil {
		return fmt.Errorf("the configuration file %s: %w", s.Config, err)
	}

	for _, table := range []string{providerTable, tenantTables} {
		if kind := meta.Type(table); kind != "" && kind != "Hash" {
			return s.inFile(fmt.Errorf("the configuration file has a key %s that isn't a table: write a table for each, such as [%s.NAME]", table, table), table)
		}
	}
	for _, key := range meta.Undecoded() {
		if key[0] == providerTable || len(key) > 3 && key[0] == tenantTables && key[2] == providerTable {
			return s.inFile(fmt.Errorf("the configuration file has an unknown key %s%s", shown.Quoted(key.String()), didYouMean(key[len(key)-1], providerKeys())), key...)
		}
	}
	// The file's order is that of the buttons. A table may be written in pieces, or as
	// keys with dots.
	var order []string
	orderOf := map[string][]string{}
	for _, key := range meta.Keys() {
		switch {
		case len(key) >= 2 && key[0] == providerTable && !slices.Contains(order, key[1]):
			order = append(order, key[1])
		case len(key) >= 4 && key[0] == tenantTables && key[2] == providerTable && !slices.Contains(orderOf[key[1]], key[3]):
			orderOf[key[1]] = append(orderOf[key[1]], key[3])
		}
	}

	var of string
	if s.providers, of, err = providersOf(file.Provider, order); err != nil {
		return s.inFile(err, providerTable, of)
	}
	s.tables = map[string]tenantTable{}
	for _, name := range slices.Sorted(maps.Keys(whole.Tenant)) {
		table := tenantTable{values: whole.Tenant[name]}
		delete(table.values, providerTable)
		own, at := s.organisationSettings, []string{tenantTables, name}
		err := tenant.CheckName(name)
		if err == nil {
			_, has := table.values["attestation-roots"]
			if err = own.set(table.values); has {
				table.roots = own.AttestationRoots
			}
		}
		if err == nil {
			if table.providers, of, err = providersOf(file.Tenant[name].Provider, orderOf[name]); err != nil {
				at = append(at, providerTable, of)
			}
		}
		if err != nil {
			return s.inFile(fmt.Errorf("the table [tenant.%s] of the configuration file: %w", shown.Text(name), err), at...)
		}
		s.tables[name] = table
	}
	return nil
}

// checkEdition refuses settings of the other edition.
func (s *settings) checkEdition(l *commandLine) error {
	if s.Edition == onPremise {
		for _, name := range slices.Sorted(maps.Keys(s.tables)) {
			return s.inFile(fmt.Errorf("the configuration file has a table [tenant.%s], and there are tenants in the cloud edition only: remove it, or write edition = \"cloud\"", name), tenantTables, name)
		}
		return nil
	}
	addsTenant := l.isTyped("rp-id") && l.path == "keypeg tenant add"
	switch {
	case !s.Passkeys:
		return errors.New("--no-passkeys doesn't go with the cloud edition, where passkeys are for everyone: leave it out")
	case s.PublicURL != "" || s.RPID != "" && !addsTenant:
		return errors.New("--public-url and --rp-id don't go with the cloud edition, where each tenant has its own: leave them out, and give them to keypeg tenant add")
	case len(s.providers) > 0:
		id := s.providers[0].protocol.ID
		return fmt.Errorf("the table [provider.%s] doesn't go with the cloud edition, because its address belongs to one host: make it [tenant.NAME.provider.%s]", id, id)
	}
	return nil
}

func (s *settings) isCloud() bool { return s.Edition == cloud }

// of are the settings of one tenant: those of its table, else those that it was added
// with, else the installation's.
func (s *settings) of(t tenant.Tenant) (organisationSettings, error) {
	own := s.organisationSettings
	if t.Product != "" {
		own.Product = t.Product
	}
	if t.Contact != "" {
		own.Contact = t.Contact
	}
	if err := own.set(s.tables[t.Name].values); err != nil {
		return own, fmt.Errorf("the table [tenant.%s] of the configuration file: %w", t.Name, err)
	}
	return own, nil
}

var _ installation.Settings = (*settings)(nil)

// Organisation implements [installation.Settings].
func (s *settings) Organisation(t tenant.Tenant) (installation.Organisation, error) {
	providers := s.providers
	if s.isCloud() {
		providers = s.tables[t.Name].providers
	}
	own, err := s.of(t)
	methods := own.policy(s.Passkeys)
	organisation := installation.Organisation{
		Product: own.Product, Contact: own.Contact, Policy: methods,
		MaxPasskeys: own.MaxPasskeys, AttestationRoots: own.AttestationRoots.pool(),
		SessionIdle: own.SessionIdle, SessionLifetime: own.SessionLifetime, ConfirmAfter: own.ConfirmAfter,
	}
	for _, p := range providers {
		organisation.Providers = append(organisation.Providers, installation.Provider{Protocol: p.protocol, Rules: p.rules})
	}
	return organisation, err
}

// Address implements [installation.Settings].
func (s *settings) Address(t tenant.Tenant) (server.Address, error) {
	if s.isCloud() {
		return t.Address()
	}
	return s.address()
}

// WithTheirOwn implements [installation.Settings].
func (s *settings) WithTheirOwn() []string { return slices.Sorted(maps.Keys(s.tables)) }

// ofTenant is the flag of commands that concern one organisation.
func ofTenant(l *commandLine) {
	l.StringVar(&l.settings.tenant, "tenant", "", "In the cloud edition: the `NAME` of the tenant that is meant.")
}

var (
	errNoTenant  = errors.New("in the cloud edition a command must say which tenant is meant: add --tenant NAME; keypeg tenant list shows all")
	errOnPremise = errors.New("there are tenants in the cloud edition only: leave out --tenant, or set --edition cloud")
)

// checkTenant refuses --tenant where there are none, and its absence where it is
// needed.
func (s *settings) checkTenant() error {
	if !s.isCloud() && s.tenant != "" {
		return errOnPremise
	}
	if s.isCloud() && s.tenant == "" {
		return errNoTenant
	}
	if s.isCloud() {
		return tenant.CheckName(s.tenant) // it becomes a path
	}
	return nil
}
