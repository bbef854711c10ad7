package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/internal/transfer"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/shared"
)

// cloudDatabases are those that every claim about tenants is held against.
var cloudDatabases = map[string]func(*testing.T) string{
	"files":      func(t *testing.T) string { return filepath.Join(t.TempDir(), "keypeg.db") },
	"PostgreSQL": func(t *testing.T) string { return pgtest.Empty(t) },
}

// newCloud is an installation of the cloud edition that hasn't been started.
func newCloud(t *testing.T, database string, flags ...string) *program {
	t.Helper()
	p := newProgramOn(t, database, "", flags...)
	p.args = append([]string{"serve", "--edition", "cloud", "--listen", p.address, "--database", database}, flags...)
	return p
}

// begins makes the database of an installation that has not been started yet, as its first
// start does.
func (p *program) begins() {
	p.Helper()
	db, err := installation.OpenStore(p.Context(), p.database, "", time.Now)
	if err != nil {
		p.Fatal(err)
	}
	if err := errors.Join(tenant.NewRegistry(db, time.Now).Begin(p.Context()), db.Close()); err != nil {
		p.Fatal(err)
	}
}

// host is the Host header of a tenant.
func (p *program) host(name string) string {
	return name + ".localhost:" + p.address[strings.LastIndex(p.address, ":")+1:]
}

// at is the same program, as the people of one tenant reach it.
func (p *program) at(name string) *program {
	seen := *p
	seen.url = "http://" + p.host(name)
	return &seen
}

// tries runs a command of the program on the same database; on premise, with the settings of the server.
func (p *program) tries(stdin string, args ...string) (string, error) {
	p.Helper()
	settings := []string{"--edition", "cloud", "--database", p.database}
	if !slices.Contains(p.args, "cloud") {
		settings = p.args[1:]
	}
	c := command(p.T, slices.Concat(args, settings)...)
	c.Stdin = strings.NewReader(stdin)
	out, err := c.CombinedOutput()
	return string(out), err
}

