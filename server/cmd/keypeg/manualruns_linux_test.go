package main

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/certtest"
	"github.com/keypeg/keypeg/server/internal/chain"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/mail"
	"github.com/keypeg/keypeg/server/mail/mailtest"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// manualBlock says how a fenced block of the manual is tried: it is the one that begins so.
type manualBlock struct {
	begins string
	// run tries it. Nil: its lines are typed in a shell, one after the other, and each must succeed.
	run func(m *machine, block string)
	// before is what the machine lacks for a line: it is typed before the line that begins so.
	before map[string]string
	// input is the standard input of the line that begins so, and answer is typed on a terminal after it.
	input, answer map[string]string
	// settings are those of the server, where the line doesn't have them.
	settings []string
	// elsewhere is why it isn't tried here, and by what.
	elsewhere string
}

// aPassword is typed where a password is asked for.
const aPassword = "correct horse battery\n"

// manualRuns are the pages, and README.md and CONTRIBUTING.md, with every block that they have.
var manualRuns = map[string][]manualBlock{
	"web/manual/running.md": {
		{begins: "sudo apt install ./keypeg", elsewhere: "make dist-try: it needs a Debian that is empty, and a package"},
		{begins: "keypeg serve --public-url https://id.example.com --acme", run: runsServers},
		{begins: "[Service]", run: runsUnit},
		{begins: "sudo systemctl enable --now keypeg.socket", elsewhere: "make dist-try: it needs systemd as the first process"},
		{begins: "podman build", run: runsContainer},
		{begins: "keypeg init", run: func(m *machine, block string) { m.stops(); runsLines(m, block, manualBlock{}) }},
		{begins: "keypeg setup-link", settings: servesByItself, run: runsCommands},
		{begins: "/var/log/keypeg/audit.log {", settings: servesByItself, run: runsLogrotate},
		{begins: "scrape_configs:", run: runsPrometheus},
		{begins: "keypeg metrics rules"},
		{begins: "keypeg doctor", settings: servesByItself, before: map[string]string{"": serve + " --config keypeg.toml"}},
		{begins: "Settings\n", elsewhere: "TestDoctorNginx compares it with what the doctor prints behind nginx"},
	},
	"web/manual/proxies.md": {
		{begins: "keypeg serve --public-url https://id.example.com --acme", run: runsServers},
		{begins: "keypeg serve --public-url https://id.example.com --listen :443", run: runsServers},
		{begins: "keypeg serve --public-url https://id.example.com --trusted-proxies", run: func(m *machine, block string) { m.serves(strings.TrimSpace(block)) }},
		{begins: "server {", run: func(m *machine, block string) {
			m.during(func(m *machine) { proxytest.Nginx(m, "127.0.0.1:443", block); m.isGreen("nginx") })
		}},
		{begins: "id.example.com {", run: runsCaddy},
		{begins: "<VirtualHost", run: func(m *machine, block string) { m.writes("/etc/apache2/sites-available/keypeg.conf", block) }},
		{begins: "sudo a2enmod", run: runsApache},
	},
	"web/manual/several-nodes.md": {
		{begins: "export KEYPEG_DATABASE", run: func(m *machine, block string) { runsPostgres(m); runsLines(m, block, manualBlock{}) }},
		{begins: "id.example.com {", run: func(m *machine, block string) {
			m.served += " --contact IT"
			m.serves(m.served)
			runsCaddy(m, block)
		}},
	},
	"web/manual/several-organisations.md": {
		{begins: "keypeg serve", settings: []string{"KEYPEG_EDITION=cloud"}, answer: map[string]string{"keypeg tenant remove acme": "acme\n"}},
		{begins: "keypeg tenant add tools", settings: []string{"KEYPEG_EDITION=cloud"}},
		{begins: `edition = "cloud"`, run: runsSettings},
		{
			begins: "keypeg backup acme.db", settings: []string{"KEYPEG_EDITION=cloud"},
			before: map[string]string{"": "keypeg tenant add acme https://id.acme.example", "keypeg restore tenants.db": stop + "mv data data-before"},
		},
	},
	"web/manual/moving.md": {
		{begins: "keypeg domain move", settings: servesByItself, before: map[string]string{"": serve}},
		{begins: "public-url", run: runsMove},
		{begins: "keypeg domain list"},
		{begins: "keypeg domain end"},
		{begins: "public-url", run: runsMove},
		{begins: "public-url", run: runsMove},
		{
			begins: "keypeg domain move", settings: []string{"KEYPEG_EDITION=cloud", "KEYPEG_DATABASE=cloud.db"},
			before: map[string]string{"": serve, "keypeg domain move": "keypeg tenant list | grep acme || keypeg tenant add acme https://id.acme.example"},
		},
		{begins: "keypeg domain add", settings: []string{"KEYPEG_EDITION=cloud", "KEYPEG_DATABASE=cloud.db"}},
	},
	"web/manual/backup.md": {
		{begins: "keypeg backup keypeg-backup.db", settings: servesByItself, before: map[string]string{"": serve, "keypeg restore": stop + "mv data data-before"}},
		{begins: "keypeg serve --backup-dir", before: map[string]string{"keypeg backup drill": "until ls /var/backups/keypeg/keypeg-*.db; do sleep 0.1; done"}},
		{begins: "keypeg signals on"},
		{begins: "keypeg store copy", run: func(m *machine, block string) { runsPostgres(m); m.stops(); runsLines(m, block, manualBlock{}) }},
	},
	"web/manual/mail.md": {
		{begins: "keypeg serve --smtp-server", run: runsMail},
	},
	"web/manual/providers.md": {
		{begins: "[provider.google]", run: runsSettings},
	},
	"web/manual/openid.md": {
		{begins: "keypeg client add wiki", settings: servesByItself, before: map[string]string{"": serve}},
		{begins: "keypeg client add grafana", settings: servesByItself},
		{begins: "[client.wiki]", run: runsSettings},
		{begins: "keypeg openid keys", settings: servesByItself},
	},
	"web/manual/gates.md": {
		{begins: "[gate.wiki]", run: runsGate},
		{begins: "keypeg serve", run: func(m *machine, block string) { m.serves(strings.TrimSpace(block)) }},
		{begins: "map $http_upgrade", run: func(m *machine, block string) {
			m.during(func(m *machine) { proxytest.Nginx(m, "127.0.0.1:443", block); m.isGated() })
		}},
		{begins: "wiki.example.com {", run: runsCaddyGate},
		{begins: "global\n", run: func(m *machine, block string) { m.writes("/etc/haproxy/haproxy.cfg", block) }},
		{begins: "-- Asks Keypeg whether a request to a host", run: runsHAProxyGate},
		{begins: "<VirtualHost", run: func(m *machine, block string) { m.writes("/etc/apache2/sites-available/wiki.conf", block) }},
		{begins: "-- Asks Keypeg whether a request may", run: func(m *machine, block string) {
			m.writes("/etc/apache2/keypeg.lua", block)
			m.runs("chmod a+r /etc/apache2/keypeg.lua")
		}},
		{begins: "sudo apt install lua-socket", run: runsApacheGate},
		{begins: "http:\n", elsewhere: "TestGate: Traefik can't be had here, and Keypeg is asked as Traefik does"},
		{begins: "use_remote_address", elsewhere: "TestGate: Envoy can't be had here, and Keypeg is asked as Envoy does"},
	},
	"web/manual/audit.md": {
		{begins: "keypeg audit tail", before: map[string]string{"": serve, "keypeg audit tail --follow": "echo " + strings.TrimSpace(aPassword) + " | keypeg user add ann"}},
		{begins: "keypeg audit verify", run: runsVerify},
	},
	"web/manual/any-language.md": {
		{begins: "sudo mkdir -p /etc/keypeg"},
		{begins: "sudo chgrp", before: map[string]string{"": "groupadd --system keypeg"}},
		{begins: "public-url", run: runsHost},
		{begins: "keypeg serve"},
		{begins: "server {", run: runsNginxHost},
		{begins: "tools.example.com {", run: runsCaddyHost},
		{begins: "<VirtualHost", run: func(m *machine, block string) { m.writes("/etc/apache2/sites-available/tools.conf", block) }},
		{begins: "sudo a2enmod", run: runsApacheHost},
		{begins: "<script", elsewhere: anyLanguage},
		{begins: "<script", elsewhere: anyLanguage},
		{begins: "<?php", elsewhere: anyLanguage},
		{begins: `"""Builds Keypeg in`, elsewhere: anyLanguage},
		{begins: "// Builds Keypeg in", elsewhere: anyLanguage},
		{begins: "// A hook needs", elsewhere: "TestExpress: it is the program's that is tested there"},
		{begins: "const keys", elsewhere: "TestExpress, with libraries"},
		{begins: "// heard returns", elsewhere: "TestExpress, with libraries"},
		{begins: "curl"},
		{begins: "sudo install -m 600", before: map[string]string{"sudo cp": `test "$(stat -c %a /etc/keypeg/host.secret.new)" = 600`}},
		{begins: "sudo sed -i", before: map[string]string{"": "test $(wc -l </etc/keypeg/host.secret) = 2 && test ! -e /etc/keypeg/host.secret.new"}},
	},
	"web/manual/administration.md": {}, // has none
	"README.md": {
		{begins: "git clone", run: runsMake},
		{begins: "make test", run: runsMake},
	},
	"CONTRIBUTING.md": {
		{begins: "make run", run: runsMake},
	},
}

