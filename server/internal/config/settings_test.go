package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/config"
)

// declared are the flags of all settings, with their defaults.
func declared() *pflag.FlagSet {
	flags := config.NewFlagSet()
	new(config.Settings).Declare(flags)
	return flags
}

// read reads settings as the program does: what is typed, the environment and the file.
func read(typed ...string) (*config.Settings, *pflag.FlagSet, error) {
	return readFor(config.Use{}, typed...)
}

func readFor(use config.Use, typed ...string) (*config.Settings, *pflag.FlagSet, error) {
	s, flags := new(config.Settings), config.NewFlagSet()
	s.Declare(flags)
	err := flags.ParseAll(typed, func(f *pflag.Flag, value string) error {
		s.Type(f, value)
		return nil
	})
	if err == nil {
		s.LookElsewhere(flags)
		err = s.Check(use)
	}
	return s, flags, err
}

// reads expects settings that are right.
func reads(t *testing.T, typed ...string) (*config.Settings, *pflag.FlagSet) {
	t.Helper()
	s, flags, err := read(typed...)
	if err != nil {
		t.Fatalf("%q: %v", typed, err)
	}
	return s, flags
}

// refuses expects this very sentence.
func refuses(t *testing.T, sentence string, typed ...string) {
	t.Helper()
	if _, _, err := read(typed...); err == nil || err.Error() != sentence {
		t.Errorf("%q: got %v, want %q", typed, err, sentence)
	}
}

// failsWith expects a refusal that has these words, and repeats no secret: those of the tests
// are Summer and s3cret.
func failsWith(t *testing.T, words string, typed ...string) {
	t.Helper()
	_, _, err := read(typed...)
	if err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "Summer") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%q: got %v, want %q", typed, err, words)
	}
}

