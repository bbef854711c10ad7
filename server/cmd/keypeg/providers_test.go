package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/keypeg/keypeg/server/federation/federationtest"
	"github.com/keypeg/keypeg/shared"
)

// withSecret writes a configuration file in whose text SECRET stands for a file with a
// client secret.
func withSecret(t *testing.T, text string) (path string) {
	t.Helper()
	folder := t.TempDir()
	path = filepath.Join(folder, "keypeg.toml")
	secret := filepath.Join(folder, "secret")
	for name, content := range map[string]string{secret: "s3cret\n", path: strings.ReplaceAll(text, "SECRET", `"`+secret+`"`)} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// TestProviderTables is what IT may write of a provider, and what the start refuses with
// what to write.
func TestProviderTables(t *testing.T) {
	one := "[provider.one]\nissuer = \"https://login.example.com\"\nclient-id = \"k\"\nclient-secret-file = SECRET\n"
	creates := one + "create-users = true\n"
	for _, good := range []string{
		one,
		strings.Replace(one, "https://login.example.com", " https://login.example.com ", 1),
		creates + "allowed-domains = [\"Example.com\", \"bücher.example\"]\n",
		one + "required-claims = { hd = \"example.com\" }\n",
		one + "required-claims = { groups = [\"staff\", \"guests\"], level = 3, employee = true, \"https://example.com/role\" = \"x\" }\n",
		one + "[provider.one.required-claims]\ntid = \"a\"\n",
		strings.Replace(creates, "login.example.com", "gitlab.com", 1) + "allowed-domains = [\"example.com\"]\nrequired-claims = { groups_direct = \"acme\" }\n",
		creates + "allowed-domains = \"example.com\"\nscopes = \"email\"\n",
	} {
		if code, _, errOut := types(t, "", "version", "--config", withSecret(t, good)); code != 0 {
			t.Errorf("%s\n%s", good, errOut)
		}
	}
	for _, bad := range []struct{ says, text string }{
		{"create-users without allowed-domains", creates},
		{"allowed-domains without create-users", one + "allowed-domains = [\"example.com\"]\n"},
		{`write what stands behind the @, "example.com"`, creates + "allowed-domains = [\"@example.com\"]\n"},
		{`write each domain by itself, such as "example.com"`, creates + "allowed-domains = [\"example.org\", \"*.example.com\"]\n"},
		{"an empty domain matches nobody", creates + "allowed-domains = [\"\"]\n"},
		{"write required-claims with a claim that it gives to your members only", strings.Replace(creates, "login.example.com", "gitlab.com", 1) + "allowed-domains = [\"example.com\"]\n"},
		{"must have a value that isn't empty", one + "required-claims = { hd = [] }\n"},
		{"must have a value that isn't empty", one + "required-claims = { hd = \"\" }\n"},
		{"hd must be a text or a list of texts", one + "required-claims = { hd = 1.5 }\n"},
		{"7 must be a text", creates + "allowed-domains = [7]\n"},
		{"the provider one needs an issuer", "provider.one.client-id = \"k\"\n"},
		{"the provider one needs an issuer", "[provider.one.required-claims]\nhd = \"example.com\"\n"},
		{"a key provider that isn't a table", "provider = \"one\"\n"},
		{`unknown key "provider.one.client_id": did you mean "client-id"?`, one + "client_id = \"k\"\n"},
		{`unknown key "provider.one.Issuers": did you mean "issuer"?`, one + "Issuers = \"k\"\n"},
		{`unknown key "provider.one.colour" (`, one + "colour = \"red\"\n"},
		{`unknown key "providers": did you mean "provider"?`, strings.Replace(one, "provider", "providers", 1)},
		{`unknown key "public_url": did you mean "public-url"?`, "public_url = \"https://id.example.com\"\n"},
		{"TENANT-ID", strings.Replace(one, "login.example.com", "login.microsoftonline.com/common/v2.0", 1)},
		{"must begin with https://", strings.Replace(one, "https:", "http:", 1)},
		{`unknown key "provider.one.required-claim": did you mean "required-claims"?`, one + "required-claim = { hd = \"x\" }\n"},
	} {
		failsWith(t, bad.says, "", "version", "--config", withSecret(t, bad.text))
	}
}

// TestProvidersAtStart holds that IT reads at the start which provider nobody can sign in
// at, and that no start waits for one.
func TestProvidersAtStart(t *testing.T) {
	silent, err := net.Listen("tcp", "localhost:0") // it takes connections, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	provider := federationtest.Start(t)
	table := func(prefix, name, issuer string) string {
		return "[" + prefix + name + "]\nissuer = \"" + issuer + "\"\nclient-id = \"keypeg\"\nclient-secret-file = SECRET\n"
	}
	t.Run("on-premise", func(t *testing.T) {
		p := newProgram(t, "--config", withSecret(t, table("provider.", "silent", "http://"+silent.Addr().String())+table("provider.", "slash", provider.URL+"/")))
		provider.Register(federationtest.Client{ID: "keypeg", Secret: "s3cret", RedirectURIs: []string{p.url + shared.PageSSO + "slash" + shared.PageSSOAnswer}})
		p.starts()
		p.logs(`level=WARN msg="nobody can sign in at an OpenID provider" provider=slash`)
		p.logs(`mend="write issuer = \"` + provider.URL + `\"`)
		if log := p.log.String(); strings.Contains(log, "s3cret") {
			t.Errorf("the log tells the secret:\n%s", log)
		}
		p.ends(syscall.SIGTERM)
	})
	t.Run("in the cloud edition, by tenant", func(t *testing.T) {
		p := newCloud(t, filepath.Join(t.TempDir(), "keypeg.db"), "--config", withSecret(t, table("tenant.acme.provider.", "slash", provider.URL+"/")))
		p.begins()
		p.adds("acme")
		p.starts()
		p.logs(`level=WARN msg="nobody can sign in at an OpenID provider" tenant=acme provider=slash`)
		p.ends(syscall.SIGTERM)
	})
}
