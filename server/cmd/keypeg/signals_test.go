package main

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/shared"
)

// TestSignalsAreHeld moves an installation: which database signals to password managers, and
// which not, until IT says so.
func TestSignalsAreHeld(t *testing.T) {
	for where, empty := range map[string]func(t *testing.T) string{
		"in files":      func(t *testing.T) string { return filepath.Join(t.TempDir(), "keypeg.db") },
		"in PostgreSQL": func(t *testing.T) string { return pgtest.Empty(t) },
	} {
		t.Run(where, func(t *testing.T) {
			does := func(says string, args ...string) {
				t.Helper()
				out, err := command(t, args...).CombinedOutput()
				if err != nil || !strings.Contains(string(out), says) {
					t.Fatalf("keypeg %s: %v\n%s\nwant %q", strings.Join(args, " "), err, out, says)
				}
			}
			first := newProgramOn(t, empty(t), "")
			_, token := first.hasUser("ann")
			first.starts()
			// removes adds a passkey and takes it away, and returns what the page may signal
			// then, and when it is tried once more.
			removes := func(p *program, token string) (signals *shared.Signals, unknown bool) {
				t.Helper()
				device := passkeytest.New(p.url)
				tab := p.opensTab(device, token)
				added, err := tab.steps.Register(t.Context(), "Laptop", "")
				if err != nil {
					t.Fatal(err)
				}
				kept := passkeytest.New(p.url)
				if _, err := p.opensTab(kept, token).steps.Register(t.Context(), "Phone", ""); err != nil {
					t.Fatal(err)
				}
				left, err := tab.RemovePasskey(t.Context(), added.ID, false)
				if err != nil {
					t.Fatal(err)
				}
				_, err = p.opensTab(device, "").steps.SignIn(t.Context())
				refusal, is := errors.AsType[*shared.Error](err)
				if !is || refusal.Code != shared.CodePasskeyRemoved {
					t.Fatalf("a removed passkey: %v", err)
				}
				return left.Signals, refusal.UnknownCredential
			}
			if signals, unknown := removes(first, token); signals == nil || signals.UnknownCredential == nil || !unknown {
				t.Errorf("a new database: may signal %+v, and %t", signals, unknown)
			}
			backup := filepath.Join(t.TempDir(), "backup.db")
			does("", "backup", backup, "--database", first.database)

			// IT says so of a running server too.
			does("off: ", "signals", "off", "--database", first.database)
			if signals, unknown := removes(first, token); signals != nil || unknown {
				t.Errorf("after off: may signal %+v, and %t", signals, unknown)
			}
			does("on: ", "signals", "on", "--database", first.database)
			does("on: ", "signals", "on", "--database", first.database)
			first.ends(syscall.SIGTERM)

			restored, copied := empty(t), empty(t)
			does("run keypeg signals on", "restore", backup, "--database", restored)
			does("run keypeg signals on", "store", "copy", "--from", first.database, "--to", copied)
			does("on: ", "signals", "status", "--database", first.database)
			for what, database := range map[string]string{"restored": restored, "copied": copied} {
				does("off: ", "signals", "status", "--database", database)
				next := newProgramOn(t, database, "")
				_, token := next.hasUser("bob") // the sessions of a backup end
				next.starts()
				next.logs("keypeg signals on")
				if signals, unknown := removes(next, token); signals != nil || unknown {
					t.Errorf("%s: may signal %+v, and %t", what, signals, unknown)
				}
				does("on: ", "signals", "on", "--database", database)
				if signals, unknown := removes(next, token); signals == nil || !unknown {
					t.Errorf("%s, after IT's word: may signal %+v, and %t", what, signals, unknown)
				}
				next.ends(syscall.SIGTERM)
			}
		})
	}
}

// TestSignalsOfTenants moves a cloud installation: each tenant has a state of its own.
func TestSignalsOfTenants(t *testing.T) {
	p := newCloud(t, filepath.Join(t.TempDir(), "keypeg.db"))
	p.begins()
	for _, name := range []string{"acme", "beta"} {
		p.adds(name)
	}
	moved := newCloud(t, filepath.Join(t.TempDir(), "moved.db"))
	moved.does("", "store", "copy", "--from", p.database, "--to", moved.database)
	says := func(p *program, want string, args ...string) {
		t.Helper()
		var got []string
		for line := range strings.Lines(p.does("", append([]string{"signals"}, args...)...)) {
			line, _, _ = strings.Cut(line, ": password")
			got = append(got, line)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("keypeg signals %s: got %q, want %q", strings.Join(args, " "), got, want)
		}
	}
	says(p, "acme: on, beta: on", "status", "--all-tenants")
	says(moved, "acme: off, beta: off", "status", "--all-tenants")
	moved.starts()
	says(moved, "acme: on", "on", "--tenant", "acme")
	says(moved, "acme: on, beta: off", "status", "--all-tenants")
	says(moved, "acme: on, beta: on", "on", "--all-tenants")
	says(moved, "beta: off", "off", "--tenant", "beta")
	for _, what := range []string{"on", "off", "status"} {
		moved.refusesTo("--tenant and --all-tenants", "", "signals", what, "--tenant", "beta", "--all-tenants")
		moved.refusesTo("--tenant is there twice", "", "signals", what, "--tenant", "beta", "--tenant", "acme")
	}
	says(moved, "acme: on, beta: off", "status", "--all-tenants")
	moved.refusesTo("add --tenant NAME", "", "signals", "on")
	moved.ends(syscall.SIGTERM)

	backup := filepath.Join(t.TempDir(), "acme.db")
	p.does("", "backup", backup, "--tenant", "acme")
	third := newCloud(t, filepath.Join(t.TempDir(), "third.db"))
	third.begins()
	third.adds("acme")
	if out := third.does("", "restore", backup, "--tenant", "acme"); !strings.Contains(out, "run keypeg signals on --tenant acme") {
		t.Errorf("restore says nothing of it:\n%s", out)
	}
	says(third, "acme: off", "status", "--tenant", "acme")
}
