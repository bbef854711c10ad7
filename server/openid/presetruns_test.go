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
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
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
	runsProgram(t, at, "/openid/redirect", exec.Command("/usr/sbin/apache2", "-d", folder, "-f", file, "-DFOREGROUND"))
}

// runsProgram starts a program, and waits until it answers at a path. The failure of the test shows its output.
func runsProgram(t *testing.T, at, path string, running *exec.Cmd) {
	t.Helper()
	var output proxytest.Output
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
			t.Logf("%s says:\n%s", filepath.Base(running.Path), output.String())
		}
	})
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if answer, err := http.Get("http://" + at + path); err == nil {
			answer.Body.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("it has ended:\n%s", output.String())
		default:
		}
		if time.Since(begun) > 2*time.Minute {
			t.Fatal("it doesn't listen")
		}
	}
}

// presetRun is a provider with the client of one preset, and the settings that its program gets.
type presetRun struct {
	*scene
	at       string // where the program listens
	program  string // its address
	settings string
}

func newPresetRun(t *testing.T, id string) *presetRun {
	t.Helper()
	preset, err := openid.FindPreset(id)
	if err != nil {
		t.Fatal(err)
	}
	r := &presetRun{at: proxytest.FreeAddress(t)}
	r.program = "http://" + strings.Replace(r.at, "127.0.0.1", "localhost", 1)
	c, err := preset.Client(r.program)
	if err != nil {
		t.Fatal(err)
	}
	c.ID, c.Secrets = id, []openid.Secret{{Hash: store.HashOf(secret)}}
	if c, err = c.Check(); err != nil {
		t.Fatal(err)
	}
	r.scene = newScene(t, stores["memstore"], c)
	if r.settings, err = preset.Settings(openid.Told{Issuer: r.issuer, ID: id, Secret: secret, URL: r.program}); err != nil {
		t.Fatal(err)
	}
	return r
}

// asHTML says that a browser opens a page.
func asHTML(r *http.Request) { r.Header.Set("Accept", "text/html") }

// goesTo opens a page of a program that sends the user to Keypeg, lets the program in if that is asked, and goes back to it, to an
// address with this beginning. It returns what the program answers then.
func (p *person) goesTo(page, callback string) answer {
	p.Helper()
	a := p.gets(p.sends("GET", page, "", "", asHTML).header.Get("Location"))
	if a.status == http.StatusOK {
		a = p.lets(a, "allow")
	}
	to := a.header.Get("Location")
	if found := onward.FindStringSubmatch(a.body); to == "" && found != nil {
		to = html.UnescapeString(found[1] + found[2])
	}
	if !strings.HasPrefix(to, callback) {
		p.Fatalf("isn't sent back: %s", a)
	}
	return p.gets(to)
}

// TestPresetApache gives the preset's settings, as they are printed, to a real Apache: people sign in, nobody can name the user
// themselves, and both ways to sign out end the session there.
func TestPresetApache(t *testing.T) {
	s := newPresetRun(t, "apache")
	program := s.program
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "user %q, other %q", r.Header["Remote-User"], r.Header["Remote_user"])
	}))
	t.Cleanup(upstream.Close)
	runsApache(t, s.at, s.settings+"\nProxyPass /openid/redirect !\nProxyPass / "+upstream.URL+"/\n")

	ann := s.user("ann")
	opens := func(change ...func(*http.Request)) answer {
		t.Helper()
		return ann.sends("GET", program+"/page", "", "", append(change, asHTML)...)
	}
	signsIn := func() {
		t.Helper()
		if back := ann.goesTo(program+"/page", program+"/openid/redirect?"); back.header.Get("Location") != program+"/page" {
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
		if time.Since(begun) > 2*time.Minute {
			t.Fatal("after a sign-out at Keypeg, Apache has a session")
		}
	}
}

// tool returns the path of a program in the folder bin, which make soak builds.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "bin", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s isn't built: make bin/%s", name, name)
	}
	return path
}

// TestPresetOAuth2Proxy gives oauth2-proxy the file that the preset prints.
func TestPresetOAuth2Proxy(t *testing.T) {
	path := tool(t, "oauth2-proxy")
	r := newPresetRun(t, "oauth2-proxy")
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "user %s, %s", r.Header.Get("X-Forwarded-Preferred-Username"), r.Header.Get("X-Forwarded-Groups"))
	}))
	t.Cleanup(upstream.Close)
	file := filepath.Join(t.TempDir(), "oauth2-proxy.cfg")
	settings := strings.NewReplacer("COOKIE-SECRET", "0123456789abcdef0123456789abcdef", "http://127.0.0.1:8000/", upstream.URL+"/").Replace(r.settings)
	if err := os.WriteFile(file, []byte("http_address = \""+r.at+"\"\ncookie_secure = false\nskip_provider_button = true\n"+settings), 0o600); err != nil {
		t.Fatal(err)
	}
	runsProgram(t, r.at, "/ping", exec.Command(path, "--config", file))
	ann := r.user("ann")
	ann.changes(func(user *store.User) {
		user.Email, user.EmailVerified, user.Groups = "ann@example.com", true, []string{"staff"}
	})
	ann.goesTo(r.program+"/page", r.program+"/oauth2/callback?")
	if page := ann.gets(r.program + "/page"); page.body != "user ann, staff" {
		t.Errorf("the page is %s", page)
	}
}

// TestPresetMiniflux gives Miniflux the variables that the preset prints.
func TestPresetMiniflux(t *testing.T) {
	path := tool(t, "miniflux")
	r := newPresetRun(t, "miniflux")
	command := exec.Command(path)
	command.Env = append(os.Environ(), "DATABASE_URL="+pgtest.Empty(t), "RUN_MIGRATIONS=1", "DISABLE_SCHEDULER_SERVICE=1", "LISTEN_ADDR="+r.at, "BASE_URL="+r.program)
	for line := range strings.Lines(r.settings) {
		if !strings.HasPrefix(line, "#") {
			command.Env = append(command.Env, strings.TrimSpace(line))
		}
	}
	runsProgram(t, r.at, "/healthcheck", command)
	ann := r.user("ann")
	ann.goesTo(r.program+"/oauth2/oidc/redirect", r.program+"/oauth2/oidc/callback?")
	if page := ann.gets(r.program + "/unread"); page.status != http.StatusOK || !strings.Contains(page.body, "Logged in as ann") {
		t.Errorf("the page is %s", page.body)
	}
}
