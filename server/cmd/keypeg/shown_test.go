package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestNothingSecretShown writes passwords where something else belongs: each refusal says
// where that is, and none repeats it.
func TestNothingSecretShown(t *testing.T) {
	folder := t.TempDir()
	const url = "postgres://d1:Summer@db/d1"
	config, secret := filepath.Join(folder, "keypeg.toml"), filepath.Join(folder, "secret")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		says string
		args []string
	}{
		{"--socket looks like a URL that can't be read: write the path of a file", []string{"version", "--socket", url}},
		{"--config looks like a URL that can't be read: write the path of a file", []string{"version", "--config", url}},
		{"--attestation-roots looks like a URL that can't be read", []string{"version", "--attestation-roots", url}},
		{"--log-level must be one of", []string{"version", "--log-level", url}},
		{"--max-passkeys must be a whole number", []string{"version", "--max-passkeys", url}},
		{"--session-idle must be a time", []string{"version", "--session-idle", url}},
		{"--log-json must be true or false", []string{"version", "--log-json=" + url}},
		{"--trusted-proxies must be addresses or networks", []string{"version", "--trusted-proxies", url}},
		{"--listen can't be read", []string{"serve", "--database", filepath.Join(folder, "k.db"), "--listen", url}},
		{"the public URL", []string{"serve", "--database", filepath.Join(folder, "k.db"), "--public-url", url}},
		{"the public URL", []string{"serve", "--database", filepath.Join(folder, "k.db"), "--public-url", "host=db;password=Summer"}},
		{"the RP ID", []string{"serve", "--database", filepath.Join(folder, "k.db"), "--rp-id", url}},
		{"the RP ID", []string{"serve", "--database", filepath.Join(folder, "k.db"), "--rp-id", "host=db;password=Summer"}},
		{"", []string{"tenant", "add", "--edition", "cloud", "--database", filepath.Join(folder, "c.db"), "acme", url}},
		{"", []string{"tenant", "add", "--edition", "cloud", "--database", filepath.Join(folder, "c.db"), url, "https://id.acme.example"}},
		{"", []string{"user", "list", "--edition", "cloud", "--database", filepath.Join(folder, "c.db"), "--tenant", url}},
		{"", []string{"user", "list", "--edition", url}},
		{"", []string{"backup", "--tenant-list", url}},
		{"<file> looks like a URL that can't be read: write the path of a file", []string{"backup", "make", url}},
		{"<file> is written in words such as host=", []string{"backup", "verify", "host=db password=Summer"}},
		{"<file> looks like a URL that can't be read", []string{"restore", url}},
		{"unexpected argument what is there", []string{"serve", url}},
		{"unexpected argument what is there", []string{url}},
		{`unknown flag: -database: did you mean "--database"?`, []string{"serve", "-database=" + url}},
		{`unknown flag: --databse: did you mean "--database"?`, []string{"serve", "--databse=" + url}},
		{"--database needs a value", []string{"serve", "--database", "-Server=h;Password=Summer"}},
	} {
		failsAndHides(t, test.says, "Summer", test.args...)
	}
	for variable, says := range map[string]string{
		"KEYPEG_SOCKET":    "KEYPEG_SOCKET looks like a URL that can't be read",
		"KEYPEG_CONFIG":    "KEYPEG_CONFIG looks like a URL that can't be read",
		"KEYPEG_LOG_LEVEL": "KEYPEG_LOG_LEVEL must be one of",
		"KEYPEG_EDITION":   "KEYPEG_EDITION must be one of",
		"KEYPEG_PASSKEYS":  "KEYPEG_PASSKEYS must be true or false",
	} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, url)
			failsAndHides(t, says, "Summer", "serve")
		})
	}

	provider := "[provider.one]\nissuer = \"https://login.example.com\"\nclient-id = \"k\"\n"
	for _, test := range []struct{ says, text string }{
		{"client-secret-file of the provider one: it names no file: write there the path of a file that holds the secret", provider + "client-secret-file = \"Summer\"\n"},
		{"client-secret-file of the provider one: it names no file", provider + "client-secret-file = \"GOCSPX-Summer/a=?\\u0000\"\n"},
		{"client-secret-file of the provider one: it names no file", provider + "client-secret-file = \"" + strings.Repeat("Summer", 1000) + "\"\n"},
		{"private-key-file of the provider one: it names no file", provider + "private-key-file = \"\"\"-----BEGIN PRIVATE KEY-----\nSummer\n\"\"\"\n"},
		{"[tenant.acme] of the configuration file: client-secret-file of the provider one: it names no file", "edition = \"cloud\"\n[tenant.acme" + strings.Replace(provider, "[", ".", 1) + "client-secret-file = \"Summer\"\n"},
		{`unknown key "provider.one.client-secret": did you mean "client-secret-file"?`, provider + "client-secret = \"Summer\"\n"},
		{`unknown key "provider.one.client_secret": did you mean "client-secret-file"?`, provider + "client_secret = \"Summer\"\n"},
		{`unknown key "provider.one.private-key": did you mean "private-key-file"?`, provider + "private-key = \"Summer\"\n"},
		{"", strings.Replace(provider, "https://login.example.com", "https://k:Summer@login.example.com", 1) + "client-secret-file = \"" + secret + "\"\n"},
		{"", strings.Replace(provider, "provider.one", "provider.\""+url+"\"", 1)},
		{"", "edition = \"cloud\"\n[tenant.\"" + url + "\"]\nproduct = \"x\"\n"},
		{"", "\"" + url + "\" = 1\n"},
		{"", provider + "\"" + url + "\" = 1\n"},
		{"", provider + "client-secret-file = \"" + secret + "\"\nscopes = [7]\n"},
		{"the key database can't have the value what is there", "database = [\"" + url + "\"]\n"},
		{"the key socket looks like a URL that can't be read", "socket = \"" + url + "\"\n"},
		{"isn't TOML", "database = " + url + "\n"},
		{"isn't TOML: line 1 (behind the key \"database\") can't be read: write key = value, and texts in quotes", "database = Summer\n"},
		{"line 1 (behind the key \"database\") can't be read: write key = value, and texts in straight quotes", "database = “Summer”\n"},
		{"isn't TOML", "database = \"postgres://d1:Summer\n"},
		{"isn't TOML", "[provider.one]\nclient-secret-file = Summer\n"},
		{"isn't TOML", "password Summer\n"},
		{"incompatible types", provider + "client-secret-file = [\"Summer\"]\n"},
	} {
		if err := os.WriteFile(config, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		failsAndHides(t, test.says, "Summer", "version", "--config", config)
	}
}

