package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/certtest"
	"github.com/keypeg/keypeg/server/proxytest"
)

// TestDoctorOfAMove examines an organisation that moves, behind the manual's nginx for both hosts, and then with
// mistakes at the former one.
func TestDoctorOfAMove(t *testing.T) {
	const former = "old.keypeg.test"
	w := newWard(t, "127.7.7.9", "--former-urls", "https://"+former)
	cert, key := certtest.Write(t, t.TempDir(), certtest.SelfSigned(t, 1, time.Now().Add(80*24*time.Hour), former))
	bundle := filepath.Join(t.TempDir(), "roots.pem")
	var roots []byte
	for _, path := range []string{w.paper.root, cert} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, content...)
	}
	if err := os.WriteFile(bundle, roots, 0o600); err != nil {
		t.Fatal(err)
	}
	const listed = "failed origins listed at " + former
	for _, row := range []struct {
		setUp      string
		changes    []string // of the former host's server
		want, mend string
	}{
		{"as it should be", nil, "", ""},
		{"the whole former host is redirected", []string{"location / {", "return 301 https://" + examinedHost + "$request_uri; location / {"}, listed, "nginx: location = /.well-known/webauthn"},
		{"all but the list is redirected", []string{"location / {", w.written("location = /.well-known/webauthn { proxy_pass http://127.0.0.1:8080; proxy_set_header Host $http_host; } location / { return 301 https://id.example.com$request_uri; ")}, listed, "don't redirect " + former},
		{"another site has that path", []string{"location / {", `location = /.well-known/webauthn { return 200 "hello"; } location / {`}, listed, "must be application/json"},
		{"the proxy writes the new host", []string{"Host $http_host", "Host other.keypeg.test"}, listed, "status 421"},
		{"a list of its own", []string{"location / {", `location = /.well-known/webauthn { default_type application/json; return 200 '{"origins":["https://` + former + `"]}'; } location / {`}, listed, "lacks https://" + examinedHost},
		{"a certificate for another host", []string{cert, w.paper.cert, key, w.paper.key}, listed, "a certificate that browsers trust"},
	} {
		t.Run(row.setUp, func(t *testing.T) {
			main := w.written(manualsBlock(t, "nginx"))
			old, _, _ := strings.Cut(main, "\n}\n")
			old = strings.NewReplacer(w.paper.cert, cert, w.paper.key, key, "server_name "+examinedHost, "server_name "+former).Replace(old) + "\n}\n"
			for pair := range slices.Chunk(row.changes, 2) {
				if !strings.Contains(old, pair[0]) {
					t.Fatalf("the manual has no %q", pair[0])
				}
				old = strings.ReplaceAll(old, pair[0], pair[1])
			}
			proxytest.Nginx(t, w.at+":443", main+old)
			report := w.program.asksDoctor(t, bundle, "--resolve", w.at)
			if row.want == "" {
				isGreen(t, report)
				return
			}
			isOnly(t, report, row.want, row.mend)
		})
	}
	t.Run("the former address has a port", func(t *testing.T) {
		main := w.written(manualsBlock(t, "nginx"))
		old, _, _ := strings.Cut(main, "\n}\n")
		old = strings.NewReplacer(w.paper.cert, cert, w.paper.key, key, "server_name "+examinedHost, "server_name "+former).Replace(old) + "\n}\n"
		proxytest.Nginx(t, w.at+":443", main+old)
		report := w.program.asksDoctor(t, bundle, "--resolve", w.at, "--former-urls", "https://port.keypeg.test:8443")
		if text := textOf(report); !strings.Contains(text, "https://port.keypeg.test/.well-known/webauthn can't be read") {
			t.Errorf("it doesn't ask where browsers do, at port 443:\n%s", text)
		}
	})
	t.Run("passkeys for a domain above all hosts, which no browser asks", func(t *testing.T) {
		report := w.program.asksDoctor(t, bundle, "--resolve", w.at, "--rp-id", "keypeg.test")
		if text := textOf(report); strings.Contains(text, "origins listed") || !strings.Contains(text, `former-urls = ["https://`+examinedHost+" "+examinedHost+`"]`) {
			t.Errorf("it asks for a list that nobody needs, or doesn't say what to write:\n%s", text)
		}
	})
}
