package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/keypeg/keypeg/server/forwardauth"
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
	values map[string]any // without the tables within it
	organisationTables
	roots certificates
}

// organisationTables is what an organisation has in tables of the configuration file: in those of [ownTables].
type organisationTables struct {
	providers []provider
	clients   []client
	gates     []forwardauth.Gate
}

// ownTables are the kinds of these tables, with their keys. On premise they stand at the top of the file, such as
// [client.grafana], and in the cloud edition within the table of a tenant, such as [tenant.acme.client.grafana].
var ownTables = []struct {
	kind string
	keys func() []string
}{{providerTable, ProviderKeys}, {clientTable, ClientKeys}, {gateTable, GateKeys}}

// isOwnTable reports whether a key is one of these kinds.
func isOwnTable(key string) bool {
	for _, own := range ownTables {
		if key == own.kind {
			return true
		}
	}
	return false
}

// isTable reports whether a key at the top of the file has tables.
func isTable(key string) bool { return key == tenantTables || key == hostTable || isOwnTable(key) }

// writtenTables is what [organisationTables] is read from.
type writtenTables struct {
	Provider map[string]providerSettings `toml:"provider"`
	Client   map[string]clientSettings   `toml:"client"`
	Gate     map[string]gateSettings     `toml:"gate"`
	Host     toml.Primitive              `toml:"host"`
}

// readTables reads the tables of the configuration file, which aren't flags.
func (s *Settings) readTables() {
	if s.Config == "" || s.isRefused([]string{"config"}) {
		return
	}
	var file writtenTables
	meta, err := toml.Decode(s.configText, &file)
	var tenants struct {
		Tenant map[string]writtenTables `toml:"tenant"`
	}
	ofTenants, tenantsErr := toml.Decode(s.configText, &tenants)
	var whole struct {
		Tenant map[string]map[string]any `toml:"tenant"`
	}
	_, wholeErr := toml.Decode(s.configText, &whole)
	for _, err := range []error{err, tenantsErr, wholeErr} {
		if err != nil {
			s.refuse(fmt.Errorf("the configuration file %s: %w", s.Config, err))
			return
		}
	}

	s.readHost(file.Host, meta)
	for _, own := range ownTables {
		s.refuseNoTable(meta, own.kind)
		s.refuseUnknownKeys(meta.Undecoded(), own.keys(), own.kind)
	}
	s.refuseNoTable(meta, tenantTables)
	s.own = s.readOwn(file, meta, func(err error, at ...string) { s.refuse(s.inFile(err, at...)) })
	s.tables = map[string]tenantTable{}
	for _, name := range inOrder(s.configText, whole.Tenant, tenantTables) {
		for _, own := range ownTables {
			s.refuseUnknownKeys(ofTenants.Undecoded(), own.keys(), tenantTables, name, own.kind)
		}
		s.tables[name] = s.readTenant(name, whole.Tenant[name], tenants.Tenant[name], ofTenants)
	}
}

// refuseNoTable refuses a value where tables belong.
func (s *Settings) refuseNoTable(meta toml.MetaData, kind string) {
	if is := meta.Type(kind); is != "" && is != "Hash" {
		s.refuse(s.inFile(fmt.Errorf("the configuration file has a key %s that isn't a table: write a table for each, such as [%s.NAME]", kind, kind), kind))
	}
}

// refuseUnknownKeys refuses keys in tables of one kind that mean nothing there.
func (s *Settings) refuseUnknownKeys(undecoded []toml.Key, keys []string, kind ...string) {
	for _, key := range undecoded {
		if len(key) > len(kind)+1 && slices.Equal(key[:len(kind)], kind) {
			table := strings.Join(key[:len(key)-1], ".")
			s.refuse(s.inFile(fmt.Errorf("the configuration file has an unknown key %s%s", shown.Quoted(key.String()), DidYouMean(key[len(key)-1], keys)), key...), table)
		}
	}
}

// readOwn reads the tables of one organisation, which stand within a table, or at the top.
func (s *Settings) readOwn(file writtenTables, meta toml.MetaData, refuse func(error, ...string), within ...string) (own organisationTables) {
	refuseAll := func(kind string, found []fault) {
		for _, f := range found {
			table := append(slices.Clone(within), kind, f.of[0])
			if !s.isRefused([]string{strings.Join(table, ".")}) {
				refuse(f.err, append([]string{kind}, f.of...)...)
			}
		}
	}
	var found []fault
	own.providers, found = providersOf(file.Provider, orderOf(meta, append(within, providerTable)))
	refuseAll(providerTable, found)
	own.clients, found = clientsOf(file.Client, orderOf(meta, append(within, clientTable)))
	refuseAll(clientTable, found)
	own.gates, found = gatesOf(file.Gate, orderOf(meta, append(within, gateTable)))
	refuseAll(gateTable, found)
	return own
}

// readTenant reads the table of one tenant.
func (s *Settings) readTenant(name string, values map[string]any, own writtenTables, meta toml.MetaData) tenantTable {
	table := tenantTable{values: values}
	for _, own := range ownTables {
		delete(table.values, own.kind)
	}
	_, hasHost := table.values[hostTable]
	delete(table.values, hostTable)
	refuse := func(err error, at ...string) {
		at = slices.Concat([]string{tenantTables, name}, at)
		s.refuse(s.inFile(fmt.Errorf("the table [tenant.%s] of the configuration file: %w", shown.Text(name), err), at...))
	}
	if err := tenant.CheckName(name); err != nil {
		refuse(err)
		return table
	}
	if hasHost {
		refuse(errors.New("a tenant's program isn't set in the file: write keypeg tenant change "+name+" --arrive and --hooks, and remove the table"), hostTable)
	}
	settings := s.organisationSettings
	for _, f := range settings.set(table.values) {
		refuse(f.err, f.of[0])
	}
	if _, has := table.values["attestation-roots"]; has {
		table.roots = settings.AttestationRoots
	}
	table.organisationTables = s.readOwn(own, meta, refuse, tenantTables, name)
	return table
}

// orderOf returns the names of the tables of one kind in the order of the file: for providers, that is the order of the
// buttons. A table may be written in parts, or as dotted keys.
func orderOf(meta toml.MetaData, kind []string) (order []string) {
	at := len(kind)
	for _, key := range meta.Keys() {
		if len(key) > at && slices.Equal(key[:at], kind) && !slices.Contains(order, key[at]) {
			order = append(order, key[at])
		}
	}
	return order
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
	if s.program != nil {
		refuse(true, s.inFile(errors.New("the table [host] doesn't go with the cloud edition, where each tenant may have a program of its own: remove it, and use keypeg tenant add NAME URL --arrive URL"), hostTable), hostTable)
	}
	refuse(len(s.FormerURLs)+len(s.OtherURLs) > 0,
		errors.New("--former-urls and --other-urls don't go with the cloud edition, where each tenant has its own: leave them out, and use keypeg domain"), "former-urls", "other-urls")
	misplaced := func(kind, id string) {
		refuse(true, s.inFile(fmt.Errorf("the table [%s.%s] doesn't go with the cloud edition, because it belongs to one organisation: make it [tenant.NAME.%s.%s]", kind, shown.Text(id), kind, shown.Text(id)), kind, id))
	}
	for _, p := range s.own.providers {
		misplaced(providerTable, p.protocol.ID)
	}
	for _, c := range s.own.clients {
		misplaced(clientTable, c.ID)
	}
	for _, g := range s.own.gates {
		misplaced(gateTable, g.Name)
	}
	return found
}
