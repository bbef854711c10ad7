package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
)

// The manual's machine: a network, a /etc and a /var of the test's own, so that what the manual says can be
// typed there as it stands: with its host names, its ports and its paths.

// machinePage is the variable that tells a process of the test that it is on that machine, and for which page.
const machinePage = "TEST_MANUAL_PAGE"

// machineHosts are the names that the manual uses, and where they lead on the machine. Each address of
// 10.0.0.0/24 is the machine's own, and it connects from the proxy's of the pages.
const machineHosts = `127.0.0.1 localhost
10.0.0.10 id.example.com tools.example.com id.acme.example id.beta.example login.example.org smtp.example.com logs.example.com
127.0.0.1 wiki.example.com
127.0.0.1 db1.example.com
10.0.0.22 db2.example.com
`

// onMachine runs this test of the process again on a machine of its own.
func onMachine(t *testing.T, page string) {
	t.Helper()
	program, err := theProgram()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-test.run=^" + strings.Split(t.Name(), "/")[0] + "$", "-test.v", "-test.timeout=4m"}
	command := exec.Command(self, args...)
	if os.Getuid() == 0 {
		command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET}
	} else {
		command = exec.Command("sudo", append([]string{"-n", "-E", "unshare", "--mount", "--net", self}, args...)...)
	}
	command.Env = append(os.Environ(), machinePage+"="+page, machineProgram+"="+program)
	out, err := command.CombinedOutput()
	switch {
	case err == nil && bytes.Contains(out, []byte("--- PASS: "+strings.Split(t.Name(), "/")[0])):
	case bytes.Contains(out, []byte("=== RUN")):
		t.Errorf("%v\n%s", err, out)
	case os.Getenv("CI") != "":
		t.Fatalf("this test needs root, and a container that may mount: %v\n%s", err, out)
	default:
		t.Skipf("this test needs root, and a container that may mount: %v\n%s", err, out)
	}
}

// machineProgram is the variable with the program that was built before, outside.
const machineProgram = "TEST_PROGRAM"

// machine is where the blocks of a page are typed, in their order.
type machine struct {
	*testing.T
	folder  string // where they are typed
	bundle  string // authorities that the machine trusts
	paper   papers // of id.example.com
	env     []string
	exports string // what was exported on the page

	server *exec.Cmd // that was started last, or nil
	served string    // the line that started it
	log    *log
}

// newMachine makes it of this process.
func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{T: t, folder: t.TempDir(), log: &log{}}
	m.must(syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	over := t.TempDir()
	m.must(syscall.Mount("tmpfs", over, "tmpfs", 0, ""))
	t.Cleanup(func() { syscall.Unmount(over, syscall.MNT_DETACH) })
	for _, folder := range []string{"/etc", "/var", "/run"} {
		upper, work := filepath.Join(over, folder, "upper"), filepath.Join(over, folder, "work")
		m.must(os.MkdirAll(upper, 0o755))
		m.must(os.MkdirAll(work, 0o755))
		m.must(syscall.Mount("overlay", folder, "overlay", 0, "lowerdir="+folder+",upperdir="+upper+",workdir="+work))
		t.Cleanup(func() { syscall.Unmount(folder, syscall.MNT_DETACH) })
	}
	m.runs("ip link set lo up && ip addr add 10.0.0.2/32 dev lo && ip route add local 10.0.0.0/24 dev lo src 10.0.0.2")
	m.writes("/etc/hosts", machineHosts)
	m.writes("/etc/nsswitch.conf", "hosts: files\n")

	m.paper = newPapers(t, "id.example.com")
	m.bundle = "/etc/ssl/certs/ca-certificates.crt"
	m.writes(m.bundle, "")
	m.trusts(m.paper.root)
	m.copies(m.paper.cert, "/etc/keypeg/cert.pem", "/etc/ssl/id.example.com.pem")
	m.copies(m.paper.key, "/etc/keypeg/key.pem", "/etc/ssl/id.example.com.key")

	tools := t.TempDir()
	m.must(os.Symlink(os.Getenv(machineProgram), filepath.Join(tools, "keypeg")))
	m.tool(tools, "sudo", `exec "$@"`)
	// There is no systemd on the machine, which would be its first process.
	m.tool(tools, "systemctl", `case "$*" in
"kill --signal=HUP keypeg" | "reload keypeg") kill -HUP "$(cat /run/keypeg.pid)" ;;
"restart apache2") mkdir -p /run/apache2 /var/log/apache2 && apachectl start ;;
*) exit 1 ;;
esac`)
	m.env = append(os.Environ(), "HOME="+m.folder, "PATH="+tools+":/usr/local/sbin:/usr/sbin:/sbin:"+os.Getenv("PATH"), "SSL_CERT_FILE="+m.bundle)
	t.Cleanup(func() {
		m.stops()
		if t.Failed() {
			t.Logf("the server's log ends with:\n%s", m.log)
		}
	})
	return m
}

func (m *machine) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

func (m *machine) writes(path, text string) {
	m.Helper()
	m.must(os.MkdirAll(filepath.Dir(path), 0o755))
	m.must(os.WriteFile(path, []byte(text), 0o600))
}

