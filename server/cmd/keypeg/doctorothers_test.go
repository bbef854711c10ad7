package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/keypeg/keypeg/server/federation/federationtest"
	"github.com/keypeg/keypeg/server/mail"
	"github.com/keypeg/keypeg/server/mail/mailtest"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/shared"
)

// writtenFile is a file with a text, in a folder of its own.
func writtenFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDoctorSettings runs the manual's nginx, and gives the doctor settings with one mistake in each row.
func TestDoctorSettings(t *testing.T) {
	w := newWard(t, "127.7.7.3")
	w.nginx(t)
	old := t.TempDir()
	if err := os.WriteFile(filepath.Join(old, "keypeg-20200102T030405Z.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		mistake    string
		flags      []string
		want, mend string
	}{
		{"a value that isn't one", []string{"--max-passkeys", "0"}, "failed values", "--max-passkeys must be from 1 to 60"},
		{"two of them", []string{"--max-passkeys", "0", "--session-idle", "0s"}, "failed values", "--session-idle must be at least 1s"},
		{"an unknown key", []string{"--config", writtenFile(t, "keypeg.toml", "contact = \"IT\"\ncontakt = \"IT\"\n")}, "failed values", `did you mean "contact"? (`},
		{"a file that isn't there", []string{"--config", "/nowhere/keypeg.toml"}, "failed values", "/nowhere/keypeg.toml"},
		{"an address that isn't one", []string{"--public-url", "ftp://id.keypeg.test"}, "failed values", "http"},
		{"a large trusted network", []string{"--trusted-proxies", "10.0.0.0/8"}, "warning notice", "name the proxies alone"},
		{"no database", []string{"--database", "/nowhere/keypeg.db"}, "failed opens", "name the database that the server uses with --database"},
		{"no PostgreSQL", []string{"--database", "postgres://keypeg:s3cret@127.0.0.1:1/keypeg?connect_timeout=1"}, "failed opens", "127.0.0.1:1"},
		{"another relying party", []string{"--rp-id", "keypeg.test"}, "failed passkeys", "keypeg: --rp-id " + examinedHost},
		{"no way in", []string{"--no-passkeys"}, "failed ways to sign in", "keypeg user recovery-link ann"},
		{"no backup for long", []string{"--backup-dir", old}, "failed backup", "2020-01-02T03:04:05Z"},
		{"no backup yet", []string{"--backup-dir", t.TempDir()}, "warning backup", "keypeg backup"},
		{"no folder of backups", []string{"--backup-dir", "/nowhere/backups"}, "failed backup", "keypeg: --backup-dir"},
	} {
		t.Run(row.mistake, func(t *testing.T) { isOnly(t, w.asksDoctor(t, row.flags...), row.want, row.mend) })
	}
	t.Run("a server that wasn't started again", func(t *testing.T) {
		p := newProgram(t)
		p.starts()
		isOnly(t, p.asksDoctor(t, w.paper.root, "--public-url", strings.Replace(p.url, "localhost", "new.localhost", 1), "--trusted-proxies", "127.0.0.2"), "failed Host", "start the server again")
	})
	t.Run("a name that leads nowhere", func(t *testing.T) {
		p := newProgram(t)
		p.starts()
		isOnly(t, p.asksDoctor(t, w.paper.root, "--public-url", "https://nothing.invalid"), "failed name", "nothing.invalid. IN A")
	})
	t.Run("a file that others can read", func(t *testing.T) {
		changesMode(t, w.database, 0o644)
		isOnly(t, w.asksDoctor(t), "failed machine", "chmod 600 "+w.database)
	})
	t.Run("a folder that others can write", func(t *testing.T) {
		changesMode(t, filepath.Dir(w.database), 0o777)
		isOnly(t, w.asksDoctor(t), "failed machine", "chmod go-w "+filepath.Dir(w.database))
	})
	t.Run("a file of another user", func(t *testing.T) {
		folder := filepath.Dir(w.database)
		if os.Geteuid() != 0 {
			t.Skip("only root gives files away")
		}
		if err := os.Chown(folder, 12345, -1); err != nil {
			t.Fatal(err)
		}
		defer os.Chown(folder, 0, -1)
		isOnly(t, w.asksDoctor(t), "failed machine", "chown 12345 "+w.database)
	})
}

// changesMode changes the mode of a file until the test ends.
func changesMode(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(path, before.Mode().Perm()) })
}

