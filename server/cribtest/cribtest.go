// Package cribtest starts the tool cribs in PHP, Python and Node, and programs with Express (server/cmd/toolcrib), for
// tests, behind nginx as the manual has it: Keypeg and the crib under one host name.
//
// [Start] starts all but Keypeg; [StartBeside] does so for several nodes of Keypeg, or for one that has other programs
// too. A test has Keypeg listen at [Crib.Keypeg], in its own process or as a program, with
// what the fields of the Crib say.
package cribtest

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/proxytest"
)

// Languages are those that there is a crib in, besides Go.
var Languages = []string{"node", "php", "python"}

// Express is no crib, but the manual's program with Express, at the same addresses. Its sessions end with it.
const Express = "express"

// Libraries is the same program, in which jose and standardwebhooks check proofs and hooks.
const Libraries = "libraries"

// needs are Debian's package of each language, its program, and the command that starts the crib. The command before it,
// if there is one, ends by itself.
var needs = map[string]struct {
	install, program string
	before           []string
	command          func(listen string) []string
}{
	Express:   {"nodejs", "node", nil, func(string) []string { return []string{"app.mjs"} }},
	Libraries: {"nodejs", "node", nil, func(string) []string { return []string{"app.mjs"} }},
	"node":    {"nodejs", "node", nil, func(string) []string { return []string{"crib.mjs"} }},
	"php":     {"php-cli", "php", []string{"index.php"}, func(listen string) []string { return []string{"-S", listen, "index.php"} }},
	"python":  {"python3", "python3", nil, func(string) []string { return []string{"-B", "crib.py"} }},
}

// people are those of each crib, and of the program with Express.
var people = []string{"ann", "bob", "kim"}

// Crib is a running crib, with nginx in front.
type Crib struct {
	URL    string // at which people reach it: also its origin
	Keypeg string // the address "localhost:12345" at which Keypeg must listen; the first of several nodes

	Arrive, Hooks string // its addresses for Keypeg
	Secret        string
	SecretFile    string            // has it
	Passwords     map[string]string // of its people, by name

	t        testing.TB
	beside   Beside
	asks     string // the address at which the program reaches Keypeg
	language string
	listens  string
	folder   string // of the program
	data     string // its file
	log      *proxytest.Output
	running  *exec.Cmd
}

// Start starts a crib in one of the [Languages], or [Express] or [Libraries], with the server block of the manual, until the test ends. Where the
// language can't be had, the test is skipped, but never in CI.
func Start(t testing.TB, language string) *Crib {
	t.Helper()
	return StartBeside(t, language, Beside{Nodes: []string{proxytest.FreeAddress(t)}})
}

// Beside says which Keypeg a crib is beside.
type Beside struct {
	Nodes  []string // the addresses "localhost:12345" of its nodes, at least one. nginx sends requests to each in turn
	Tenant string   // has the crib at its own host name, TENANT.localhost; "" is for localhost
}

// StartBeside is [Start] for a crib that hasn't one Keypeg for itself. The program reaches Keypeg by nginx too.
func StartBeside(t testing.TB, language string, beside Beside) *Crib {
	t.Helper()
	c := &Crib{t: t, beside: beside, Keypeg: beside.Nodes[0], language: language, Passwords: map[string]string{}, log: &proxytest.Output{}, Secret: "a-secret-that-keypeg-and-the-crib-share"}
	at := proxytest.FreeAddress(t)
	dir := t.TempDir()
	c.URL, c.asks, c.listens = "http://"+at, proxytest.IPv4(c.Keypeg), proxytest.IPv4(proxytest.FreeAddress(t))
	if beside.Tenant != "" {
		c.URL = "http://" + beside.Tenant + "." + at
	}
	if c.isShared() {
		c.asks = proxytest.IPv4(proxytest.FreeAddress(t))
	}
	c.Arrive, c.Hooks = c.URL+"/keypeg-arrive", "http://"+c.listens+"/keypeg-hooks"
	c.SecretFile, c.data = filepath.Join(dir, "host.secret"), filepath.Join(dir, "crib.json")
	c.folder = filepath.Join(c.root(), "server/cmd/toolcrib", language)
	if files := besideExpress[language]; files != nil {
		c.folder = c.folderBeside(files)
	}
	c.Share(c.Secret)
	c.starts()
	t.Cleanup(func() {
		c.stops()
		if t.Failed() {
			t.Logf("the crib in %s says:\n%s", language, c.log)
		}
	})
	proxytest.Nginx(t, at, c.block(at))
	return c
}

