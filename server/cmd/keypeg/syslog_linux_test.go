package main

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/certtest"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/shared"
)

const rsyslogd = "/usr/sbin/rsyslogd"

// rsyslog is Debian's syslog server. It writes what it has understood of each message into a file.
type rsyslog struct {
	*testing.T
	config, file string
	listens      func() error
	running      *exec.Cmd
}

// newRsyslog is one that takes messages as the lines of its configuration say, and isn't started.
func newRsyslog(t *testing.T, lines string, listens func() error) *rsyslog {
	t.Helper()
	folder := t.TempDir()
	r := &rsyslog{T: t, config: filepath.Join(folder, "rsyslog.conf"), file: filepath.Join(folder, "messages"), listens: listens}
	text := `global(workDirectory="` + folder + `" maxMessageSize="64k")
template(name="understood" type="string" string="%pri% %protocol-version% %app-name% %procid% %msgid% %structured-data% %timereported:::date-rfc3339% %hostname% %msg%\n")
` + lines + `
action(type="omfile" file="` + r.file + `" template="understood")
`
	if err := os.WriteFile(r.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.ends)
	return r
}

// starts returns when it listens. Its configuration is checked before: what it says later is also about clients that
// go away, and decides nothing.
func (r *rsyslog) starts() {
	r.Helper()
	if said, err := exec.Command(rsyslogd, "-N1", "-f", r.config).CombinedOutput(); err != nil {
		r.Fatalf("%v: make tools-apt installs it; it says: %s", err, said)
	}
	r.running = exec.Command(rsyslogd, "-n", "-f", r.config, "-i", "NONE")
	output := &proxytest.Output{}
	r.running.Stdout, r.running.Stderr = output, output
	if err := r.running.Start(); err != nil {
		r.Fatal(err)
	}
	eventually(r.T, "rsyslog", func() error {
		if err := r.listens(); err != nil {
			return fmt.Errorf("%w; it says: %s", err, output)
		}
		return nil
	})
}

func (r *rsyslog) ends() {
	if r.running == nil {
		return
	}
	r.running.Process.Kill()
	r.running.Wait()
	r.running = nil
}

// understood is a line of the file: priority 110 is an informational message of an audit log (RFC 5424, 6.2.1).
var understood = regexp.MustCompile(`^110 1 keypeg \d+ ([a-z_]+) - (\S+) (\S+) (\{.*\})$`)

// has checks that it has understood all events of a program.
func (r *rsyslog) has(p *program) error {
	text, err := os.ReadFile(r.file)
	if err != nil {
		return err
	}
	got := map[string]string{} // the message, by the event's id
	for line := range strings.Lines(string(text)) {
		parts := understood.FindStringSubmatch(strings.TrimSpace(line))
		if parts == nil {
			return fmt.Errorf("it has understood %s", line)
		}
		var event shared.AuditEvent
		if err := json.Unmarshal([]byte(parts[4]), &event); err != nil {
			return err
		}
		if at, err := time.Parse(time.RFC3339, parts[2]); err != nil || parts[1] != string(event.Kind) || at.Sub(event.Time).Abs() > time.Second {
			return fmt.Errorf("it has understood the kind %s and the time %s: %s (%v)", parts[1], parts[2], line, err)
		}
		got[event.ID] = line
	}
	n := 0
	for line := range strings.Lines(succeeds(r.T, "", "audit", "export", "--database", p.database, "--public-url", p.url)) {
		var event shared.AuditEvent
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			return err
		}
		if n++; got[event.ID] == "" {
			return fmt.Errorf("it lacks %s", line)
		}
	}
	if n == 0 {
		return errors.New("nothing has happened")
	}
	return nil
}

// TestAuditLogSyslog sends the audit log to a real rsyslog, which goes away in between.
func TestAuditLogSyslog(t *testing.T) {
	cert, key := certtest.Write(t, t.TempDir(), certtest.SelfSigned(t, 1, time.Now().Add(time.Hour), "localhost"))
	for name, taken := range map[string]func(t *testing.T) (setting, lines string, listens func() error){
		"TCP": func(t *testing.T) (string, string, func() error) {
			at := proxytest.FreeAddress(t)
			_, port, _ := net.SplitHostPort(at)
			return "syslog:" + at, `module(load="imtcp") input(type="imtcp" address="127.0.0.1" port="` + port + `")`, func() error { return connects("tcp", at) }
		},
		"TLS": func(t *testing.T) (string, string, func() error) {
			at := proxytest.FreeAddress(t)
			_, port, _ := net.SplitHostPort(at)
			return "syslog-tls:" + at, `global(defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="` + cert + `" defaultNetstreamDriverCertFile="` + cert + `" defaultNetstreamDriverKeyFile="` + key + `")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon") input(type="imtcp" address="127.0.0.1" port="` + port + `")`, func() error { return connectsTLS(at) }
		},
		"a socket": func(t *testing.T) (string, string, func() error) {
			socket := filepath.Join(t.TempDir(), "log")
			return "syslog:" + socket, `module(load="imuxsock" sysSock.use="off") input(type="imuxsock" socket="` + socket + `" useSpecialParser="off" parseHostname="on")`, func() error { return connects("unixgram", socket) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SSL_CERT_FILE", cert)
			setting, lines, listens := taken(t)
			r := newRsyslog(t, lines, listens)
			r.starts()
			p := newProgram(t, "--audit-log", setting)
			_, token := p.hasUser("ann")
			p.starts()
			device := passkeytest.New(p.url)
			if _, err := p.opensTab(device, token).steps.Register(t.Context(), "Laptop", ""); err != nil {
				t.Fatal(err)
			}
			signsIn := func() {
				t.Helper()
				for range 3 {
					if _, err := p.opensTab(device, "").steps.SignIn(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			signsIn()
			eventually(t, "all is understood", func() error { return r.has(p) })

			r.ends()
			signsIn()
			r.starts()
			signsIn()
			eventually(t, "what happened while it was away is there", func() error { return r.has(p) })
		})
	}
}

func connects(network, address string) error {
	conn, err := net.Dial(network, address)
	if err == nil {
		conn.Close()
	}
	return err
}

func connectsTLS(address string) error {
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err == nil {
		conn.Close()
	}
	return err
}
