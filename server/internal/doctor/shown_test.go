package doctor

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// given are settings that are the same for every organisation.
type given struct{}

func (given) Organisation(tenant.Tenant) (installation.Organisation, error) {
	return installation.Organisation{}, nil
}

func (given) Address(tenant.Tenant) (server.Address, error) {
	return server.ParseAddress("https://id.example.com", "", false)
}

func (given) WithOverrides() []string { return nil }

// TestTitles finds checks without a title in other languages. The names of headers and files have none.
func TestTitles(t *testing.T) {
	p := Patient{Installation: installation.Installation{Settings: given{}}, Backups: installation.Schedule{Folder: "/backups"}, Notices: []Notice{{}}, Now: time.Now}
	checks := append(p.ofSettings(), p.ofOrganisation(tenant.Tenant{})...)
	checks = append(checks, Check{Group: groupDatabase, Name: "tenants"}, Check{Group: groupOthers, Name: "identity provider google"}, Check{Group: groupOthers, Name: "gate wiki"}, Check{Group: groupName, Name: "origins listed at example.com"})
	same := []string{"Host", "X-Forwarded-For", "X-Forwarded-Proto", "Origin", "Keypeg-Nonce", "Accept-Encoding", "Content-Security-Policy", "Permissions-Policy", "Cache-Control", "app.wasm"}
	for _, c := range checks {
		group, title := message.CheckTitle(&message.Japanese, c.Group, c.Name)
		if group == c.Group || (title == c.Name) != slices.Contains(same, c.Name) {
			t.Errorf("%s, %s is %s, %s in Japanese", c.Group, c.Name, group, title)
		}
	}
}

// TestForTenants: the administrators of a tenant learn that something of the machine is wrong, and not what.
func TestForTenants(t *testing.T) {
	checks := []Check{
		{Group: "One", Name: "a", OfMachine: true, Run: func(context.Context) Result { return ok("/var/lib/keypeg is there") }},
		{Group: "One", Name: "b", OfMachine: true, Run: func(context.Context) Result {
			return failed("10.0.0.4 isn't trusted", keypegLine("--trusted-proxies 10.0.0.4"))
		}},
		{Group: "One", Name: "c", Run: func(context.Context) Result { return ok("theirs") }},
	}
	for hosted, want := range map[bool]string{
		false: "ok a: /var/lib/keypeg is there; failed b: 10.0.0.4 isn't trusted; ok c: theirs",
		true:  "failed b: " + elsewhere + "; ok c: theirs",
	} {
		var found []string
		p := Patient{hosted: hosted, Found: func(m Made) { found = append(found, string(m.State)+" "+m.Name+": "+m.Compared) }}
		var report Report
		p.make(t.Context(), &report, checks)
		if got := strings.Join(found, "; "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		var text strings.Builder
		report.WriteSupport(&text, About{})
		if hosted && strings.Contains(text.String()+report.Checks[0].Mend[0].Line, "10.0.0.4") {
			t.Errorf("they read of the machine:\n%s", text.String())
		}
	}
}

func TestSupport(t *testing.T) {
	var r Report
	locked := failed("ann has no sign-in method left", do("keypeg user recovery-link ann"))
	locked.support = "1 user has no sign-in method left"
	r.add(Check{Group: "Database", Name: "ways to sign in"}, locked)
	var text strings.Builder
	if err := r.WriteSupport(&text, About{Version: "0.1.0", Settings: []string{"listen = \":8080\" # default"}}); err != nil {
		t.Fatal(err)
	}
	if got := text.String(); strings.Contains(got, "ann ") || !strings.Contains(got, "\n  failed    Database, ways to sign in: 1 user has no sign-in method left\n") || !strings.Contains(got, "  listen = \":8080\" # default\n") {
		t.Errorf("got\n%s", got)
	}
}

// TestFaultyCheck: a check that panics is one that failed, since it may run in a server.
func TestFaultyCheck(t *testing.T) {
	r := Check{Run: func(context.Context) Result { panic("nil map") }}.run(t.Context())
	if r.State != shared.CheckFailed || !strings.Contains(r.Compared, "nil map") {
		t.Errorf("%+v", r)
	}
}