func (p *program) does(stdin string, args ...string) string {
	p.Helper()
	out, err := p.tries(stdin, args...)
	if err != nil {
		p.Fatalf("keypeg %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (p *program) refusesTo(says, stdin string, args ...string) {
	p.Helper()
	out, err := p.tries(stdin, args...)
	if err == nil || !strings.Contains(out, says) || strings.Contains(out, "goroutine") || strings.Contains(out, "internal:") {
		p.Errorf("keypeg %s: %v\n%s\nwant a failure that says %q", strings.Join(args, " "), err, out, says)
	}
}

// adds adds a tenant and returns its set-up link.
func (p *program) adds(name string, more ...string) (link string) {
	p.Helper()
	out := p.does("", append([]string{"tenant", "add", name, "http://" + p.host(name)}, more...)...)
	link = regexp.MustCompile(`http://\S+/setup\?token=[A-Z2-7]{26}`).FindString(out)
	if !strings.HasPrefix(link, "http://"+p.host(name)+"/") {
		p.Fatalf("keypeg tenant add %s printed no link:\n%s", name, out)
	}
	return link
}

// gets asks for a path at a host, and returns status and body.
func (p *program) gets(host, path string, header ...string) (int, string) {
	p.Helper()
	answer := p.asksFor(host, path, header...)
	return answer.StatusCode, answer.text
}

// records is what a tenant's store holds, read from a backup, but for kinds that
// don't matter.
func (p *program) records(name string, but ...store.Kind) (sum transfer.Sum, secrets map[string]string) {
	p.Helper()
	backup := filepath.Join(p.TempDir(), "backup.db")
	p.does("", "backup", backup, "--tenant", name)
	db, err := boltstore.OpenReadOnly(backup, time.Now)
	if err != nil {
		p.Fatal(err)
	}
	defer db.Close()
	if sum, err = transfer.AddUp(p.Context(), without{db, but}); err != nil {
		p.Fatal(err)
	}
	entries, err := store.Secrets.List(p.Context(), db, "", "", 100)
	if err != nil {
		p.Fatal(err)
	}
	secrets = map[string]string{}
	for _, entry := range entries {
		secrets[entry.Key] = string(entry.Value)
	}
	return sum, secrets
}

// without is a store without records of some kinds.
type without struct {
	store.Store
	kinds []store.Kind
}

func (w without) Records(ctx context.Context, kind store.Kind, after []byte, limit int) ([]store.Record, error) {
	if slices.Contains(w.kinds, kind) {
		return nil, nil
	}
	records, err := w.Store.Records(ctx, kind, after, limit)
	return slices.DeleteFunc(records, isShare), err
}

// isShare reports whether a record is the day's share of users with a passkey: a server that has run for a minute writes
// one by itself.
func isShare(record store.Record) bool {
	put, is := record.Op.(store.PutItem)
	return is && put.Item.Collection == "rollout-share"
}

// leftOf counts what is left of a tenant: files, or rows.
func (p *program) leftOf(name string) (n int) {
	p.Helper()
	if !strings.Contains(p.database, "://") {
		found, err := filepath.Glob(filepath.Join(filepath.Dir(p.database), "tenants", name+".db*"))
		if err != nil {
			p.Fatal(err)
		}
		return len(found)
	}
	db, err := installation.OpenStore(p.Context(), p.database, name, time.Now)
	if err != nil {
		p.Fatal(err)
	}
	defer db.Close()
	sum, err := transfer.AddUp(p.Context(), db)
	if err != nil {
		p.Fatal(err)
	}
	return sum.Total()
}

// TestTenantCommands runs every command twice on each database: with a running server,
// and without.
func TestTenantCommands(t *testing.T) {
	for where, database := range cloudDatabases {
		t.Run("without a server, "+where, func(t *testing.T) {
			p := newCloud(t, database(t))
			p.begins()
			testTenantCommands(p)
		})
		t.Run("while a server runs, "+where, func(t *testing.T) {
			p := newCloud(t, database(t))
			p.starts()
			testTenantCommands(p)
		})
	}
}

func testTenantCommands(p *program) {
	const password = "correct horse battery\n"
	if out := p.does("", "tenant", "list"); !regexp.MustCompile(`^NAME +ADDRESS +RP ID +STATE +CREATED +PROGRAM\n$`).MatchString(out) {
		p.Errorf("the empty list: %q", out)
	}
	p.adds("acme", "--product", "Acme ID", "--contact", "Acme's desk")
	p.adds("beta")
	before := p.does("", "tenant", "list")
	if !regexp.MustCompile(`(?m)^acme +http://` + regexp.QuoteMeta(p.host("acme")) + ` +acme\.localhost +enabled +\d{4}-\d\d-\d\d +-$`).MatchString(before) {
		p.Errorf("the list:\n%s", before)
	}
	if lines := strings.Split(p.does("", "tenant", "list", "--json"), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], `{"name":"acme","address":"http://`+p.host("acme")+`","rpId":"acme.localhost","state":"enabled","created":"20`) {
		p.Errorf("the list as JSON: %q", lines)
	}
	p.refusesTo("there is a tenant acme already", "", "tenant", "add", "acme", "https://new.example")
	p.refusesTo("belongs to the tenant acme already", "", "tenant", "add", "gamma", "http://"+p.host("acme"))
	p.refusesTo("would be offered at", "", "tenant", "add", "gamma", "http://"+p.host("shop.acme"))
	p.refusesTo("can't name a tenant", "", "tenant", "add", "../gamma", "https://gamma.example")
	p.refusesTo("isn't safe without https", "", "tenant", "add", "gamma", "http://gamma.example")
	p.refusesTo("doesn't belong to", "", "tenant", "add", "gamma", "https://gamma.example", "--rp-id", "delta.example")
	p.refusesTo("no such tenant", "", "tenant", "disable", "acne")
	if after := p.does("", "tenant", "list"); after != before {
		p.Errorf("what was refused changed the list:\n%s\n%s", before, after)
	}
	if n := p.leftOf("gamma"); n != 0 {
		p.Errorf("what was refused left %d records", n)
	}

	// Commands for one organisation say which.
	for _, args := range [][]string{{"user", "list"}, {"setup-link"}, {"user", "add", "ann"}, {"backup", "x.db"}} {
		p.refusesTo("add --tenant NAME", password, args...)
		p.refusesTo(`no such tenant as "acne"`, password, append(args, "--tenant", "acne")...)
		p.refusesTo(`"../acme" can't name a tenant`, password, append(args, "--tenant", "../acme")...)
	}
	p.does(password, "user", "add", "ann", "--admin", "--tenant", "acme")
	if out := p.does("", "user", "list", "--tenant", "acme"); !strings.Contains(out, "\nann ") {
		p.Errorf("acme's users:\n%s", out)
	}
	if out := p.does("", "user", "list", "--tenant", "beta"); strings.Contains(out, "ann") {
		p.Errorf("beta's users:\n%s", out)
	}
	p.refusesTo("set up already", "", "setup-link", "--tenant", "acme")
	if link := p.does("", "setup-link", "--tenant", "beta"); !strings.HasPrefix(link, "http://"+p.host("beta")+"/setup?token=") {
		p.Errorf("beta's link: %s", link)
	}

	// Backups, and back.
	folder := p.TempDir()
	backup, list := filepath.Join(folder, "acme.db"), filepath.Join(folder, "list.db")
	p.does("", "backup", backup, "--tenant", "acme")
	p.does("", "backup", list, "--tenant-list")
	p.refusesTo("two backups", "", "backup", filepath.Join(folder, "both.db"), "--tenant-list", "--tenant", "acme")
	p.refusesTo("leave out --previous", "", "restore", list, "--tenant-list", "--previous", p.database)
	refusal := "has users already"
	if p.running != nil && !strings.Contains(p.database, "://") {
		refusal = "the running server has the tenant open" // its file has one owner
	}
	p.refusesTo(refusal, "", "restore", backup, "--tenant", "acme")

	p.refusesTo("the tenant beta is switched on: run keypeg tenant disable beta first", "", "tenant", "remove", "beta", "--yes", "beta")
	p.does("", "tenant", "disable", "acme")
	if out := p.does("", "tenant", "list"); !regexp.MustCompile(`(?m)^acme .* disabled `).MatchString(out) {
		p.Errorf("the list after disabling:\n%s", out)
	}
	p.refusesTo("add --yes acme", "", "tenant", "remove", "acme")
	p.refusesTo(`"beta" isn't "acme"`, "", "tenant", "remove", "acme", "--yes", "beta")
	p.does("", "backup", filepath.Join(folder, "disabled.db"), "--tenant", "acme")
	p.does("", "tenant", "remove", "acme", "--yes", "acme")
	if n := p.leftOf("acme"); n != 0 {
		p.Errorf("%d records of acme are left", n)
	}
	p.refusesTo("no such tenant", "", "user", "list", "--tenant", "acme")
	p.refusesTo("no such tenant", "", "tenant", "remove", "acme", "--yes", "acme")

	p.adds("acme")
	if out := p.does("", "user", "list", "--tenant", "acme"); strings.Contains(out, "ann") {
		p.Errorf("a new tenant of an old name has its users:\n%s", out)
	}
	p.does("", "tenant", "disable", "acme")
	p.does("", "restore", backup, "--tenant", "acme")
	p.does("", "tenant", "enable", "acme")
	if out := p.does("", "user", "list", "--tenant", "acme"); !strings.Contains(out, "\nann ") {
		p.Errorf("acme's users after restoring:\n%s", out)
	}
	if p.running != nil {
		p.until("acme is served again", func() bool { status, _ := p.gets(p.host("acme"), "/sign-in"); return status == 200 })
		p.ends(syscall.SIGTERM)
	}

	// The list alone makes an installation, into which tenants are restored.
	other := newCloud(p.T, map[bool]string{true: filepath.Join(folder, "other", "keypeg.db")}[!strings.Contains(p.database, "://")])
	if other.database == "" {
		other.database = pgtest.Empty(p.T)
	}
	other.does("", "restore", list, "--tenant-list")
	other.does("", "restore", backup, "--tenant", "acme")
	if out := other.does("", "user", "list", "--tenant", "acme"); !strings.Contains(out, "\nann ") {
		p.Errorf("acme's users elsewhere:\n%s", out)
	}

	// All of it moves to the other kind of database.
	target := filepath.Join(folder, "moved", "keypeg.db")
	if !strings.Contains(p.database, "://") {
		target = pgtest.Empty(p.T)
	}
	for range 2 { // the second finds all there, but for the list, which is the last
		out, err := p.tries("", "store", "copy", "--from", p.database, "--to", target)
		if err != nil && !strings.Contains(out, "acme: It is there already") {
			p.Errorf("copying: %v\n%s", err, out)
		}
	}
	moved := *p
	moved.database = target
	if out := moved.does("", "user", "list", "--tenant", "acme"); !strings.Contains(out, "\nann ") {
		p.Errorf("acme's users after moving:\n%s", out)
	}
}

// TestEditions checks that neither edition takes the other's commands, settings and
// databases.
func TestEditions(t *testing.T) {
	p := newCloud(t, filepath.Join(t.TempDir(), "keypeg.db"))
	p.begins()
	p.adds("acme")
	fails := func(says string, args ...string) {
		t.Helper()
		failsWith(t, says, "correct horse battery\n", args...)
	}
	single := newDatabase(t)
	fails("belongs to no installation of the cloud edition", "tenant", "list", "--edition", "cloud", "--database", single)
	succeeds(t, "correct horse battery\n", "user", "add", "ann", "--database", single)

	fails("in the cloud edition only: set --edition cloud", "tenant", "list", "--database", single)
	fails("in the cloud edition only: leave out --tenant", "user", "list", "--tenant", "acme", "--database", single)
	fails("in the cloud edition only: leave out --tenant", "backup", "x.db", "--tenant", "acme", "--database", single)
	fails("leave out --tenant-list", "backup", "x.db", "--tenant-list", "--database", single)
	fails("belongs to an installation of the cloud edition", "user", "list", "--database", p.database)
	fails("belongs to an installation of the cloud edition", "serve", "--database", p.database)
	fails("belongs to an installation of the cloud edition", "store", "copy", "--from", p.database, "--to", filepath.Join(t.TempDir(), "x.db"))
	fails("belongs to one organisation, and has its users", "tenant", "list", "--edition", "cloud", "--database", single)
	fails("has no list of tenants", "store", "copy", "--edition", "cloud", "--from", single, "--to", filepath.Join(t.TempDir(), "x.db"))
	fails("must be one of", "version", "--edition", "club")
	fails("where passkeys are for everyone", "serve", "--edition", "cloud", "--no-passkeys", "--database", p.database)
	fails("each tenant has its own", "serve", "--edition", "cloud", "--public-url", "https://id.example.com", "--database", p.database)
	fails("each tenant has its own", "serve", "--edition", "cloud", "--rp-id", "example.com", "--database", p.database)
}

// TestHosts asks for hosts that tenants have, and for others.
func TestHosts(t *testing.T) {
	for where, database := range cloudDatabases {
		t.Run(where, func(t *testing.T) { testHosts(newCloud(t, database(t), "--contact", "operations, phone 1")) })
	}
}

func testHosts(p *program) {
	p.starts()
	p.adds("acme", "--contact", "Acme's desk")
	p.adds("beta")
	p.does("correct horse battery\n", "user", "add", "ann", "--tenant", "acme")
	ann := p.at("acme").opensTab(nil, "")
	if _, err := ann.SignInWithPassword(p.Context(), "ann", "correct horse battery"); err != nil {
		p.Fatal(err)
	}
	_, port, _ := strings.Cut(p.host("acme"), ":")

	unknown := func(host string) {
		p.Helper()
		for _, path := range []string{"/", "/sign-in", "/api/v1/account", "/static/"} {
			if status, body := p.gets(host, path, "Cookie", "keypeg="+ann.token()); status != 421 || !strings.Contains(body, "No organisation is served at this address.") {
				p.Errorf("%s at %q: %d %s", path, host, status, body)
			}
		}
		if status, _ := p.gets(host, "/healthz"); status != 200 {
			p.Errorf("the health at %q: %d", host, status)
		}
	}
	for _, host := range []string{
		p.address, "localhost:" + port, "gamma.localhost:" + port, "x.acme.localhost:" + port, "acme.localhost", "acme.localhost:1",
		"acme.localhost:" + port + ".", "127.0.0.1:" + port, "acme",
	} {
		unknown(host)
	}
	books := p.does("", "tenant", "add", "books", "https://Bücher.example.")
	if !strings.Contains(books, "Added books at https://xn--bcher-kva.example.\n") || !strings.Contains(books, "  https://xn--bcher-kva.example/setup?token=") {
		p.Errorf("added: %s", books)
	}
	for _, host := range []string{"xn--bcher-kva.example", "XN--BCHER-KVA.example:443"} {
		p.until("books is reached as "+host, func() bool { status, _ := p.gets(host, "/sign-in"); return status == 200 })
	}
	for url, says := range map[string]string{
		"https://BÜCHER.example": "belongs to the tenant books already", "https://xn--bcher-kva.example:8443": "belongs to the tenant books already",
		"https://x_y.example": "write https://x-y.example", "x.example": "write https://x.example", "https://x.example/keypeg": "write https://x.example",
	} {
		p.refusesTo(says, "", "tenant", "add", "other", url)
	}
	p.refusesTo(`write "x.github.io"`, "", "tenant", "add", "other", "https://x.github.io", "--rp-id", "github.io")
	for _, host := range []string{p.host("acme"), "ACME.localhost:" + port, "acme.localhost.:" + port, "Acme.LOCALHOST.:" + port} {
		if status, _ := p.gets(host, "/sign-in"); status != 200 {
			p.Errorf("acme itself as %s: %d", host, status)
		}
	}

	// Switched off: streams end, and everybody reads whom to ask, in their language.
	stream := p.at("acme").streams(ann.token())
	betas := p.at("beta")
	p.does("", "tenant", "disable", "acme")
	stream.end(p.T)
	p.until("acme is off", func() bool { status, _ := p.gets(p.host("acme"), "/sign-in"); return status == 403 })
	for path, says := range map[string]string{
		"/sign-in": "Diese Organisation ist abgeschaltet. Bitte fragen Sie: Acme", "/": "abgeschaltet", "/passkeys": "abgeschaltet",
		"/api/v1/account": `"code":"switched_off"`, "/api/v1/live": "abgeschaltet", "/manifest.webmanifest": "abgeschaltet",
	} {
		status, body := p.gets(p.host("acme"), path, "Accept-Language", "de", "Cookie", "keypeg="+ann.token())
		if status != 403 || !strings.Contains(body, says) {
			p.Errorf("%s of a tenant that is off: %d %s", path, status, body)
		}
	}
	if _, err := ann.SignInWithPassword(p.Context(), "ann", "correct horse battery"); shared.CodeOf(err) != shared.CodeSuspended {
		p.Errorf("signing in at a tenant that is off: %v", err)
	}
	if status, _ := p.gets(betas.host("beta"), "/sign-in"); status != 200 {
		p.Errorf("the other: %d", status)
	}

	p.does("", "tenant", "enable", "acme")
	p.until("acme is on again", func() bool { status, _ := p.gets(p.host("acme"), "/sign-in"); return status == 200 })
	if _, err := ann.Account(p.Context()); err != nil {
		p.Errorf("the session of before: %v", err)
	}

	p.does("", "tenant", "disable", "acme")
	p.does("", "tenant", "remove", "acme", "--yes", "acme")
	p.until("acme is gone", func() bool { status, _ := p.gets(p.host("acme"), "/sign-in"); return status == 421 })
	unknown(p.host("acme"))

	// Its host is free for another, who gets nothing of it.
	p.does("", "tenant", "add", "next", "http://"+p.host("acme"))
	p.until("next is there", func() bool { status, _ := p.gets(p.host("acme"), "/sign-in"); return status == 200 })
	if _, err := ann.Account(p.Context()); shared.CodeOf(err) != shared.CodeUnauthenticated {
		p.Errorf("a session of the tenant that had this host before: %v", err)
	}
	p.ends(syscall.SIGTERM)
}

// until waits for something that other nodes, or PostgreSQL's, notice by asking. It asks ever less often,
// because many ask by a command, and a busy machine should do what is waited for.
func (p *program) until(what string, so func() bool) {
	p.Helper()
	pause := 10 * time.Millisecond
	for deadline := time.Now().Add(patience); !so(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			p.Fatalf("waited in vain until %s", what)
		}
		pause = min(pause*3/2, 300*time.Millisecond)
	}
}

