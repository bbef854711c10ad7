package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/internal/textfile"
	"github.com/keypeg/keypeg/shared"
)

// providerTable is the key of the tables of OpenID providers in the configuration file,
// such as [provider.google].
const providerTable = "provider"

// providerSettings is such a table.
type providerSettings struct {
	Name             string         `toml:"name"`
	Issuer           string         `toml:"issuer"`
	ClientID         string         `toml:"client-id"`
	ClientSecretFile string         `toml:"client-secret-file"`
	PrivateKeyFile   string         `toml:"private-key-file"`
	Scopes           texts          `toml:"scopes"`
	Button           string         `toml:"button"`
	RequiredClaims   map[string]any `toml:"required-claims"`
	CreateUsers      bool           `toml:"create-users"`
	AllowedDomains   texts          `toml:"allowed-domains"`
	SignOut          bool           `toml:"sign-out"`
}

// ProviderKeys are the keys of such a table.
func ProviderKeys() []string { return keysOf(reflect.TypeFor[providerSettings]()) }

// listOf returns a value of the file as a list. A single value is a list of one.
func listOf(written any) []any {
	if list, is := written.([]any); is {
		return list
	}
	return []any{written}
}

// texts is a list of texts in the file, or a single text.
type texts []string

// UnmarshalTOML implements [toml.Unmarshaler].
func (t *texts) UnmarshalTOML(written any) error {
	*t = nil
	for _, v := range listOf(written) {
		text, is := v.(string)
		if !is {
			return fmt.Errorf("%v must be a text, such as [\"one\", \"two\"]", v)
		}
		*t = append(*t, text)
	}
	return nil
}

// provider is an OpenID provider of the configuration.
type provider struct {
	protocol federation.Config
	rules    account.Provider
	files    []string // with secrets
}

// providersOf returns the providers of tables, in this order, and what is wrong with which table.
func providersOf(tables map[string]providerSettings, order []string) (list []provider, found []fault) {
	for _, id := range order {
		p, err := tables[id].provider(id)
		if err != nil {
			found = append(found, faultOf(err, id))
			continue
		}
		for _, other := range list {
			if other.protocol.Issuer == p.protocol.Issuer {
				found = append(found, faultOf(fmt.Errorf("the providers %s and %s have the same issuer", other.protocol.ID, p.protocol.ID), id))
			}
		}
		list = append(list, p)
	}
	return list, found
}

func (s providerSettings) provider(id string) (p provider, err error) {
	if s.Name == "" {
		s.Name = id
	}
	name, err := shared.CleanDisplayName(s.Name)
	if err != nil {
		return p, fmt.Errorf("the name of the provider %s can't be used: %w", id, err)
	}
	s.Issuer, s.ClientID = strings.TrimSpace(s.Issuer), strings.TrimSpace(s.ClientID)
	p.protocol = federation.Config{ID: id, Name: name, Issuer: s.Issuer, ClientID: s.ClientID, Scopes: s.Scopes, Button: s.Button, SignOut: s.SignOut}
	if s.ClientSecretFile != "" {
		if p.protocol.Secret, err = textfile.Secret(s.ClientSecretFile); err != nil {
			return p, fmt.Errorf("client-secret-file of the provider %s: %w", id, err)
		}
		p.files = append(p.files, s.ClientSecretFile)
	}
	if s.PrivateKeyFile != "" {
		if p.protocol.Key, err = federation.ReadClientKey(s.PrivateKeyFile); err != nil {
			return p, fmt.Errorf("private-key-file of the provider %s: %w", id, err)
		}
		p.files = append(p.files, s.PrivateKeyFile)
	}
	if err := p.protocol.Check(); err != nil {
		return p, err
	}
	required, err := requiredOf(s.RequiredClaims)
	if err != nil {
		return p, fmt.Errorf("required-claims of the provider %s: %w", id, err)
	}
	p.rules, err = account.Provider{
		ID: id, Name: name, Issuer: s.Issuer, CreateUsers: s.CreateUsers, Domains: s.AllowedDomains, Required: required,
	}.Check()
	return p, err
}

// requiredOf returns the required claims with their values. In the file a claim has one
// value or a list of them.
func requiredOf(table map[string]any) (map[string][]string, error) {
	required := map[string][]string{}
	for claim, value := range table {
		required[claim] = []string{}
		for _, v := range listOf(value) {
			switch v.(type) {
			case string, int64, bool:
				required[claim] = append(required[claim], fmt.Sprint(v))
			default:
				return nil, fmt.Errorf("%s must be a text or a list of texts, such as { %s = [\"one\", \"two\"] }", claim, claim)
			}
		}
	}
	return required, nil
}