// Share writes the secrets that Keypeg and the crib share, as IT does. The crib signs with the first.
func (c *Crib) Share(secrets ...string) {
	c.t.Helper()
	if err := os.WriteFile(c.SecretFile, []byte(strings.Join(secrets, "\n")+"\n"), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// GrowsOld sets every session back by an hour. It restarts the crib for that.
func (c *Crib) GrowsOld() {
	c.t.Helper()
	c.stops()
	text, err := os.ReadFile(c.data)
	if err != nil {
		c.t.Fatal(err)
	}
	var kept map[string]any
	if err := json.Unmarshal(text, &kept); err != nil {
		c.t.Fatal(err)
	}
	sessions, _ := kept["sessions"].(map[string]any)
	if len(sessions) == 0 {
		c.t.Fatalf("nobody is signed in: %s", text)
	}
	for _, session := range sessions {
		session.(map[string]any)["proved"] = time.Now().Add(-time.Hour).Unix()
	}
	if text, err = json.Marshal(kept); err == nil {
		err = os.WriteFile(c.data, text, 0o600)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.starts()
}

// Log is what the crib has written.
func (c *Crib) Log() string { return c.log.String() }

// block is nginx's block of the manual, for this crib: without TLS.
func (c *Crib) block(at string) string {
	c.t.Helper()
	page, err := os.ReadFile(filepath.Join(c.root(), "web/manual/any-language.md"))
	if err != nil {
		c.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```nginx\n")
	block, _, found := strings.Cut(rest, "\n\nserver {") // which leads to https
	if !found {
		c.t.Fatal("the manual has no block for nginx")
	}
	var lines []string
	for line := range strings.Lines(block) {
		if !strings.Contains(line, "ssl_certificate") && !strings.Contains(line, "server_name") {
			lines = append(lines, line)
		}
	}
	return strings.NewReplacer("listen 443 ssl", "listen "+proxytest.IPv4(at), "127.0.0.1:8080", c.upstream(), "127.0.0.1:8082", c.listens).Replace(strings.Join(lines, "")) + c.shares()
}

// isShared reports whether the crib hasn't one Keypeg for itself.
func (c *Crib) isShared() bool { return len(c.beside.Nodes) > 1 || c.beside.Tenant != "" }

func (c *Crib) upstream() string {
	if c.isShared() {
		return "keypeg"
	}
	return proxytest.IPv4(c.Keypeg)
}

// shares are the further blocks of nginx for several nodes, and for the requests of a program that is a tenant: they need its host
// name, which isn't in the DNS here.
func (c *Crib) shares() string {
	if !c.isShared() {
		return ""
	}
	nodes := ""
	for _, node := range c.beside.Nodes {
		nodes += "\tserver " + proxytest.IPv4(node) + ";\n"
	}
	return "\nupstream keypeg {\n" + nodes + "}\n" + proxytest.NginxServer(c.asks, "keypeg", "proxy_set_header Host "+strings.TrimPrefix(c.URL, "http://")+";")
}

// root is the folder of the project.
func (c *Crib) root() string {
	c.t.Helper()
	for dir := "."; ; dir = filepath.Join(dir, "..") {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if len(dir) > 60 {
			c.t.Fatal("the project's folder isn't above this one")
		}
	}
}

// besideExpress are the files of a program with Express, by their names in it.
var besideExpress = map[string]map[string]string{
	Express:   {"app.mjs": "express/app.mjs", "keypeg.mjs": "node/keypeg.mjs"},
	Libraries: {"app.mjs": "express/app.mjs", "keypeg.mjs": "express/libraries.mjs", "own.mjs": "node/keypeg.mjs"},
}

// folderBeside returns a folder with files of server/cmd/toolcrib, where Node finds Express and what is installed with it.
func (c *Crib) folderBeside(files map[string]string) string {
	c.t.Helper()
	express := filepath.Join(c.root(), "bin/express")
	if _, err := os.Stat(filepath.Join(express, "node_modules/standardwebhooks")); err != nil {
		if os.Getenv("CI") != "" {
			c.t.Fatal(err)
		}
		c.t.Skip("this test needs Express: make tools")
	}
	folder, err := os.MkdirTemp(express, "test-")
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { os.RemoveAll(folder) })
	for name, file := range files {
		source, err := os.ReadFile(filepath.Join(c.root(), "server/cmd/toolcrib", file))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), source, 0o600)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	return folder
}

// starts starts the crib, and returns when it listens.
func (c *Crib) starts() {
	c.t.Helper()
	how := needs[c.language]
	if _, err := exec.LookPath(how.program); err != nil {
		if os.Getenv("CI") != "" {
			c.t.Fatal(err)
		}
		c.t.Skipf("this test needs Debian's %s: apt-get install %s", how.install, how.install)
	}
	command := func(args []string) *exec.Cmd {
		started := exec.Command(how.program, args...)
		started.Dir = c.folder
		started.Stdout, started.Stderr = c.log, c.log
		started.Env = append(os.Environ(), "CRIB_ORIGIN="+c.URL, "CRIB_LISTEN="+c.listens, "CRIB_DATA="+c.data, "KEYPEG=http://"+c.asks, "KEYPEG_SECRET_FILE="+c.SecretFile)
		return started
	}
	if how.before != nil {
		if err := command(how.before).Run(); err != nil {
			c.t.Fatalf("the crib in %s can't be made: %v\n%s", c.language, err, c.log)
		}
	}
	c.running = command(how.command(c.listens))
	if err := c.running.Start(); err != nil {
		c.t.Fatal(err)
	}
	for deadline := time.Now().Add(3 * time.Minute); !c.isOpen(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("the crib in %s doesn't listen, or prints no passwords:\n%s", c.language, c.log)
		}
	}
}

// isOpen reports whether the crib listens, and takes the passwords that it has printed. Those may come later: what a program
// prints passes through buffers.
func (c *Crib) isOpen() bool {
	conn, err := net.Dial("tcp", c.listens)
	if err != nil {
		return false
	}
	conn.Close()
	for line := range strings.Lines(c.log.String()) {
		said, isWhole := strings.CutSuffix(line, "\n")
		said, isOne := strings.CutPrefix(said, "  ")
		if name, password, ok := strings.Cut(said, "  "); ok && isOne && isWhole {
			c.Passwords[name] = password
		}
	}
	return !slices.ContainsFunc(people, func(name string) bool { return c.Passwords[name] == "" })
}

func (c *Crib) stops() {
	if c.running != nil {
		c.running.Process.Kill()
		c.running.Wait()
		c.running = nil
	}
}
