package main

import (
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/keypeg/keypeg/server/proxytest"
)

// The blocks of the page about programs in any language.

// runsHost writes the settings, and starts the tool crib in Python as the program.
func runsHost(m *machine, block string) {
	m.writes(filepath.Join(m.folder, "keypeg.toml"), block)
	m.runs("keypeg config check --config keypeg.toml")
	const reads = "setpriv --init-groups --regid=nogroup --reuid="
	m.runs(reads + "www-data cat /etc/keypeg/host.secret && ! " + reads + "nobody cat /etc/keypeg/host.secret")
	paper := newPapers(m.T, "tools.example.com")
	m.trusts(paper.root)
	m.copies(paper.cert, "/etc/ssl/tools.example.com.pem")
	m.copies(paper.key, "/etc/ssl/tools.example.com.key")

	folder, err := filepath.Abs(filepath.Join(projectRoot, "server/cmd/toolcrib/python"))
	m.must(err)
	program := exec.Command("python3", "-B", "crib.py")
	program.Dir = folder
	program.Env = append(m.env, "CRIB_ORIGIN=https://tools.example.com", "CRIB_LISTEN=127.0.0.1:8082", "CRIB_DATA="+filepath.Join(m.folder, "crib.json"),
		"KEYPEG=http://127.0.0.1:8080", "KEYPEG_SECRET_FILE=/etc/keypeg/host.secret")
	output := &proxytest.Output{}
	program.Stdout, program.Stderr = output, output
	m.must(program.Start())
	m.Cleanup(func() {
		program.Process.Kill()
		program.Wait()
		if m.Failed() {
			m.Logf("the program says:\n%s", output)
		}
	})
}

// isBuiltIn checks that a proxy leads to the program, and what is Keypeg's to Keypeg, and has the doctor look.
func (m *machine) isBuiltIn() {
	m.Helper()
	const ask = "curl --silent --show-error --fail https://tools.example.com"
	m.until(ask + "/sign-in")
	for path, want := range map[string]string{
		"/sign-in":                "<keypeg-sign-in>",
		"/keypeg/elements.js":     "keypeg-sign-in",
		"/keypeg/panel":           "app-wasm-loader",
		"/keypeg/jwks.json":       `"ES256"`,
		"/api/v1/credential.js":   "navigator.credentials",
		"/crib.css":               ".crib-top",
		"/keypeg-nothing-of-ours": "",
	} {
		if want == "" {
			if out, err := m.tries(ask+path, ""); err == nil || !strings.Contains(out, "404") {
				m.Errorf("%s: %s", path, out)
			}
			continue
		}
		if out := m.runs(ask + path); !strings.Contains(out, want) {
			m.Errorf("%s has no %s:\n%.300s", path, want, out)
		}
	}
	if out := m.runs("keypeg doctor --config keypeg.toml"); strings.Contains(out, "\n  warning") {
		m.Error(out)
	}
}

func runsNginxHost(m *machine, block string) {
	m.during(func(m *machine) { proxytest.Nginx(m, "127.0.0.1:443", block); m.isBuiltIn() })
}

func runsCaddyHost(m *machine, block string) {
	m.during(func(m *machine) {
		file := filepath.Join(m.TempDir(), "Caddyfile")
		// Only the certificate isn't from the internet.
		m.writes(file, strings.Replace(block, "tools.example.com {", "tools.example.com {\n\ttls /etc/ssl/tools.example.com.pem /etc/ssl/tools.example.com.key", 1))
		m.runsProxy("caddy", "run", "--adapter", "caddyfile", "--config", file)
		m.isBuiltIn()
	})
}

func runsApacheHost(m *machine, block string) {
	m.during(func(m *machine) {
		defer m.runs("apachectl stop")
		runsLines(m, block, manualBlock{})
		m.isBuiltIn()
	})
}
