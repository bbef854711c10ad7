package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/config"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/openid"
)

// clientSecret is in the file that CLIENT names.
const clientSecret = "s3cret-of-a-program-with-32-characters"

// clientFile writes a configuration file. In its text, CLIENT is a file with a good secret, SHORT one with a short secret, and
// KEYS one with the public keys of a program.
func clientFile(t *testing.T, text string) string {
	t.Helper()
	folder := t.TempDir()
	keys := `{"keys":[{"kty":"EC","crv":"P-256","kid":"one","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`
	for name, content := range map[string]string{"CLIENT": clientSecret + "\n", "SHORT": "s3cret\n", "KEYS": keys} {
		path := filepath.Join(folder, strings.ToLower(name))
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		text = strings.ReplaceAll(text, "= "+name, `= "`+path+`"`)
	}
	path := filepath.Join(folder, "keypeg.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestClientTables checks what IT may write of a client, and what becomes of it.
func TestClientTables(t *testing.T) {
	one := "[client.grafana]\nredirects = \"https://grafana.example.com/login/generic_oauth\"\nsecret-file = CLIENT\n"
	settings, _ := reads(t, "--config", clientFile(t, one+`name = "Graphs"
home = "https://grafana.example.com/"
signed-out = ["https://grafana.example.com/login", "https://grafana.example.com/bye"]
back-channel-logout = "https://grafana.example.com/out"
authentication = "client_secret_post"
pkce = false
algorithm = "ES256"
pairwise = true
first-party = true
groups = "Staff"
scopes = ["profile", "offline_access"]
device = true
[client."com.example.app"]
redirects = ["com.example.app:/cb", "http://127.0.0.1/"]
authentication = "none"
[client.backup]
redirects = "https://backup.example.com/cb"
authentication = "private_key_jwt"
keys-file = KEYS
`))
	organisation, err := settings.Organisation(tenant.Tenant{})
	if err != nil || len(organisation.Clients) != 3 {
		t.Fatalf("got %+v, %v", organisation.Clients, err)
	}
	graphs, app, backup := organisation.Clients[0], organisation.Clients[1], organisation.Clients[2]
	if !graphs.HasSecret(clientSecret, time.Now()) || graphs.HasSecret("", time.Now()) {
		t.Error("grafana has another secret than its file")
	}
	graphs.Secrets = nil
	want := openid.Client{
		ID: "grafana", Name: "Graphs", Home: "https://grafana.example.com/", Redirects: []string{"https://grafana.example.com/login/generic_oauth"},
		SignedOut: []string{"https://grafana.example.com/login", "https://grafana.example.com/bye"}, BackChannel: "https://grafana.example.com/out",
		Authentication: openid.AuthenticatesPost, WithoutPKCE: true, Algorithm: openid.ES256, Pairwise: true, FirstParty: true,
		Groups: []string{"staff"}, Scopes: []string{"profile", "offline_access"}, Device: true, Configured: true,
	}
	if fmt.Sprintf("%+v", graphs) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", graphs, want)
	}
	if app.ID != "com.example.app" || app.Name != "com.example.app" || !app.IsPublic() || app.WithoutPKCE || app.Algorithm != openid.RS256 || len(app.Secrets) > 0 {
		t.Errorf("got %+v", app)
	}
	if !json.Valid(backup.Keys) || !strings.Contains(string(backup.Keys), `"kid":"one"`) || len(backup.Secrets) > 0 {
		t.Errorf("got %+v", backup)
	}
	if err := openid.CheckConfigured(organisation.Clients); err != nil {
		t.Errorf("a server refuses them: %v", err)
	}

	for _, bad := range []struct{ says, text string }{
		{`unknown key "client.grafana.redirect": did you mean "redirects"?`, one + "redirect = \"x\"\n"},
		{`unknown key "client.grafana.secret": did you mean "secret-file"?`, one + "secret = \"Summer\"\n"},
		{`unknown key "client.grafana.Names": did you mean "name"?`, one + "Names = \"x\"\n"},
		{`unknown key "clients": did you mean "client"?`, strings.Replace(one, "client", "clients", 1)},
		{"a key client that isn't a table: write a table for each, such as [client.NAME]", "client = \"grafana\"\n"},
		{`the client -x: "-x" can't be the id of a client`, strings.Replace(one, "grafana", "-x", 1)},
		{"the client grafana: it has no secret-file", "client.grafana.redirects = \"https://grafana.example.com/\"\n"},
		{"the client grafana: there is no redirect", "[client.grafana]\nsecret-file = CLIENT\n"},
		{"the client grafana: secret-file: it names no file", one[:strings.Index(one, "secret-file")] + "secret-file = \"Summer\"\n"},
		{"has less than 32 characters: make one that nobody can guess", strings.Replace(one, "CLIENT", "SHORT", 1)},
		{`its authentication "none" uses no secret`, one + "authentication = \"none\"\n"},
		{"the client grafana: keys-file: ", one + "authentication = \"private_key_jwt\"\nkeys-file = \"/nowhere/keys.json\"\n"},
		{"they are no JSON Web Key Set", strings.Replace(one, "secret-file", "keys-file", 1) + "authentication = \"private_key_jwt\"\n"},
		{"7 must be a text", one + "groups = 7\n"},
	} {
		failsWith(t, bad.says, "--config", clientFile(t, bad.text))
	}
}

// TestClientFaults names everything that is wrong with clients at once, each with its line.
func TestClientFaults(t *testing.T) {
	path := clientFile(t, `[client.one]
redirects = ["http://one.example.com/", "https://one.example.com/*"]
algorithm = "none"
[client.two]
redirects = "https://two.example.com/"
colour = "red"
secret-file = CLIENT
`)
	_, _, err := read("--config", path)
	if err == nil {
		t.Fatal("they are taken")
	}
	got := strings.Split(err.Error(), "\n")
	want := []string{
		`unknown key "client.two.colour" (` + path + ", line 6)",
		"one.example.com/\" must begin with https://, since plain http is for localhost, 127.0.0.1 and [::1] only (" + path + ", line 2)",
		"has a *, which stands for nothing here: write each address, or the bare origin for all of its addresses (" + path + ", line 2)",
		"doesn't sign ID tokens here: write one of RS256 or ES256 (" + path + ", line 3)",
		"the client one: it has no secret-file: name a file with its secret, or write authentication = \"none\" if it can't keep one (" + path + ", line 1)",
	}
	if len(got) != len(want) {
		t.Fatalf("got %d faults, want %d:\n%v", len(got), len(want), err)
	}
	for i, sentence := range want {
		if !strings.HasSuffix(got[i], sentence) {
			t.Errorf("got %q, want %q", got[i], sentence)
		}
	}
}

// TestClientsOfTenants gives each tenant clients of its own.
func TestClientsOfTenants(t *testing.T) {
	table := "redirects = \"https://app.example.com/\"\nsecret-file = CLIENT\n"
	settings, _ := reads(t, "--config", clientFile(t, "edition = \"cloud\"\n[tenant.acme]\nmax-passkeys = 3\n[tenant.acme.client.b]\n"+table+"[tenant.acme.client.a]\n"+table+"[tenant.beta.client.c]\n"+table))
	for name, want := range map[string][]string{"acme": {"b", "a"}, "beta": {"c"}, "gamma": nil} {
		organisation, err := settings.Organisation(tenant.Tenant{Name: name})
		var got []string
		for _, c := range organisation.Clients {
			got = append(got, c.ID)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v, %v", name, got, want, err)
		}
	}
	for _, bad := range []struct{ says, text string }{
		{"make it [tenant.NAME.client.grafana]", "[client.grafana]\n" + table},
		{`unknown key "tenant.acme.client.b.nmae": did you mean "name"?`, "[tenant.acme.client.b]\n" + table + "nmae = \"x\"\n"},
		{"the table [tenant.acme] of the configuration file: the client b: there is no redirect", "[tenant.acme.client.b]\nsecret-file = CLIENT\n"},
	} {
		failsWith(t, bad.says, "--edition", "cloud", "--config", clientFile(t, bad.text))
	}
}

// TestClientsInForce prints the tables of clients, without the secrets, which stand in other files.
func TestClientsInForce(t *testing.T) {
	settings, flags := reads(t, "--config", clientFile(t, "[client.grafana]\nredirects = \"https://grafana.example.com/\"\nsecret-file = CLIENT\n"))
	var b strings.Builder
	if err := settings.WriteInForce(&b, flags); err != nil || !strings.Contains(b.String(), "[client.grafana]\n") || strings.Contains(b.String(), "s3cret") {
		t.Errorf("got %s, %v", b.String(), err)
	}
	b.Reset()
	if err := settings.WriteFile(&b, flags); err != nil || !strings.Contains(b.String(), "#[client.example]\n") {
		t.Errorf("the sample has no client: %s, %v", b.String(), err)
	}
	if !slices.Contains(config.ClientKeys(), "back-channel-logout") {
		t.Errorf("the keys are %v", config.ClientKeys())
	}
}