// anyLanguage says who tries the code of the page about other languages.
const anyLanguage = "TestManualAnyLanguage: it is the tool cribs', which TestCribs uses in a browser"

// manualForDevelopers are documents whose blocks aren't typed, and what holds them to the truth.
var manualForDevelopers = map[string]string{
	"web/manual/api.md":          "TestManualFrontEnd: its JavaScript runs in a browser",
	"web/manual/architecture.md": "TestTree: its packages are those that there are",
	"web/manual/building-in.md":  "TestManualBuildIn: its Go is the tool crib's",
}

// What stands before a line in manualBlock.before: it starts the server of the page's settings, or stops it.
const (
	serve = "keypeg serve"
	stop  = "stop the server\n"
)

// servesByItself are the settings of a server that serves https by itself.
var servesByItself = []string{"KEYPEG_PUBLIC_URL=https://id.example.com", "KEYPEG_LISTEN=:443", "KEYPEG_REDIRECT=:80", "KEYPEG_TLS_CERT=/etc/keypeg/cert.pem", "KEYPEG_TLS_KEY=/etc/keypeg/key.pem", "KEYPEG_CONTACT=IT desk"}

// TestManualRuns types every block of the pages for IT as it stands, in its order, on a machine with the
// names, ports and paths of the manual. What can't be typed is named in manualRuns.
func TestManualRuns(t *testing.T) {
	if page := os.Getenv(machinePage); page != "" {
		runsPage(t, page)
		return
	}
	for name, text := range documents(t) {
		if _, typed := manualRuns[name]; !typed && manualForDevelopers[name] == "" && len(fenced(text)) > 0 {
			t.Errorf("%s has blocks that nobody tries: name it in manualRuns", name)
		}
	}
	for _, page := range slices.Sorted(maps.Keys(manualRuns)) {
		t.Run(filepath.Base(page), func(t *testing.T) {
			if blocks := fenced(document(t, page)); len(blocks) != len(manualRuns[page]) {
				t.Errorf("%s has %d blocks, and %d are in manualRuns", page, len(blocks), len(manualRuns[page]))
			}
			for i, block := range fenced(document(t, page)) {
				if i < len(manualRuns[page]) && !strings.HasPrefix(block, manualRuns[page][i].begins) {
					t.Errorf("a block of %s isn't in manualRuns where it should be:\n%s", page, block)
				}
			}
			if !t.Failed() && len(manualRuns[page]) > 0 {
				onMachine(t, page)
			}
		})
	}
}

