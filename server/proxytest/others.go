package proxytest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// HAProxy runs HAProxy with a configuration as IT writes it, and returns when it listens at the address.
func HAProxy(t testing.TB, at, config string) {
	t.Helper()
	dir := t.TempDir()
	run(t, at, dir, "haproxy", write(t, dir, "haproxy.cfg", config), "-db", "-f")
}

// apacheModules are those that Debian's package switches on by itself, and those for a proxy.
var apacheModules = []string{"mpm_event", "authz_core", "headers", "alias", "dir", "ssl", "proxy", "proxy_http", "lua"}

// Apache runs Apache with sites as IT writes them, and returns when it listens at the address. Its workers have
// another account than the test, so files that they read are in folders that everybody reads.
func Apache(t testing.TB, at, config string) {
	t.Helper()
	dir := ReadableDir(t)
	var b strings.Builder
	for _, module := range apacheModules {
		b.WriteString("LoadModule " + module + "_module /usr/lib/apache2/modules/mod_" + module + ".so\n")
	}
	run(t, at, dir, "apache2", write(t, dir, "apache2.conf", `ServerRoot `+dir+`
PidFile `+dir+`/pid
DefaultRuntimeDir `+dir+`
Mutex file:`+dir+` default
ErrorLog /dev/stderr
User www-data
Group www-data
ServerName localhost
Listen `+IPv4(at)+`
`+b.String()+config), "-X", "-f")
}

// ReadableDir is a folder of the test that other accounts may read.
func ReadableDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
