package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/certtest"
	"github.com/keypeg/keypeg/server/internal/metrics"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// authority is pebble, with a name server for which every name is this machine.
type authority struct {
	*testing.T
	directory string
	root      string // the PEM file by which it is trusted
	manages   string // where its roots are
	running   *exec.Cmd
}

// newAuthority starts one that asks servers at an address for their proof, and gives certificates for so long.
func newAuthority(t *testing.T, asks string, life time.Duration) *authority {
	t.Helper()
	folder := t.TempDir()
	cert, key := writesPair(t, folder, "127.0.0.1", 1)
	names, api, management := proxytest.FreeAddress(t), proxytest.FreeAddress(t), proxytest.FreeAddress(t)
	_, port, err := net.SplitHostPort(asks)
	if err != nil {
		t.Fatal(err)
	}
	here := proxytest.IPv4
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": here(api), "managementListenAddress": here(management), "certificate": cert, "privateKey": key,
		"httpPort": 1, "tlsPort": json.Number(port), "keyAlgorithm": "ecdsa", "retryAfter": map[string]int{"authz": 1, "order": 1},
		"profiles": map[string]any{"default": map[string]any{"description": "d", "validityPeriod": int(life.Seconds())}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "pebble.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	runs(t, "pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dnsserver", here(names), "-management", here(proxytest.FreeAddress(t)), "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "")
	a := &authority{T: t, directory: "https://" + here(api) + "/dir", root: cert, manages: "https://" + here(management), running: runs(t, "pebble", "-config", file, "-dnsserver", here(names))}
	eventually(t, "the authority", func() error {
		answer, err := untrusting().Get(a.directory)
		if err == nil {
			answer.Body.Close()
		}
		return err
	})
	return a
}

// runs starts a program of bin until the test ends.
func runs(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(projectRoot, "bin", name))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(path, args...)
	command.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		t.Fatalf("make tools builds it: %v", err)
	}
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
		if t.Failed() {
			t.Logf("%s says:\n%s", name, output.Bytes()[max(0, output.Len()-4000):])
		}
	})
	return command
}

// eventually tries until it succeeds.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s: %v", what, err)
		}
	}
}

// writesPair writes a certificate that signs itself, and its key.
func writesPair(t *testing.T, folder, host string, number int64) (cert, key string) {
	t.Helper()
	return certtest.Write(t, folder, certtest.SelfSigned(t, number, time.Now().Add(100*24*time.Hour), host))
}

// untrusting is a browser that takes any certificate, so that a test can look at it.
func untrusting() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true, DisableKeepAlives: true}}
}

// shows returns the certificate that a program shows for a host.
func (p *program) shows(host string) (*x509.Certificate, error) {
	conn, err := tls.Dial("tcp", p.address, &tls.Config{InsecureSkipVerify: true, ServerName: host, NextProtos: []string{"h2", "http/1.1"}})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

// TestACME serves https with one command: it gets a certificate, shares it with another node, renews it, and
// goes on with it while the authority is away.
func TestACME(t *testing.T) {
	const host = "id.keypeg.test"
	database := pgtest.Empty(t)
	const former, above = "old.keypeg.test", "above.test"
	a := newProgramOn(t, database, "https://"+host, "--acme", "--former-urls", "https://"+former+",https://id."+above+" "+above)
	ca := newAuthority(t, a.address, 30*time.Second)
	t.Setenv("SSL_CERT_FILE", ca.root)
	socket := filepath.Join(t.TempDir(), "m")
	a.args = append(a.args, "--metrics", "unix:"+socket)
	flags := []string{"--acme-directory", ca.directory, "--acme-email", "it@example.com", "--redirect", proxytest.FreeAddress(t)}
	a.args = append(a.args, flags...)
	a.starts()

	var first *x509.Certificate
	eventually(t, "a certificate", func() (err error) { first, err = a.shows(host); return err })
	if err := first.VerifyHostname(host); err != nil {
		t.Errorf("its certificate: %v", err)
	}
	for what, name := range map[string]string{"the address before a move": former, "a domain above it, where browsers read the list of origins": above} {
		eventually(t, "a certificate of "+what, func() error {
			second, err := a.shows(name)
			if err == nil {
				err = second.VerifyHostname(name)
			}
			return err
		})
	}
	if _, err := a.shows("other.keypeg.test"); err == nil {
		t.Error("it has a certificate for a host that isn't served")
	}

	t.Log("Another node takes the same one: the authority can't reach it.")
	b := newProgramOn(t, database, "https://"+host, append(flags[:4:4], "--acme", "--redirect", proxytest.FreeAddress(t))...)
	b.starts()
	eventually(t, "the other node", func() error { _, err := b.shows(host); return err })

	end := metrics.CertificateEnd + `{host="` + host + `"}`
	shown := func() (*x509.Certificate, error) { // with a figure that says when it ends
		now, err := a.shows(host)
		if err != nil {
			return nil, err
		}
		if _, page := asks(t, privately(socket), metrics.PathMetrics); figures(t, page)[end] != float64(now.NotAfter.Unix()) {
			return nil, fmt.Errorf("the figure %s is %v, and the certificate ends at %s", end, figures(t, page)[end], now.NotAfter)
		}
		return now, nil
	}
	eventually(t, "its figure", func() error { _, err := shown(); return err })

	t.Log("It is renewed before its end, and the figure says so.")
	eventually(t, "a new certificate", func() error {
		now, err := shown()
		if err == nil && now.SerialNumber.Cmp(first.SerialNumber) == 0 {
			err = fmt.Errorf("it is the first one, until %s", now.NotAfter)
		}
		return err
	})

	t.Log("The authority is away, and the server starts again.")
	ca.running.Process.Kill()
	a.ends(syscall.SIGTERM)
	a.starts()
	if _, err := a.shows(host); err != nil {
		t.Errorf("without the authority: %v", err)
	}
}

// TestNoCertificate says in the log why there is none.
func TestNoCertificate(t *testing.T) {
	p := newProgramOn(t, filepath.Join(t.TempDir(), "keypeg.db"), "https://id.keypeg.test", "--acme", "--acme-directory", "https://"+proxytest.FreeAddress(t)+"/dir", "--redirect", proxytest.FreeAddress(t))
	p.starts()
	eventually(t, "a line in the log", func() error {
		if said := p.log.String(); !strings.Contains(said, "there is no certificate for id.keypeg.test: its name must lead to this machine (DNS)") {
			return fmt.Errorf("the log says %s", said)
		}
		return nil
	})
}

// TestTLSFiles serves https from files, and takes a new certificate up at a hang-up, while a request is running.
func TestTLSFiles(t *testing.T) {
	folder := t.TempDir()
	cert, key := writesPair(t, folder, "localhost", 1)
	p := newProgramOn(t, filepath.Join(folder, "keypeg.db"), "https://localhost", "--tls-cert", cert, "--tls-key", key)
	p.starts()
	r, err := http.NewRequest("GET", "https://"+p.address+"/sign-in", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "localhost"
	answer, err := untrusting().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil || answer.ProtoMajor != 2 || !strings.Contains(string(page), "Sign in") || answer.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s %s %v %s", answer.Proto, answer.Status, err, page)
	}
	writesPair(t, folder, "localhost", 2)
	if err := p.running.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new certificate", func() error {
		now, err := p.shows("localhost")
		if err == nil && now.SerialNumber.Int64() != 2 {
			err = fmt.Errorf("it is number %s", now.SerialNumber)
		}
		return err
	})
	if said := p.log.String(); strings.Contains(said, "X-Forwarded-For") {
		t.Errorf("without a proxy the log says %s", said)
	}
}