// fenced are all fenced blocks of a document.
func fenced(text string) (found []string) {
	for _, block := range regexp.MustCompile("(?ms)^```[a-z]*\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		found = append(found, block[1])
	}
	return found
}

// runsPage tries the blocks of a page, on the machine.
func runsPage(t *testing.T, page string) {
	text := document(t, page)
	m := newMachine(t)
	for i, block := range fenced(text) {
		how := manualRuns[page][i]
		if how.elsewhere != "" {
			continue
		}
		before := m.env
		m.env = append(slices.Clip(m.env), how.settings...)
		if how.run != nil {
			how.run(m, block)
		} else {
			runsLines(m, block, how)
		}
		m.env = before
	}
}

// runsLines types the lines of a block.
func runsLines(m *machine, block string, how manualBlock) {
	m.Helper()
	for i, line := range slices.Collect(strings.Lines(block)) {
		line = strings.TrimSpace(line)
		for _, begins := range slices.Sorted(maps.Keys(how.before)) { // what stands before all lines first
			first := how.before[begins]
			if begins == "" && i > 0 || !strings.HasPrefix(line, begins) {
				continue
			}
			rest, stops := strings.CutPrefix(first, stop)
			switch {
			case stops:
				m.stops()
				m.runs(rest)
			case strings.HasPrefix(first, serve):
				m.serves(first)
			default:
				m.runs(first)
			}
		}
		typed := strings.TrimSpace(strings.Split(line, " #")[0])
		input, answer := of(how.input, line), of(how.answer, line)
		switch {
		case strings.HasPrefix(line, "export "):
			m.exports += line + "\n"
		case strings.HasPrefix(line, "keypeg serve"):
			m.serves(typed)
		case strings.HasSuffix(typed, " --follow"):
			m.follows(line)
		case answer != "":
			m.answers(line, answer)
		default:
			m.types(line, input)
		}
	}
}