// stream is an open page that is notified of changes.
type stream struct{ response *http.Response }

func (p *program) streams(token string) stream {
	p.Helper()
	site, err := url.Parse(p.url)
	if err != nil {
		p.Fatal(err)
	}
	r, err := http.NewRequestWithContext(p.Context(), "GET", "http://"+p.address+shared.PathLive, nil)
	if err != nil {
		p.Fatal(err)
	}
	r.Host = site.Host
	r.AddCookie(&http.Cookie{Name: "keypeg", Value: token})
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != 200 {
		p.Fatalf("status %d", response.StatusCode)
	}
	return stream{response}
}

// end waits until the server has ended it.
func (s stream) end(t *testing.T) {
	t.Helper()
	late := time.AfterFunc(patience, func() { s.response.Body.Close() })
	if _, err := io.Copy(io.Discard, s.response.Body); err != nil {
		t.Errorf("the stream didn't end by itself: %v", err)
	}
	late.Stop()
}

// TestTenantsOfTwoNodes changes the list on one node. The other notices.
func TestTenantsOfTwoNodes(t *testing.T) {
	a := newCloud(t, pgtest.Empty(t))
	b := newCloud(t, a.database)
	a.starts()
	b.starts()
	statusOn := func(p *program) int { status, _ := p.gets(a.host("acme"), "/sign-in"); return status }
	a.adds("acme")
	for _, node := range []*program{a, b} {
		node.until("the new tenant is served", func() bool { return statusOn(node) == 200 })
	}
	a.does("correct horse battery\n", "user", "add", "ann", "--tenant", "acme")
	ann := a.at("acme").opensTab(nil, "")
	if _, err := ann.SignInWithPassword(t.Context(), "ann", "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	onB := b.at("acme")
	onB.url = a.at("acme").url
	receives := onB.listens(t, ann.token())
	if _, err := ann.EndOtherSessions(t.Context()); err != nil {
		t.Fatal(err)
	}
	receives("event: changed")

	open := onB.streams(ann.token())
	began := time.Now()
	a.does("", "tenant", "disable", "acme")
	open.end(t)
	for _, node := range []*program{a, b} {
		node.until("it is off", func() bool { return statusOn(node) == 403 })
	}
	t.Logf("both nodes had switched it off after %s", time.Since(began).Round(10*time.Millisecond))
	a.ends(syscall.SIGTERM)
	b.ends(syscall.SIGTERM)
}

// TestTenantRemoveKilled kills the removal of a tenant again and again. The same command
// repairs whatever is left, and the other tenant stays as it is.
func TestTenantRemoveKilled(t *testing.T) {
	for where, database := range cloudDatabases {
		t.Run(where, func(t *testing.T) {
			p := newCloud(t, database(t))
			p.begins()
			p.adds("beta")
			p.does("correct horse battery\n", "user", "add", "bob", "--tenant", "beta")
			before, _ := p.records("beta")
			kills, rounds := 0, 0
			for ; kills < 5 && rounds < 50; rounds++ {
				p.adds("acme")
				p.fills("acme", 3000)
				p.does("", "tenant", "disable", "acme")
				patience := 20 * time.Millisecond
				for isKilled(t, patience, "tenant", "remove", "acme", "--yes", "acme", "--edition", "cloud", "--database", p.database) {
					kills++
					patience += patience / 3
					list := p.does("", "tenant", "list")
					if !strings.Contains(list, "\nacme ") {
						break // it was killed when all was done
					}
					if !strings.Contains(list, "being removed") && !strings.Contains(list, "disabled") {
						t.Fatalf("a tenant that is being removed:\n%s", list)
					}
				}
				if list := p.does("", "tenant", "list"); strings.Contains(list, "\nacme ") || p.leftOf("acme") != 0 {
					t.Fatalf("round %d: %d records are left:\n%s", rounds, p.leftOf("acme"), list)
				}
			}
			if after, _ := p.records("beta"); !after.Same(before) {
				t.Error("the other tenant was changed")
			}
			t.Logf("%d kills in %d rounds", kills, rounds)
			if kills == 0 {
				t.Error("it was never killed: this test shows nothing")
			}
		})
	}
}

// TestTenantRemoveInterrupted interrupts a removal before and after the records are
// deleted. In between nobody gets the name, and the same command completes it.
func TestTenantRemoveInterrupted(t *testing.T) {
	broken := errors.New("the machine stopped")
	for where, database := range cloudDatabases {
		t.Run(where, func(t *testing.T) {
			p := newCloud(t, database(t))
			p.begins()
			for _, deleted := range []bool{false, true} {
				p.adds("acme")
				p.fills("acme", 10)
				p.does("", "tenant", "disable", "acme")
				db, err := installation.DriverOf(p.database, "").Open(t.Context(), time.Now)
				if err != nil {
					t.Fatal(err)
				}
				own, err := db.Organisation("")
				if err != nil {
					t.Fatal(err)
				}
				err = tenant.NewRegistry(own, time.Now).Remove(t.Context(), "acme", func(ctx context.Context, one tenant.Tenant) error {
					if deleted {
						if err := db.Erase(ctx, one); err != nil {
							t.Error(err)
						}
					}
					return broken
				})
				if closing := errors.Join(own.Close(), db.Close()); closing != nil || !errors.Is(err, broken) {
					t.Fatalf("%v, %v", err, closing)
				}
				if left := p.leftOf("acme"); (left == 0) != deleted {
					t.Errorf("deleted: %t, but %d records are left", deleted, left)
				}
				if list := p.does("", "tenant", "list"); !strings.Contains(list, "being removed") {
					t.Errorf("the list:\n%s", list)
				}
				p.refusesTo("is being removed: run keypeg tenant remove acme again", "", "tenant", "add", "acme", "https://acme.example")
				p.refusesTo("is being removed", "", "tenant", "enable", "acme")
				p.refusesTo("is being removed", "", "user", "list", "--tenant", "acme")
				p.does("", "tenant", "remove", "acme", "--yes", "acme")
				if list := p.does("", "tenant", "list"); strings.Contains(list, "acme") || p.leftOf("acme") != 0 {
					t.Errorf("%d records are left:\n%s", p.leftOf("acme"), list)
				}
			}
		})
	}
}

// fills gives a tenant users.
func (p *program) fills(name string, users int) {
	p.Helper()
	db, err := installation.OpenStore(p.Context(), p.database, name, time.Now)
	if err != nil {
		p.Fatal(err)
	}
	defer db.Close()
	for i := 0; i < users; {
		var batch store.Batch
		for ; i < users && len(batch) < 500; i++ {
			batch = append(batch, store.PutUser{User: store.User{ID: store.NewUserID(), Name: fmt.Sprint("user", i), Handle: []byte{1}, Created: time.Now()}})
		}
		if err := db.Apply(context.Background(), batch); err != nil {
			p.Fatal(err)
		}
	}
}
