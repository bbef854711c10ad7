package config_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/internal/config"
)

// wrongLines are lines of a file that can't be used, each alone, with what the refusal tells IT to write or
// to see. In a line, SECRET is a file with a secret, and DIR a folder.
var wrongLines = []struct{ line, says string }{
	{`lisen = ":8080"`, `did you mean "listen"?`},
	{`publicurl = "https://id.example.com"`, `did you mean "public-url"?`},
	{`public_url = "https://id.example.com"`, `did you mean "public-url"?`},
	{`smtp-password = "Summer"`, `did you mean "smtp-password-file"?`},
	{`databse = "postgres://u:Summer@db/k"`, `did you mean "database"?`},
	{`contacts = "IT"`, `did you mean "contact"?`},
	{`something-else = 1`, `unknown key "something-else"`},
	{`config = "other.toml"`, "it can't name another one"},
	{`edition = "enterprise"`, "must be one of on-premise,cloud"},
	{`listen = "8080"`, "write an address with a port up to 65535, such as localhost:8080 or :8080"},
	{`listen = ":99999"`, "write an address with a port up to 65535"},
	{`listen = "localhost:0"`, "write it as localhost:8080 or :8080, or set --public-url"},
	{`public-url = "id.example.com"`, "write https://id.example.com"},
	{`public-url = "https://id.example.com/keypeg"`, "https://id.example.com"},
	{`public-url = "https://192.0.2.7"`, "192.0.2.7"},
	{`public-url = "http://id.example.com"`, "https"},
	{`public-url = "https://id.example.com:99999"`, "port"},
	{`public-url = "https://ann:Summer@id.example.com"`, "public URL"},
	{`rp-id = "github.io"`, "or a domain above it, or leave it out"},
	{`rp-id = "https://id.example.com"`, "must be a domain alone"},
	{`rp-id = "other.example.org"`, "or a domain above it, or leave it out"},
	{`former-urls = "id.old.example"`, "--former-urls: the public URL \"id.old.example\" doesn't begin with https://: write https://id.old.example"},
	{`former-urls = ["https://id.old.example new.example"]`, "write \"id.old.example\", or a domain above it"},
	{`former-urls = 7`, "doesn't begin with https://"},
	{`other-urls = ["https://192.0.2.7"]`, "192.0.2.7"},
	{`other-urls = "http://id.other.example"`, "https"},
	{`trusted-proxies = "lan"`, "must be addresses or networks such as 10.1.2.3 or 10.0.0.0/28"},
	{`trusted-proxies = ["10.0.0.1", "10.0.0.2:80"]`, "write 10.0.0.2"},
	{`trusted-proxies = "::ffff:0:0/64"`, "has IPv4 addresses and others in it"},
	{`trusted-proxies = 7`, "must be addresses or networks"},
	{`database = ""`, "--database"},
	{`database = "postgres://u:Sum#mer@db/k"`, "write it as %23"},
	{`database = "postgres://u:Summer@@db/k"`, "write it as %40"},
	{`database = "postgres://u:Sum/mer@db/k"`, "write them as %2F and %3F"},
	{`database = "postgres://u:100%Summer@db/k"`, "write it as %25"},
	{`database = "mysql://u:Summer@db/k"`, "--database"},
	{`database = "host=db password=Summer"`, "--database"},
	{`passkeys = "maybe"`, "must be true or false"},
	{`passkeys = 2`, "must be true or false"},
	{`attestation-roots = "DIR/none.pem"`, "make it, or correct the path"},
	{`attestation-roots = "SECRET"`, "must be a PEM file with certificates"},
	{`password-sign-in = "no"`, "must be one of on,administrators,off"},
	{`user-verification = "discouraged"`, "must be one of required,preferred"},
	{`max-passkeys = "many"`, "must be a whole number"},
	{`max-passkeys = 0`, "must be from 1 to 60"},
	{`max-passkeys = 61`, "must be from 1 to 60"},
	{`max-passkeys = 5.5`, "must be a whole number"},
	{`max-passkeys = [5]`, "can't have the value [5]"},
	{`session-idle = "30"`, "must be a time such as 90s, 10m or 24h"},
	{`session-idle = 30`, "must be a time such as 90s, 10m or 24h"},
	{`session-idle = "1d"`, "must be a time such as 90s, 10m or 24h"},
	{`session-idle = "0s"`, "must be at least 1s"},
	{`session-lifetime = "1h"`, "--session-idle (24h0m0s) must not be longer than --session-lifetime (1h0m0s)"},
	{`confirm-after = "-5m"`, "must be at least 1s"},
	{`keep-events = "24h"`, "must be from 720h, which is 30 days, to 8760h, a year"},
	{`product = "  "`, "must not be empty"},
	{`mail-from = "Keypeg <k@example.com>"`, "write --mail-from k@example.com"},
	{`mail-from = "nobody"`, "must be an address such as keypeg@example.com"},
	{`mail-language = "it"`, "must be one of en,"},
	{`smtp-server = "smtp://smtp.example.com"`, "write it like smtp.example.com:587"},
	{`smtp-server = "smtp.example.com:0"`, "write it like smtp.example.com:587"},
	{`smtp-server = "smtp.example.com"`, "needs --mail-from too"},
	{`smtp-security = "ssl"`, "must be one of starttls,tls,none"},
	{`smtp-password-file = "Summer"`, "names no file"},
	{`smtp-password-file = "DIR"`, "smtp-password-file"},
	{`tls-cert = "SECRET"`, "--tls-cert and --tls-key go together"},
	{`tls-key = "SECRET"`, "--tls-cert and --tls-key go together"},
	{`acme = true`, "--acme needs --public-url"},
	{`acme = "sometimes"`, "must be true or false"},
	{`acme-directory = "letsencrypt"`, "--acme-directory must be an address such as https://"},
	{`acme-directory = "http://ca.example.com/dir"`, "--acme-directory must be an address such as https://"},
	{`acme-email = "IT <it@example.com>"`, "--acme-email must be an address such as it@example.com"},
	{`redirect = ":80"`, "set --acme or --tls-cert, or let the proxy in front redirect"},
	{`listen = "unix:/run/keypeg/s"`, "set --public-url"},
	{`listen = "systemd"`, "set --public-url"},
	{`backup-every = "5s"`, "must be at least 1m"},
	{`backup-keep = 0`, "must be at least 1"},
	{`audit-log = "syslog:logs.example.com"`, "write syslog:HOST:PORT, such as syslog:logs.example.com:601"},
	{`audit-log = "./data/keypeg.db"`, "is the file of --database, which it would destroy"},
	{`audit-log = "syslog-tls:/dev/log"`, "write syslog:HOST:PORT"},
	{`audit-log = "syslog:"`, "write syslog:HOST:PORT"},
	{`metrics = "9464"`, "write an address with a port up to 65535, such as localhost:9464"},
	{`metrics = "systemd"`, "such as localhost:9464, or unix:/run/keypeg/metrics"},
	{`metrics = "localhost:8080"`, "is the address of --listen, which people reach"},
	{`drain-delay = "-1s"`, "must not be negative"},
	{`log-level = "verbose"`, "must be one of debug,info,warn,error"},
	{`log-json = "json"`, "must be true or false"},
	{`manual-public = "public"`, "must be true or false"},
	{`provider = "google"`, "write a table for each, such as [provider.NAME]"},
	{`provider.google.isuser = "https://a.example.com"`, `did you mean "issuer"?`},
	{`provider.google.client-id = "k"`, "needs an issuer"},
	{`client = "grafana"`, "write a table for each, such as [client.NAME]"},
	{`client.a = { redirect = "https://a.example.com/", secret-file = "SECRET" }`, `did you mean "redirects"?`},
	{`client.a = { redirects = "http://a.example.com/", authentication = "none" }`, "must begin with https://"},
	{`client.a = { redirects = "https://a.example.com/" }`, "name a file with its secret"},
	{`client.a = { redirects = "https://a.example.com/", secret-file = "SECRET" }`, "has less than 32 characters"},
	{`gate = "wiki"`, "write a table for each, such as [gate.NAME]"},
	{`gate.wiki = { hosts = "wiki.example.com" }`, `did you mean "host"?`},
	{`gate.wiki = { host = "http://wiki.example.com" }`, "isn't safe without https"},
	{`gate.wiki = { host = "localhost" }`, "which is the address of Keypeg itself"},
	{`tenant.acme.max-passkeys = 3`, `remove it, or write edition = "cloud"`},
}

