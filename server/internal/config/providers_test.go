package config_test

import (
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/federation/federationtest"
)

// TestProviderTables checks what IT may write of a provider, and that a refusal says what
// to write.
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
		if _, _, err := read("--config", federationtest.ConfigFile(t, good)); err != nil {
			t.Errorf("%s\n%v", good, err)
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
		failsWith(t, bad.says, "--config", federationtest.ConfigFile(t, bad.text))
	}
}