func failsAndHides(t *testing.T, says, secret string, args ...string) {
	t.Helper()
	code, out, errOut := types(t, "", args...)
	if code == 0 || !strings.Contains(errOut, says) || strings.Contains(out+errOut, secret) {
		t.Errorf("%q: exit %d, %q%q, want %q and nothing of %q", args, code, out, errOut, says, secret)
	}
}

// TestWhatIsNoFile names a pipe, and other things that are no files, wherever a file
// belongs. None keeps the program waiting.
func TestWhatIsNoFile(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	if err := syscall.Mkfifo(at("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(at("unmounted/k.db"), at("link")); err != nil {
		t.Fatal(err)
	}
	secretIn := at("keypeg.toml")
	for path, says := range map[string]string{
		at("pipe"):  at("pipe") + " is a named pipe: name a file",
		"/dev/null": "/dev/null is a device: name a file",
		folder:      folder + " is a folder: name a file",
		at("link"):  at("link") + " is a link to " + at("unmounted/k.db") + ", where nothing is",
	} {
		text := "[provider.one]\nissuer = \"https://login.example.com\"\nclient-id = \"k\"\nclient-secret-file = \"" + path + "\"\n"
		if err := os.WriteFile(secretIn, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			{"user", "list", "--database", path},
			{"serve", "--listen", "localhost:0", "--public-url", "http://localhost:8080", "--database", path},
			{"serve", "--listen", "localhost:0", "--edition", "cloud", "--database", path},
			{"backup", "make", at("backup.db"), "--database", path},
			{"backup", "verify", path},
			{"restore", path, "--database", at("new.db")},
			{"store", "copy", "--from", path, "--to", at("new.db")},
			{"version", "--config", path},
			{"version", "--attestation-roots", path},
			{"version", "--config", secretIn},
		} {
			if out, err := command(t, args...).CombinedOutput(); err == nil || !strings.Contains(string(out), says) {
				t.Errorf("%q: %v\n%s\nwant %q", args, err, out, says)
			}
		}
	}

	t.Run("a backup isn't written into a pipe", func(t *testing.T) {
		database := filledDatabase(t, 1)
		if err := os.Rename(at("pipe"), at("b.db.part")); err != nil {
			t.Fatal(err)
		}
		out, err := command(t, "backup", "make", at("b.db"), "--database", database).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "there is something at "+at("b.db.part")+" already") {
			t.Errorf("%v\n%s", err, out)
		}
		if _, err := os.Lstat(at("b.db.part")); err != nil {
			t.Errorf("the pipe is gone: %v", err)
		}
	})
	t.Run("a file in the socket's place stays", func(t *testing.T) {
		p := newProgram(t, "--socket", secretIn)
		p.starts()
		p.logs("there is something else at " + secretIn)
		p.ends(syscall.SIGTERM)
		if _, err := os.Stat(secretIn); err != nil {
			t.Error(err)
		}
	})
}
