package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/sso"
	"github.com/keypeg/keypeg/shared"
)

// providerTable is the key under which the configuration file has OpenID providers,
// each a table of its own: [provider.google].
const providerTable = "provider"

// providerSettings is such a table.
type providerSettings struct {
	Name             string   `toml:"name"`
	Issuer           string   `toml:"issuer"`
	ClientID         string   `toml:"client-id"`
	ClientSecretFile string   `toml:"client-secret-file"`
	PrivateKeyFile   string   `toml:"private-key-file"`
	Scopes           []string `toml:"scopes"`
	Button           string   `toml:"button"`
	CreateUsers      bool     `toml:"create-users"`
	AllowedDomains   []string `toml:"allowed-domains"`
	SignOut          bool     `toml:"sign-out"`
}

// provider is an OpenID provider of the configuration.
type provider struct {
	protocol sso.Config
	rules    account.Provider
}

// providersOf are the providers of tables, in the order of their names.
func providersOf(tables map[string]providerSettings, order []string) (list []provider, err error) {
	for _, id := range order {
		p, err := tables[id].provider(id)
		if err != nil {
			return nil, err
		}
		for _, other := range list {
			if other.protocol.Issuer == p.protocol.Issuer {
				return nil, fmt.Errorf("the providers %s and %s have the same issuer", other.protocol.ID, p.protocol.ID)
			}
		}
		list = append(list, p)
	}
	return list, nil
}

func (s providerSettings) provider(id string) (p provider, err error) {
	if s.Name == "" {
		s.Name = id
	}
	name, err := shared.CleanDisplayName(s.Name)
	if err != nil {
		return p, fmt.Errorf("the name of the provider %s can't be used: %w", id, err)
	}
	p.protocol = sso.Config{ID: id, Name: name, Issuer: s.Issuer, ClientID: s.ClientID, Scopes: s.Scopes, Button: s.Button, SignOut: s.SignOut}
	if s.ClientSecretFile != "" {
		content, err := os.ReadFile(s.ClientSecretFile)
		if err != nil {
			return p, fmt.Errorf("the client secret of the provider %s: %w", id, err)
		}
		if p.protocol.Secret = strings.TrimSpace(string(content)); p.protocol.Secret == "" {
			return p, fmt.Errorf("the client secret of the provider %s: %s is empty", id, s.ClientSecretFile)
		}
	}
	if s.PrivateKeyFile != "" {
		content, err := os.ReadFile(s.PrivateKeyFile)
		if err == nil {
			p.protocol.Key, err = sso.ParseClientKey(content)
		}
		if err != nil {
			return p, fmt.Errorf("the private key of the provider %s, %s: %w", id, s.PrivateKeyFile, err)
		}
	}
	if err := p.protocol.Check(); err != nil {
		return p, err
	}
	switch {
	case s.CreateUsers && len(s.AllowedDomains) == 0:
		return p, fmt.Errorf("the provider %s has create-users without allowed-domains: name the domains of the e-mail addresses that may come", id)
	case !s.CreateUsers && len(s.AllowedDomains) > 0:
		return p, fmt.Errorf("the provider %s has allowed-domains without create-users = true", id)
	}
	p.rules = account.Provider{ID: id, Name: name, Issuer: s.Issuer, CreateUsers: s.CreateUsers, Domains: s.AllowedDomains}
	return p, nil
}

// rulesOf is what account knows of the providers.
func rulesOf(list []provider) (rules []account.Provider) {
	for _, p := range list {
		rules = append(rules, p.rules)
	}
	return rules
}

// protocolsOf is what the server knows of them.
func protocolsOf(list []provider, address server.Address) (protocols []*sso.Provider) {
	for _, p := range list {
		protocols = append(protocols, sso.New(p.protocol, address.Origin+shared.PageSSO+p.protocol.ID+shared.PageSSOAnswer, time.Now))
	}
	return protocols
}
