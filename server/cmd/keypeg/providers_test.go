package main

import (
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/keypeg/keypeg/server/federation/federationtest"
	"github.com/keypeg/keypeg/shared"
)

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
		p := newProgram(t, "--config", federationtest.ConfigFile(t, table("provider.", "silent", "http://"+silent.Addr().String())+table("provider.", "slash", provider.URL+"/")))
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
		p := newCloud(t, filepath.Join(t.TempDir(), "keypeg.db"), "--config", federationtest.ConfigFile(t, table("tenant.acme.provider.", "slash", provider.URL+"/")))
		p.begins()
		p.adds("acme")
		p.starts()
		p.logs(`level=WARN msg="nobody can sign in at an OpenID provider" tenant=acme provider=slash`)
		p.ends(syscall.SIGTERM)
	})
}
