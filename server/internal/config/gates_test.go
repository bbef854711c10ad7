package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/server/internal/config"
	"github.com/keypeg/keypeg/server/internal/tenant"
)

// TestGateTables checks what IT may write of a protected host, and what becomes of it.
func TestGateTables(t *testing.T) {
	const own = "public-url = \"https://id.example.com\"\n"
	settings, _ := reads(t, "--config", writes(t, own+`[gate.wiki]
host = "Wiki.Example.com:443"
[gate.payroll]
host = "https://payroll.example.com:8443/"
title = " Pay  roll "
groups = ["Finance", "finance", "boss"]
headers = false
[gate.local]
host = "http://notes.localhost:3000"
groups = "staff"
`))
	organisation, err := settings.Organisation(tenant.Tenant{})
	want := []forwardauth.Gate{
		{Name: "wiki", Title: "wiki", Host: "wiki.example.com", Secure: true, Groups: []string{}},
		{Name: "payroll", Title: "Pay roll", Host: "payroll.example.com:8443", Secure: true, Groups: []string{"boss", "finance"}, Anonymous: true},
		{Name: "local", Title: "local", Host: "notes.localhost:3000", Groups: []string{"staff"}},
	}
	if err != nil || fmt.Sprintf("%+v", organisation.Gates) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v, %v\nwant %+v", organisation.Gates, err, want)
	}

	const wiki = "[gate.wiki]\nhost = \"wiki.example.com\"\n"
	for _, bad := range []struct{ says, where, text string }{
		{`the gate wiki: it has no host: write the one that it protects`, "line 2)", "[gate.wiki]\ntitle = \"Wiki\"\n"},
		{`the gate Wiki: this can't be the name of a gate`, "", "[gate.Wiki]\nhost = \"wiki.example.com\"\n"},
		{`the gate wiki: http://wiki.example.com isn't safe without https: write host = "wiki.example.com"`, "line 3)", "[gate.wiki]\nhost = \"http://wiki.example.com\"\n"},
		{`unknown key "gate.wiki.hosts": did you mean "host"?`, "", wiki + "hosts = \"x\"\n"},
		{`unknown key "gates": did you mean "gate"?`, "", strings.Replace(wiki, "gate", "gates", 1)},
		{`the gate wiki: no group can be called "a b"`, "line 4)", wiki + "groups = [\"a b\"]\n"},
		{`the gate wiki: its title can't be used`, "line 4)", wiki + "title = \"\\u0000\"\n"},
		{`the gate other: its host is wiki.example.com, which the gate wiki has: give it a host name of its own`, "line 5)", wiki + "[gate.other]\nhost = \"wiki.example.com:8443\"\n"},
		{`must end after the host: write https://wiki.example.com (`, "line 3)", "[gate.wiki]\nhost = \"wiki.example.com/admin\"\n"},
		{`is a wildcard`, "", "[gate.wiki]\nhost = \"*.example.com\"\n"},
		{`write a table for each, such as [gate.NAME]`, "", "gate = \"wiki\"\n"},
	} {
		path := writes(t, own+bad.text)
		failsWith(t, bad.says, "--config", path)
		failsWith(t, bad.where, "--config", path)
	}
}

// TestGatesOfTenants: no gate is of two tenants, and none is of nobody.
func TestGatesOfTenants(t *testing.T) {
	const cloud = "edition = \"cloud\"\n"
	settings, _ := reads(t, "--config", writes(t, cloud+"[tenant.acme.gate.wiki]\nhost = \"wiki.acme.example\"\n[tenant.globex.gate.wiki]\nhost = \"wiki.globex.example\"\n"))
	for name, want := range map[string]string{"acme": "wiki.acme.example", "globex": "wiki.globex.example"} {
		organisation, err := settings.Organisation(tenant.Tenant{Name: name})
		if err != nil || len(organisation.Gates) != 1 || organisation.Gates[0].Host != want {
			t.Errorf("%s has %+v, %v; want the host %s", name, organisation.Gates, err, want)
		}
	}
	for says, text := range map[string]string{
		"the tenant acme has a gate with the host wiki.acme.example already": "[tenant.acme.gate.wiki]\nhost = \"wiki.acme.example\"\n[tenant.globex.gate.docs]\nhost = \"wiki.acme.example:8443\"\n",
		"make it [tenant.NAME.gate.wiki]":                                    "[gate.wiki]\nhost = \"wiki.example.com\"\n",
	} {
		failsWith(t, says, "--config", writes(t, cloud+text))
	}
	if keys := config.GateKeys(); len(keys) != 4 {
		t.Errorf("the keys are %v", keys)
	}
}
