package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/doctor"
	"github.com/keypeg/keypeg/server/mail/mailtest"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store"
)

// Keypeg doctor against the real thing: the program with real proxies in front, as the manual has them, and
// then each with one mistake.

// examinedHost is the host of all public URLs here. Its address is given by --resolve.
const examinedHost = "id.keypeg.test"

// ward has the program that is examined, and what proxies need.
type ward struct {
	*program
	at    string // the IP address of proxies, with ports 443 and 80 for this test alone
	paper papers
}

// newWard starts a program behind a proxy that the test starts.
func newWard(t *testing.T, at string, flags ...string) *ward {
	t.Helper()
	w := &ward{at: at, paper: newPapers(t, examinedHost)}
	needsPort443(t, at)
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	w.program = newProgramOn(t, filepath.Join(folder, "keypeg.db"), "https://"+examinedHost, append([]string{"--trusted-proxies", "127.0.0.1"}, flags...)...)
	w.opens(func(db store.Store) {
		ann := store.User{ID: store.NewUserID(), Name: "ann", DisplayName: "Ann", Passkeys: []store.Passkey{{ID: "a", CredentialID: []byte("a"), PublicKey: []byte("a"), RPID: examinedHost, Verified: true, Created: time.Now()}}}
		if err := db.Apply(t.Context(), store.Batch{store.PutUser{User: ann}}); err != nil {
			t.Fatal(err)
		}
	})
	w.starts()
	return w
}

// needsPort443 skips a test that may not listen where browsers look for https.
func needsPort443(t *testing.T, at string) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(at, "443"))
	if err != nil {
		t.Skipf("this test needs port 443: %v", err)
	}
	l.Close()
}

// asksDoctor runs keypeg doctor with the settings of the server, and those of the row.
func (w *ward) asksDoctor(t *testing.T, flags ...string) doctor.Report {
	t.Helper()
	return w.program.asksDoctor(t, w.paper.root, append([]string{"--resolve", w.at}, flags...)...)
}

// asksDoctor runs keypeg doctor with the settings of the server, and with an authority that it trusts.
func (p *program) asksDoctor(t *testing.T, root string, flags ...string) doctor.Report {
	t.Helper()
	path, err := theProgram()
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command(path, slices.Concat([]string{"doctor", "--json"}, p.args[1:], flags)...)
	run.Env = append(os.Environ(), "SSL_CERT_FILE="+root)
	var out, complains bytes.Buffer
	run.Stdout, run.Stderr = &out, &complains
	failed := run.Run()
	var report doctor.Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("%v: %v\n%s%s", failed, err, out.Bytes(), complains.Bytes())
	}
	if (failed == nil) != report.IsOK() {
		t.Errorf("it ends with %v, and %d checks failed", failed, report.Failed)
	}
	for _, secret := range []string{"BEGIN", mailtest.Password, "s3cret"} {
		if strings.Contains(out.String()+complains.String(), secret) {
			t.Errorf("there is the secret %q in\n%s", secret, out.Bytes())
		}
	}
	return report
}

// wrong returns the checks that aren't green: "failed X" or "warning X".
func wrong(r doctor.Report) (names []string) {
	for _, c := range r.Checks {
		if c.State == doctor.Failed || c.State == doctor.Warning {
			names = append(names, fmt.Sprintf("%s %s", c.State, c.Name))
		}
	}
	return names
}

func textOf(r doctor.Report) string {
	var b strings.Builder
	r.WriteText(&b)
	return b.String()
}

// namesOf returns the groups, and the checks with their states, of a printed report.
func namesOf(text string) (names []string) {
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(strings.TrimRight(line, "\n"), ": ")
		names = append(names, name)
	}
	return names
}

// isGreen checks that nothing is wrong.
func isGreen(t *testing.T, r doctor.Report) {
	t.Helper()
	if got := wrong(r); len(got) > 0 {
		t.Errorf("false alarm: %q\n%s", got, textOf(r))
	}
}

