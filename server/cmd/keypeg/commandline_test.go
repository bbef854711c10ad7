package main

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/config"
)

// reads is a command line that is right.
func reads(t *testing.T, words ...string) *commandLine {
	t.Helper()
	l := newCommandLine()
	if err := l.read(words); err != nil {
		t.Fatalf("keypeg %s: %v", strings.Join(words, " "), err)
	}
	return l
}

// refuses is a command line that is wrong.
func refuses(t *testing.T, sentence string, words ...string) {
	t.Helper()
	code, out, errOut := types(t, "", words...)
	if want := "keypeg: " + sentence + "\nTry keypeg --help.\n"; code != 2 || out != "" || errOut != want {
		t.Errorf("keypeg %s: exit %d, %q%q, want 2, %q", strings.Join(words, " "), code, out, errOut, want)
	}
}

func TestCommandLine(t *testing.T) {
	t.Run("settings stand before, between and behind the words of a command", func(t *testing.T) {
		l := reads(t, "--listen", ":1", "user", "--tenant", "acme", "--max-passkeys=3", "add", "--admin", "ann", "--contact=x", "--display-name", "Ann")
		got := fmt.Sprint(l.settings.Listen, l.settings.tenant, l.settings.MaxPasskeys, l.settings.Contact, *l.command.does.(*userAdd), l.path)
		if want := ":1acme3x{{{ann false} Ann  true}}keypeg user add"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if !l.isTyped("contact") || l.isTyped("product") {
			t.Errorf("typed: contact %t, product %t", l.isTyped("contact"), l.isTyped("product"))
		}
	})
	t.Run("a flag of a command stands behind its name only", func(t *testing.T) {
		refuses(t, "unknown flag: --admin", "user", "--admin", "add", "ann")
		refuses(t, "unknown flag: --tenant", "--tenant", "acme", "user", "list")
		refuses(t, "unknown flag: --tenant", "backup", "verify", "--tenant", "acme", "a.db")
		refuses(t, "unknown flag: --tenant", "backup", "--tenant", "acme", "verify", "a.db")
	})
	t.Run("what a command is to do is given once, and of a setting the last counts", func(t *testing.T) {
		refuses(t, "--tenant is there twice, with two values: leave one of them out", "user", "--tenant", "acme", "disable", "ann", "--tenant", "beta")
		refuses(t, "--yes is there twice, with two values: leave one of them out", "tenant", "remove", "acme", "--yes", "beta", "--yes", "acme")
		refuses(t, "--to is there twice, with two values: leave one of them out", "store", "copy", "--from", "a.db", "--to", "b.db", "--to=c.db")
		refuses(t, "--all-tenants is there twice, with two values: leave one of them out", "signals", "on", "--all-tenants=false", "--all-tenants")
		l := reads(t, "user", "--tenant", "acme", "list", "--tenant", "acme", "--listen", ":1", "--listen", ":2", "--no-passkeys", "--no-passkeys")
		if l.settings.tenant != "acme" || l.settings.Listen != ":2" || l.settings.Passkeys {
			t.Errorf("got %q, %q, passkeys %t", l.settings.tenant, l.settings.Listen, l.settings.Passkeys)
		}
	})
	t.Run("a backup is made without the word make", func(t *testing.T) {
		for _, test := range [][]string{
			{"backup", "a.db", "--tenant", "acme"},
			{"backup", "--tenant", "acme", "a.db"},
			{"backup", "make", "--tenant", "acme", "a.db"},
			{"backup", "--database", "make", "a.db", "--tenant", "acme"},
		} {
			l := reads(t, test...)
			if file := l.command.does.(*backupMake).File; file != "a.db" || l.settings.tenant != "acme" {
				t.Errorf("%q: file %q, tenant %q", test, file, l.settings.tenant)
			}
		}
		if file := reads(t, "backup", "verify", "a.db").command.does.(*backupVerify).File; file != "a.db" {
			t.Errorf("verify reads %q", file)
		}
		refuses(t, "expected <file>", "backup")
		refuses(t, "expected <file>", "backup", "--database", "make")
		refuses(t, "there is no command keypeg backup restore (a file of that name is written ./restore)", "backup", "restore")
		refuses(t, `there is no command keypeg backup verfy: did you mean "verify"? (a file of that name is written ./verfy)`, "backup", "verfy", "x.db")
		if file := reads(t, "backup", "make", "list").command.does.(*backupMake).File; file != "list" {
			t.Errorf("the file is %q", file)
		}
	})
	t.Run("networks are repeated, or separated by commas", func(t *testing.T) {
		l := reads(t, "version", "--trusted-proxies", "10.0.0.0/8, 10.1.2.3,", "--trusted-proxies=::1,::ffff:10.0.0.0/104,::ffff:10.1.2.3,10.1.2.3/24,fe80::1%eth0")
		if got := l.settings.TrustedProxies.String(); got != "10.0.0.0/8,10.1.2.3/32,::1/128,10.0.0.0/8,10.1.2.3/32,10.1.2.0/24,fe80::1/128" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("passkeys are switched off in two ways, and the last one counts", func(t *testing.T) {
		for words, want := range map[string]bool{
			"version":                                true,
			"version --no-passkeys":                  false,
			"--passkeys=false version":               false,
			"version --passkeys=No":                  false,
			"version --no-passkeys --passkeys":       true,
			"version --no-passkeys=false":            true,
			"version --passkeys --no-passkeys":       false,
			"version --passkeys --no-passkeys=false": true,
		} {
			if got := reads(t, strings.Fields(words)...).settings.Passkeys; got != want {
				t.Errorf("%s: got %t", words, got)
			}
		}
	})
	t.Run("a word that looks like a flag is no value by accident", func(t *testing.T) {
		refuses(t, "--contact needs a value, and --log-json looks like a flag: if it is the value, write --contact=--log-json", "version", "--contact", "--log-json")
		refuses(t, "flag needs an argument: --contact", "version", "--contact")
		if got := reads(t, "version", "--contact=--log-json").settings.Contact; got != "--log-json" {
			t.Errorf("got %q", got)
		}
		if got := reads(t, "user", "add", "--", "--ann").command.does.(*userAdd).Name; got != "--ann" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("what is missing or too much is named", func(t *testing.T) {
		refuses(t, "expected one of serve, init, config, doctor, user, client, host, openid, audit, rollout, mail, setup-link, backup, restore, store, signals, tenant, domain, healthcheck, metrics, manual, completion, manpage, version")
		refuses(t, "expected one of copy", "store")
		refuses(t, "unexpected argument hlep: expected one of copy", "store", "hlep")
		refuses(t, "unexpected argument hlep: expected one of copy", "help", "store", "hlep")
		refuses(t, "unexpected argument now", "serve", "now")
		refuses(t, "expected <provider> <subject>", "user", "link", "ann")
		refuses(t, "missing flag --to", "store", "copy", "--from", "a.db")
		refuses(t, `unknown flag: --lisen: did you mean "--listen"?`, "--lisen", ":80", "serve")
		refuses(t, `unknown flag: --public-ulr: did you mean "--public-url"?`, "serve", "--public-ulr=https://id.example.com")
		refuses(t, `unknown flag: --Contact: did you mean "--contact"?`, "serve", "--Contact", "x")
		refuses(t, "unknown flag: --something-else", "serve", "--something-else")
	})
}

// TestListen names addresses where a server can't listen, and reads what the program says
// of them.
func TestListen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	database := filepath.Join(t.TempDir(), "keypeg.db")
	for listen, says := range map[string]string{
		taken.Addr().String():      "another program listens there already, perhaps another Keypeg: end it, or name another port with --listen",
		"192.0.2.1:8080":           "that isn't an address of this machine: name one of its own with --listen",
		"nothing.invalid:8080":     "no machine has that name here: correct it in --listen",
		"localhost:99999":          "--listen can't be read: write an address with a port up to 65535, such as localhost:8080 or :8080, and not \"localhost:99999\"",
		"8080":                     "--listen can't be read",
		"localhost":                "--listen can't be read",
		"::1:8080":                 "--listen can't be read",
		"localhost:nothing":        "--listen can't be read",
		"http://localhost:8080":    "--listen can't be read",
		"https://a:Summer@id:8080": "--listen can't be read",
	} {
		for _, more := range [][]string{{"--public-url", "http://localhost:8080"}, {"--edition", "cloud"}} {
			failsAndHides(t, says, "Summer", append([]string{"serve", "--database", database + more[0], "--listen", listen}, more...)...)
		}
	}
	failsWith(t, "says no port that people could use", "", "serve", "--database", database, "--listen", "localhost:0")
}

// TestAlwaysAnswered asks for the version and for help where no other command would run.
func TestAlwaysAnswered(t *testing.T) {
	for variable, value := range map[string]string{
		"KEYPEG_FOO": "1", "KEYPEG_CONFIG": filepath.Join(t.TempDir(), "none.toml"), "KEYPEG_DATABASE": "host=db", "KEYPEG_LOG_LEVEL": "loud", "KEYPEG_MAX_PASSKEYS": "0",
	} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, value)
			for _, words := range [][]string{{"version"}, {"help"}, {"--help"}, {"help", "serve"}, {"serve", "--help"}, {"user", "-h"}} {
				if out := succeeds(t, "", words...); !strings.Contains(out, "keypeg") {
					t.Errorf("keypeg %s printed %q", strings.Join(words, " "), out)
				}
			}
			if code, _, _ := types(t, "", "user", "list"); code != 2 {
				t.Errorf("keypeg user list: exit %d, want 2", code)
			}
		})
	}
}

