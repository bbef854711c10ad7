package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/keypeg/keypeg/server/internal/listening"
	"github.com/keypeg/keypeg/server/internal/metrics"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

// TestAuditLog: whatever happened is in the files of --audit-log, also after logrotate and a crash.
func TestAuditLog(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "audit.log")
	p := newProgram(t, "--audit-log", path)
	_, token := p.hasUser("ann")
	p.starts()
	device := passkeytest.New(p.url)
	if _, err := p.opensTab(device, token).steps.Register(t.Context(), "Laptop", ""); err != nil {
		t.Fatal(err)
	}
	signsIn := func() {
		t.Helper()
		for range 5 {
			if _, err := p.opensTab(device, "").steps.SignIn(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	written := func() error {
		var text strings.Builder
		files, err := filepath.Glob(path + "*")
		if err != nil {
			return err
		}
		for _, file := range files {
			some, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			text.Write(some)
		}
		missing, n := 0, 0
		for line := range strings.Lines(succeeds(t, "", "audit", "export", "--database", p.database, "--public-url", p.url)) {
			var v shared.AuditEvent
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				return err
			}
			if n++; !strings.Contains(text.String(), line) {
				missing++
			}
		}
		if n == 0 || missing > 0 {
			return fmt.Errorf("%d of %d events aren't in the audit log:\n%s", missing, n, &text)
		}
		return nil
	}
	signsIn()
	eventually(t, "what happened is in the file", written)

	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := p.running.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a new file", func() error { _, err := os.Stat(path); return err })
	signsIn()
	eventually(t, "what happened is in the new file", written)

	signsIn()
	p.ends(syscall.SIGKILL)
	p.starts()
	eventually(t, "what happened before the crash is in the file", written)

	signsIn()
	p.ends(syscall.SIGTERM)
	if err := written(); err != nil {
		t.Errorf("after the end: %v", err)
	}
}

// TestAuditLogAway: a syslog server that is away stops nobody, and the log names it.
func TestAuditLogAway(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "m")
	p := newProgram(t, "--audit-log", "syslog:localhost:1", "--metrics", "unix:"+socket)
	_, token := p.hasUser("ann")
	p.starts()
	device := passkeytest.New(p.url)
	if _, err := p.opensTab(device, token).steps.Register(t.Context(), "Laptop", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := p.opensTab(device, "").steps.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log", func() error {
		if !strings.Contains(p.log.String(), "the audit log can't be written; nothing is lost") {
			return errors.New(p.log.String())
		}
		return nil
	})
	if _, page := asks(t, privately(socket), metrics.PathMetrics); figures(t, page)[metrics.AuditLogAway] != 1 {
		t.Errorf("the figures are %s", page)
	}
	failsWith(t, "make it, or correct the path", "", "serve", "--listen", p.address, "--database", filepath.Join(t.TempDir(), "other.db"), "--audit-log", "/nowhere/audit.log")
}

// TestHealthcheck asks a server where people come in, and where its figures are.
func TestHealthcheck(t *testing.T) {
	cert, key := writesPair(t, t.TempDir(), "id.example.com", 1)
	socket := "unix:" + filepath.Join(t.TempDir(), "m")
	for name, flags := range map[string][]string{"http": nil, "figures": {"--metrics", socket}, "https": {"--tls-cert", cert, "--tls-key", key}, "figures of https": {"--tls-cert", cert, "--tls-key", key, "--metrics", socket}} {
		t.Run(name, func(t *testing.T) {
			p := newProgram(t, flags...)
			if strings.HasSuffix(name, "https") {
				p.args[4] = "https://id.example.com"
			}
			args := append([]string{"healthcheck"}, p.args[1:]...)
			failsWith(t, "doesn't answer at", "", args...)
			p.starts()
			if out := succeeds(t, "", args...); out != "ready\n" {
				t.Errorf("it says %s", out)
			}
			if name == "figures of https" {
				pair, err := listening.ReadPair(cert, key)
				if err != nil {
					t.Fatal(err)
				}
				_, page := asks(t, privately(strings.TrimPrefix(socket, "unix:")), metrics.PathMetrics)
				if end := figures(t, page)[metrics.CertificateEnd+`{host="id.example.com"}`]; end != float64(pair.Leaf.NotAfter.Unix()) {
					t.Errorf("the certificate ends at %v, want %v", end, pair.Leaf.NotAfter)
				}
			}
		})
	}
	failsWith(t, "set --metrics", "", "healthcheck", "--listen", "systemd", "--public-url", "https://id.example.com")
}