// isOnly checks that one check is red or yellow, and that it says what to write.
func isOnly(t *testing.T, r doctor.Report, want, mend string) {
	t.Helper()
	if got := wrong(r); !slices.Equal(got, []string{want}) {
		t.Errorf("it finds %q, want %q\n%s", got, want, textOf(r))
		return
	}
	for _, c := range r.Checks {
		if c.State != doctor.Failed && c.State != doctor.Warning {
			continue
		}
		said := c.Compared
		for _, m := range c.Mend {
			said += "\n" + m.In + ": " + m.Line
		}
		if !strings.Contains(said, mend) {
			t.Errorf("%s doesn't say %q:\n%s", want, mend, said)
		}
	}
}

// manualsBlock returns a block of the page about proxies.
func manualsBlock(t *testing.T, language string) string {
	t.Helper()
	_, after, found := strings.Cut(document(t, "web/manual/proxies.md"), "```"+language+"\n")
	block, _, closed := strings.Cut(after, "```")
	if !found || !closed {
		t.Fatalf("the page has no block of %s", language)
	}
	return block
}

// nginx runs the manual's own file, with changes: pairs of an old and a new text.
func (w *ward) nginx(t *testing.T, changes ...string) {
	t.Helper()
	config := manualsBlock(t, "nginx")
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(config, changes[i]) {
			t.Fatalf("the manual has no %q", changes[i])
		}
		config = strings.ReplaceAll(config, changes[i], changes[i+1])
	}
	proxytest.Nginx(t, w.at+":443", w.written(config))
}

// written puts the places of the test into a configuration of the manual's.
func (w *ward) written(config string) string {
	return strings.NewReplacer(
		"/etc/ssl/id.example.com.pem", w.paper.cert, "/etc/ssl/id.example.com.key", w.paper.key, "id.example.com", examinedHost,
		"listen 443", "listen "+w.at+":443", "listen 80", "listen "+w.at+":80", "127.0.0.1:8080", proxytest.IPv4(w.address),
	).Replace(config)
}

// caddy runs the manual's own file, with lines of the test in the site and in reverse_proxy.
func (w *ward) caddy(t *testing.T, site, proxy string) {
	t.Helper()
	config := manualsBlock(t, "caddy")
	config = strings.Replace(config, "reverse_proxy 127.0.0.1:8080", "bind "+w.at+"\ntls "+w.paper.cert+" "+w.paper.key+"\n"+site+"\nreverse_proxy 127.0.0.1:8080 {\n"+proxy+"\n}", 1)
	// proxytest switches Caddy's own redirect off, because it would need port 80 of the whole machine.
	proxytest.Caddy(t, w.at+":443", w.written(config)+"\nhttp://"+examinedHost+" {\nbind "+w.at+"\nredir https://{host}{uri} 308\n}\n")
}

// papers are certificates in files.
type papers struct {
	root, cert, key     string // as they should be
	alone               string // without the authority's
	expired, soon, self string // the same key
	other               string // for another host
}