// TestMistypedCommands checks that a mistyped command gets a proposal, at every depth.
func TestMistypedCommands(t *testing.T) {
	for typed, says := range map[string]string{
		"sevre":                      `there is no command keypeg sevre: did you mean "serve"?`,
		"user ad":                    `there is no command keypeg user ad: did you mean "add"?`,
		"user recovery-lnik ann":     `there is no command keypeg user recovery-lnik: did you mean "recovery-link"?`,
		"help tenant lst":            `there is no command keypeg tenant lst: did you mean "list"?`,
		"signals statsu":             `there is no command keypeg signals statsu: did you mean "status"?`,
		"--log-level info store cpy": `there is no command keypeg store cpy: did you mean "copy"?`,
		"store frobnicate":           "unexpected argument frobnicate: expected one of copy",
		"store":                      "expected one of copy",
	} {
		refuses(t, says, strings.Fields(typed)...)
	}
}

// TestHelp asks for the help of each command, in both ways.
func TestHelp(t *testing.T) {
	var visit func(b branch, words ...string)
	visit = func(b branch, words ...string) {
		out := succeeds(t, "", append(words, "--help")...)
		if again := succeeds(t, "", append([]string{"help"}, words...)...); again != out {
			t.Errorf("keypeg help %s differs:\n%s%s", strings.Join(words, " "), again, out)
		}
		if usage := "Usage: " + strings.Join(append([]string{"keypeg"}, words...), " ") + " "; !strings.HasPrefix(out, usage) {
			t.Errorf("got %q, want %q", out, usage)
		}
		says := func(text string) {
			t.Helper()
			if !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(text), " ")) {
				t.Errorf("the help of keypeg %s lacks %q", strings.Join(words, " "), text)
			}
		}
		says(b.help)
		l := newCommandLine()
		l.settingFlags.VisitAll(func(f *pflag.Flag) {
			switch form := config.Form(l.FlagSet, f); {
			case len(words) == 0 || words[0] == "serve":
				says(form + " " + config.Text(f) + " [" + config.EnvironmentOf(f))
			case strings.Contains(out, "  "+form+"\n"):
				t.Errorf("the help of keypeg %s has the setting %s, and should say where all are", strings.Join(words, " "), form)
			}
		})
		if len(words) > 0 && words[0] != "serve" {
			says("keypeg serve --help")
		}
		if b.takes != nil {
			says("--tenant=NAME")
		}
		for _, next := range b.commands {
			says("keypeg " + strings.Join(append(words, next.name), " "))
			visit(next, append(words[:len(words):len(words)], next.name)...)
		}
		for line := range strings.Lines(out) {
			if len(line) > 81 {
				t.Errorf("a line is too long for a terminal: %s", line)
			}
		}
	}
	visit(branch{help: description, commands: commands()})

	for words, want := range map[string]string{
		"help":             "--session-idle=TIME A session ends when it wasn't used for so long. [KEYPEG_SESSION_IDLE, default 24h]",
		"help user add":    "<name> What the user types to sign in.",
		"user add --help":  "--display-name=TEXT What others see. Unset: the name.",
		"help user role":   "Flags: --json Print",
		"store copy -h":    "Usage: keypeg store copy --from=FILE|URL --to=FILE|URL [flags]",
		"help backup":      "keypeg backup verify <file> Read every record",
		"help tenant add":  "With --rp-id, --product and --contact on this command line",
		"serve x --help":   "Usage: keypeg serve [flags]",
		"--help user list": "Usage: keypeg user list",
	} {
		if out := strings.Join(strings.Fields(succeeds(t, "", strings.Fields(words)...)), " "); !strings.Contains(out, want) {
			t.Errorf("keypeg %s lacks %q:\n%s", words, want, out)
		}
	}
}
