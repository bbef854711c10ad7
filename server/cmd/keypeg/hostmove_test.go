package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// TestHostMove: a program moves to another address. Keypeg doesn't start with passkeys that would be worthless, until IT
// has said what is to become of them, and nobody is locked out: people have the program's own sign-in.
func TestHostMove(t *testing.T) {
	for where, database := range map[string]func(*testing.T) string{
		"a file":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "keypeg.db") },
		"PostgreSQL": func(t *testing.T) string { return pgtest.Empty(t) },
	} {
		t.Run(where, func(t *testing.T) { testHostMove(newToolshop(t, database(t))) })
	}
}

func testHostMove(p *toolshop) {
	p.starts()
	device := passkeytest.New(p.url)
	registers := func() {
		p.Helper()
		ann := p.opensTab(device, "")
		if status, code := ann.introduces("ann", hostSecret); status != http.StatusNoContent {
			p.Fatalf("the introduction at %s: %d %s", p.url, status, code)
		}
		if _, err := ann.steps.Register(p.Context(), "Laptop", ""); err != nil {
			p.Fatal(err)
		}
	}
	registers()
	before, err := os.ReadFile(p.config)
	if err != nil {
		p.Fatal(err)
	}
	old := p.url
	p.url = strings.Replace(old, "localhost", "tools.localhost", 1)
	if out := p.does("", "domain", "move", p.url); !strings.Contains(out, `former-urls = ["`+old+`"]`) || !strings.Contains(out, `arrive = "`+p.url+`/keypeg-arrive"`) {
		p.Errorf("a move is\n%s", out)
	} else if strings.Contains(out, "hooks") {
		p.Errorf("hooks that aren't at the address move too:\n%s", out)
	}
	if err := os.WriteFile(p.config, []byte(strings.Replace(string(before), p.hooks.URL, old, 1)), 0o600); err != nil {
		p.Fatal(err)
	}
	if out := p.does("", "domain", "move", p.url); !strings.Contains(out, `hooks = "`+p.url+`/hooks"`) || !strings.Contains(out, "arrive and hooks:") {
		p.Errorf("with hooks at the address, a move is\n%s", out)
	}
	p.ends(syscall.SIGTERM)

	has := func(more string) {
		p.Helper()
		if err := os.WriteFile(p.config, []byte(more+strings.ReplaceAll(string(before), old, p.url)), 0o600); err != nil {
			p.Fatal(err)
		}
	}
	refused := func(want string) {
		p.Helper()
		if out, err := command(p.T, p.args...).CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			p.Fatalf("it starts (%v), or doesn't say %q:\n%s", err, want, out)
		}
	}
	has("")
	refused("1 passkeys of 1 users are for localhost; and these settings are for tools.localhost. So that they go on working in a move, add former-urls = [\"https://localhost\"]")

	has("former-urls = \"" + old + "\"\n")
	p.starts()
	if _, err := p.opensTab(device, "").steps.SignIn(p.Context()); err != nil {
		p.Errorf("the passkey of before, at the new address: %v", err)
	}
	if out := p.does("", "domain", "users", "localhost"); !strings.Contains(out, "ann") {
		p.Errorf("these have yet to move:\n%s", out)
	}
	device = passkeytest.New(p.url)
	registers()
	if out := p.does("", "domain", "list"); strings.Join(strings.Fields(out), " ") != "DOMAIN STATE PASSKEYS USERS HAVE YET TO MOVE HAVE NO OTHER WAY IN tools.localhost present 1 1 - - localhost former 1 1 0 0" {
		p.Errorf("the domains are\n%s", out)
	}
	p.does("", "domain", "end", "localhost")
	p.ends(syscall.SIGTERM)

	has("")
	p.starts()
	ann := p.opensTab(device, "")
	ann.introduces("ann", hostSecret)
	list, err := ann.Passkeys(p.Context())
	if err != nil || len(list.Passkeys) != 2 {
		p.Fatalf("after the move she has %+v (%v)", list, err)
	}
	if _, err := p.opensTab(device, "").steps.SignIn(p.Context()); err != nil {
		p.Errorf("the new passkey: %v", err)
	}
	p.ends(syscall.SIGTERM)
}
