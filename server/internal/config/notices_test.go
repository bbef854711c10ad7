package config_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// root is a certificate in PEM that is valid until a time.
func root(t *testing.T, until time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Maker"}, NotBefore: until.AddDate(-1, 0, 0), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// TestNotices reads what the log says at the start of settings that are odd, and not
// wrong.
func TestNotices(t *testing.T) {
	folder := t.TempDir()
	file := func(name string, mode os.FileMode, content ...[]byte) string {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, bytes.Join(content, nil), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	next, last := time.Now().AddDate(0, 6, 0), time.Now().AddDate(0, -1, 0)
	secrets := 0
	provider := func(mode os.FileMode, secret string) string {
		secrets++
		return "[provider.one]\nissuer = \"https://login.example.com\"\nclient-id = \"k\"\nclient-secret-file = \"" + file(fmt.Sprint("secret", secrets), mode, []byte(secret)) + "\"\n"
	}
	client := func(mode os.FileMode) string {
		return "[client.app]\nredirects = \"https://app.example.com/\"\nsecret-file = \"" + file(fmt.Sprint("client", mode), mode, []byte("s3cret-of-a-program-with-32-characters")) + "\"\n"
	}
	creates := func(issuer, more string) string {
		return strings.Replace(provider(0o600, "s3cret"), "https://login.example.com", issuer, 1) + "create-users = true\nallowed-domains = [\"Example.com\"]\n" + more
	}
	for _, row := range []struct {
		args []string
		says string // "" for nothing at all
	}{
		{[]string{"--trusted-proxies", "10.0.0.0/8"}, "name the proxies alone"},
		{[]string{"--trusted-proxies", "0.0.0.0/0"}, "name the proxies alone"},
		{[]string{"--trusted-proxies", "fd00::/64"}, "name the proxies alone"},
		{[]string{"--trusted-proxies", "10.0.0.11,10.0.0.16/29,127.0.0.0/8,::1"}, ""},
		{[]string{"--listen", ":8080"}, "set the address that people type"},
		{[]string{"--listen", "192.0.2.7:8080"}, "set the address that people type"},
		{[]string{"--listen", "0.0.0.0:8080", "--public-url", "https://id.example.com"}, ""},
		{[]string{"--listen", "[::1]:8080"}, ""},
		{[]string{"--listen", ":8080", "--edition", "cloud"}, ""},
		{[]string{"--metrics", ":9464"}, "such as --metrics localhost:9464"},
		{[]string{"--metrics", "0.0.0.0:9464"}, "such as --metrics localhost:9464"},
		{[]string{"--metrics", "192.0.2.7:9464"}, "such as --metrics localhost:9464"},
		{[]string{"--metrics", "localhost:9464"}, ""},
		{[]string{"--metrics", "10.0.0.7:9464"}, ""},
		{[]string{"--metrics", "unix:/run/keypeg/metrics"}, ""},
		{[]string{"--attestation-roots", file("roots", 0o644, []byte("\xef\xbb\xbf"), root(t, next), root(t, next))}, "attestation_roots=2"},
		{[]string{"--attestation-roots", file("old", 0o644, root(t, next), root(t, last))}, "isn't valid now"},
		{[]string{"--config", file("password.toml", 0o644, []byte("database = \"postgres://k:s3cret@db/k\"\n"))}, "which has the database's password: chmod o-rwx"},
		{[]string{"--config", file("private.toml", 0o640, []byte("database = \"postgres://k:s3cret@db/k\"\n"))}, ""},
		{[]string{"--config", file("none.toml", 0o644, []byte("database = \"postgres://k@db/k\"\n"))}, ""},
		{[]string{"--config", file("none.toml", 0o644, []byte("contact = \"IT\"\n")), "--database", "postgres://k:s3cret@db/k"}, ""},
		{[]string{"--config", file("others.toml", 0o600, []byte(creates("https://id.forge.example", "")))}, "write required-claims with a claim that it gives to your members only"},
		{[]string{"--config", file("notmine.toml", 0o600, []byte(creates("https://notexample.com", "")))}, "write required-claims"},
		{[]string{"--config", file("members.toml", 0o600, []byte(creates("https://id.forge.example", "required-claims = { groups = \"staff\" }\n")))}, ""},
		{[]string{"--config", file("mine.toml", 0o600, []byte(creates("https://id_p.example.com/realms/x", "")))}, ""}, // an underscore is no fault of an issuer
		{[]string{"--config", file("google.toml", 0o600, []byte(creates("https://accounts.google.com", "")))}, ""},
		{[]string{"--config", file("entra.toml", 0o600, []byte(creates("https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0", "")))}, ""},
		{[]string{"--config", file("open.toml", 0o600, []byte(provider(0o644, "s3cret")))}, "chmod o-rwx"},
		{[]string{"--config", file("client.toml", 0o600, []byte(client(0o644)))}, "can read the secret of the client app: chmod o-rwx"},
		{[]string{"--config", file("closed.toml", 0o600, []byte(client(0o600)))}, ""},
	} {
		settings, _, err := read(append([]string{"--contact", "IT"}, row.args...)...)
		if err != nil {
			t.Errorf("%q: %v", row.args, err)
			continue
		}
		var output strings.Builder
		settings.LogNotices(slog.New(slog.NewTextHandler(&output, nil)))
		if row.says == "" && output.Len() > 0 || !strings.Contains(output.String(), row.says) || strings.Contains(output.String(), "s3cret") {
			t.Errorf("%q: the log says %q, want %q", row.args, output.String(), row.says)
		}
	}
	for says, args := range map[string][]string{
		"isn't whole":            {"--attestation-roots", file("cut", 0o644, root(t, next)[40:], root(t, next))},
		"is in UTF-16":           {"--config", file("utf16.toml", 0o600, []byte(provider(0o600, "\xff\xfes\x003\x00")))},
		"is empty":               {"--config", file("empty.toml", 0o600, []byte(provider(0o600, "\xef\xbb\xbf\n")))},
		"holds an encrypted key": {"--config", file("key.toml", 0o600, []byte("[provider.one]\nissuer = \"https://login.example.com\"\nclient-id = \"k\"\nprivate-key-file = \""+file("key", 0o600, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"))+"\"\n"))},
	} {
		failsWith(t, says, args...)
	}
}
