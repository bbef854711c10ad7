package config

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/server/internal/shown"
)

// gateTable is the key of the tables of protected hosts in the configuration file, such as [gate.wiki].
const gateTable = "gate"

// gateSettings is such a table. Its keys are those of [forwardauth.Fault].
type gateSettings struct {
	Host    string `toml:"host"`
	Title   string `toml:"title"`
	Groups  texts  `toml:"groups"`
	Headers *bool  `toml:"headers"`
}

// GateKeys are the keys of such a table.
func GateKeys() []string { return keysOf(reflect.TypeFor[gateSettings]()) }

// gatesOf returns the gates of tables, in this order, and what is wrong with which key of which table.
func gatesOf(tables map[string]gateSettings, order []string) (list []forwardauth.Gate, found []fault) {
	for _, name := range order {
		s := tables[name]
		g, err := server.ParseGate(forwardauth.Gate{Name: name, Title: s.Title, Host: s.Host, Groups: s.Groups, Anonymous: s.Headers != nil && !*s.Headers})
		if err == nil {
			err = server.CheckGates(append(list[:len(list):len(list)], g))
		}
		if err != nil {
			at := []string{name}
			if f, is := errors.AsType[forwardauth.Fault](err); is && f.Key != "" {
				at = append(at, f.Key)
			}
			found = append(found, faultOf(fmt.Errorf("the gate %s: %w", shown.Text(name), err), at...))
			continue
		}
		list = append(list, g)
	}
	return list, found
}

// checkGates refuses gates with the host name of Keypeg itself, where that is known, or of a gate of another tenant.
func (s *Settings) checkGates(serves bool) {
	refuse := func(err error, at ...string) { s.refuse(s.inFile(err, append(at, "host")...)) }
	if !s.IsCloud() {
		if !serves {
			return
		}
		main, err := s.PublicAddress()
		if err != nil {
			return // checkReach says that
		}
		addresses := []server.Address{main}
		related, _, _ := s.relatedTo(main)
		for _, other := range related {
			addresses = append(addresses, other.Address)
		}
		for _, g := range s.own.gates {
			if err := server.CheckGates([]forwardauth.Gate{g}, addresses...); err != nil {
				refuse(fmt.Errorf("the gate %s: %w", g.Name, err), gateTable, g.Name)
			}
		}
		return
	}
	taken := map[string]string{}
	for _, name := range s.WithOverrides() {
		for _, g := range s.tables[name].gates {
			host := server.HostName(g.Host)
			if of := taken[host]; of != "" && of != name {
				refuse(fmt.Errorf("the gate %s of the tenant %s: the tenant %s has a gate with the host %s already", g.Name, name, of, host), tenantTables, name, gateTable, g.Name)
			}
			taken[host] = name
		}
	}
}
