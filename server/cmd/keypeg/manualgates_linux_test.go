package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/keypeg/keypeg/server/proxytest"
)

// The blocks of the page about protected hosts. Attacks on the proxies are in package forwardauth.

// runsGate writes the settings, and serves the program that is protected.
func runsGate(m *machine, block string) {
	m.writes(filepath.Join(m.folder, "keypeg.toml"), block)
	paper := newPapers(m.T, "wiki.example.com")
	m.trusts(paper.root)
	m.copies(paper.cert, "/etc/ssl/wiki.example.com.pem")
	m.copies(paper.key, "/etc/ssl/wiki.example.com.key")
	both := m.runs("cat /etc/ssl/wiki.example.com.pem /etc/ssl/wiki.example.com.key")
	m.writes("/etc/haproxy/wiki.example.com.pem", both)
	listener, err := net.Listen("tcp", "127.0.0.1:3000")
	m.must(err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "the wiki") })}
	go server.Serve(listener)
	m.Cleanup(func() { server.Close() })
}

// isGated checks that nobody reaches the program, and that whoever wants to is led to the organisation.
func (m *machine) isGated() {
	m.Helper()
	const ask = "curl --silent --show-error --output /dev/null --write-out '%{http_code} %{redirect_url}' "
	m.until("curl --silent --show-error --output /dev/null https://wiki.example.com/")
	for what, want := range map[string]string{
		ask + "--header 'Accept: text/html' 'https://wiki.example.com/page?x'": "https://wiki.example.com/.keypeg/enter?to=/page?x",
		ask + "https://wiki.example.com/.keypeg/enter":                         "https://id.example.com/gate/authorize?bound=",
		ask + "https://wiki.example.com/page":                                  "401 ",
	} {
		if got := m.runs(what); !strings.Contains(got, want) {
			m.Errorf("%s\ngot  %s\nwant %s", what, got, want)
		}
	}
}

// runsProxy starts a proxy that ends with the part.
func (m *machine) runsProxy(name string, args ...string) {
	m.Helper()
	home := m.TempDir()
	proxy := exec.Command(name, args...)
	proxy.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME="+home, "XDG_CONFIG_HOME="+home)
	output := &proxytest.Output{}
	proxy.Stdout, proxy.Stderr = output, output
	m.must(proxy.Start())
	m.Cleanup(func() {
		proxy.Process.Kill()
		proxy.Wait()
		if m.Failed() {
			m.Logf("%s says:\n%s", name, output)
		}
	})
}

func runsCaddyGate(m *machine, block string) {
	m.during(func(m *machine) {
		file := filepath.Join(m.TempDir(), "Caddyfile")
		// Only the certificate isn't from the internet.
		m.writes(file, strings.Replace(block, "wiki.example.com {", "wiki.example.com {\n\ttls /etc/ssl/wiki.example.com.pem /etc/ssl/wiki.example.com.key", 1))
		m.runsProxy("caddy", "run", "--adapter", "caddyfile", "--config", file)
		m.isGated()
	})
}

func runsHAProxyGate(m *machine, block string) {
	m.during(func(m *machine) {
		m.writes("/etc/haproxy/keypeg.lua", block)
		m.runsProxy("haproxy", "-db", "-f", "/etc/haproxy/haproxy.cfg")
		m.isGated()
	})
}

func runsApacheGate(m *machine, block string) {
	m.during(func(m *machine) {
		_, rest, _ := strings.Cut(block, "\n") // what apt installs is here already
		defer m.runs("apachectl stop")
		runsLines(m, rest, manualBlock{})
		m.isGated()
	})
}