func (m *machine) copies(from string, to ...string) {
	m.Helper()
	content, err := os.ReadFile(from)
	m.must(err)
	for _, path := range to {
		m.writes(path, string(content))
	}
}

func (m *machine) tool(folder, name, script string) {
	m.Helper()
	m.must(os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
}

// trusts adds a file with authorities to those of the machine.
func (m *machine) trusts(path string) {
	m.Helper()
	before, err := os.ReadFile(m.bundle)
	m.must(err)
	more, err := os.ReadFile(path)
	m.must(err)
	m.writes(m.bundle, string(before)+string(more))
}

// shell is a shell at a line, after what the page has exported.
func (m *machine) shell(ctx context.Context, line, input string) *exec.Cmd {
	command := exec.CommandContext(ctx, "sh", "-ec", m.exports+line)
	command.Dir, command.Env, command.Stdin = m.folder, m.env, strings.NewReader(input)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return command
}

// tries types a line, and returns what it prints.
func (m *machine) tries(line, input string) (string, error) {
	ctx, stop := context.WithTimeout(m.Context(), patience)
	defer stop()
	out, err := m.shell(ctx, line, input).CombinedOutput()
	return string(out), err
}

// runs types a line that must succeed.
func (m *machine) runs(line string) string {
	m.Helper()
	return m.types(line, "")
}

// types types a line, and then its input.
func (m *machine) types(line, input string) string {
	m.Helper()
	out, err := m.tries(line, input)
	if err != nil {
		m.Fatalf("%s\n%v\n%s", line, err, out)
	}
	return out
}

// answers types a line on a terminal, where it asks.
func (m *machine) answers(line, answer string) {
	m.Helper()
	m.writes(filepath.Join(m.folder, ".line"), line)
	m.types("script --quiet --return --command 'sh .line' /dev/null", answer)
}

// serves types a line that starts a server, and ends the one before.
func (m *machine) serves(line string) {
	m.Helper()
	m.stops()
	m.served = line
	m.server = m.shell(context.Background(), "exec "+line, "")
	m.server.Stderr = m.log
	out, err := m.server.StdoutPipe()
	m.must(err)
	m.must(m.server.Start())
	m.writes("/run/keypeg.pid", fmt.Sprint(m.server.Process.Pid))
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "Keypeg runs at") {
			go io.Copy(io.Discard, out)
			return
		}
	}
	m.Fatalf("%s\nthe server didn't start: %v\n%s", line, m.server.Wait(), m.log)
}

// stops ends the server, if one runs.
func (m *machine) stops() {
	if m.server == nil {
		return
	}
	m.server.Process.Signal(syscall.SIGTERM)
	m.server.Wait()
	m.server = nil
}

// follows types a line that ends by itself never, until it has printed a line.
func (m *machine) follows(line string) {
	m.Helper()
	ctx, stop := context.WithTimeout(m.Context(), patience)
	defer stop()
	command := m.shell(ctx, "exec "+line, "")
	out, err := command.StdoutPipe()
	m.must(err)
	m.must(command.Start())
	if !bufio.NewScanner(out).Scan() {
		m.Errorf("%s prints nothing: %v", line, command.Wait())
		return
	}
	stop()
	command.Wait()
}

// signsIn makes a user, adds a passkey and signs in with it, at the public URL, by whatever is in front.
func (m *machine) signsIn(name string) {
	m.Helper()
	const password = "correct horse battery"
	m.types("keypeg user add "+name, password+"\n")
	p := &program{T: m.T, url: "https://id.example.com", address: "id.example.com:443", roots: x509.NewCertPool()}
	bundle, err := os.ReadFile(m.bundle)
	m.must(err)
	if !p.roots.AppendCertsFromPEM(bundle) {
		m.Fatal("there is no authority")
	}
	device := passkeytest.New(p.url)
	tab := p.opensTab(device, "")
	_, err = tab.SignInWithPassword(m.Context(), name, password)
	if err == nil {
		_, err = tab.steps.Register(m.Context(), "Laptop", "")
	}
	if err == nil {
		_, err = p.opensTab(device, "").steps.SignIn(m.Context())
	}
	if err != nil {
		m.Errorf("signing in at %s: %v", p.url, err)
	}
}

// isGreen has the doctor look, with the settings of the server, and signs in.
func (m *machine) isGreen(name string) {
	m.Helper()
	m.until("curl --silent --show-error --fail https://id.example.com/healthz")
	if out := m.runs(strings.Replace(m.served, "keypeg serve", "keypeg doctor", 1)); strings.Contains(out, "\n  warning") {
		m.Error(out)
	}
	m.signsIn(name)
}

// until waits for a condition of the shell's.
func (m *machine) until(line string) {
	m.Helper()
	eventually(m.T, line, func() error {
		out, err := m.tries(line, "")
		if err != nil {
			time.Sleep(100 * time.Millisecond)
			err = fmt.Errorf("%w: %s", err, out)
		}
		return err
	})
}
