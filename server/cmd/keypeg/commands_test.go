package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// types runs a command as somebody at a shell does.
func types(t *testing.T, stdin string, args ...string) (code int, out, errOut string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stdin")
	if err := os.WriteFile(path, []byte(stdin), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), args, terminal{In: in, Out: &stdout, Err: &stderr})
	return code, stdout.String(), stderr.String()
}

func succeeds(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	code, out, errOut := types(t, stdin, args...)
	if code != 0 {
		t.Fatalf("keypeg %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errOut)
	}
	return out
}

func failsWith(t *testing.T, sentence, stdin string, args ...string) {
	t.Helper()
	code, out, errOut := types(t, stdin, args...)
	if code == 0 || !strings.Contains(errOut, sentence) || strings.Contains(errOut, "\ngoroutine") {
		t.Errorf("keypeg %s: exit %d, %q%q, want a failure that says %q", strings.Join(args, " "), code, out, errOut, sentence)
	}
}

// TestCommands runs every command twice: with the database to itself, and while
// a server has it.
func TestCommands(t *testing.T) {
	t.Run("without a server", func(t *testing.T) {
		testCommands(t, newDatabase(t), "http://localhost:8080")
	})
	t.Run("while a server runs", func(t *testing.T) {
		database := filepath.Join(t.TempDir(), "keypeg.db")
		db, err := boltstore.Open(database, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		// A socket that a killed server left behind is in the way of nobody.
		old, err := net.Listen("unix", database+".sock")
		if err != nil {
			t.Fatal(err)
		}
		old.(*net.UnixListener).SetUnlinkOnClose(false)
		old.Close()

		listener, err := control.Listen(database + ".sock")
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(database + ".sock"); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the socket: %v (%v), want 0600", info.Mode(), err)
		}
		srv := &http.Server{Handler: control.Handler(control.Accounts{
			Service: account.New(account.Config{Store: db, Now: time.Now, Providers: []account.Provider{
				{ID: "example", Name: "example", Issuer: "https://login.example.com"},
			}}),
			Store: db, Address: server.Address{Origin: "https://id.example.com"},
		}, db)}
		go srv.Serve(listener)
		t.Cleanup(func() { srv.Shutdown(context.Background()) })
		// The link is the running server's, which was started with other settings.
		testCommands(t, database, "https://id.example.com")
	})
}

func testCommands(t *testing.T, database, origin string) {
	folder := t.TempDir()
	config := filepath.Join(folder, "keypeg.toml")
	for name, content := range map[string]string{
		"secret":      "s3cret\n",
		"keypeg.toml": "[provider.example]\nissuer = \"https://login.example.com\"\nclient-id = \"keypeg\"\nclient-secret-file = \"" + filepath.Join(folder, "secret") + "\"\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := func(args ...string) []string { return append(args, "--database", database, "--config", config) }

	link := succeeds(t, "", at("setup-link")...)
	if !regexp.MustCompile(`^` + origin + `/setup\?token=[A-Z2-7]{26}\n$`).MatchString(link) {
		t.Errorf("set-up link %q", link)
	}
	const ended = "A link that was made before doesn't work any more."
	if _, _, printed := types(t, "", at("setup-link")...); !strings.Contains(printed, ended) || !strings.Contains(printed, "It works once, until ") {
		t.Errorf("a second set-up link says %q", printed)
	}
	failsWith(t, "This user name has characters that can't be used.", "", at("user", "add", "b ob")...) // before a password is asked for
	failsWith(t, "This is no e-mail address.", "", at("user", "add", "bob", "--email", "nowhere")...)
	succeeds(t, "correct horse battery\n", at("user", "add", "Bob", "--display-name", "Bob Builder")...)
	succeeds(t, "correct horse battery\n", at("user", "add", "ann", "--admin")...)
	failsWith(t, "Somebody has the user name bob already.", "correct horse battery\n", at("user", "add", "bob")...)
	failsWith(t, "at least 12 characters", "short\n", at("user", "add", "carol")...)
	failsWith(t, "no password", "", at("user", "add", "carol")...)
	failsWith(t, "set up already", "", at("setup-link")...)

	succeeds(t, "", at("user", "disable", "BOB")...)
	succeeds(t, "another battery staple\n", at("user", "passwd", "bob")...)
	failsWith(t, "bob has no passkey", "", at("user", "passwd", "bob", "--remove")...)
	failsWith(t, "There is no user with the name carol.", "", at("user", "disable", "carol")...)
	list := succeeds(t, "", at("user", "list")...)
	for _, line := range []string{
		`(?m)^NAME +DISPLAY NAME +ROLE +PASSWORD +PASSKEYS +PROVIDERS +STATE +CREATED +LAST SIGN-IN +E-MAIL +GROUPS$`,
		`(?m)^ann +ann +administrator +yes +0 +0 +enabled +\d{4}-\d\d-\d\d +never +- +-$`,
		`(?m)^bob +Bob Builder +user +yes +0 +0 +disabled +\d{4}-\d\d-\d\d +never +- +-$`,
	} {
		if !regexp.MustCompile(line).MatchString(list) {
			t.Errorf("the list lacks %s:\n%s", line, list)
		}
	}
	succeeds(t, "", at("user", "link", "bob", "example", "1001")...)
	failsWith(t, "belongs to another user", "", at("user", "link", "ann", "example", "1001")...)
	failsWith(t, "no provider google", "", at("user", "link", "ann", "google", "1")...)
	if list := succeeds(t, "", at("user", "list")...); !regexp.MustCompile(`(?m)^bob +Bob Builder +user +yes +0 +1 `).MatchString(list) {
		t.Errorf("the list after linking:\n%s", list)
	}
	succeeds(t, "", at("user", "unlink", "bob", "example")...)
	failsWith(t, "bob has no sign-in at example.", "", at("user", "unlink", "bob", "example")...)
	failsWith(t, "The account of Bob Builder is disabled.", "", at("user", "recovery-link", "bob")...)
	says := func(want string, args ...string) {
		t.Helper()
		if printed := succeeds(t, "", at(args...)...); printed != want {
			t.Errorf("keypeg %s printed %q, want %q", strings.Join(args, " "), printed, want)
		}
	}
	says("bob was disabled already.\n", "user", "disable", "Bob")
	says("bob can sign in at example once they are enabled: they are disabled now.\n", "user", "link", "bob", "example", "1001")
	says("bob can sign in again.\n", "user", "enable", "BOB")
	says("bob was not disabled, and can sign in.\n", "user", "enable", "BOB")
	says("bob can't sign in at example any more.\n", "user", "unlink", "bob", "example")
	says("No mail waits.\n", "mail", "retry")
	says("{\"mails\":0}\n", "mail", "retry", "--json")
	wantsLink := func(kind string, args ...string) {
		t.Helper()
		if link := succeeds(t, "", at(args...)...); !regexp.MustCompile(`^` + origin + `/enrol\?token=` + kind + `\.[0-9a-f]{32}\.[A-Z2-7]{26}\n$`).MatchString(link) {
			t.Errorf("keypeg %s printed %q", strings.Join(args, " "), link)
		}
	}
	wantsLink("recovery_link", "user", "recovery-link", "BOB")
	wantsLink("invitation", "user", "invite", "dora", "--display-name", "Dora")
	wantsLink("invitation", "user", "invite", "dora") // once more
	if _, _, printed := types(t, "", at("user", "invite", "dora")...); !strings.Contains(printed, ended) {
		t.Errorf("inviting dora again prints %q", printed)
	}
	says("dora was not disabled, and has no way to sign in: make a link with keypeg user recovery-link dora.\n", "user", "enable", "dora")
	succeeds(t, "", at("user", "disable", "dora")...)
	says("dora is enabled, and has no way to sign in: make a link with keypeg user recovery-link dora.\n", "user", "enable", "dora")
	wantsLink("invitation", "user", "invite", "dora")
	failsWith(t, "Somebody has the user name bob already.", "", at("user", "invite", "bob")...)
	failsWith(t, "Somebody has the user name bob already.", "", at("user", "add", "BOB")...) // before a password is asked for
	failsWith(t, "There is no user with the name nobody.", "", at("user", "passwd", "nobody")...)
	if list := succeeds(t, "", at("user", "list")...); !regexp.MustCompile(`(?m)^dora +Dora +user +no +0 +0 +no way in `).MatchString(list) {
		t.Errorf("the list with an invitation:\n%s", list)
	}
	for _, name := range []string{"bob", "dora"} {
		if printed := succeeds(t, "", at("user", "withdraw-link", name)...); printed != "The link of "+name+" doesn't work any more.\n" {
			t.Errorf("withdrawing printed %q", printed)
		}
		if printed := succeeds(t, "", at("user", "withdraw-link", name)...); printed != name+" has no link that works.\n" {
			t.Errorf("withdrawing nothing printed %q", printed)
		}
	}
	failsWith(t, "There is no user with the name carol.", "", at("user", "withdraw-link", "carol")...)
	failsWith(t, "There is no user with the name carol.", "", at("user", "recovery-link", "carol")...)
	if list := succeeds(t, "", at("user", "list")...); strings.Contains(list, "disabled") {
		t.Errorf("the list after enabling:\n%s", list)
	}
}

func TestSettings(t *testing.T) {
	file := func(t *testing.T, text string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "keypeg.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// What the set-up link says shows which public URL won.
	url := func(t *testing.T, args ...string) string {
		t.Helper()
		link := succeeds(t, "", append([]string{"setup-link", "--database", newDatabase(t)}, args...)...)
		address, _, _ := strings.Cut(link, "/setup")
		return address
	}
	t.Run("flags win over the environment, and that over the file", func(t *testing.T) {
		config := file(t, "public-url = \"https://file.example.com\"\n")
		if got := url(t, "--config", config); got != "https://file.example.com" {
			t.Errorf("from the file: %s", got)
		}
		t.Setenv("KEYPEG_PUBLIC_URL", "https://env.example.com")
		if got := url(t, "--config", config); got != "https://env.example.com" {
			t.Errorf("with the environment: %s", got)
		}
		if got := url(t, "--config", config, "--public-url", "https://flag.example.com"); got != "https://flag.example.com" {
			t.Errorf("with a flag: %s", got)
		}
	})
	t.Run("the port of --listen is in the public URL that isn't set", func(t *testing.T) {
		if got := url(t, "--listen", ":9090"); got != "http://localhost:9090" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("a wrong setting is refused with a sentence, and nothing starts", func(t *testing.T) {
		failsWith(t, `unknown key "public-ulr"`, "", "version", "--config", file(t, "public-ulr = \"https://x.example.com\"\n"))
		folder := t.TempDir()
		for name, content := range map[string]string{"secret": "s3cret\n", "empty": "\n"} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for sentence, table := range map[string]string{
			`unknown key "provider.x.isuser"`:            "[provider.x]\nisuser = \"https://login.example.com\"\n",
			`"Google" can't name a provider`:             "[provider.Google]\nissuer = \"https://login.example.com\"\n",
			"needs an issuer":                            "[provider.x]\nclient-id = \"keypeg\"\n",
			"must begin with https://":                   "[provider.x]\nissuer = \"http://login.example.com\"\n",
			"needs a client-id":                          "[provider.x]\nissuer = \"https://login.example.com\"\n",
			"needs either a client-secret-file":          "[provider.x]\nissuer = \"https://login.example.com\"\nclient-id = \"k\"\n",
			"it names no file":                           "[provider.x]\nclient-secret-file = \"" + folder + "/none\"\n",
			"is empty":                                   "[provider.x]\nclient-secret-file = \"" + folder + "/empty\"\n",
			"isn't a PEM file":                           "[provider.x]\nprivate-key-file = \"" + folder + "/secret\"\n",
			"create-users without allowed-domains":       "[provider.x]\nissuer = \"https://a.example.com\"\nclient-id = \"k\"\nclient-secret-file = \"" + folder + "/secret\"\ncreate-users = true\n",
			"allowed-domains without create-users":       "[provider.x]\nissuer = \"https://a.example.com\"\nclient-id = \"k\"\nclient-secret-file = \"" + folder + "/secret\"\nallowed-domains = [\"example.com\"]\n",
			"the providers a and b have the same issuer": "[provider.a]\nissuer = \"https://a.example.com\"\nclient-id = \"k\"\nclient-secret-file = \"" + folder + "/secret\"\n[provider.b]\nissuer = \"https://a.example.com\"\nclient-id = \"k\"\nclient-secret-file = \"" + folder + "/secret\"\n",
		} {
			failsWith(t, sentence, "", "version", "--config", file(t, table))
		}
		failsWith(t, "isn't TOML", "", "version", "--config", file(t, "public-url https\n"))
		failsWith(t, "must not be longer than", "", "version", "--session-idle", "48h", "--session-lifetime", "24h")
		failsWith(t, "at least 1s", "", "version", "--confirm-after", "0s")
		failsWith(t, "must be from 1 to 60", "", "version", "--max-passkeys", "0")
		failsWith(t, "must be from 1 to 60", "", "version", "--max-passkeys", "61")
		failsWith(t, "log-level", "", "version", "--log-level", "loud")
		failsWith(t, "password-sign-in", "", "version", "--password-sign-in", "sometimes")
		failsWith(t, "password-sign-in", "", "version", "--config", file(t, "password-sign-in = \"sometimes\"\n"))
		failsWith(t, "user-verification", "", "version", "--config", file(t, "user-verification = true\n"))
		failsWith(t, "nobody could set this installation up", "", "version", "--password-sign-in", "off", "--no-passkeys")
		database := filepath.Join(t.TempDir(), "keypeg.db")
		failsWith(t, "write https://", "", "serve", "--database", database, "--public-url", "http://id.example.com")
		failsWith(t, "IP address", "", "serve", "--database", database, "--public-url", "https://10.0.0.1")
		failsWith(t, "doesn't belong to", "", "serve", "--database", database, "--public-url", "https://id.example.com", "--rp-id", "example.org")
		for url, write := range map[string]string{
			"id.example.com": "write https://id.example.com", "https://id_1.example.com": "write https://id-1.example.com",
			"https://id.example.com/keypeg": "write https://id.example.com", "https://com": "other people's domains lie under com",
			"https://id.example.com:99999": "write https://id.example.com",
		} {
			failsWith(t, write, "", "serve", "--database", database, "--public-url", url)
			failsWith(t, write, "", "serve", "--database", database, "--config", file(t, "public-url = '"+url+"'\n"))
		}
		failsWith(t, `write "acme.github.io"`, "", "serve", "--database", database, "--public-url", "https://acme.github.io", "--rp-id", "github.io")
		failsWith(t, `write "example.com"`, "", "serve", "--database", database, "--public-url", "https://id.example.com", "--rp-id", "https://Example.com")
		failsWith(t, "says no port that people could use", "", "serve", "--database", database, "--listen", "localhost:0")
		if _, err := os.Stat(database); err == nil {
			t.Error("a database was made")
		}
	})
	t.Run("version says which", func(t *testing.T) {
		if out := succeeds(t, "", "version"); !strings.HasPrefix(out, "keypeg ") || out != succeeds(t, "", "--version") {
			t.Errorf("got %q", out)
		}
	})
}

// TestLinksTellWhereTheyWork checks that a command says why the address of a link that it
// prints may not work.
func TestLinksTellWhereTheyWork(t *testing.T) {
	database := newDatabase(t)
	succeeds(t, "correct horse battery\n", "user", "add", "bob", "--database", database)
	const alone = "opens on this machine alone, because "
	tells := func(t *testing.T, want string, args ...string) {
		t.Helper()
		for _, command := range [][]string{{"setup-link"}, {"user", "invite", "ann"}, {"user", "recovery-link", "bob"}} {
			args := append(append(command, "--database", database), args...)
			code, _, printed := types(t, "", args...)
			if code != 0 || !strings.Contains(printed, want) || want == "" && (strings.Contains(printed, alone) || strings.Contains(printed, "address")) {
				t.Errorf("keypeg %s: exit %d, %q, want it to say %q", strings.Join(args, " "), code, printed, want)
			}
		}
	}
	t.Run("while no server runs", func(t *testing.T) {
		tells(t, alone+"no --public-url is set here. If people use another address, make a new link with it")
		tells(t, alone+"the public URL is http://localhost:9000", "--public-url", "http://localhost:9000")
		tells(t, "", "--public-url", "https://id.example.com")
	})
	for origin, isLocal := range map[string]bool{"https://id.example.com": false, "http://localhost:8080": true} {
		t.Run("while one runs at "+origin, func(t *testing.T) {
			db, err := boltstore.Open(database, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			listener, err := control.Listen(database + ".sock")
			if err != nil {
				t.Fatal(err)
			}
			srv := &http.Server{Handler: control.Handler(control.Accounts{
				Service: account.New(account.Config{Store: db, Now: time.Now}), Store: db, Address: server.Address{Origin: origin},
			}, db)}
			go srv.Serve(listener)
			defer srv.Shutdown(context.Background())

			tells(t, either(isLocal, alone+"the address of the running server is http://localhost:8080", ""))
			tells(t, "It has the address of the running server, "+origin+". The public URL that was given here, https://id.example.org, is not used", "--public-url", "https://id.example.org")
			tells(t, either(isLocal, alone, ""), "--public-url", origin+"/")
		})
	}
	t.Run("until when, by which clock", func(t *testing.T) {
		zone, _ := time.Now().Zone()
		_, _, printed := types(t, "", "user", "recovery-link", "bob", "--database", database)
		if !regexp.MustCompile(`(?m)^It works once, until \d{4}-\d\d-\d\d \d\d:\d\d ` + regexp.QuoteMeta(zone) + `\.$`).MatchString(printed) {
			t.Errorf("it says %q", printed)
		}
	})
}

// newDatabase makes an empty database, as keypeg serve does, and returns its path.
func newDatabase(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keypeg.db")
	db, err := boltstore.Open(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// A command in another folder than the server's, or with a database that is mistyped, would
// speak of an installation that nobody knows, and change it.
func TestNoCommandMakesADatabase(t *testing.T) {
	ofOne := [][]string{
		{"user", "add", "ann"}, {"user", "invite", "ann"}, {"user", "list"}, {"user", "passwd", "ann"}, {"user", "passwd", "ann", "--remove"},
		{"user", "disable", "ann"}, {"user", "enable", "ann"}, {"user", "release", "ann"}, {"user", "recovery-link", "ann"}, {"user", "withdraw-link", "ann"},
		{"user", "link", "ann", "google", "1"}, {"user", "unlink", "ann", "google"},
		{"client", "add", "app", "--redirect-uri", "https://app.example.com/"}, {"client", "list"}, {"client", "show", "app"}, {"client", "change", "app"}, {"client", "rotate", "app"}, {"client", "remove", "app"},
		{"setup-link"}, {"signals", "status"}, {"signals", "on"}, {"signals", "off"}, {"backup", "backup.db"}, {"backup", "make", "backup.db"},
	}
	ofCloud := [][]string{
		{"tenant", "add", "acme", "https://id.acme.example"}, {"tenant", "list"}, {"tenant", "disable", "acme"}, {"tenant", "enable", "acme"},
		{"tenant", "remove", "acme", "--yes", "acme"}, {"signals", "on", "--all-tenants"}, {"backup", "backup.db", "--tenant-list"},
	}
	for _, args := range ofOne {
		ofCloud = append(ofCloud, append(slices.Clone(args), "--tenant", "acme"))
	}
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("empty.db", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	urls := map[string]string{
		"elsewhere/keypeg.db": "there is no database at elsewhere/keypeg.db in the folder " + here + ": name the database that the server uses with --database, or begin a new one with keypeg serve",
		"empty.db":            "the database empty.db in the folder " + here + " is empty: name the database",
		"empty.db/keypeg.db":  "what should be a folder is a file: correct the path empty.db/keypeg.db",
		".":                   ". is a folder: name a file",
		pgtest.Empty(t):       "there is nothing of Keypeg in the database postgres://",
	}
	for database, sentence := range urls {
		for _, args := range ofOne {
			failsWith(t, sentence, "correct horse battery\n", append(args, "--database", database)...)
		}
		for _, args := range ofCloud {
			failsWith(t, sentence, "correct horse battery\n", append(args, "--database", database, "--edition", "cloud")...)
		}
	}
	if left, err := filepath.Glob("*"); err != nil || !slices.Equal(left, []string{"empty.db"}) {
		t.Errorf("there is %q now (%v), want the empty file alone", left, err)
	}
	if info, err := os.Stat("empty.db"); err != nil || info.Size() != 0 {
		t.Errorf("something was written to the empty file: %v", err)
	}
	for database := range urls {
		if pgstore.IsURL(database) {
			if is, err := pgstore.IsKeypegs(t.Context(), database); is || err != nil {
				t.Errorf("tables were made in PostgreSQL: %v, %v", is, err)
			}
		}
	}
}

// TestUserListCounts checks that the list says what the Users page does: which sign-in
// methods are taken.
func TestUserListCounts(t *testing.T) {
	database := newDatabase(t)
	succeeds(t, "correct horse battery\n", "user", "add", "bob", "--database", database)
	failsWith(t, "Nobody signs in with a password here.", "", "user", "add", "carl", "--database", database, "--password-sign-in", "off") // before one is asked for
	for policy, want := range map[string]string{
		"on":             `(?m)^bob +bob +user +yes +0 +0 +enabled `,
		"administrators": `(?m)^bob +bob +user +no +0 +0 +no way in `,
		"off":            `(?m)^bob +bob +user +no +0 +0 +no way in `,
	} {
		list := succeeds(t, "", "user", "list", "--database", database, "--password-sign-in", policy)
		if !regexp.MustCompile(want).MatchString(list) {
			t.Errorf("with --password-sign-in %s:\n%s", policy, list)
		}
	}
}