// TestDoctorUntrustedProxy has a server that doesn't know its proxy.
func TestDoctorUntrustedProxy(t *testing.T) {
	w := newWard(t, "127.7.7.4")
	w.ends(syscall.SIGTERM)
	at := slices.Index(w.args, "--trusted-proxies")
	w.args[at+1] = "10.0.0.1"
	w.starts()
	w.nginx(t)
	isOnly(t, w.asksDoctor(t), "failed X-Forwarded-For", "keypeg: --trusted-proxies 127.0.0.1")
	t.Run("written, and not started again", func(t *testing.T) {
		isOnly(t, w.asksDoctor(t, "--trusted-proxies", "127.0.0.1"), "failed X-Forwarded-For", "start the server again, with these settings")
	})
}

// TestDoctorMail asks real mail servers.
func TestDoctorMail(t *testing.T) {
	p := newProgram(t)
	p.starts()
	relay, clear := mailtest.New(t, mail.StartTLS, "PLAIN"), mailtest.New(t, mail.None, "")
	right, wrongOne := writtenFile(t, "password", mailtest.Password), writtenFile(t, "password", "another one")
	at := func(r *mailtest.Relay) []string {
		return []string{"--smtp-server", fmt.Sprintf("localhost:%d", r.Port), "--mail-from", "keypeg@keypeg.test"}
	}
	signsIn := func(password string, more ...string) []string {
		return append(append(at(relay), "--smtp-user", mailtest.User, "--smtp-password-file", password), more...)
	}
	root := relay.CertificateFile()
	isGreen(t, p.asksDoctor(t, root, signsIn(right)...))
	if sent := relay.Has(); len(sent) > 0 {
		t.Errorf("it has sent %v", sent)
	}
	for _, row := range []struct {
		mistake, root string
		flags         []string
		mend          string
	}{
		{"the wrong password", root, signsIn(wrongOne), "--smtp-password-file"},
		{"an unknown authority", "/dev/null", signsIn(right), "--smtp-security as the server has it"},
		{"TLS where it is STARTTLS", root, signsIn(right, "--smtp-security", "tls"), "--smtp-security as the server has it"},
		{"STARTTLS where there is none", root, at(clear), "--smtp-security as the server has it"},
		{"nobody there", root, []string{"--smtp-server", "localhost:1", "--mail-from", "keypeg@keypeg.test"}, "nothing listens at localhost, port 1"},
		{"no such name", root, []string{"--smtp-server", "nothing.invalid", "--mail-from", "keypeg@keypeg.test"}, "correct the name in --smtp-server"},
	} {
		t.Run(row.mistake, func(t *testing.T) {
			isOnly(t, p.asksDoctor(t, row.root, row.flags...), "failed mail server", row.mend)
		})
	}
}

// TestDoctorProviders asks real providers.
func TestDoctorProviders(t *testing.T) {
	p := newProgram(t)
	p.starts()
	provider := federationtest.Start(t)
	table := func(issuer, client string) string {
		return "[provider.one]\nissuer = \"" + issuer + "\"\nclient-id = \"" + client + "\"\nclient-secret-file = SECRET\n"
	}
	callback := p.url + shared.PageSSO + "one" + shared.PageSSOAnswer
	provider.Register(federationtest.Client{ID: "right", Secret: "s3cret", RedirectURIs: []string{callback}})
	provider.Register(federationtest.Client{ID: "other-address", Secret: "s3cret", RedirectURIs: []string{"https://www.keypeg.test/"}})
	isGreen(t, p.asksDoctor(t, "/dev/null", "--config", federationtest.ConfigFile(t, table(provider.URL, "right"))))
	for _, row := range []struct{ mistake, issuer, client, want, mend string }{
		{"another address to lead back to", provider.URL, "other-address", "warning identity provider one", callback},
		{"another issuer", provider.URL + "/", "right", "failed identity provider one", "write issuer = "},
		{"nobody there", "http://" + proxytest.FreeAddress(t), "right", "failed identity provider one", "see whether this machine reaches the provider"},
	} {
		t.Run(row.mistake, func(t *testing.T) {
			isOnly(t, p.asksDoctor(t, "/dev/null", "--config", federationtest.ConfigFile(t, table(row.issuer, row.client))), row.want, row.mend)
		})
	}
	t.Run("another secret", func(t *testing.T) { // the test's provider looks at the code before the secret
		provider.Changes(federationtest.PathToken, func(a *federationtest.Answer) { a.Says(401, "application/json", `{"error":"invalid_client"}`) })
		isOnly(t, p.asksDoctor(t, "/dev/null", "--config", federationtest.ConfigFile(t, table(provider.URL, "right"))), "failed identity provider one", "client-secret-file is wrong")
	})
}