// TestWrongSettings refuses what can't be used, with the line of the file and what to write, and repeats no
// secret.
func TestWrongSettings(t *testing.T) {
	if len(wrongLines) < 60 {
		t.Errorf("the table has only %d rows", len(wrongLines))
	}
	for i, test := range wrongLines {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			path := writes(t, "# a comment\nlog-level = \"info\"\n"+test.line+"\n")
			if strings.HasPrefix(test.line, "log-level") {
				path = writes(t, "# a comment\n\n"+test.line+"\n")
			}
			err := checks("--config", path)
			if err == nil {
				t.Fatalf("%s is taken", test.line)
			}
			got := err.Error()
			if !strings.Contains(got, test.says) || !strings.Contains(got, path+", line 3") || strings.Contains(got, "\n") {
				t.Errorf("%s: got %q, want %q and the line, and nothing else", test.line, got, test.says)
			}
			if strings.Contains(got, "Sum") {
				t.Errorf("it has a password: %s", got)
			}
		})
	}
}

// TestAllThatIsWrong names everything at once, wherever it is written, and nothing that only follows from it.
func TestAllThatIsWrong(t *testing.T) {
	t.Setenv("KEYPEG_MAX_PASSKEYS", "many")
	t.Setenv("KEYPEG_SESSION_IDLE", "48h")
	t.Setenv("KEYPEG_PROXIES", "10.0.0.1")
	path := writes(t, "session-lifetime = \"30h\"\nsmtp-server = \"smtp.example.com\"\nmail-from = \"nobody\"\nsmtp-user = \"u\"\nsmtp-password-file = \"none\"\n\n"+
		"[provider.a]\nissuer = \"http://a.example.com\"\nclient-id = \"k\"\nclient-secret-file = \"none\"\n\n[provider.b]\nclient-id = \"k\"\n[tenant.acme]\nx = 1\n")
	err := checks("--config", path, "--log-level", "loud")
	if err == nil {
		t.Fatal("it is taken")
	}
	got := strings.Split(err.Error(), "\n")
	want := []string{
		"--log-level must be one of debug,info,warn,error, not \"loud\"",
		"KEYPEG_MAX_PASSKEYS must be a whole number, not \"many\"",
		"there is no setting KEYPEG_PROXIES",
		"the key smtp-password-file can't be used: it names no file",
		"--session-idle (48h0m0s) must not be longer than --session-lifetime (30h0m0s) (KEYPEG_SESSION_IDLE; " + path + ", line 1)",
		"--mail-from must be an address such as keypeg@example.com, not \"nobody\" (" + path + ", line 3)",
		"client-secret-file of the provider a", "the provider b needs an issuer", "unknown key \"x\"", "there are tenants in the cloud edition only",
	}
	for i, words := range want {
		if i >= len(got) || !strings.Contains(got[i], strings.Trim(words, "[]")) {
			t.Fatalf("got\n%s\nwant %q in sentence %d", strings.Join(got, "\n"), words, i+1)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %d sentences, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
}

// writes writes a configuration file, with a file with a secret and a folder beside it.
func writes(t *testing.T, content string) (path string) {
	t.Helper()
	folder := t.TempDir()
	secret := filepath.Join(folder, "secret")
	if err := os.WriteFile(secret, []byte("Summer\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(folder, "keypeg.toml")
	if err := os.WriteFile(path, []byte(strings.NewReplacer("SECRET", secret, "DIR", folder).Replace(content)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// checks reads settings as the server does.
func checks(typed ...string) error {
	_, _, err := readFor(config.Use{Serves: true}, typed...)
	return err
}