// of returns what belongs to a line, by its beginning.
func of(byBeginning map[string]string, line string) string {
	for begins, text := range byBeginning {
		if strings.HasPrefix(line, begins) {
			return text
		}
	}
	return ""
}

// during is a part of a page, whose proxy ends with it.
func (m *machine) during(part func(m *machine)) {
	m.Run("part", func(t *testing.T) {
		now := *m
		now.T = t
		part(&now)
	})
}

// runsServers starts the servers of a block. Each is all green, alone or with nginx in front.
func runsServers(m *machine, block string) {
	for line := range strings.Lines(block) {
		m.during(func(m *machine) {
			line := strings.TrimSpace(line)
			if strings.Contains(line, "--acme") {
				ca := newAuthority(m.T, "localhost:443", 90*24*time.Hour)
				m.trusts(ca.root)
				m.env = append(m.env, "KEYPEG_ACME_DIRECTORY="+ca.directory)
				m.serves(line)
				m.until("curl --insecure --silent --show-error https://id.example.com/healthz")
				m.runs("curl --insecure --silent --fail " + ca.manages + "/roots/0 >root.pem")
				m.trusts(filepath.Join(m.folder, "root.pem"))
			} else {
				m.serves(line)
			}
			if strings.Contains(line, "--trusted-proxies") {
				proxytest.Nginx(m, "127.0.0.1:443", manualsBlock(m.T, "nginx"))
			}
			m.isGreen("of" + words(line)[4][2:] + filepath.Base(m.Name()))
			m.stops()
		})
	}
	m.server = nil
}

// runsCaddy runs a Caddyfile as it stands. Only the authority is Caddy's own.
func runsCaddy(m *machine, block string) {
	m.during(func(m *machine) {
		home := m.TempDir()
		m.writes(filepath.Join(home, "Caddyfile"), "{\n\tlocal_certs\n\tskip_install_trust\n}\n"+block)
		caddy := exec.Command("caddy", "run", "--adapter", "caddyfile", "--config", filepath.Join(home, "Caddyfile"))
		caddy.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME="+home, "XDG_CONFIG_HOME="+home)
		output := &proxytest.Output{}
		caddy.Stdout, caddy.Stderr = output, output
		m.must(caddy.Start())
		m.Cleanup(func() {
			caddy.Process.Kill()
			caddy.Wait()
			if m.Failed() {
				m.Logf("Caddy says:\n%s", output)
			}
		})
		root := filepath.Join(home, "caddy/pki/authorities/local/root.crt")
		m.until("curl --silent --show-error --fail --cacert " + root + " https://id.example.com/healthz")
		m.trusts(root)
		m.isGreen("caddy")
	})
}

// runsApache has Debian's Apache serve, with the site that was written before.
func runsApache(m *machine, block string) {
	m.during(func(m *machine) {
		defer m.runs("apachectl stop")
		runsLines(m, block, manualBlock{})
		m.isGreen("apache")
		if version := m.runs("curl --silent --output /dev/null --write-out '%{http_version}' https://id.example.com/sign-in"); version != "2" {
			m.Errorf("people have HTTP %s, want 2", version)
		}
	})
}

