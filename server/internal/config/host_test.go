package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/internal/config"
	"github.com/keypeg/keypeg/server/internal/tenant"
)

const longSecret = "s3cret-s3cret-s3cret-s3cret-s3cret"

// hostFile writes a configuration file, with a secret file of this content. In the file, HOST stands for a sound table.
func hostFile(t *testing.T, secrets, content string) (path string) {
	t.Helper()
	folder := t.TempDir()
	secret := filepath.Join(folder, "host.secret")
	if err := os.WriteFile(secret, []byte(secrets), 0o600); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(folder, "keypeg.toml")
	host := "[host]\nsecret-file = \"" + secret + "\"\narrive = \"https://tools.example.com/keypeg-arrive\"\n"
	content = "public-url = \"https://tools.example.com\"\n" + strings.NewReplacer("HOST\n", host, "SECRET", secret).Replace(content)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestHost checks what IT may write of the program that Keypeg is built into, and what becomes of it.
func TestHost(t *testing.T) {
	settings, _ := reads(t, "--config", hostFile(t, longSecret+"\n", "rp-id = \"example.com\"\nconfirm-after = \"5m\"\nkeep-events = \"1000h\"\nmax-passkeys = 4\ncontact = \"the foreman\"\nHOST\nhooks = \"http://127.0.0.1:9000/hooks\"\n"))
	organisation, err := settings.Organisation(tenant.Tenant{})
	if err != nil || organisation.Host == nil || !settings.HasHost() {
		t.Fatalf("there is no program: %v", err)
	}
	if h := organisation.Host; h.Arrive != "https://tools.example.com/keypeg-arrive" || h.Hooks != "http://127.0.0.1:9000/hooks" || filepath.Base(h.SecretFile) != "host.secret" {
		t.Errorf("the program is %+v", h)
	}
	settings, _ = reads(t)
	if organisation, err := settings.Organisation(tenant.Tenant{}); err != nil || organisation.Host != nil || settings.HasHost() {
		t.Errorf("without the table: %+v, %v", organisation.Host, err)
	}
	if keys := config.HostKeys(); strings.Join(keys, " ") != "secret-file arrive hooks" {
		t.Errorf("the keys are %v", keys)
	}
}

// TestHostRefused: whatever can't work, or would be ignored, is named with the line and with what to write.
func TestHostRefused(t *testing.T) {
	for _, bad := range []struct{ says, where, secrets, text string }{
		{"[host]: secret-file is missing: name a file with a secret that the program has too, made with openssl rand -base64 32", "line 2)", "", "[host]\narrive = \"https://tools.example.com/a\"\n"},
		{"[host]: secret-file: it names no file: write there the path", "line 3)", "", "[host]\nsecret-file = \"" + longSecret + "\"\narrive = \"https://tools.example.com/a\"\n"},
		{"has 6 characters, and at least 32 are needed: openssl rand -base64 32 makes one", "line 3)", "s3cret\n", "HOST\n"},
		{"host.secret is empty: write the secret into it", "line 3)", "\n", "HOST\n"},
		{"there are 5 secrets, and at most 4 can work at a time", "line 3)", strings.Repeat(longSecret+"\n", 5), "HOST\n"},
		{"must have printable ASCII characters alone", "line 3)", longSecret + " # the old one\n", "HOST\n"},
		{"[host]: arrive is missing: it is the address of the program", "line 2)", longSecret, "[host]\nsecret-file = \"SECRET\"\n"},
		{"arrive must be an address of the program itself: https://tools.example.com/keypeg-arrive, for example", "line 4)", longSecret, "[host]\nsecret-file = \"SECRET\"\narrive = \"https://other.example.com/a\"\n"},
		{"arrive must be a path of the program, and this one is Keypeg's", "line 4)", longSecret, "[host]\nsecret-file = \"SECRET\"\narrive = \"https://tools.example.com/keypeg/arrive\"\n"},
		{"hooks must be a URL that begins with https:// or http://", "line 5)", longSecret, "HOST\nhooks = \"tools.example.com/hooks\"\n"},
		{`unknown key "host.arrives": did you mean "arrive"?`, "line 5)", longSecret, "HOST\narrives = \"x\"\n"},
		{"a key host that isn't a table: write [host], and below it secret-file, arrive and hooks", "line 2)", "", "host = \"tools.example.com\"\n"},
		{`unknown key "hosts": did you mean "host"?`, "line 2)", "", "[hosts]\narrive = \"x\"\n"},

		{"--password-sign-in doesn't go with [host], where people sign in at the program: leave it out", "line 2)", longSecret, "password-sign-in = \"administrators\"\nHOST\n"},
		{"--user-verification doesn't go with [host]", "line 2)", longSecret, "user-verification = \"preferred\"\nHOST\n"},
		{"--any-client doesn't go with [host]", "line 2)", longSecret, "any-client = true\nHOST\n"},
		{"--passkeys doesn't go with [host], where passkeys are all that Keypeg does: leave it out", "line 2)", longSecret, "passkeys = false\nHOST\n"},
		{"--session-idle doesn't go with [host], where sessions are the program's: leave it out", "line 2)", longSecret, "session-idle = \"2h\"\nHOST\n"},
		{"--session-lifetime doesn't go with [host]", "line 2)", longSecret, "session-lifetime = \"200h\"\nHOST\n"},
		{"--smtp-server doesn't go with [host], where the program writes to its users: leave it out", "line 2)", longSecret, "smtp-server = \"mail.example.com\"\nmail-from = \"it@example.com\"\nHOST\n"},
		{"--mail-language doesn't go with [host]", "line 2)", longSecret, "mail-language = \"de\"\nHOST\n"},
		{"--manual-public doesn't go with [host]", "line 2)", longSecret, "manual-public = true\nHOST\n"},
		{"[client.wiki] doesn't go with [host], where people sign in at the program: remove one of them", "line 5)", longSecret, "HOST\n[client.wiki]\nredirects = \"https://wiki.example.com/cb\"\nauthentication = \"none\"\n"},
		{"[gate.wiki] doesn't go with [host]", "line 5)", longSecret, "HOST\n[gate.wiki]\nhost = \"wiki.example.com\"\n"},
		{"[provider.google] doesn't go with [host]", "line 5)", longSecret, "HOST\n[provider.google]\nissuer = \"https://accounts.example.com\"\nclient-id = \"k\"\nclient-secret-file = \"SECRET\"\n"},
	} {
		path := hostFile(t, bad.secrets, bad.text)
		err := checks("--config", path)
		if err == nil || !strings.Contains(err.Error(), bad.says) || !strings.Contains(err.Error(), bad.where) || strings.Contains(err.Error(), "s3cret") && !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want %q at %s", bad.text, err, bad.says, bad.where)
		}
		if err != nil && strings.Contains(err.Error(), longSecret) {
			t.Errorf("the secret is repeated: %v", err)
		}
	}
	if err := checks("--config", hostFile(t, longSecret, "HOST\n")); err != nil {
		t.Errorf("a sound table: %v", err)
	}

	const cloud = "edition = \"cloud\"\n"
	failsWith(t, "[host] doesn't go with the cloud edition", "--config", writes(t, cloud+"[host]\narrive = \"https://tools.example.com/a\"\n"))
	failsWith(t, "a tenant's program isn't set in the file: write keypeg tenant change acme --arrive and --hooks", "--config", writes(t, cloud+"[tenant.acme.host]\narrive = \"https://tools.example.com/a\"\n"))
	settings, _ := reads(t, "--config", writes(t, cloud))
	for arrive, has := range map[string]bool{"": false, "https://acme.example/a": true} {
		if organisation, err := settings.Organisation(tenant.Tenant{Name: "acme", Arrive: arrive}); err != nil || (organisation.Host != nil) != has {
			t.Errorf("a tenant with arrive %q has the program %+v, %v", arrive, organisation.Host, err)
		}
	}
}
