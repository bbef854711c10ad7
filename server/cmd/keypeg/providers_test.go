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

// TestProvidersAtStart checks that IT reads at the start at which provider nobody can sign
// in, and that no start waits for a provider.
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
