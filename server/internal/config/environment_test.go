package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/config"
)

// TestEmptyVariables sets every variable to nothing, as a compose file with ${X:-} does.
func TestEmptyVariables(t *testing.T) {
	declared().VisitAll(func(f *pflag.Flag) { t.Setenv(config.EnvironmentOf(f), "") })
	t.Setenv("KEYPEG_UNKNOWN", "")
	_, flags := reads(t)
	declared().VisitAll(func(f *pflag.Flag) {
		if got, want := flags.Lookup(f.Name).Value.String(), f.Value.String(); got != want {
			t.Errorf("%s: got %q, want the default %q", f.Name, got, want)
		}
	})
	settingsFile := filepath.Join(t.TempDir(), "keypeg.toml")
	if err := os.WriteFile(settingsFile, []byte("\ufeffcontact = \"file\"\r\nmax-passkeys = 7\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, _ := reads(t, "--config", settingsFile); s.Contact != "file" || s.MaxPasskeys != 7 {
		t.Errorf("got %q and %d, want those of the file", s.Contact, s.MaxPasskeys)
	}
}

func TestQuotedVariables(t *testing.T) {
	for name, value := range map[string]string{
		"KEYPEG_PRODUCT": `"Example ID"`, "KEYPEG_CONTACT": "'IT desk'", "KEYPEG_DATABASE": `"data/k.db"`, "KEYPEG_RP_ID": `""`, "KEYPEG_PUBLIC_URL": `"https://id.example.com"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			refuses(t, name+" is in quotes, which would be a part of it: write it without, since an env file keeps them")
		})
	}
	t.Run("within a text", func(t *testing.T) {
		t.Setenv("KEYPEG_CONTACT", `"IT" or "HR"`)
		reads(t)
	})
}

func TestUnknownVariables(t *testing.T) {
	for name, wants := range map[string]string{
		"KEYPEG_PUBLIC_ULR":      `there is no setting KEYPEG_PUBLIC_ULR: did you mean "KEYPEG_PUBLIC_URL"?`,
		"KEYPEG_DATABSE":         `there is no setting KEYPEG_DATABSE: did you mean "KEYPEG_DATABASE"?`,
		"KEYPEG_TRUSTED_PROXY":   `there is no setting KEYPEG_TRUSTED_PROXY: did you mean "KEYPEG_TRUSTED_PROXIES"?`,
		"KEYPEG_RPID":            `there is no setting KEYPEG_RPID: did you mean "KEYPEG_RP_ID"?`,
		"KEYPEG_LOGLEVEL":        `there is no setting KEYPEG_LOGLEVEL: did you mean "KEYPEG_LOG_LEVEL"?`,
		"KEYPEG_Contact":         `there is no setting KEYPEG_Contact: did you mean "KEYPEG_CONTACT"?`,
		"KEYPEG_SOMETHING_OTHER": "there is no setting KEYPEG_SOMETHING_OTHER",
		"KEYPEG_PORT":            "there is no setting KEYPEG_PORT",
		"KEYPEG_LISTEN_PORT":     "there is no setting KEYPEG_LISTEN_PORT",
		"KEYPEG_NAME":            `there is no setting KEYPEG_NAME: did you mean "KEYPEG_ACME"?`,
		"KEYPEG_PRODUCT_NAME":    "there is no setting KEYPEG_PRODUCT_NAME",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "s3cret")
			refuses(t, wants)
		})
	}
	t.Run("of others", func(t *testing.T) {
		for name, value := range map[string]string{
			"KEYPEG_SERVICE_HOST": "10.96.0.7", "KEYPEG_SERVICE_PORT": "80", "KEYPEG_SERVICE_PORT_HTTP": "80", "KEYPEG_PORT": "tcp://10.96.0.7:80",
			"KEYPEG_PORT_80_TCP": "tcp://10.96.0.7:80", "KEYPEG_PORT_80_TCP_ADDR": "10.96.0.7", "KEYPEGX": "x",
			// Of other services and containers, such as keypeg-db.
			"KEYPEG_DB_SERVICE_HOST": "10.96.0.8", "KEYPEG_DB_SERVICE_PORT": "5432", "KEYPEG_DB_PORT": "tcp://10.96.0.8:5432",
			"KEYPEG_DB_PORT_5432_TCP": "tcp://10.96.0.8:5432", "KEYPEG_DB_PORT_5432_TCP_PROTO": "tcp", "KEYPEG_DNS_PORT": "udp://10.96.0.9:53",
			"KEYPEG_DNS_PORT_53_UDP_PORT": "53", "KEYPEG_SIGNAL_PORT": "sctp://[fd00::7]:3868", "KEYPEG_SIGNAL_PORT_3868_SCTP": "sctp://[fd00::7]:3868",
			"KEYPEG_NAME": "/web/keypeg", "KEYPEG_DB_NAME": "/web/keypeg-db", "KEYPEG_ENV_PATH": "/bin", "KEYPEG_DB_ENV_POSTGRES_PASSWORD": "s3cret",
			"KEYPEG_DB_1_PORT": "tcp://172.17.0.5:5432", "KEYPEG_DB_1_NAME": "/web/keypeg_db_1",
		} {
			t.Setenv(name, value)
		}
		reads(t)
	})
	t.Run("in UTF-16", func(t *testing.T) {
		settingsFile := filepath.Join(t.TempDir(), "keypeg.toml")
		if err := os.WriteFile(settingsFile, []byte("\xff\xfec\x00=\x001\x00"), 0o600); err != nil {
			t.Fatal(err)
		}
		refuses(t, "the configuration file can't be read: "+settingsFile+" is in UTF-16: save it as UTF-8", "--config", settingsFile)
	})
}
