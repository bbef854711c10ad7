package openid_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// apacheModules is where Debian's Apache has its modules.
const apacheModules = "/usr/lib/apache2/modules/"

// runsApache runs Apache with mod_auth_openidc at an address, with the settings of the test.
func runsApache(t *testing.T, at, settings string) {
	t.Helper()
	if _, err := os.Stat(apacheModules + "mod_auth_openidc.so"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("mod_auth_openidc isn't here: apt-get install libapache2-mod-auth-openidc")
		}
		t.Skip("mod_auth_openidc isn't here: apt-get install libapache2-mod-auth-openidc")
	}
	folder := t.TempDir()
	config := "ServerRoot " + folder + "\nPidFile " + folder + "/pid\nListen " + at + "\nServerName " + at + "\nErrorLog /dev/stderr\nLogLevel warn\n"
	for _, name := range []string{"mpm_event", "authn_core", "authz_core", "authz_user", "headers", "proxy", "proxy_http", "auth_openidc"} {
		if _, err := os.Stat(apacheModules + "mod_" + name + ".so"); err == nil { // else it is built in
			config += "LoadModule " + name + "_module " + apacheModules + "mod_" + name + ".so\n"
		}
	}
	if os.Getuid() == 0 {
		config += "User www-data\nGroup www-data\n"
	}
	file := filepath.Join(folder, "apache.conf")
	if err := os.WriteFile(file, []byte(config+settings), 0o644); err != nil {
		t.Fatal(err)
	}
	var output proxytest.Output
	running := exec.Command("/usr/sbin/apache2", "-d", folder, "-f", file, "-DFOREGROUND")
	running.Stdout, running.Stderr = &output, &output
	if err := running.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); running.Wait() }()
	t.Cleanup(func() {
		running.Process.Signal(syscall.SIGTERM)
		<-ended
		if t.Failed() {
			t.Logf("Apache says:\n%s", output.String())
		}
	})
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if answer, err := http.Get("http://" + at + "/openid/redirect"); err == nil {
			answer.Body.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("Apache has ended:\n%s", output.String())
		default:
		}
		if time.Since(begun) > time.Minute {
			t.Fatal("Apache doesn't listen")
		}
	}
}

// TestPresetApache gives the preset's settings, as they are printed, to a real Apache: people sign in, nobody can name the user
// themselves, and both ways to sign out end the session there.
func TestPresetApache(t *testing.T) {
	preset, err := openid.FindPreset("apache")
	if err != nil {
		t.Fatal(err)
	}
	at := proxytest.FreeAddress(t)
	program := "http://" + strings.Replace(at, "127.0.0.1", "localhost", 1)
	c, err := preset.Client(program)
	if err != nil {
		t.Fatal(err)
	}
	c.ID, c.Secrets = "apache", []openid.Secret{{Hash: store.HashOf(secret)}}
	if c, err = c.Check(); err != nil {
		t.Fatal(err)
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "user %q, other %q", r.Header["Remote-User"], r.Header["Remote_user"])
	}))
	t.Cleanup(upstream.Close)
	s := newScene(t, stores["memstore"], c)
	settings, err := preset.Settings(openid.Told{Issuer: s.issuer, ID: "apache", Secret: secret, URL: program})
	if err != nil {
		t.Fatal(err)
	}
	runsApache(t, at, settings+"\nProxyPass /openid/redirect !\nProxyPass / "+upstream.URL+"/\n")

	ann := s.user("ann")
	opens := func(change ...func(*http.Request)) answer {
		t.Helper()
		return ann.sends("GET", program+"/page", "", "", append(change, func(r *http.Request) { r.Header.Set("Accept", "text/html") })...)
	}
	signsIn := func() {
		t.Helper()
		a := ann.gets(opens().header.Get("Location"))
		if a.status == http.StatusOK {
			a = ann.lets(a, "allow")
		}
		to := a.header.Get("Location")
		if found := onward.FindStringSubmatch(a.body); to == "" && found != nil {
			to = html.UnescapeString(found[1] + found[2])
		}
		if !strings.HasPrefix(to, program+"/openid/redirect?") {
			t.Fatalf("isn't sent back: %s", a)
		}
		if back := ann.gets(to); back.header.Get("Location") != program+"/page" {
			t.Fatalf("Apache doesn't go on: %s", back)
		}
		if page := opens(); page.status != http.StatusOK || page.body != `user ["ann"], other []` {
			t.Fatalf("the page is %s", page)
		}
	}
	isOut := func() bool {
		t.Helper()
		a := opens()
		return a.status == http.StatusFound && strings.HasPrefix(a.header.Get("Location"), s.issuer+openid.PathAuthorize+"?")
	}
	if !isOut() {
		t.Fatal("Apache lets anybody in")
	}
	signsIn()
	for claim, forge := range map[string]func(http.Header){
		"a header":                  func(h http.Header) { h.Set("Remote-User", "eve") },
		"a header with another _":   func(h http.Header) { h["Remote_User"] = []string{"eve"} },
		"a header that is for once": func(h http.Header) { h.Set("Connection", "close, Remote-User") },
	} {
		if page := opens(func(r *http.Request) { forge(r.Header) }); page.body != `user ["ann"], other []` {
			t.Errorf("with %s, the program behind sees %s", claim, page)
		}
	}

	// By the program: the user goes to Keypeg, and comes back to what is registered.
	a := ann.gets(program + "/openid/redirect?logout=" + url.QueryEscape(program+"/"))
	if to := a.header.Get("Location"); !strings.HasPrefix(to, s.issuer+openid.PathSignOut+"?") {
		t.Fatalf("the sign-out doesn't lead to Keypeg: %s", a)
	}
	a = ann.gets(a.header.Get("Location"))
	if a.status == http.StatusOK { // it asks first
		a = ann.submits(openid.PathSignOut, url.Values{"request": {ann.field(a)}})
	}
	if to := a.header.Get("Location") + a.body; !strings.Contains(to, program+"/") {
		t.Errorf("the sign-out doesn't lead back: %s", a)
	}
	if !isOut() {
		t.Error("after a sign-out in the program, Apache has a session")
	}

	// By Keypeg: Apache is told.
	ann.signsIn()
	signsIn()
	if a := ann.api(shared.PathSignOut, nil); a.status >= 300 {
		t.Fatal(a)
	}
	for begun := time.Now(); !isOut(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > 30*time.Second {
			t.Fatal("after a sign-out at Keypeg, Apache has a session")
		}
	}
}