// TestActivated takes the socket that systemd has opened, and one of its own that a proxy connects to.
func TestActivated(t *testing.T) {
	path, err := theProgram()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	url := "http://" + strings.Replace(l.Addr().String(), "127.0.0.1", "localhost", 1)
	server := exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`, path, "serve", "--listen", "systemd", "--public-url", url, "--database", filepath.Join(t.TempDir(), "keypeg.db"))
	server.ExtraFiles = []*os.File{file}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { server.Process.Signal(syscall.SIGTERM); server.Wait() }()
	answer, err := http.Get(url + "/healthz") // waits in the socket until the server takes it
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 200 {
		t.Errorf("the answer is %s", answer.Status)
	}
	failsWith(t, "start the service by its socket unit", "", "serve", "--listen", "systemd", "--public-url", "https://id.example.com", "--database", filepath.Join(t.TempDir(), "keypeg.db"))
}

// TestReady: systemd hears when people can come in, and not before.
func TestReady(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer systemd.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	p := newProgram(t)
	p.starts()
	systemd.SetReadDeadline(time.Now().Add(patience))
	said := make([]byte, 100)
	n, err := systemd.Read(said)
	if err != nil || string(said[:n]) != "READY=1" {
		t.Fatalf("systemd hears %q (%v)", said[:n], err)
	}
	if a := p.asksFor(p.address, "/healthz"); a.StatusCode != 200 {
		t.Errorf("it is ready, and answers %d", a.StatusCode)
	}
	succeeds(t, "", "setup-link", "--database", p.database, "--public-url", p.url)
}

// TestUnixSocket serves a real nginx by a socket. What the proxy says of where people come from is believed.
func TestUnixSocket(t *testing.T) {
	folder := t.TempDir()
	socket, at := filepath.Join(folder, "s"), proxytest.FreeAddress(t)
	p := newProgramOn(t, filepath.Join(folder, "keypeg.db"), "http://"+at, "--listen", "unix:"+socket)
	p.starts()
	proxytest.NginxTo(t, at, "unix:"+socket+":", "proxy_set_header Host $http_host;", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;")
	eventually(t, "nginx", func() error {
		r, err := http.NewRequest("GET", "http://"+at+"/sign-in", nil)
		if err != nil {
			return err
		}
		r.Header.Set("X-Forwarded-For", "192.0.2.9")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != 200 {
			return fmt.Errorf("the answer is %s", answer.Status)
		}
		return nil
	})
	eventually(t, "the request in the log", func() error {
		if said := p.log.String(); !strings.Contains(said, "path=/sign-in address=127.0.0.1") || strings.Contains(said, "--trusted-proxies") {
			return fmt.Errorf("the log says %s", said)
		}
		return nil
	})
}
