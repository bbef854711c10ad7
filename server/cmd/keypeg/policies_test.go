package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
)

// refusesToStart runs the program, which must end by itself with a sentence.
func (p *program) refusesToStart(says ...string) {
	p.Helper()
	running := command(p.T, p.args...)
	defer time.AfterFunc(patience, func() { running.Process.Kill() }).Stop() // of one that starts
	out, err := running.CombinedOutput()
	if err == nil {
		p.Errorf("the program started:\n%s", out)
	}
	for _, sentence := range says {
		if !strings.Contains(string(out), sentence) {
			p.Errorf("the program says\n%s\nwant %q", out, sentence)
		}
	}
}

// TestPolicyAtTheStart changes settings under which people could not sign in any
// more.
func TestPolicyAtTheStart(t *testing.T) {
	const lost = "with these settings no sign-in method would be left for: "
	for where, database := range cloudDatabases {
		t.Run("one organisation, "+where, func(t *testing.T) {
			p := newProgramOn(t, database(t), "")
			usual := p.args
			p.starts()
			does := func(stdin string, args ...string) {
				t.Helper()
				c := command(t, append(args, "--database", p.database)...)
				c.Stdin = strings.NewReader(stdin)
				if out, err := c.CombinedOutput(); err != nil {
					t.Fatalf("keypeg %s: %v\n%s", strings.Join(args, " "), err, out)
				}
			}
			for _, name := range []string{"ann", "bob", "carl"} {
				does(sharedPassword+"\n", "user", "add", name)
			}
			device := passkeytest.New(p.url)
			ann := p.opensTab(device, "")
			if _, err := ann.SignInWithPassword(t.Context(), "ann", sharedPassword); err != nil {
				t.Fatal(err)
			}
			if _, err := ann.steps.Register(t.Context(), "", ""); err != nil {
				t.Fatal(err)
			}
			does("", "user", "disable", "carl")
			p.ends(syscall.SIGTERM)

			p.args = append(usual, "--password-sign-in", "off")
			p.refusesToStart(lost+"bob.", "change rp-id, passkeys, password-sign-in, user-verification or the providers back")
			p.args = append(usual, "--password-sign-in", "administrators")
			p.refusesToStart(lost + "bob.")

			does("", "user", "disable", "bob")
			p.args = append(usual, "--password-sign-in", "off")
			p.starts()
			if _, err := p.opensTab(device, "").steps.SignIn(t.Context()); err != nil {
				t.Error(err)
			}
			p.ends(syscall.SIGTERM)
			p.args = append(usual, "--no-passkeys")
			p.starts() // she has a password too
			p.ends(syscall.SIGTERM)

			// With another relying party id no browser offers what she has.
			p.args = usual
			p.starts()
			does("", "user", "passwd", "ann", "--remove")
			p.ends(syscall.SIGTERM)
			p.args = append(usual, "--public-url", strings.Replace(p.url, "localhost", "other.localhost", 1))
			p.refusesToStart("1 passkeys of 1 users are for localhost, and 1 of them have no other way to sign in")
			p.args = usual
			p.starts()
			if _, err := p.opensTab(device, "").steps.SignIn(t.Context()); err != nil {
				t.Error(err)
			}
		})
		t.Run("several, "+where, func(t *testing.T) {
			config := filepath.Join(t.TempDir(), "keypeg.toml")
			writes := func(text string) {
				t.Helper()
				if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			writes("")
			p := newCloud(t, database(t), "--config", config)
			p.starts()
			p.adds("acme")
			p.adds("beta")
			p.does(sharedPassword+"\n", "user", "add", "bob", "--tenant", "acme")
			p.ends(syscall.SIGTERM)

			writes("[tenant.acme]\npassword-sign-in = \"off\"\n")
			p.refusesToStart("the tenant acme: " + lost + "bob.")
			p.refusesToStart("the tenant acme: " + lost + "bob.") // nothing was remembered
			writes("password-sign-in = \"off\"\n")
			p.refusesToStart("the tenant acme: " + lost + "bob.")
			writes("[tenant.beta]\npassword-sign-in = \"off\"\n")
			p.starts()
			if _, err := p.at("acme").opensTab(nil, "").SignInWithPassword(t.Context(), "bob", sharedPassword); err != nil {
				t.Error(err)
			}
			p.refusesTo("Nobody signs in with a password here.", sharedPassword+"\n", "user", "add", "bea", "--tenant", "beta", "--config", config)
			p.ends(syscall.SIGTERM)

			// Whoever is switched off has nobody to be locked out, until they are on again.
			p.does("", "tenant", "disable", "acme")
			writes("password-sign-in = \"off\"\n")
			p.starts()
			p.does("", "tenant", "enable", "acme")
			p.until("acme is served without passwords", func() bool {
				status, body := p.gets(p.host("acme"), "/sign-in")
				return status == 200 && !strings.Contains(body, `type="password"`)
			})
			p.until("the log tells who is locked out", func() bool {
				log := p.log.String()
				return strings.Contains(log, "users are locked out") && strings.Contains(log, "bob")
			})
		})
	}
}
