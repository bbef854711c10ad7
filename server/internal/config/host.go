package config

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/BurntSushi/toml"

	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/server/internal/tenant"
)

// hostTable is the key of the table about a program that Keypeg is built into: see package embed. It has users of its
// own, so everything about users and their sign-in means nothing beside it. In the cloud edition the list of tenants has
// each tenant's program.
const hostTable = "host"

// hostSettings is that table.
type hostSettings struct {
	SecretFile string `toml:"secret-file"`
	Arrive     string `toml:"arrive"`
	Hooks      string `toml:"hooks"`
}

// HostKeys are the keys of that table.
func HostKeys() []string { return keysOf(reflect.TypeFor[hostSettings]()) }

// readHost takes what stands in the file.
func (s *Settings) readHost(table toml.Primitive, meta toml.MetaData) {
	switch meta.Type(hostTable) {
	case "":
		return
	case "Hash":
	default:
		s.refuse(s.inFile(errors.New("the configuration file has a key host that isn't a table: write [host], and below it secret-file, arrive and hooks"), hostTable), hostTable)
		return
	}
	var written hostSettings
	if err := meta.PrimitiveDecode(table, &written); err != nil {
		s.refuse(s.inFile(fmt.Errorf("the table [host]: %w", err), hostTable), hostTable)
		return
	}
	s.program = &written
	for _, key := range meta.Undecoded() {
		if key[0] == hostTable && len(key) > 1 {
			s.refuse(s.inFile(fmt.Errorf("the configuration file has an unknown key %s%s", shown.Quoted(key.String()), DidYouMean(key[1], HostKeys())), key...), hostTable)
		}
	}
}

// hostOf returns the program of an organisation, or nil.
func (s *Settings) hostOf(t tenant.Tenant) *installation.Host {
	switch {
	case s.IsCloud() && t.Arrive != "":
		return &installation.Host{Arrive: t.Arrive, Hooks: t.Hooks}
	case !s.IsCloud() && s.program != nil:
		return &installation.Host{Arrive: s.program.Arrive, Hooks: s.program.Hooks, SecretFile: s.program.SecretFile}
	}
	return nil
}

// HasHost reports whether the only organisation is built into a program.
func (s *Settings) HasHost() bool { return !s.IsCloud() && s.program != nil }

// checkHost refuses a program that can't work, and settings that mean nothing beside one.
func (s *Settings) checkHost(serves bool) {
	if !s.HasHost() {
		return
	}
	refuse := func(err error, key string) {
		if err != nil && !s.isRefused([]string{hostTable}) {
			s.refuse(s.inFile(fmt.Errorf("the table [host]: %w", err), hostTable, key), hostTable+"."+key)
		}
	}
	refuse(embed.CheckHooks(s.program.Hooks), "hooks")
	if s.program.SecretFile == "" {
		refuse(errors.New("secret-file is missing: name a file with a secret that the program has too, made with openssl rand -base64 32"), "secret-file")
	} else if _, err := installation.ReadHostSecrets(s.program.SecretFile); err != nil {
		refuse(fmt.Errorf("secret-file: %w", err), "secret-file")
	}
	if main, err := s.PublicAddress(); serves && err == nil { // checkReach says what is wrong with the address
		refuse(embed.CheckArrive(s.program.Arrive, main.Origin), "arrive")
	}
	s.refuseAll(s.besideHost())
}

// besideHost returns the settings that mean nothing with a program that has users of its own.
func (s *Settings) besideHost() (found []fault) {
	refuse := func(name, why string) {
		found = append(found, faultOf(fmt.Errorf("--%s doesn't go with [host], %s: leave it out", name, why), name))
	}
	if !s.Passkeys {
		refuse("passkeys", "where passkeys are all that Keypeg does")
	}
	for _, set := range []struct {
		why   string
		names []string
	}{
		{"where people sign in at the program", []string{"password-sign-in", "user-verification", "any-client"}},
		{"where sessions are the program's", []string{"session-idle", "session-lifetime"}},
		{"where the program writes to its users", []string{"smtp-server", "smtp-security", "smtp-user", "smtp-password-file", "mail-from", "mail-language"}},
		{"where no page of Keypeg's own is served", []string{"manual-public"}},
	} {
		for _, name := range set.names {
			if s.places[name] != "" {
				refuse(name, set.why)
			}
		}
	}
	misplaced := func(kind, id string) {
		found = append(found, faultOf(s.inFile(fmt.Errorf("the table [%s.%s] doesn't go with [host], where people sign in at the program: remove one of them", kind, shown.Text(id)), kind, id), kind+"."+id))
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