// runsCommands runs the list of commands, with a mail server and a file of users.
func runsCommands(m *machine, block string) {
	relay := mailtest.NewAt(m, "10.0.0.10:587", mail.StartTLS, "")
	m.trusts(relay.CertificateFile())
	m.writes(filepath.Join(m.folder, "people.csv"), "name,display_name,email,groups\ncarol,Carol Miller,carol@example.com,sales\n")
	m.env = append(m.env, "KEYPEG_SMTP_SERVER=smtp.example.com", "KEYPEG_MAIL_FROM=keypeg@example.com")
	m.serves(serve)
	runsLines(m, block, manualBlock{input: map[string]string{"keypeg user add": aPassword, "keypeg user passwd": aPassword}, answer: map[string]string{"keypeg user remove": "robert\n"}})
	if len(relay.Has()) == 0 {
		m.Error("no mail was sent")
	}
	m.stops()
}

// runsUnit has systemd read the package's unit with the lines in addition. make dist-try starts it so.
func runsUnit(m *machine, block string) {
	unit, err := filepath.Abs(filepath.Join(projectRoot, "server/package/keypeg.service"))
	m.must(err)
	m.copies(unit, "/etc/systemd/system/keypeg.service")
	m.writes("/etc/systemd/system/keypeg.service.d/override.conf", block)
	m.runs("chmod -R a+rX /etc/systemd/system/keypeg.service.d /etc/systemd/system/keypeg.service")
	// The program is elsewhere on this machine.
	m.runs("sed -i s:/usr/bin/keypeg:$(command -v keypeg): /etc/systemd/system/keypeg.service")
	if out := m.runs("systemd-analyze verify --man=no keypeg.service 2>&1"); strings.Contains(out, "keypeg") {
		m.Error(out)
	}
	if out := m.runs("systemd-analyze cat-config systemd/system/keypeg.service"); !strings.Contains(out, "ReadWritePaths=/srv/") {
		m.Errorf("systemd doesn't read the lines:\n%s", out)
	}
}

// runsContainer checks the settings of a container, which needs an engine; make dist-try builds it and starts it.
func runsContainer(m *machine, block string) {
	settings := regexp.MustCompile(`-e (KEYPEG_\S+)`).FindAllStringSubmatch(block, -1)
	if len(settings) != 2 {
		m.Errorf("the container has the settings %q", settings)
	}
	line := "keypeg config check"
	for _, setting := range settings {
		line = setting[1] + " " + line
	}
	m.runs(line)
	m.runs("test -s /etc/ssl/certs/ca-certificates.crt")
}

// runsLogrotate has the real logrotate move the audit log of a running server.
func runsLogrotate(m *machine, block string) {
	const log = "/var/log/keypeg/audit.log"
	m.must(os.MkdirAll(filepath.Dir(log), 0o755))
	m.must(os.Chmod("/var/log", 0o755)) // as on any machine; logrotate looks
	m.serves("keypeg serve --audit-log " + log)
	m.types("keypeg user add dora", aPassword)
	m.until("grep dora " + log)
	m.writes("/etc/logrotate.d/keypeg", block)
	m.must(os.Chmod("/etc/logrotate.d/keypeg", 0o644))
	m.runs("logrotate --force --state " + filepath.Join(m.folder, "state") + " /etc/logrotate.d/keypeg")
	m.runs("grep dora " + log + ".1")
	m.types("keypeg user add emil", aPassword)
	m.until("grep emil " + log)
	m.stops()
}

// runsPrometheus checks the configuration of Prometheus, with the rules beside it.
func runsPrometheus(m *machine, block string) {
	m.runs("keypeg metrics rules >keypeg-rules.yml")
	m.writes(filepath.Join(m.folder, "prometheus.yml"), block)
	m.runs("promtool check config prometheus.yml")
}

