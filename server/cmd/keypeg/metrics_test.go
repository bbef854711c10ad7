package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/server/internal/metrics"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

// privately is a client of a Unix socket.
func privately(socket string) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
}

// asks returns what is at a path of the private listener, with the status.
func asks(t *testing.T, client *http.Client, path string) (status int, text string) {
	t.Helper()
	answer, err := client.Get("http://keypeg" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// figures are the values of a page of figures, by name with labels.
func figures(t *testing.T, page string) map[string]float64 {
	t.Helper()
	found := map[string]float64{}
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(strings.TrimSpace(line[at+1:]), 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		found[line[:at]] = value
	}
	return found
}

// promtool runs Prometheus's own checks.
func promtool(t *testing.T, input string, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatalf("%v: make tools-apt installs it", err)
	}
	command := exec.Command(path, args...)
	command.Stdin = strings.NewReader(input)
	if out, err := command.CombinedOutput(); err != nil || strings.Contains(string(out), "error") {
		t.Errorf("promtool %q: %v\n%s", args, err, out)
	}
}

// TestFigures compares the figures with a hundred ceremonies, of which some fail on purpose.
func TestFigures(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "m")
	p := newProgram(t, "--metrics", "unix:"+socket)
	const people = 10
	var tokens []string
	for i := range people {
		_, token := p.hasUser(fmt.Sprint("user", i))
		tokens = append(tokens, token)
	}
	p.starts()
	private := privately(socket)

	want := map[string]float64{}
	finished := func(kind string, err error) {
		t.Helper()
		outcome, code := "succeeded", shared.CodeOf(err)
		if err != nil {
			outcome = "refused"
		}
		if err != nil && code == "" {
			t.Fatal(err)
		}
		want[fmt.Sprintf(`keypeg_ceremonies_begun_total{kind=%q}`, kind)]++
		want[fmt.Sprintf(`keypeg_ceremonies_total{kind=%q,outcome=%q,reason=%q}`, kind, outcome, code)]++
	}
	signIns := 0.0
	for _, token := range tokens {
		device := passkeytest.New(p.url)
		at := p.opensTab(device, token)
		_, err := at.steps.Register(t.Context(), "Laptop", "")
		finished("register", err)
		_, err = at.steps.Register(t.Context(), "Again", "")
		if failure, is := err.(*ceremony.Failure); !is || failure.Reason != ceremony.Exists { // the device refuses, and the server never hears of it
			t.Fatal(err)
		}
		want[`keypeg_ceremonies_begun_total{kind="register"}`]++
		for range 4 {
			_, err := p.opensTab(device, "").steps.SignIn(t.Context())
			finished("sign-in", err)
			signIns++
		}
		_, err = at.steps.Confirm(t.Context())
		finished("confirm", err)
		list, err := at.Passkeys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = at.steps.Try(t.Context(), list.Passkeys[0].ID)
		finished("try", err)

		liar := p.opensTab(device, "")
		begun, err := liar.BeginSignIn(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		proof, err := device.Get(begun.PublicKey, passkeytest.WithOrigin("https://evil.test"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = liar.FinishSignIn(t.Context(), shared.FinishCeremony{Ticket: begun.Ticket, Credential: proof})
		finished("sign-in", err)

		other := passkeytest.New(p.url)
		if begun, err = at.BeginRegistration(t.Context(), shared.BeginRegistration{}); err != nil {
			t.Fatal(err)
		}
		if proof, err = other.Create(begun.PublicKey, passkeytest.WithoutUserVerification()); err != nil {
			t.Fatal(err)
		}
		_, err = at.FinishRegistration(t.Context(), shared.FinishRegistration{FinishCeremony: shared.FinishCeremony{Ticket: begun.Ticket, Credential: proof}})
		finished("register", err)
	}
	want[`keypeg_sign_ins_total{method="passkey"}`] = signIns
	want[`keypeg_sessions`] = people + signIns
	want[`keypeg_ready`] = 1

	_, page := asks(t, private, metrics.PathMetrics)
	got := figures(t, page)
	begun := 0.0
	for name, n := range got {
		if strings.HasPrefix(name, metrics.CeremoniesBegun) {
			begun += n
		}
		if _, expected := want[name]; !expected && (strings.HasPrefix(name, metrics.Ceremonies) || strings.HasPrefix(name, metrics.SignIns) || strings.HasPrefix(name, metrics.Faults)) {
			t.Errorf("%s is %v, and nothing of it was done", name, n)
		}
	}
	if begun != 100 {
		t.Errorf("%v ceremonies began, want 100", begun)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s is %v, want %v", name, got[name], want[name])
		}
	}
	if n := got[`keypeg_http_request_duration_seconds_count{pattern="POST `+shared.PathSignInFinish+`"}`]; n != signIns+people {
		t.Errorf("%v durations of sign-ins, want %v", n, signIns+people)
	}
	for _, some := range []string{`keypeg_store_duration_seconds_count{operation="apply"}`, "keypeg_database_bytes", "keypeg_disk_free_bytes", "process_resident_memory_bytes"} {
		if got[some] <= 0 {
			t.Errorf("%s is %v", some, got[some])
		}
	}
	promtool(t, page, "check", "metrics")
	servesITAlone(p, private)
}

// servesITAlone looks at what else is on the private listener, and that people don't get it.
func servesITAlone(p *program, private *http.Client) {
	for path, want := range map[string]int{shared.PathHealth: 200, shared.PathReady: 200, "/debug/pprof/": 200, "/debug/pprof/goroutine?debug=1": 200, "/debug/pprof/cmdline": 404, "/": 404, shared.PageSignIn: 404} {
		if status, text := asks(p.T, private, path); status != want {
			p.Errorf("%s on the private listener: %d %s, want %d", path, status, text, want)
		}
	}
	for _, path := range []string{metrics.PathMetrics, "/debug/pprof/"} {
		answer, err := p.opensTab(nil, "").client.Get(p.url + path)
		if err != nil {
			p.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusNotFound {
			p.Errorf("%s where people come in: %d", path, answer.StatusCode)
		}
	}
	// Whatever is sent, the figures grow no more.
	tab := p.opensTab(nil, "")
	before := 0
	for round := range 3 {
		for i := range 50 {
			address := fmt.Sprintf("%s/%d-%d?x=%d", p.url, round, i, i)
			r, err := http.NewRequest([]string{"GET", "POST", "BREW"}[i%3], address, strings.NewReader(url.QueryEscape(address)))
			if err != nil {
				p.Fatal(err)
			}
			answer, err := tab.client.Do(r)
			if err != nil {
				p.Fatal(err)
			}
			answer.Body.Close()
		}
		_, page := asks(p.T, private, metrics.PathMetrics)
		n := len(figures(p.T, page))
		if round > 0 && n != before {
			p.Errorf("%d figures after another fifty addresses, want %d", n, before)
		}
		before = n
	}
}

// TestWatchTenants: in the cloud edition, figures and the audit log name the tenant.
func TestWatchTenants(t *testing.T) {
	for where, database := range cloudDatabases {
		t.Run(where, func(t *testing.T) {
			folder := t.TempDir()
			socket, path := filepath.Join(folder, "m"), filepath.Join(folder, "audit.log")
			p := newCloud(t, database(t), "--metrics", "unix:"+socket, "--audit-log", path)
			p.begins()
			p.adds("acme")
			p.adds("beta")
			p.starts()
			if _, err := p.at("acme").opensTab(passkeytest.New(p.at("acme").url), "").BeginSignIn(t.Context(), ""); err != nil {
				t.Fatal(err)
			}
			p.does("a good password\n", "user", "add", "ann", "--tenant", "acme")
			private := privately(socket)
			eventually(t, "a line of the tenant's", func() error {
				text, err := os.ReadFile(path)
				if err == nil && !strings.Contains(string(text), `{"tenant":"acme","id":"`) {
					err = fmt.Errorf("the file has %q", text)
				}
				return err
			})
			_, page := asks(t, private, metrics.PathMetrics)
			got := figures(t, page)
			if got[`keypeg_ceremonies_begun_total{tenant="acme",kind="sign-in"}`] != 1 || strings.Contains(page, `tenant="beta",kind=`) {
				t.Errorf("the figures are %s", page)
			}
			if _, is := got[`keypeg_sessions{tenant="acme"}`]; !is {
				t.Errorf("the figures have no sessions: %s", page)
			}
			promtool(t, page, "check", "metrics")
		})
	}
}

// TestManualFigures compares the manual's table of figures with their declaration. With -update it writes
// the table.
func TestManualFigures(t *testing.T) {
	const file = "web/manual/running.md"
	page, table := document(t, file), "| figure | labels | what it is |\n| --- | --- | --- |\n"
	for _, f := range metrics.Families {
		labels := ""
		if f.Labels != "" {
			labels = " `" + strings.ReplaceAll(f.Labels, ", ", "`, `") + "`"
		}
		table += "| `" + f.Name + "` |" + labels + " | " + f.Help + " |\n"
	}
	if strings.Contains(page, "\n\n"+table+"\n") {
		return
	}
	begin := strings.Index(page, "| figure | labels")
	if !*update || begin < 0 {
		t.Fatalf("the page's table isn't that of the declaration: go test ./server/cmd/keypeg -run TestManualFigures -update\n%s", table)
	}
	end := begin + strings.Index(page[begin:], "\n\n") + 1
	if err := os.WriteFile(filepath.Join(projectRoot, file), []byte(page[:begin]+table+page[end:]), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestRules has Prometheus check the alert rules and try them, and check what the dashboard asks. Both ask
// for figures that there are.
func TestRules(t *testing.T) {
	folder := t.TempDir()
	writes := func(name, text string) string {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	rules, dashboard := succeeds(t, "", "metrics", "rules"), succeeds(t, "", "metrics", "dashboard")
	promtool(t, "", "check", "rules", writes("rules.yml", rules))
	promtool(t, "", "test", "rules", writes("rules_test.yml", document(t, "server/internal/metrics/testdata/rules_test.yml")))

	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(dashboard), &board); err != nil {
		t.Fatal(err)
	}
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var asked []rule
	fill := strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*", "$job", ".*")
	for i, panel := range board.Panels {
		for j, target := range panel.Targets {
			asked = append(asked, rule{fmt.Sprintf("panel:%d:%d", i, j), fill.Replace(target.Expr)})
		}
	}
	if len(asked) < 10 {
		t.Fatalf("the dashboard asks %d times", len(asked))
	}
	text, err := json.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": asked}}}) // YAML holds JSON
	if err != nil {
		t.Fatal(err)
	}
	promtool(t, "", "check", "rules", writes("dashboard.yml", string(text)))

	named := regexp.MustCompile(`\b(keypeg|process|go)_[a-z_]+`)
	for _, name := range named.FindAllString(rules+dashboard, -1) {
		if !slices.ContainsFunc(metrics.Families, func(f metrics.Family) bool { return f.Name == strings.TrimSuffix(name, "_bucket") }) {
			t.Errorf("there is no figure %s", name)
		}
	}
}

// TestDashboard checks the dashboard against Grafana's own types of one, in which a key that there isn't is an error.
func TestDashboard(t *testing.T) {
	tools, err := filepath.Abs(filepath.Join(projectRoot, "bin/grafana/node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.Symlink(tools, filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	check := func(dashboard string) (string, error) {
		// TypeScript takes no text for a value of an enumeration, and JSON has no other.
		dashboard = strings.ReplaceAll(dashboard, `"mode": "absolute"`, `"mode": ThresholdsMode.Absolute`)
		source := "import { ThresholdsMode, type Dashboard } from '@grafana/schema';\nexport const dashboard: Dashboard = " + dashboard + ";\n"
		if err := os.WriteFile(filepath.Join(folder, "dashboard.ts"), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		run := exec.Command("node", filepath.Join(tools, "typescript/bin/tsc"), "--noEmit", "--strict", "--skipLibCheck", "--moduleResolution", "bundler", "--target", "es2020", "--module", "es2020", "dashboard.ts")
		run.Dir = folder
		out, err := run.CombinedOutput()
		return string(out), err
	}
	dashboard := succeeds(t, "", "metrics", "dashboard")
	if out, err := check(dashboard); err != nil {
		t.Errorf("%v: make tools brings what this needs\n%s", err, out)
	}
	wrong := strings.Replace(dashboard, `"targets"`, `"target"`, 1)
	if out, err := check(wrong); err == nil || !strings.Contains(out, "target") {
		t.Errorf("a key that Grafana doesn't have isn't found: %v\n%s", err, out)
	}
}
