package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/keypeg/keypeg/server/internal/control"
)

// secretIn returns the client secret that a command has printed.
func secretIn(t *testing.T, printed string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^client secret +(kp_[A-Za-z0-9_-]{43})$`).FindStringSubmatch(printed)
	if found == nil {
		t.Fatalf("no secret is in\n%s", printed)
	}
	return found[1]
}

// TestClientCommands registers programs with the commands of IT, by the running server and without one.
func TestClientCommands(t *testing.T) {
	for where, database := range cloudDatabases {
		t.Run(where, func(t *testing.T) {
			settings := filepath.Join(t.TempDir(), "keypeg.toml")
			if err := os.WriteFile(settings, []byte("[client.wiki]\nname = \"Wiki\"\nredirects = \"https://wiki.example.com/cb\"\nauthentication = \"none\"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			p := newProgramOn(t, database(t), "", "--config", settings)
			p.starts()
			testClientCommands(p)
			p.does("", "client", "change", "grafana", "--redirect-uri", "https://127.0.0.1:1/cb")
			if report, _ := p.tries("", "doctor"); !strings.Contains(report, "programs: of wiki, https://wiki.example.com/cb doesn't answer this machine") || !strings.Contains(report, "of grafana, https://127.0.0.1:1/cb doesn't answer this machine: the connection is refused") {
				t.Errorf("the doctor says\n%s", report)
			}
			p.does("", "client", "remove", "grafana")
			p.ends(syscall.SIGTERM)
			testClientCommands(p)
			if events := p.does("", "audit", "tail", "--kind", "client_added"); strings.Count(events, "program Grafana (grafana)") != 4 || !strings.Contains(events, "by the command line  +redirect:https://grafana.example.com/login/generic_oauth") {
				t.Errorf("the audit has\n%s", events)
			}
		})
	}
}

func testClientCommands(p *program) {
	p.Helper()
	added := p.does("", "client", "add", "grafana", "--name", "Grafana", "--redirect-uri", "https://grafana.example.com/login/generic_oauth", "--redirect-uri", "https://grafana.example.org/login/generic_oauth",
		"--groups", "Staff,it", "--pkce=false")
	secret := secretIn(p.T, added)
	if !strings.Contains(added, "issuer         "+p.url+"\n") || !strings.Contains(added, "client id      grafana\n") || !strings.Contains(added, "Nothing tells the secret again") {
		p.Errorf("client add prints\n%s", added)
	}
	p.refusesTo("there is a client grafana already: choose another id", "", "client", "add", "grafana", "--redirect-uri", "https://x.example.com/")
	p.refusesTo("there is a client wiki in the configuration file", "", "client", "add", "wiki", "--redirect-uri", "https://x.example.com/")
	p.refusesTo("must begin with https://", "", "client", "add", "x", "--redirect-uri", "http://x.example.com/")
	p.refusesTo("there is no redirect", "", "client", "add", "x")
	p.refusesTo("--algorithm must be one of RS256,ES256", "", "client", "add", "x", "--algorithm", "none")

	shown := p.does("", "client", "show", "grafana")
	for _, fact := range []string{"name            Grafana", "issuer          " + p.url, "groups          staff, it", "PKCE            may be missing", "authentication  client_secret_basic", "https://grafana.example.com/login/generic_oauth https://grafana.example.org/login/generic_oauth"} {
		if !strings.Contains(shown, fact) {
			p.Errorf("client show prints no %q:\n%s", fact, shown)
		}
	}
	p.says("name            Graphs", "client", "change", "grafana", "--name", "Graphs", "--redirect-uri", "https://graphs.example.com/login/generic_oauth")
	p.says("signed out      https://graphs.example.com/bye", "client", "change", "grafana", "--signed-out", "https://graphs.example.com/bye")
	if changed := p.does("", "client", "change", "grafana", "--signed-out="); strings.Contains(changed, "signed out") || !strings.Contains(changed, "redirects       https://graphs") {
		p.Errorf("an emptied list is still there:\n%s", changed)
	}
	p.refusesTo("there is no redirect", "", "client", "change", "grafana", "--redirect-uri=")
	var client control.Registration
	asJSON := p.does("", "client", "show", "grafana", "--json")
	if err := json.Unmarshal([]byte(asJSON), &client); err != nil || client.Issuer != p.url || client.Client.ID != "grafana" || client.Client.Name != "Graphs" ||
		!slices.Equal(client.Client.Redirects, []string{"https://graphs.example.com/login/generic_oauth"}) || !slices.Equal(client.Client.Groups, []string{"staff", "it"}) || !client.Client.WithoutPKCE || len(client.Client.Secrets) != 1 {
		p.Errorf("client show --json prints\n%s(%v)", asJSON, err)
	}

	rotated := p.does("", "client", "rotate", "grafana", "--overlap", "1h")
	if other := secretIn(p.T, rotated); other == secret || strings.Count(rotated, " is accepted until ") != 1 {
		p.Errorf("client rotate prints\n%s", rotated)
	}
	if twice := p.does("", "client", "rotate", "grafana", "--overlap", "2h"); strings.Count(twice, " is accepted until ") != 2 {
		p.Errorf("a second client rotate prints\n%s", twice)
	}
	if again := p.does("", "client", "rotate", "grafana", "--overlap", "0s"); strings.Contains(again, " is accepted until ") {
		p.Errorf("client rotate without overlap prints\n%s", again)
	}
	p.refusesTo("the client wiki is in the configuration file: change it there", "", "client", "rotate", "wiki")

	if list := p.does("", "client", "list"); !regexp.MustCompile(`(?m)^grafana +Graphs +client_secret_basic +staff it +20\d\d-`).MatchString(list) || !regexp.MustCompile(`(?m)^wiki +Wiki +none +- +configuration +https://wiki`).MatchString(list) {
		p.Errorf("client list prints\n%s", list)
	}
	lines := strings.Split(strings.TrimSpace(p.does("", "client", "list", "--json")), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"id":"grafana"`) || !strings.Contains(lines[1], `"id":"wiki","configured":true`) || strings.Contains(strings.Join(lines, ""), "hash") {
		p.Errorf("client list --json prints %q", lines)
	}

	added = p.does("", "client", "add", "graphs", "--preset", "grafana", "--url", "https://graphs.example.com/", "--groups", "staff")
	if secret := secretIn(p.T, added); !strings.Contains(added, "\nclient_secret = "+secret+"\n") || !strings.Contains(added, "\nroot_url = https://graphs.example.com/\n") || !strings.Contains(added, "\nauth_url = "+p.url+"/") {
		p.Errorf("client add --preset prints\n%s", added)
	}
	shown = p.does("", "client", "show", "graphs", "--preset", "grafana")
	if !strings.Contains(shown, "\nclient_secret = CLIENT-SECRET\n") || !strings.Contains(shown, "\nclient_id = graphs\n") {
		p.Errorf("client show --preset prints\n%s", shown)
	}
	p.says("redirects       https://graphs.example.com/login/generic_oauth", "client", "show", "graphs")
	p.says("groups          staff", "client", "show", "graphs")
	p.refusesTo("Grafana needs the address at which people open it, such as https://grafana.example.com", "", "client", "add", "x", "--preset", "grafana")
	p.refusesTo("add --preset, or write --home and --redirect-uri", "", "client", "add", "x", "--url", "https://x.example.com")
	p.refusesTo("--preset must be one of apache,argocd,", "", "client", "add", "x", "--preset", "grafna")
	p.says("--oidc-client-id=kubernetes", "client", "add", "kubernetes", "--preset", "kubernetes")
	for _, id := range []string{"graphs", "kubernetes"} {
		p.does("", "client", "remove", id)
	}

	p.says("authentication  none", "client", "change", "grafana", "--authentication", "none", "--pkce")
	p.says("It has no secret yet: run keypeg client rotate grafana", "client", "change", "grafana", "--authentication", "client_secret_post")
	p.does("", "client", "remove", "grafana")
	p.refusesTo(`there is no client "grafana": keypeg client list shows all`, "", "client", "show", "grafana")
	p.refusesTo(`there is no client "grafana": keypeg client list shows all`, "", "client", "remove", "grafana")
	p.does("", "client", "add", "grafana", "--redirect-uri", "https://grafana.example.com/login/generic_oauth", "--name", "Grafana")
}

// TestClientCommandsOfTenants: each tenant has clients and an issuer of its own.
func TestClientCommandsOfTenants(t *testing.T) {
	p := newCloud(t, filepath.Join(t.TempDir(), "data", "keypeg.db"))
	p.starts()
	p.adds("acme")
	p.adds("beta")
	p.refusesTo("in the cloud edition a command must say which tenant is meant", "", "client", "list")
	for _, tenant := range []string{"acme", "beta"} {
		added := p.does("", "client", "add", "grafana", "--tenant", tenant, "--redirect-uri", "https://grafana."+tenant+".example/cb")
		if !strings.Contains(added, "issuer         http://"+p.host(tenant)+"\n") {
			t.Errorf("client add for %s prints\n%s", tenant, added)
		}
	}
	if list := p.does("", "client", "list", "--tenant", "acme"); !strings.Contains(list, "https://grafana.acme.example/cb") || strings.Contains(list, "beta") {
		t.Errorf("the clients of acme are\n%s", list)
	}
	p.does("", "client", "remove", "grafana", "--tenant", "acme")
	p.says("grafana", "client", "list", "--tenant", "beta")
}