// runsSettings reads a configuration file as the server does.
func runsSettings(m *machine, block string) {
	m.writes("/etc/keypeg/google.secret", "of the provider's")
	m.writes("/etc/keypeg/acme-google.secret", "of the provider's")
	m.writes("/etc/keypeg/wiki.secret", "cleverer-than-anybody-could-ever-guess")
	m.writes(filepath.Join(m.folder, "written.toml"), "public-url = \"https://id.example.com\"\n"+block)
	if strings.Contains(block, `edition = "cloud"`) {
		m.writes(filepath.Join(m.folder, "written.toml"), block)
	}
	m.runs("keypeg config check --config written.toml")
}

// runsPostgres starts PostgreSQL with TLS, with an empty database for keypeg.
func runsPostgres(m *machine) {
	folder := "/etc/ssl/db1.example.com"
	m.must(os.MkdirAll(folder, 0o755))
	cert, key := certtest.Write(m, folder, certtest.SelfSigned(m, 1, time.Now().Add(time.Hour), "db1.example.com"))
	m.trusts(cert)
	for _, path := range []string{cert, key} {
		m.must(givenToPostgres(path))
	}
	server := pgtest.StartAt(m, 5432, "ssl = on", "ssl_cert_file = '"+cert+"'", "ssl_key_file = '"+key+"'")
	server.Do(m, "postgres", "CREATE USER keypeg PASSWORD 'secret'")
	server.Do(m, "postgres", "CREATE DATABASE keypeg OWNER keypeg")
}

// runsMove serves with the settings of a block: browsers get the list of origins at each host.
func runsMove(m *machine, block string) {
	m.writes(filepath.Join(m.folder, "keypeg.toml"), block)
	m.env = append(m.env, "KEYPEG_CONFIG=keypeg.toml")
	m.serves("keypeg serve --listen :443 --tls-cert /etc/keypeg/cert.pem --tls-key /etc/keypeg/key.pem")
	origins := regexp.MustCompile(`https://[a-z.]+`).FindAllString(block, -1)
	for _, origin := range origins {
		list := m.runs("curl --insecure --silent --fail " + origin + "/.well-known/webauthn")
		for _, other := range origins {
			if !strings.Contains(list, `"`+other+`"`) {
				m.Errorf("%s lists %s, and not %s", origin, list, other)
			}
		}
	}
}

// runsMail sends a mail by the server that is named.
func runsMail(m *machine, block string) {
	relay := mailtest.NewAt(m, "10.0.0.10:587", mail.StartTLS, "")
	m.trusts(relay.CertificateFile())
	runsLines(m, block, manualBlock{})
	m.runs("keypeg mail test ann@example.com" + strings.TrimPrefix(strings.TrimSpace(block), "keypeg serve"))
	if len(relay.Has()) != 1 {
		m.Errorf("%d mails were sent, want 1", len(relay.Has()))
	}
}

// runsVerify verifies the chain in a later hour, when it is there.
func runsVerify(m *machine, block string) {
	m.stops()
	db, err := installation.OpenStore(m.Context(), filepath.Join(m.folder, "data/keypeg.db"), "", time.Now)
	m.must(err)
	m.must(errors.Join(chain.Sealer{Store: db, Now: func() time.Time { return time.Now().Add(time.Hour) }}.Seal(m.Context()), db.Close()))
	m.serves(serve)
	head := regexp.MustCompile(`[0-9a-f]{64}`).FindString(m.runs("keypeg audit verify"))
	if head == "" {
		m.Fatal("keypeg audit verify prints no hash")
	}
	runsLines(m, strings.ReplaceAll(block, "HASH", head), manualBlock{})
}

// runsMake has git clone the project from here, and make say what it would do: the rest is what builds and
// tests this.
func runsMake(m *machine, block string) {
	root, err := filepath.Abs(projectRoot)
	m.must(err)
	m.env = append(slices.Clip(m.env), "GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=url."+root+".insteadOf", "GIT_CONFIG_VALUE_0=https://github.com/keypeg/keypeg", "GIT_CONFIG_KEY_1=safe.directory", "GIT_CONFIG_VALUE_1=*")
	m.runs("[ -d keypeg ] || git clone --quiet https://github.com/keypeg/keypeg")
	for line := range strings.Lines(block) {
		if command, is := strings.CutPrefix(strings.TrimSpace(line), "make "); is {
			m.runs("cd keypeg && make --dry-run " + command)
		}
	}
}