func newPapers(t *testing.T, host string) (p papers) {
	t.Helper()
	folder, serial := t.TempDir(), int64(0)
	newKey := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	sign := func(name string, host string, ends time.Time, key *ecdsa.PrivateKey, by *x509.Certificate, byKey *ecdsa.PrivateKey) *x509.Certificate {
		serial++
		template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: ends.Add(-90 * 24 * time.Hour), NotAfter: ends,
			IsCA: host == "", BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
		if host != "" {
			template.DNSNames, template.KeyUsage = []string{host}, x509.KeyUsageDigitalSignature
		} else {
			template.NotBefore = ends.Add(-200 * 24 * time.Hour)
		}
		if by == nil {
			by = template
		}
		der, err := x509.CreateCertificate(rand.Reader, template, by, &key.PublicKey, byKey)
		if err != nil {
			t.Fatal(err)
		}
		made, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	write := func(name string, all ...*x509.Certificate) string {
		var text []byte
		for _, c := range all {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
		}
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	rootKey, betweenKey, key := newKey(), newKey(), newKey()
	later := time.Now().Add(80 * 24 * time.Hour)
	root := sign("The test's root", "", later, rootKey, nil, rootKey)
	between := sign("The test's authority", "", later, betweenKey, root, rootKey)
	of := func(host string, ends time.Time) *x509.Certificate {
		return sign(host, host, ends, key, between, betweenKey)
	}
	good := of(host, later)
	p = papers{
		root: write("root.pem", root), cert: write("cert.pem", good, between), alone: write("alone.pem", good),
		expired: write("expired.pem", of(host, time.Now().Add(-50*time.Hour)), between),
		soon:    write("soon.pem", of(host, time.Now().Add(5*24*time.Hour)), between),
		other:   write("other.pem", of("www.keypeg.test", later), between),
		self:    write("self.pem", sign(host, host, later, key, nil, key)),
		key:     filepath.Join(folder, "key.pem"),
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

const passes = "proxy_http_version 1.1;" // a line of the manual's, beside which rows write theirs

// TestDoctorNginx runs the manual's nginx, which is all green, and then with one mistake in each row.
func TestDoctorNginx(t *testing.T) {
	w := newWard(t, "127.7.7.1")
	t.Run("the manual's own file, and its output", func(t *testing.T) {
		w.nginx(t)
		r := w.asksDoctor(t, "--contact", "IT desk")
		isGreen(t, r)
		_, after, _ := strings.Cut(document(t, "web/manual/running.md"), "```text\n")
		shown, _, _ := strings.Cut(after, "```")
		if got, want := namesOf(textOf(r)), namesOf(shown); !slices.Equal(got, want) {
			t.Errorf("the manual shows the checks\n%q, and it prints\n%q", want, got)
		}
	})
	adds := func(lines string) []string { return []string{passes, passes + "\n" + lines} }
	own := func(location string) []string { return []string{"\tlocation / {", location + "\n\tlocation / {"} }
	pass := "proxy_pass http://127.0.0.1:8080; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; "
	for _, row := range []struct {
		mistake    string
		changes    []string
		want, mend string
	}{
		{"another Host", []string{"Host $http_host;", "Host keypeg.internal;"}, "failed Host", "nginx: proxy_set_header Host $http_host;"},
		{"no Host line", []string{"proxy_set_header Host $http_host;", ""}, "failed Host", "nginx: proxy_set_header Host $http_host;"},
		{"no X-Forwarded-For", []string{"proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", ""}, "failed X-Forwarded-For", "nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"},
		{"an X-Forwarded-For that anybody can choose", []string{"proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", `set $from $http_x_forwarded_for; if ($from = "") { set $from $remote_addr; } proxy_set_header X-Forwarded-For $from;`}, "failed X-Forwarded-For", "anybody can choose the address that Keypeg believes"},
		{"an odd X-Forwarded-For", []string{"X-Forwarded-For $proxy_add_x_forwarded_for;", "X-Forwarded-For unknown;"}, "failed X-Forwarded-For", "nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"},
		{"the wrong scheme", []string{"X-Forwarded-Proto $scheme;", "X-Forwarded-Proto http;"}, "warning X-Forwarded-Proto", "nginx: proxy_set_header X-Forwarded-Proto $scheme;"},
		{"cookies with another path", adds(`proxy_cookie_path / "/; Domain=keypeg.test";`), "failed cookies", "proxy_cookie_path off;"},
		{"no cookies to browsers", adds("proxy_hide_header Set-Cookie;"), "failed cookies", "nginx: proxy_pass_header Set-Cookie;"},
		{"no cookies to the server", adds(`proxy_set_header Cookie "";`), "failed cookies", "proxy_set_header Cookie $http_cookie;"},
		{"no Origin", adds(`proxy_set_header Origin "";`), "failed Origin", "nginx: proxy_set_header Origin $http_origin;"},
		{"no Sec-Fetch-Site", adds(`proxy_set_header Sec-Fetch-Site "";`), "failed Origin", "proxy_set_header Sec-Fetch-Site $http_sec_fetch_site;"},
		{"no nonce", adds("proxy_hide_header Keypeg-Nonce;"), "failed Keypeg-Nonce", "proxy_hide_header and proxy_set_header for Keypeg-Nonce"},
		{"no Accept-Encoding", adds(`proxy_set_header Accept-Encoding "";`), "warning Accept-Encoding", "nginx: proxy_set_header Accept-Encoding $http_accept_encoding;"},
		{"a second policy", adds(`add_header Content-Security-Policy "default-src 'self'" always;`), "failed Content-Security-Policy", "nginx: remove add_header Content-Security-Policy"},
		{"no policy", adds("proxy_hide_header Content-Security-Policy;"), "failed Content-Security-Policy", "proxy_hide_header Content-Security-Policy"},
		{"passkeys forbidden", adds(`proxy_hide_header Permissions-Policy; add_header Permissions-Policy "publickey-credentials-get=()";`), "failed Permissions-Policy", "nginx: remove publickey-credentials-create"},
		{"another Permissions-Policy", adds(`proxy_hide_header Permissions-Policy; add_header Permissions-Policy "camera=()";`), "warning Permissions-Policy", "Permissions-Policy"},
		{"a second X-Frame-Options", adds("add_header X-Frame-Options SAMEORIGIN;"), "warning other headers", "nginx: remove add_header X-Frame-Options"},
		{"no HSTS", adds("proxy_hide_header Strict-Transport-Security;"), "warning other headers", "nginx: remove proxy_hide_header Strict-Transport-Security"},
		{"pages that may be kept", adds("expires 1h;"), "failed Cache-Control", "nginx: remove expires"},
		{"a cache", []string{"server {\n\tlisten 443", "proxy_cache_path " + t.TempDir() + " keys_zone=c:1m;\nserver {\n\tlisten 443", passes, passes + "proxy_cache c; proxy_cache_valid any 1m; proxy_ignore_headers Cache-Control Set-Cookie Expires Vary;"}, "failed kept answers", "nginx: proxy_cache off;"},
		{"error pages of its own", adds("proxy_intercept_errors on; error_page 401 /401.html;"), "failed refusals", "nginx: remove proxy_intercept_errors"},
		{"pages rewritten", adds(`proxy_set_header Accept-Encoding "gzip, deflate, br"; sub_filter "</body>" "<script></script></body>"; sub_filter_types text/html; gunzip on;`), "failed its content", "nginx: remove sub_filter"},
		{"a wrong type", own(`location ~ \.wasm$ { ` + pass + `proxy_hide_header Content-Type; add_header Content-Type application/octet-stream; }`), "failed its type", "nginx: proxy_pass_header Content-Type;"},
		{"no encoding", own(`location /static/ { ` + pass + `proxy_hide_header Content-Encoding; }`), "failed its encoding", "proxy_hide_header Content-Encoding"},
		{"a folder for the app", own(`location ~ \.wasm$ { root /nowhere; }`), "failed app.wasm", "nginx: location / { proxy_pass"},
		{"a folder for scripts", own(`location ~ \.js$ { root /nowhere; }`), "failed scripts and style", "without a location of its own for .js"},
		{"a filter of methods", adds("limit_except GET POST { deny all; }"), "failed methods", "nginx: remove limit_except"},
		{"small bodies", adds("client_max_body_size 10k;"), "failed size", "nginx: client_max_body_size 64k;"},
		{"no folder for bodies", adds(`if ($content_length ~ "^[0-9]{4}") { return 500; }`), "failed size", "client_body_temp_path"},
		{"no large tables", adds("client_max_body_size 100k;"), "warning size", "nginx: client_max_body_size 1m;"},
		{"a buffered stream", adds("proxy_ignore_headers X-Accel-Buffering;"), "failed event stream", "nginx: proxy_buffering off;"},
		{"a password of its own", adds(`auth_basic "IT"; auth_basic_user_file /dev/null;`), "failed server", "nginx: remove auth_request"},
		{"the wrong port", []string{"http://127.0.0.1:8080", "http://127.0.0.1:1"}, "failed server", "nginx: location / { proxy_pass"},
		{"a path below", []string{"http://127.0.0.1:8080;", "http://127.0.0.1:8080/keypeg/;"}, "failed server", "nginx: location / { proxy_pass"},
		{"a site in its place", []string{"proxy_pass http://127.0.0.1:8080;", `return 200 "Welcome to nginx!";`}, "failed server", "something else than Keypeg answers"},
		{"a redirect to another host", []string{"proxy_pass http://127.0.0.1:8080;", "return 302 https://www.keypeg.test$request_uri;"}, "failed server", "https://www.keypeg.test"},
		{"no certificate", []string{"listen 443 ssl", "listen 443"}, "failed encryption", "nginx: listen 443 ssl;"},
		{"a certificate signed by itself", []string{"/etc/ssl/id.example.com.pem", w.paper.self}, "failed certificate's authority", "signed by itself"},
		{"half a chain", []string{"/etc/ssl/id.example.com.pem", w.paper.alone}, "failed certificate's authority", "fullchain.pem"},
		{"a certificate of another host", []string{"/etc/ssl/id.example.com.pem", w.paper.other}, "failed certificate's names", "www.keypeg.test, and not for " + examinedHost},
		{"an old certificate", []string{"/etc/ssl/id.example.com.pem", w.paper.expired}, "failed certificate's end", "certbot renew"},
		{"a certificate that ends soon", []string{"/etc/ssl/id.example.com.pem", w.paper.soon}, "warning certificate's end", "it ends in 4 days"},
		{"no redirect", []string{"return 301 https://$host$request_uri;", "return 200 hello;"}, "failed plain http", "return 301 https://$host$request_uri;"},
		{"a redirect to nowhere", []string{"return 301 https://$host$request_uri;", "return 301 https://www.keypeg.test/;"}, "failed plain http", "https://www.keypeg.test/"},
		{"nothing on port 80", []string{"listen 80;", "listen 81;"}, "warning plain http", "return 301 https://$host$request_uri;"},
	} {
		t.Run(row.mistake, func(t *testing.T) { w.nginx(t, row.changes...); isOnly(t, w.asksDoctor(t), row.want, row.mend) })
	}
	t.Run("no proxy", func(t *testing.T) { isOnly(t, w.asksDoctor(t), "failed port", "nginx: listen 443 ssl;") })
	t.Run("no server", func(t *testing.T) {
		w.ends(syscall.SIGTERM)
		w.nginx(t)
		isOnly(t, w.asksDoctor(t), "failed server", "see that keypeg serve runs")
	})
}

// TestDoctorCaddy does the same with Caddy.
func TestDoctorCaddy(t *testing.T) {
	w := newWard(t, "127.7.7.2")
	t.Run("the manual's own file", func(t *testing.T) { w.caddy(t, "", ""); isGreen(t, w.asksDoctor(t)) })
	for _, row := range []struct {
		mistake, site, proxy string
		want, mend           string
	}{
		{"another Host", "", "header_up Host {upstream_hostport}", "failed Host", "Caddy: header_up Host {hostport}"},
		{"no X-Forwarded-For", "", "header_up -X-Forwarded-For", "failed X-Forwarded-For", "Caddy: reverse_proxy sends it by itself: remove header_up -X-Forwarded-For"},
		{"no cookies to browsers", "", "header_down -Set-Cookie", "failed cookies", "Caddy: remove header_down lines for Set-Cookie"},
		{"no Origin", "", "header_up -Origin", "failed Origin", "Caddy: remove header_up lines for Origin"},
		{"no nonce", "", "header_down -Keypeg-Nonce", "failed Keypeg-Nonce", "Caddy: remove cache, and header_down and header_up -Keypeg-Nonce"},
		{"another policy", "header {\nContent-Security-Policy \"default-src 'self'\"\ndefer\n}", "", "failed Content-Security-Policy", "Caddy: remove header Content-Security-Policy"},
		{"passkeys forbidden", "header {\nPermissions-Policy \"publickey-credentials-get=()\"\ndefer\n}", "", "failed Permissions-Policy", "Caddy: remove both from header Permissions-Policy"},
		{"pages that may be kept", "header {\nCache-Control max-age=60\ndefer\n}", "", "failed Cache-Control", "Caddy: remove header Cache-Control"},
		{"a wrong type", "@w path *.wasm\nheader @w {\nContent-Type text/plain\ndefer\n}", "", "failed its type", "Caddy: remove header Content-Type for /static/"},
		{"small bodies", "request_body {\nmax_size 10KB\n}", "", "failed size", "Caddy: request_body { max_size 64KB }"},
		{"a filter of methods", "@m method PATCH DELETE\nrespond @m 405", "", "failed methods", "Caddy: remove respond, error and method matchers"},
		{"a filter of paths", "respond /api/* 403", "", "failed server", "Caddy: remove forward_auth"},
		{"another clock", "header {\nDate \"Mon, 02 Jan 2023 03:04:05 GMT\"\ndefer\n}", "", "warning clock", "timedatectl set-ntp true"},
	} {
		t.Run(row.mistake, func(t *testing.T) { w.caddy(t, row.site, row.proxy); isOnly(t, w.asksDoctor(t), row.want, row.mend) })
	}
}