// TestPlaces sets each kind of setting in each place where it can stand.
func TestPlaces(t *testing.T) {
	settingsFile := filepath.Join(t.TempDir(), "keypeg.toml")
	in := func(t *testing.T, key, value string) {
		t.Helper()
		if err := os.WriteFile(settingsFile, []byte(key+" = "+value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ key, file, environment, typed, wrong, refusal string }{
		{"contact", `"file"`, "environment", "typed", "", ""},
		{"max-passkeys", "3", "4", "5", "many", `must be a whole number, not "many"`},
		{"session-idle", `"3h0m0s"`, "4h0m0s", "5h0m0s", "soon", `must be a time such as 90s, 10m or 24h, not "soon"`},
		{"keep-events", `"1000h0m0s"`, "2000h0m0s", "3000h0m0s", "one year", `must be a time such as 90s, 10m or 24h, not "one year"`},
		{"log-json", "false", "true", "false", "maybe", `must be true or false, not "maybe"`},
		{"log-level", `"debug"`, "warn", "error", "loud", `must be one of debug,info,warn,error, not "loud"`},
		{"trusted-proxies", `["10.3.0.0/16", "10.1.0.0/16"]`, "10.4.0.0/16", "10.5.0.0/16", "lan", `must be addresses or networks such as 10.1.2.3 or 10.0.0.0/28, and "lan" isn't one`},
	} {
		t.Run(test.key, func(t *testing.T) {
			has := func(want string, words ...string) {
				t.Helper()
				_, flags := reads(t, append([]string{"--config", settingsFile}, words...)...)
				if got := flags.Lookup(test.key).Value.String(); got != want {
					t.Errorf("%q: got %s, want %s", words, got, want)
				}
			}
			variable := config.EnvironmentOf(declared().Lookup(test.key))
			in(t, test.key, test.file)
			has(strings.NewReplacer(`"`, "", "[", "", "]", "", " ", "").Replace(test.file))
			t.Setenv(variable, test.environment)
			has(test.environment)
			has(test.typed, "--"+test.key+"="+test.typed)
			if test.wrong == "" {
				return
			}

			// What is overruled doesn't matter.
			in(t, test.key, `"`+test.wrong+`"`)
			has(test.environment)
			t.Setenv(variable, test.wrong)
			has(test.typed, "--"+test.key+"="+test.typed)

			refuses(t, "--"+test.key+" "+test.refusal, "--config", settingsFile, "--"+test.key+"="+test.wrong)
			refuses(t, variable+" "+test.refusal, "--config", settingsFile)
			os.Unsetenv(variable)
			refuses(t, "the configuration file: the key "+test.key+" "+test.refusal+" ("+settingsFile+", line 1)", "--config", settingsFile)
		})
	}
	t.Run("the environment names the file", func(t *testing.T) {
		in(t, "contact", `"file"`)
		t.Setenv("KEYPEG_CONFIG", settingsFile)
		if s, _ := reads(t); s.Contact != "file" {
			t.Errorf("got %q", s.Contact)
		}
	})
	t.Run("a file that is named must be there", func(t *testing.T) {
		refuses(t, "the configuration file can't be read: there is no such file or folder: make it, or correct the path "+settingsFile+".none (no such file or directory)", "--config", settingsFile+".none")
		refuses(t, "--config has no name: write the path of a file", "--config=")
	})
	t.Run("keys are settings, with a value of their kind", func(t *testing.T) {
		for key, wants := range map[string]string{
			"config":       `the configuration file has a key "config": it can't name another one`,
			"help":         `the configuration file has an unknown key "help"`,
			"no-passkeys":  `the configuration file has an unknown key "no-passkeys": did you mean "passkeys"?`,
			"tenant-list":  `the configuration file has an unknown key "tenant-list"`,
			"display-name": `the configuration file has an unknown key "display-name"`,
		} {
			in(t, key, "true")
			refuses(t, wants+" ("+settingsFile+", line 1)", "--config", settingsFile)
		}
		in(t, "max-passkeys", "[5]")
		refuses(t, "the configuration file: the key max-passkeys can't have the value [5] ("+settingsFile+", line 1)", "--config", settingsFile)
		in(t, "max-passkeys", "5.5")
		refuses(t, `the configuration file: the key max-passkeys must be a whole number, not "5.5" (`+settingsFile+", line 1)", "--config", settingsFile)
	})
}

// TestWhereInTheFile checks that a refusal names the file and the line of what is wrong in
// it.
func TestWhereInTheFile(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const good = "issuer = \"https://a.example.com\"\nclient-id = \"k\"\nclient-secret-file = "
	for content, says := range map[string]string{
		"contact = \"a\"\n# contact\nproduct = \"x\"\ncontact = \"Summer\"\n":     `has "contact" twice: leave one of them out (FILE, lines 1 and 4)`,
		"[provider.a]\nname = \"A\"\n\n[provider.a]\nname = \"B\"\n":              `has "provider.a" twice: leave one of them out (FILE, lines 1 and 4)`,
		"[provider.a]\nissuer = \"i\"\nname = \"A\"\nissuer = \"Summer\"\n":       `has "provider.a.issuer" twice: leave one of them out (FILE, lines 2 and 4)`,
		"contact = \"\"\"\nproduct = 1\n\"\"\"\nprodukt = \"x\"\n":                `unknown key "produkt": did you mean "product"? (FILE, line 4)`,
		"contact = \"a\"\n\nmax-passkeys = \"many\"\n":                            "max-passkeys must be a whole number, not \"many\" (FILE, line 3)",
		"contact = \"a\"\n[provider.a]\nname = \"A\"\n":                           "(FILE, line 2)",
		"[provider.a]\nname = \"A\"\nisuser = \"x\"\n":                            "(FILE, line 3)",
		"[provider.a]\n" + good + "'" + secret + "'\n[provider.b]\nname = \"\"\n": "(FILE, line 5)",
		"edition = \"cloud\"\n[tenant.acme]\nmax-passkeys = 99\n":                 "[tenant.acme] of the configuration file: --max-passkeys must be from 1 to 60 (FILE, line 3)",
		"edition = \"cloud\"\n[tenant.a.provider.b]\nname = \"B\"\n":              "[tenant.a] of the configuration file: ",
		"[tenant.acme]\nmax-passkeys = 3\n":                                       "(FILE, line 1)",
		"contact\n":                                                               "isn't TOML: ",
	} {
		path := filepath.Join(t.TempDir(), "keypeg.toml")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		failsWith(t, strings.ReplaceAll(says, "FILE", path), "--config", path)
		failsWith(t, path, "--config", path)
	}
}

// TestTrustedProxies checks that an address as other programs write it is refused with
// what to write.
func TestTrustedProxies(t *testing.T) {
	for written, write := range map[string]string{"[::1]": "write ::1", "127.0.0.1:80": "write 127.0.0.1", "[2001:db8::1]:443": "write 2001:db8::1", "[::ffff:10.0.0.1]": "write 10.0.0.1"} {
		failsWith(t, write, "--trusted-proxies", written)
	}
}
