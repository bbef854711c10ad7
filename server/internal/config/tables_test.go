package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/internal/tenant"
)

// TestTenantTables checks what IT may write of a tenant, and what becomes of it.
func TestTenantTables(t *testing.T) {
	folder := t.TempDir()
	secret := filepath.Join(folder, "secret")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := func(t *testing.T, text string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "keypeg.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	google := "issuer = \"https://accounts.example.com\"\nclient-id = \"k\"\nclient-secret-file = \"" + secret + "\"\n"
	for _, test := range []struct{ says, text string }{
		{`[tenant.acme] of the configuration file: unknown key "max-passkey"`, "[tenant.acme]\nmax-passkey = 3\n"},
		{`[tenant.acme] of the configuration file: unknown key "listen"`, "[tenant.acme]\nlisten = \":80\"\n"},
		{`[tenant.acme] of the configuration file: unknown key "help"`, "[tenant.acme]\nhelp = true\n"},
		{`[tenant.acme] of the configuration file: --max-passkeys must be from 1 to 60`, "[tenant.acme]\nmax-passkeys = 61\n"},
		{`[tenant.acme] of the configuration file: the key max-passkeys`, "[tenant.acme]\nmax-passkeys = \"many\"\n"},
		{`[tenant.acme] of the configuration file: the key session-idle`, "[tenant.acme]\nsession-idle = \"soon\"\n"},
		{`[tenant.acme] of the configuration file: --session-idle (48h0m0s) must not be longer than --session-lifetime (1h0m0s)`, "session-idle = \"30m\"\nsession-lifetime = \"1h\"\n[tenant.acme]\nsession-idle = \"48h\"\n"},
		{`[tenant.acme] of the configuration file: the key attestation-roots`, "[tenant.acme]\nattestation-roots = \"" + folder + "/none.pem\"\n"},
		{`[tenant.acme] of the configuration file: the key password-sign-in must be one of on,administrators,off`, "[tenant.acme]\npassword-sign-in = \"sometimes\"\n"},
		{`[tenant.acme] of the configuration file: the key user-verification must be one of required,preferred`, "[tenant.acme]\nuser-verification = false\n"},
		{`[tenant.Acme] of the configuration file: "Acme" can't name a tenant`, "[tenant.Acme]\nmax-passkeys = 3\n"},
		{`unknown key "tenant.acme.provider.google.isuser"`, "[tenant.acme.provider.google]\nisuser = \"https://accounts.example.com\"\n"},
		{`[tenant.acme] of the configuration file: the provider google needs an issuer`, "[tenant.acme.provider.google]\nclient-id = \"k\"\n"},
		{"make it [tenant.NAME.provider.google]", "[provider.google]\n" + google},
		{`unknown key "tenants"`, "[tenants.acme]\nmax-passkeys = 3\n"},
		{`[tenant.acme] of the configuration file: --keep-events must be from 720h, which is 30 days, to 8760h, a year`, "[tenant.acme]\nkeep-events = \"24h\"\n"},
		{`[tenant.acme] of the configuration file: --keep-events must be from 720h, which is 30 days, to 8760h, a year`, "[tenant.acme]\nkeep-events = \"9000h\"\n"},
	} {
		failsWith(t, test.says, "--edition", "cloud", "--config", file(t, test.text))
	}
	failsWith(t, "there are tenants in the cloud edition only: remove it, or write edition", "--config", file(t, "[tenant.acme]\nmax-passkeys = 3\n"))

	settings, _ := reads(t, "--config", file(t, "edition = \"cloud\"\nmax-passkeys = 5\ncontact = \"operations\"\nsession-lifetime = \"100h\"\n"+
		"[tenant.acme]\nmax-passkeys = 3\nsession-idle = \"2h\"\n"+
		"[tenant.beta]\ncontact = \"beta's desk\"\n[tenant.beta.provider.z]\n"+google+"[tenant.beta.provider.a]\n"+strings.Replace(google, "accounts", "other", 1)))
	for _, test := range []struct {
		tenant tenant.Tenant
		want   string
	}{
		{tenant.Tenant{Name: "acme"}, "3 2h0m0s 100h0m0s operations Keypeg 0"},
		{tenant.Tenant{Name: "acme", Contact: "acme's desk", Product: "Acme ID"}, "3 2h0m0s 100h0m0s acme's desk Acme ID 0"},
		{tenant.Tenant{Name: "beta", Contact: "as it was added"}, "5 24h0m0s 100h0m0s beta's desk Keypeg 2"},
		{tenant.Tenant{Name: "gamma"}, "5 24h0m0s 100h0m0s operations Keypeg 0"},
	} {
		own, err := settings.Organisation(test.tenant)
		got := fmt.Sprint(own.MaxPasskeys, " ", own.SessionIdle, " ", own.SessionLifetime, " ", own.Contact, " ", own.Product, " ", len(own.Providers))
		if err != nil || got != test.want {
			t.Errorf("%+v: got %s (%v), want %s", test.tenant, got, err, test.want)
		}
		if list := own.Providers; len(list) == 2 && (list[0].Protocol.ID != "z" || list[1].Protocol.ID != "a") {
			t.Errorf("the providers aren't in the file's order: %s, %s", list[0].Protocol.ID, list[1].Protocol.ID)
		}
	}
}
