package main

import (
	"io"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/doctor"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// TestDoctorRaisesNoFalseAlarm runs set-ups that are sound, and unusual.
func TestDoctorRaisesNoFalseAlarm(t *testing.T) {
	t.Run("one machine, without a proxy", func(t *testing.T) {
		p := newProgram(t)
		p.starts()
		isGreen(t, p.asksDoctor(t, "/dev/null"))
	})
	t.Run("https by itself, with files", func(t *testing.T) {
		needsPort443(t, "127.7.7.5")
		paper := newPapers(t, examinedHost)
		p := newProgramOn(t, privateDatabase(t), "https://"+examinedHost, "--tls-cert", paper.cert, "--tls-key", paper.key, "--listen", "127.7.7.5:443", "--redirect", "127.7.7.5:80")
		p.starts()
		isGreen(t, p.asksDoctor(t, paper.root, "--resolve", "127.7.7.5"))
	})
	t.Run("a port in the public URL", func(t *testing.T) {
		paper := newPapers(t, examinedHost)
		p := newProgramOn(t, privateDatabase(t), "https://"+examinedHost+":8443", "--tls-cert", paper.cert, "--tls-key", paper.key, "--listen", "127.7.7.5:8443")
		p.starts()
		isGreen(t, p.asksDoctor(t, paper.root, "--resolve", "127.7.7.5"))
	})
	t.Run("a Unix socket", func(t *testing.T) {
		socket := filepath.Join(t.TempDir(), "s")
		w := newWard(t, "127.7.7.6", "--listen", "unix:"+socket)
		w.nginx(t, "http://127.0.0.1:8080", "http://unix:"+socket+":")
		isGreen(t, w.asksDoctor(t))
	})
	w := newWard(t, "127.7.7.7")
	for _, row := range []struct {
		setUp   string
		changes []string
	}{
		{"HTTP/1.0 behind nginx", []string{passes, "proxy_http_version 1.0;"}},
		{"HTTP/2", []string{"listen 443 ssl;", "listen 443 ssl http2;"}},
		{"nginx compresses", []string{passes, passes + "gzip on; gzip_types *; gzip_min_length 1;"}},
		{"nginx adds HSTS of its own", []string{passes, passes + `add_header Strict-Transport-Security "max-age=63072000" always;`}},
		{"TLS 1.3 alone", []string{"listen 443 ssl;", "listen 443 ssl; ssl_protocols TLSv1.3;"}},
		{"a temporary redirect", []string{"return 301", "return 307"}},
	} {
		t.Run(row.setUp, func(t *testing.T) { w.nginx(t, row.changes...); isGreen(t, w.asksDoctor(t)) })
	}
	t.Run("Caddy compresses", func(t *testing.T) { w.caddy(t, "encode gzip", ""); isGreen(t, w.asksDoctor(t)) })
	t.Run("IPv6 alone", func(t *testing.T) {
		needsPort443(t, "::1")
		config := strings.ReplaceAll(w.written(manualsBlock(t, "nginx")), "listen "+w.at, "listen [::1]")
		proxytest.Nginx(t, "[::1]:443", config)
		isGreen(t, w.program.asksDoctor(t, w.paper.root, "--resolve", "::1"))
	})
	t.Run("two proxies, one behind the other", func(t *testing.T) {
		const inner = "127.7.7.8:8081"
		config := firstServer(w.written(manualsBlock(t, "nginx")), w.at, inner)
		proxytest.Nginx(t, inner, strings.Replace(config, "X-Forwarded-Proto $scheme", "X-Forwarded-Proto $http_x_forwarded_proto", 1))
		t.Run("of which the first buffers, because the second takes the header that forbids it", func(t *testing.T) {
			w.nginx(t, "http://127.0.0.1:8080", "http://"+inner)
			isOnly(t, w.asksDoctor(t), "failed event stream", "nginx: proxy_buffering off;")
		})
		t.Run("as it should be", func(t *testing.T) {
			w.nginx(t, "http://127.0.0.1:8080", "http://"+inner, passes, passes+"proxy_buffering off;")
			isGreen(t, w.asksDoctor(t))
		})
	})
}

// firstServer is the first server of a configuration of nginx, without TLS at another address.
func firstServer(config, at, inner string) string {
	first, _, _ := strings.Cut(config, "\n}\n")
	return strings.Replace(first, "listen "+at+":443 ssl;", "listen "+inner+";", 1) + "\n}\n"
}

// privateDatabase is a path in a folder that others can't write.
func privateDatabase(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	changesMode(t, folder, 0o700)
	return filepath.Join(folder, "keypeg.db")
}

// TestDoctorOfSeveralNodes examines PostgreSQL beside two servers.
func TestDoctorOfSeveralNodes(t *testing.T) {
	database := pgtest.Empty(t)
	a := newProgramOn(t, database, "")
	a.starts()
	b := newProgramOn(t, database, a.url)
	b.starts()
	r := a.asksDoctor(t, "/dev/null")
	isGreen(t, r)
	if text := textOf(r); !strings.Contains(text, "machine: PostgreSQL ") || !strings.Contains(text, "encoding UTF8") {
		t.Errorf("it says nothing of the database:\n%s", text)
	}
}

// TestDoctorOfTenants examines each tenant, or one.
func TestDoctorOfTenants(t *testing.T) {
	p := newCloud(t, filepath.Join(t.TempDir(), "keypeg.db"))
	p.starts()
	p.adds("acme")
	p.adds("globex")
	r := p.asksDoctor(t, "/dev/null")
	isGreen(t, r)
	one := p.asksDoctor(t, "/dev/null", "--tenant", "acme")
	isGreen(t, one)
	for name, want := range map[string]struct{ all, one bool }{"acme": {true, true}, "globex": {true, false}} {
		if has(r, name) != want.all || has(one, name) != want.one {
			t.Errorf("of %s all have checks: %t, one has: %t\n%s", name, has(r, name), has(one, name), textOf(one))
		}
	}
	isOnly(t, p.asksDoctor(t, "/dev/null", "--tenant", "nobody"), "failed tenants", "keypeg tenant list")
}

func has(r doctor.Report, tenant string) bool {
	for _, c := range r.Checks {
		if strings.HasPrefix(c.Group, tenant+": ") && c.Name == "event stream" && c.State == doctor.OK {
			return true
		}
	}
	return false
}

// TestDoctorACME examines a server that gets its certificate by itself.
func TestDoctorACME(t *testing.T) {
	needsPort443(t, "127.0.0.1")
	ca := newAuthority(t, "localhost:443", 90*24*time.Hour)
	t.Setenv("SSL_CERT_FILE", ca.root)
	p := newProgramOn(t, privateDatabase(t), "https://"+examinedHost, "--acme", "--acme-directory", ca.directory, "--listen", "127.0.0.1:443", "--redirect", "127.0.0.1:80")
	p.starts()
	p.address = "127.0.0.1:443"
	eventually(t, "a certificate", func() error { _, err := p.shows(examinedHost); return err })
	answer, err := untrusting().Get(ca.manages + "/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	root, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	isGreen(t, p.asksDoctor(t, writtenFile(t, "root.pem", string(root)), "--resolve", "127.0.0.1"))
	isOnly(t, p.asksDoctor(t, ca.root, "--resolve", "127.0.0.1"), "failed certificate's authority", "install its root here")
}

// TestDoctorOfEncryptedDatabase examines PostgreSQL over TLS.
func TestDoctorOfEncryptedDatabase(t *testing.T) {
	paper := newPapers(t, examinedHost)
	folder, err := os.MkdirTemp("", "keypeg-postgres-") // which the server's user can enter, unlike t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	changesMode(t, folder, 0o755)
	cert, key := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	for to, from := range map[string]string{cert: paper.cert, key: paper.key} {
		content, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, content, 0o600)
		}
		if err == nil && os.Geteuid() == 0 {
			err = givenToPostgres(to)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	server := pgtest.Start(t, "ssl = on", "ssl_cert_file = '"+cert+"'", "ssl_key_file = '"+key+"'")
	p := newProgramOn(t, strings.Replace(server.URL("postgres"), "sslmode=disable", "sslmode=verify-ca&sslrootcert="+url.QueryEscape(paper.root), 1), "")
	p.starts()
	r := p.asksDoctor(t, "/dev/null")
	isGreen(t, r)
	if text := textOf(r); !strings.Contains(text, "the connection is encrypted") {
		t.Errorf("it says nothing of the encryption:\n%s", text)
	}
}

// givenToPostgres gives a file to the user that PostgreSQL runs as.
func givenToPostgres(path string) error {
	postgres, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	id, err := strconv.Atoi(postgres.Uid)
	if err != nil {
		return err
	}
	return os.Chown(path, id, -1)
}
