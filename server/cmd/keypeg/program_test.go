package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/app/client"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/web"
)

// soaking is set for many more rounds, in make soak.
var soaking = os.Getenv("KEYPEG_SOAK") != ""

func TestMain(m *testing.M) {
	code := m.Run()
	if builtIn != "" {
		os.RemoveAll(builtIn)
	}
	os.Exit(code)
}

// patience bounds a failing test. A passing one goes on at once, and a busy machine needs
// more than any promise of the program's.
const patience = 2 * time.Minute

var builtIn string // the folder of the program, once it was built

// theProgram is the real one, built as for IT, without the race detector.
var theProgram = sync.OnceValues(func() (path string, err error) {
	if builtIn, err = os.MkdirTemp("", "keypeg-test-"); err != nil {
		return "", err
	}
	path = filepath.Join(builtIn, "keypeg")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return path, nil
})

// program is a running keypeg.
type program struct {
	*testing.T
	database string
	url      string // that people use
	address  string // that it listens on
	args     []string
	roots    *x509.CertPool // whom tabs trust; nil for the system's
	log      *log
	running  *exec.Cmd

	descriptors int // the limit on its open files; 0 leaves it as it is
}

// newProgram is one that hasn't been started, on a database of its own.
func newProgram(t *testing.T, flags ...string) *program {
	t.Helper()
	return newProgramOn(t, filepath.Join(t.TempDir(), "keypeg.db"), "", flags...)
}

// newProgramOn is one on a database that there is. People use it at url, or if that
// is "" where it listens.
func newProgramOn(t *testing.T, database, url string, flags ...string) *program {
	t.Helper()
	files, err := web.Open()
	if err != nil {
		t.Fatal(err)
	}
	if !files.Built() {
		if os.Getenv("CI") != "" {
			t.Fatal("the app isn't built: make test does that first")
		}
		t.Skip("the app isn't built: go run ./web/build")
	}

	address := proxytest.FreeAddress(t)
	if url == "" {
		url = "http://" + address
	}
	p := &program{T: t, url: url, address: address, database: database, log: &log{}}
	p.args = append([]string{"serve", "--listen", address, "--public-url", url, "--database", database}, flags...)
	t.Cleanup(func() {
		if p.running != nil {
			p.ends(syscall.SIGKILL)
		}
		if t.Failed() {
			t.Logf("the program's log ends with:\n%s", p.log)
		}
	})
	return p
}

// starts returns when the program says that it can be reached.
func (p *program) starts() {
	p.Helper()
	path, err := theProgram()
	if err != nil {
		p.Fatal(err)
	}
	p.running = exec.Command(path, p.args...)
	if p.descriptors != 0 { // from the beginning: Go raises the limit as far as it may
		p.running = exec.Command("sh", append([]string{"-c", fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, p.descriptors), path}, p.args...)...)
	}
	p.running.Stderr = p.log
	out, err := p.running.StdoutPipe()
	if err != nil {
		p.Fatal(err)
	}
	if err := p.running.Start(); err != nil {
		p.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "Keypeg runs at") {
			go io.Copy(io.Discard, out)
			return
		}
	}
	p.Fatalf("the program didn't start: %v\n%s", p.running.Wait(), p.log)
}

// ends sends a signal and waits until the process is gone.
func (p *program) ends(signal syscall.Signal) {
	p.Helper()
	if err := p.running.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.Error(err)
	}
	p.running.Wait()
	p.running = nil
}

// opens lets look into the database: a file while the program doesn't run.
func (p *program) opens(look func(db store.Store)) {
	p.Helper()
	db, err := installation.OpenStore(p.Context(), p.database, "", time.Now)
	if err != nil {
		p.Fatal(err)
	}
	look(db)
	if err := db.Close(); err != nil {
		p.Fatal(err)
	}
}

// log keeps the end of what the program writes.
type log struct {
	mu   sync.Mutex
	tail []byte
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail = append(l.tail, b...)
	l.tail = l.tail[max(0, len(l.tail)-8<<10):]
	return len(b), nil
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.tail)
}

// tab is a browser without a browser: the app's own client and ceremonies, with
// cookies and a device.
type tab struct {
	*client.Client
	steps  ceremony.Ceremonies
	client *http.Client
	jar    http.CookieJar
	site   *url.URL
}

// opensTab opens one for a device, with a session's token or "".
func (p *program) opensTab(device *passkeytest.Device, token string) *tab {
	site, err := url.Parse(p.url)
	if err != nil {
		p.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.Fatal(err)
	}
	if token != "" {
		jar.SetCookies(site, []*http.Cookie{{Name: "keypeg", Value: token, Path: "/"}})
	}
	// Whatever name stands in the URL, it is this program that is asked.
	var dialer net.Dialer
	here := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, p.address)
		},
		TLSClientConfig:   &tls.Config{RootCAs: p.roots},
		DisableKeepAlives: true, // each tab has its own, and there are thousands
	}
	browser := &http.Client{Jar: jar, Transport: here}
	api := client.New(&transport{origin: p.url, client: browser})
	return &tab{api, ceremony.Ceremonies{API: api, Authenticator: authenticator{device}}, browser, jar, site}
}

func (t *tab) token() string {
	for _, cookie := range t.jar.Cookies(t.site) {
		if cookie.Name == "keypeg" {
			return cookie.Value
		}
	}
	return ""
}

// hasUser adds a user without a password, who is signed in with the token that
// comes back. The program must not run.
func (p *program) hasUser(name string) (id, token string) {
	p.Helper()
	now := time.Now()
	id = store.NewUserID()
	token = store.NewSessionToken(id)
	p.opens(func(db store.Store) {
		err := db.Apply(p.Context(), store.Batch{
			store.PutUser{User: store.User{ID: id, Name: name, DisplayName: name, Handle: []byte("handle of " + name), Created: now}},
			store.AddSession{Session: store.Session{
				ID: store.SessionID(token), UserID: id, Method: store.MethodPassword,
				Created: now, Seen: now, Authenticated: now, Expires: now.Add(24 * time.Hour),
			}},
		})
		if err != nil {
			p.Fatal(err)
		}
	})
	return id, token
}

// memory is what the program has in memory, in bytes: now (VmRSS), or at most ever
// (VmHWM).
func (p *program) memory(which string) int64 {
	p.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.running.Process.Pid))
	if err != nil {
		p.Fatal(err)
	}
	found := regexp.MustCompile(which + `:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		p.Fatalf("no %s in\n%s", which, status)
	}
	kB, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		p.Fatal(err)
	}
	return kB << 10
}
