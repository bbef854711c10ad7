package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/BurntSushi/toml"

	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/server/internal/tenant"
)

// Edition is the edition of an installation.
type Edition string

// The editions.
const (
	OnPremise Edition = "on-premise" // one organisation
	Cloud     Edition = "cloud"      // several tenants
)

// IsCloud reports whether there are tenants.
func (s *Settings) IsCloud() bool { return s.Edition == Cloud }

// tenantTables is the key of the tables with overrides for tenants in the configuration
// file, such as [tenant.acme].
const tenantTables = "tenant"

// tenantTable is such a table.
type tenantTable struct {
	values    map[string]any // without the providers
	providers []provider
	roots     certificates
}

// readTables reads the tables of the configuration file, which aren't flags.
func (s *Settings) readTables() error {
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
			return s.inFile(fmt.Errorf("the configuration file has an unknown key %s%s", shown.Quoted(key.String()), DidYouMean(key[len(key)-1], ProviderKeys())), key...)
		}
	}
	order, orderOf := ordersOf(meta)
	var of string
	if s.providers, of, err = providersOf(file.Provider, order); err != nil {
		return s.inFile(err, providerTable, of)
	}
	s.tables = map[string]tenantTable{}
	for _, name := range slices.Sorted(maps.Keys(whole.Tenant)) {
		table := tenantTable{values: whole.Tenant[name]}
		delete(table.values, providerTable)
		settings, at := s.organisationSettings, []string{tenantTables, name}
		err := tenant.CheckName(name)
		if err == nil {
			_, has := table.values["attestation-roots"]
			if err = settings.set(table.values); has {
				table.roots = settings.AttestationRoots
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

// ordersOf returns the providers in the order of the file, which is the order of the
// buttons: those of the installation, and those of each tenant. A table may be written in
// parts, or as dotted keys.
func ordersOf(meta toml.MetaData) (order []string, ofTenant map[string][]string) {
	ofTenant = map[string][]string{}
	for _, key := range meta.Keys() {
		switch {
		case len(key) >= 2 && key[0] == providerTable && !slices.Contains(order, key[1]):
			order = append(order, key[1])
		case len(key) >= 4 && key[0] == tenantTables && key[2] == providerTable && !slices.Contains(ofTenant[key[1]], key[3]):
			ofTenant[key[1]] = append(ofTenant[key[1]], key[3])
		}
	}
	return order, ofTenant
}

// checkEdition refuses settings of the other edition. AddsTenant allows an RP ID in the
// cloud edition.
func (s *Settings) checkEdition(addsTenant bool) error {
	if s.Edition == OnPremise {
		for _, name := range slices.Sorted(maps.Keys(s.tables)) {
			return s.inFile(fmt.Errorf("the configuration file has a table [tenant.%s], and there are tenants in the cloud edition only: remove it, or write edition = \"cloud\"", name), tenantTables, name)
		}
		return nil
	}
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
