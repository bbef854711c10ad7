package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/config"
)

// TestInit writes a configuration file. It has every setting, and each line of it can be used.
func TestInit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keypeg.toml")
	code, out, refused := types(t, "", "init", path, "--url", "https://id.example.com", "--contact", `IT "desk"`, "--trusted-proxies", "10.0.0.1,10.0.0.2")
	if code != 0 || !strings.Contains(out, "Passkeys will belong to id.example.com") || !strings.Contains(out, "keypeg config check --config "+path) {
		t.Fatalf("exit %d: %s%s", code, out, refused)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v %v", info, err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	settings := newCommandLine().settingFlags
	settings.VisitAll(func(f *pflag.Flag) {
		if f.Name != "config" && strings.Count(string(content), "\n"+f.Name+" = ")+strings.Count(string(content), "\n#"+f.Name+" = ") != 1 {
			t.Errorf("the file has not one line for %s", f.Name)
		}
	})
	for _, line := range []string{`public-url = "https://id.example.com"`, `contact = "IT \"desk\""`, `trusted-proxies = ["10.0.0.1/32", "10.0.0.2/32"]`, `#max-passkeys = 20`, `#keep-events = "8760h"`} {
		if !strings.Contains(string(content), "\n"+line+"\n") {
			t.Errorf("the file hasn't the line %s", line)
		}
	}

	whole := filepath.Join(t.TempDir(), "whole.toml")
	uncommented := regexp.MustCompile(`(?m)^#([a-z-]+ = ["[0-9tf].*)$`).ReplaceAllString(string(content), "$1")
	uncommented, _, _ = strings.Cut(regexp.MustCompile(`(?m)^[a-z-]+ = ""\n`).ReplaceAllString(uncommented, ""), "#[provider.")
	if err := os.WriteFile(whole, []byte(uncommented), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, refused := types(t, "", "config", "check", "--config", whole); code != 0 {
		t.Errorf("with every line in force: exit %d: %s%s\n%s", code, out, refused, uncommented)
	}

	for says, words := range map[string][]string{
		path + " exists, and is left as it is": {"init", path, "--url", "https://other.example.com"},
		"missing flag --url":                   {"init", path + "2"},
		"write https://id.example.com":         {"init", path + "2", "--url", "id.example.com"},
		"the file can't be made":               {"init", filepath.Join(path, "x"), "--url", "https://id.example.com"},
	} {
		if code, out, refused := types(t, "", words...); code == 0 || !strings.Contains(refused, says) {
			t.Errorf("%q: exit %d, %s%s, want %s", words, code, out, refused, says)
		}
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(content) {
		t.Errorf("the file has changed: %v", err)
	}
	if _, err := os.Stat(path + "2"); !os.IsNotExist(err) {
		t.Errorf("a refused command left a file: %v", err)
	}
}

// TestConfig prints what is in force, where it is written, and no password.
func TestConfig(t *testing.T) {
	folder := t.TempDir()
	secret := filepath.Join(folder, "secret")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "keypeg.toml")
	if err := os.WriteFile(path, []byte("public-url = \"https://id.example.com\"\nmax-passkeys = 7\n\n[provider.google]\nissuer = \"https://accounts.example.com\"\nclient-id = \"k\"\nclient-secret-file = \""+secret+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KEYPEG_CONTACT", "IT desk")
	words := []string{"config", "--config", path, "--database", "postgres://u:s3cret@db/k?sslpassword=s3cret&sslmode=require", "--max-passkeys", "9"}
	code, out, refused := types(t, "", words...)
	for _, want := range []string{
		`public-url = "https://id.example.com" +# ` + regexp.QuoteMeta(path) + `, line 1`, `max-passkeys = 9 +# --max-passkeys`, `contact = "IT desk" +# KEYPEG_CONTACT`,
		`session-idle = "24h" +# default`, `database = "postgres://u:xxxxx@db/k\?[^"]*sslpassword=xxxxx" # --database`, `\[provider.google\]`, `client-id = "k"`,
	} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(out) {
			t.Errorf("exit %d: %s%s\nwant %s", code, out, refused, want)
		}
	}
	again := filepath.Join(folder, "again.toml")
	if err := os.WriteFile(again, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, refused := types(t, "", "config", "show", "--config", again); code != 0 {
		t.Errorf("what it prints can't be read: %s", refused)
	}
	code, printed, _ := types(t, "", append(words, "--json")...)
	var list struct{ Settings []config.Value }
	if err := json.Unmarshal([]byte(printed), &list); err != nil || code != 0 || len(list.Settings) < 25 {
		t.Errorf("as JSON: exit %d, %v, %s", code, err, printed)
	}
	if strings.Contains(out+printed+refused, "s3cret") {
		t.Errorf("a password is printed: %s%s%s", out, printed, refused)
	}
}

// TestConfigCheck says everything that is wrong at once, and what the start would warn of.
func TestConfigCheck(t *testing.T) {
	t.Setenv("KEYPEG_MAX_PASSKEYS", "many")
	code, out, refused := types(t, "", "config", "check", "--public-url", "id.example.com", "--session-idle", "1d")
	want := "keypeg: --session-idle must be a time such as 90s, 10m or 24h, not \"1d\"\nkeypeg: KEYPEG_MAX_PASSKEYS must be a whole number, not \"many\"\n" +
		"keypeg: the public URL \"id.example.com\" doesn't begin with https://: write https://id.example.com\nTry keypeg --help.\n"
	if code != 2 || out != "" || refused != want {
		t.Errorf("exit %d: %s%s, want %s", code, out, refused, want)
	}
	code, out, refused = types(t, "", "config", "check", "--public-url", "https://id.example.com", "--max-passkeys", "9", "--trusted-proxies", "10.0.0.0/8")
	if code != 0 || refused != "" || !strings.Contains(out, "warning: anybody in a trusted network") || !strings.Contains(out, "note: no page says whom users can ask") || !strings.HasSuffix(out, "keeps a way to sign in.\n") {
		t.Errorf("exit %d: %s%s", code, out, refused)
	}
}

// TestUnreadFile says that a configuration file lies there that nobody has named.
func TestUnreadFile(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "keypeg.toml"), []byte("contact = \"IT\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const says = "keypeg.toml lies in this folder, and isn't read: add --config keypeg.toml, or set KEYPEG_CONFIG"
	for _, row := range []struct {
		args []string
		want bool
	}{
		{[]string{"config", "check"}, true},
		{[]string{"config", "check", "--config", "keypeg.toml"}, false},
		{[]string{"version"}, false},
	} {
		c := command(t, row.args...)
		c.Dir = folder
		if out, err := c.CombinedOutput(); err != nil || strings.Contains(string(out), says) != row.want {
			t.Errorf("keypeg %s: %v\n%s\nwant the hint %t", strings.Join(row.args, " "), err, out, row.want)
		}
	}
}
