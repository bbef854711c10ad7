package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

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
func (s *Settings) readTables() {
	if s.Config == "" || s.isRefused([]string{"config"}) {
		return
	}
	var file struct {
		Provider map[string]providerSettings `toml:"provider"`
		Tenant   map[string]struct {
			Provider map[string]providerSettings `toml:"provider"`
		} `toml:"tenant"`
	}
	meta, err := toml.Decode(s.configText, &file)
	if err != nil {
		s.refuse(fmt.Errorf("the configuration file %s: %w", s.Config, err))
		return
	}
	var whole struct {
		Tenant map[string]map[string]any `toml:"tenant"`
	}
	if _, err := toml.Decode(s.configText, &whole); err != nil {
		s.refuse(fmt.Errorf("the configuration file %s: %w", s.Config, err))
		return
	}

	for _, table := range []string{providerTable, tenantTables} {
		if kind := meta.Type(table); kind != "" && kind != "Hash" {
			s.refuse(s.inFile(fmt.Errorf("the configuration file has a key %s that isn't a table: write a table for each, such as [%s.NAME]", table, table), table))
		}
	}
	for _, key := range meta.Undecoded() {
		if key[0] == providerTable || len(key) > 3 && key[0] == tenantTables && key[2] == providerTable {
			table := strings.Join(key[:len(key)-1], ".")
			s.refuse(s.inFile(fmt.Errorf("the configuration file has an unknown key %s%s", shown.Quoted(key.String()), DidYouMean(key[len(key)-1], ProviderKeys())), key...), table)
		}
	}
	order, orderOf := ordersOf(meta)
	var found []fault
	s.providers, found = providersOf(file.Provider, order)
	for _, f := range found {
		if id := f.of[0]; !s.isRefused([]string{providerTable + "." + id}) {
			s.refuse(s.inFile(f.err, providerTable, id))
		}
	}
	s.tables = map[string]tenantTable{}
	for _, name := range inOrder(s.configText, whole.Tenant, tenantTables) {
		s.tables[name] = s.readTenant(name, whole.Tenant[name], file.Tenant[name].Provider, orderOf[name])
	}
}

// readTenant reads the table of one tenant.
func (s *Settings) readTenant(name string, values map[string]any, providers map[string]providerSettings, order []string) tenantTable {
	table := tenantTable{values: values}
	delete(table.values, providerTable)
	refuse := func(err error, at ...string) {
		at = slices.Concat([]string{tenantTables, name}, at)
		s.refuse(s.inFile(fmt.Errorf("the table [tenant.%s] of the configuration file: %w", shown.Text(name), err), at...))
	}
	if err := tenant.CheckName(name); err != nil {
		refuse(err)
		return table
	}
	settings := s.organisationSettings
	for _, f := range settings.set(table.values) {
		refuse(f.err, f.of[0])
	}
	if _, has := table.values["attestation-roots"]; has {
		table.roots = settings.AttestationRoots
	}
	var found []fault
	table.providers, found = providersOf(providers, order)
	for _, f := range found {
		if id := f.of[0]; !s.isRefused([]string{strings.Join([]string{tenantTables, name, providerTable, id}, ".")}) {
			refuse(f.err, providerTable, id)
		}
	}
	return table
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

// checkEdition returns the settings of the other edition. AddsTenant allows an RP ID in the
// cloud edition.
func (s *Settings) checkEdition(addsTenant bool) (found []fault) {
	refuse := func(is bool, err error, of ...string) {
		if is {
			found = append(found, faultOf(err, of...))
		}
	}
	if s.Edition == OnPremise {
		for _, name := range slices.Sorted(maps.Keys(s.tables)) {
			refuse(true, s.inFile(fmt.Errorf("the configuration file has a table [tenant.%s], and there are tenants in the cloud edition only: remove it, or write edition = \"cloud\"", name), tenantTables, name))
		}
		return found
	}
	refuse(!s.Passkeys, errors.New("--no-passkeys doesn't go with the cloud edition, where passkeys are for everyone: leave it out"), "passkeys")
	refuse(s.PublicURL != "" || s.RPID != "" && !addsTenant,
		errors.New("--public-url and --rp-id don't go with the cloud edition, where each tenant has its own: leave them out, and give them to keypeg tenant add"), "public-url", "rp-id")
	refuse(len(s.FormerURLs)+len(s.OtherURLs) > 0,
		errors.New("--former-urls and --other-urls don't go with the cloud edition, where each tenant has its own: leave them out, and use keypeg domain"), "former-urls", "other-urls")
	for _, p := range s.providers {
		id := p.protocol.ID
		refuse(true, s.inFile(fmt.Errorf("the table [provider.%s] doesn't go with the cloud edition, because its address belongs to one host: make it [tenant.NAME.provider.%s]", id, id), providerTable, id))
	}
	return found
}
