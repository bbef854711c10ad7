// Package proxytest starts Debian's nginx, Caddy, HAProxy and Apache for tests, as proxies in
// front of Keypeg.
//
// [Nginx], [Caddy], [HAProxy] and [Apache] take a configuration as IT writes it, and run the proxy until the
// test ends. [NginxTo] and [CaddyTo] write the usual configuration, with additional lines.
// A test that breaks something adds the wrong lines there.
package proxytest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// FreeAddress returns an address, "localhost:23456", for a server that a test starts, or ends and starts again.
func FreeAddress(t testing.TB) string {
	t.Helper()
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("localhost:%d", port)
}

// FreePort returns a port at which nobody listens, and which stays free while its server doesn't run yet, or
// isn't running for a moment: it is below those that systems give to connections, and to tests that listen at port 0
// (from 32768 on Linux, from 49152 elsewhere). No two calls return the same one, and on Linux none of another process
// that runs tests.
func FreePort() (int, error) {
	taken := errors.New("each port that was tried has been given already")
	for range 100 {
		port := 20000 + rand.IntN(12000)
		if err := take(port); err != nil {
			taken = err
			continue
		}
		free, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			free.Close()
			return port, nil
		}
		taken = err
	}
	return 0, taken
}

// take takes a port for this process. It must not be seen at the port itself, where a server will listen: a socket in
// Linux's abstract namespace (unix(7)) has its number as its name, without a file, and ends with the process.
func take(port int) (err error) {
	var name net.Listener
	if runtime.GOOS == "linux" {
		if name, err = net.Listen("unix", fmt.Sprintf("@keypeg-test-port-%d", port)); err != nil {
			return err
		}
	}
	if _, given := givenPorts.LoadOrStore(port, name); given {
		return fmt.Errorf("port %d has been given already", port)
	}
	return nil
}

var givenPorts sync.Map // net.Listener, by port; what isn't kept would be closed

// Nginx runs nginx with the content of http { }, and returns when it listens at the
// address.
func Nginx(t testing.TB, at, config string) {
	t.Helper()
	dir := t.TempDir()
	// In one process it needs neither rights nor a user of its own.
	run(t, at, dir, "nginx", write(t, dir, "nginx.conf", `daemon off;
master_process off;
pid `+dir+`/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
	access_log off;
	client_body_temp_path `+dir+`/body;
	proxy_temp_path `+dir+`/proxy;
	fastcgi_temp_path `+dir+`/fastcgi;
	uwsgi_temp_path `+dir+`/uwsgi;
	scgi_temp_path `+dir+`/scgi;
`+config+`
}
`), "-e", "stderr", "-c")
}

// NginxTo runs nginx at an address, in front of an upstream, with additional lines in its
// location.
func NginxTo(t testing.TB, at, upstream string, lines ...string) {
	t.Helper()
	Nginx(t, at, NginxServer(at, upstream, lines...))
}

// NginxServer is the server block of [NginxTo].
func NginxServer(at, upstream string, lines ...string) string {
	return fmt.Sprintf("server {\n\tlisten %s;\n\tlocation / {\n\t\tproxy_pass http://%s;\n\t\t%s\n\t}\n}\n",
		IPv4(at), IPv4(upstream), strings.Join(lines, "\n\t\t"))
}

// Caddy runs Caddy with a Caddyfile, and returns when it listens at the address. Caddy
// makes its own certificates, which nothing trusts.
func Caddy(t testing.TB, at, config string) {
	t.Helper()
	dir := t.TempDir()
	run(t, at, dir, "caddy", write(t, dir, "Caddyfile", "{\n\tadmin off\n\tauto_https disable_redirects\n\tlocal_certs\n\tskip_install_trust\n}\n"+config),
		"run", "--adapter", "caddyfile", "--config")
}

// CaddyTo runs Caddy at an address, in front of an upstream, with additional lines in its
// reverse_proxy.
func CaddyTo(t testing.TB, at, upstream string, lines ...string) {
	t.Helper()
	CaddySite(t, at, fmt.Sprintf("reverse_proxy %s {\n\t\t%s\n\t}", IPv4(upstream), strings.Join(lines, "\n\t\t")))
}

// CaddySite runs Caddy at an address, with the directives of the test.
func CaddySite(t testing.TB, at string, directives ...string) {
	t.Helper()
	Caddy(t, at, fmt.Sprintf("http://%s {\n\tbind 127.0.0.1\n\t%s\n}\n", at, strings.Join(directives, "\n\t")))
}

// IPv4 returns an address with 127.0.0.1 for localhost. That may have two addresses, and other programs might listen at,
// or ask, the other one.
func IPv4(address string) string { return strings.Replace(address, "localhost:", "127.0.0.1:", 1) }

func write(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// run starts a proxy with its configuration as the last argument.
func run(t testing.TB, at, dir, program, config string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + program) // often not in PATH
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("this test needs Debian's %s: apt-get install %s", program, program)
	}
	output := &Output{}
	proxy := exec.Command(path, append(args, config)...)
	proxy.Stdout, proxy.Stderr = output, output
	proxy.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir, "HOME="+dir)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- proxy.Wait() }()
	t.Cleanup(func() {
		proxy.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("%s output:\n%s", program, output)
		}
	})
	for {
		if conn, err := net.Dial("tcp", IPv4(at)); err == nil {
			conn.Close()
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", program, err, output)
		case <-time.After(10 * time.Millisecond): // until it listens
		}
	}
}

// Output collects what a process prints, or a log that several goroutines write.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// String returns everything written so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
