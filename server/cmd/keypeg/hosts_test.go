package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/shared"
)

const (
	hostSecret      = "the-first-secret-of-the-toolshop-0123"
	otherHostSecret = "the-second-secret-of-the-toolshop-456"
)

// toolshop is a program that Keypeg is built into, on premise.
type toolshop struct {
	*program
	secrets, config string // files
	figures         string // a socket
	hooks           *hookReceiver
}

// newToolshop is one whose Keypeg hasn't been started.
func newToolshop(t *testing.T, database string) *toolshop {
	t.Helper()
	p := newProgramOn(t, database, "")
	p.url = strings.Replace(p.url, "127.0.0.1", "localhost", 1)
	shop := &toolshop{program: p, secrets: filepath.Join(t.TempDir(), "host.secret"), config: filepath.Join(t.TempDir(), "keypeg.toml"), figures: filepath.Join(t.TempDir(), "figures"), hooks: newHookReceiver(t)}
	shop.has(hostSecret)
	content := "database = \"" + database + "\"\nlisten = \"" + p.address + "\"\npublic-url = \"" + p.url + "\"\nproduct = \"Toolshop\"\nmetrics = \"unix:" + shop.figures + "\"\n" +
		"[host]\nsecret-file = \"" + shop.secrets + "\"\narrive = \"" + p.url + "/keypeg-arrive\"\nhooks = \"" + shop.hooks.URL + "/hooks\"\n"
	if err := os.WriteFile(shop.config, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	p.args = []string{"serve", "--config", shop.config}
	return shop
}

// has writes the file of secrets.
func (s *toolshop) has(secrets ...string) {
	s.Helper()
	if err := os.WriteFile(s.secrets, []byte(strings.Join(secrets, "\n")+"\n"), 0o600); err != nil {
		s.Fatal(err)
	}
}

// introduces has a browser's page bring an introduction of a user, signed with a secret, and returns status and code.
func (t *tab) introduces(user, secret string) (status int, code shared.Code) {
	return t.introducesFor(t.site.Scheme+"://"+t.site.Host, user, secret)
}

// introducesFor does it with an introduction that is for a program at any origin.
func (t *tab) introducesFor(aud, user, secret string) (status int, code shared.Code) {
	origin := t.site.Scheme + "://" + t.site.Host
	now := time.Now().Unix()
	claims, err := json.Marshal(map[string]any{
		"sub": user, "name": user, "sid": "session-of-" + user, "proved": now, "hasPassword": true, "aud": aud,
		"iat": now, "exp": now + 300, "jti": user + time.Now().String(),
	})
	if err != nil {
		panic(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	text += "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	r, err := http.NewRequest(http.MethodPost, origin+shared.PathIntroduction, strings.NewReader(`{"introduction":"`+text+`"}`))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", origin)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := t.client.Do(r)
	if err != nil {
		return 0, shared.Code(err.Error())
	}
	defer answer.Body.Close()
	var problem shared.Problem
	body, _ := io.ReadAll(answer.Body)
	json.Unmarshal(body, &problem)
	return answer.StatusCode, problem.Code
}

// hookReceiver is the address at which the program takes hooks.
type hookReceiver struct {
	*httptest.Server
	refuses atomic.Bool
	secret  atomic.Pointer[string] // refuses what isn't signed with it; nil takes all

	mu           sync.Mutex
	heard, taken []string // "passkey.added ann"
}

func newHookReceiver(t *testing.T) *hookReceiver {
	h := &hookReceiver{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.refuses.Load() {
			http.Error(w, "not now", http.StatusServiceUnavailable)
			return
		}
		body, err := io.ReadAll(r.Body)
		var hook struct {
			Type string
			Data struct{ UserID string }
		}
		if err != nil || json.Unmarshal(body, &hook) != nil {
			t.Errorf("a hook says %q: %v", body, err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.heard = append(h.heard, hook.Type+" "+hook.Data.UserID)
		if secret := h.secret.Load(); secret != nil && !isSignedWith(r.Header, body, *secret) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		h.taken = append(h.taken, hook.Type+" "+hook.Data.UserID)
	}))
	t.Cleanup(h.Close)
	return h
}

// isSignedWith reports whether a hook is signed with a secret.
func isSignedWith(header http.Header, body []byte, secret string) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s.%s", header.Get("Webhook-Id"), header.Get("Webhook-Timestamp"), body)
	return slices.Contains(strings.Split(header.Get("Webhook-Signature"), " "), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// has reports whether a hook, "passkey.added ann", was taken.
func (h *hookReceiver) has(hook string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Contains(h.taken, hook)
}

// all are the hooks that have come, taken or not.
func (h *hookReceiver) all() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.heard, ", ")
}

// waitsFor tries something until it is so.
func (p *program) waitsFor(what string, is func() bool) {
	p.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			p.Fatalf("%s doesn't come\n%s", what, p.log)
		}
	}
}

// TestHost is what IT does with a Keypeg that is built into a program, on each database.
func TestHost(t *testing.T) {
	for where, database := range map[string]func(*testing.T) string{
		"a file":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "keypeg.db") },
		"PostgreSQL": func(t *testing.T) string { return pgtest.Empty(t) },
	} {
		t.Run(where, func(t *testing.T) { testHost(newToolshop(t, database(t))) })
	}
}

func testHost(p *toolshop) {
	p.starts()
	if out := p.log.String(); strings.Contains(out, "setup") {
		p.Errorf("a set-up link was made:\n%s", out)
	}
	at := strings.TrimPrefix(p.url, "http://")
	for path, want := range map[string]int{shared.PagePanel: 200, shared.PathElements: 200, shared.PageSignIn: 404, shared.PageSetup: 404, "/": 404} {
		if status, body := p.gets(at, path); status != want || status == 200 && path == shared.PagePanel && !strings.Contains(body, "Toolshop") {
			p.Errorf("%s is answered with %d, want %d", path, status, want)
		}
	}
	device := passkeytest.New(p.url)
	ann := p.opensTab(device, "")
	if status, code := ann.introduces("ann", hostSecret); status != http.StatusNoContent {
		p.Fatalf("the introduction: %d %s", status, code)
	}
	p.hooks.refuses.Store(true)
	if _, err := ann.steps.Register(p.Context(), "Laptop", ""); err != nil {
		p.Fatal(err)
	}
	p.waitsFor("a try of the hook", func() bool { return strings.Contains(p.does("", "host", "hooks"), "it answers 503") })
	if out := p.does("", "host", "hooks", "--json"); !strings.Contains(out, `"type": "passkey.added"`) || !strings.Contains(out, `"user": "ann"`) {
		p.Errorf("the hooks as JSON: %s", out)
	}
	if _, page := asks(p.T, privately(p.figures), "/metrics"); figures(p.T, page)["keypeg_hooks_waiting"] != 1 {
		p.Errorf("the figures:\n%s", page)
	}
	p.hooks.refuses.Store(false)
	p.waitsFor("the hook", func() bool { return p.hooks.has("passkey.added ann") })

	for _, running := range []bool{true, false} {
		if !running {
			p.ends(syscall.SIGTERM)
		}
		if out := p.does("", "host", "user", "ann"); !strings.Contains(out, "Laptop") {
			p.Errorf("running %t: ann has\n%s", running, out)
		}
		if out := p.does("", "host", "user", "nobody"); out != "nobody has no passkey here.\n" {
			p.Errorf("running %t: %s", running, out)
		}
		if out := p.does("", "audit", "tail"); !strings.Contains(out, "ann") {
			p.Errorf("running %t: the events:\n%s", running, out)
		}
		for _, args := range [][]string{
			{"user", "list"}, {"user", "add", "bob"}, {"user", "recovery-link", "ann"}, {"user", "export"}, {"setup-link"}, {"rollout"},
			{"client", "list"}, {"client", "add", "wiki", "--redirect-uri", "https://wiki.example.com/cb"},
		} {
			p.refusesTo("people sign in at the program that Keypeg is built into", "correct horse battery\n", args...)
		}
	}

	// Settings without the table don't get these users, and no command does.
	without := []string{"--database", p.database, "--public-url", p.url, "--listen", p.address}
	for _, args := range [][]string{append([]string{"serve"}, without...), append([]string{"user", "list"}, without...)} {
		out, err := command(p.T, args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "has the 1 passkeys of 1 users of a program") || !strings.Contains(string(out), "write the table [host] again") {
			p.Errorf("keypeg %s: %v\n%s", args[0], err, out)
		}
	}

	if out := p.does("", "host", "remove-user", "ann"); out != "Removed 1 passkey of ann, and their activity. Their account in the program is as it was.\n" {
		p.Errorf("the removal: %s", out)
	}
	p.starts()
	bob := p.opensTab(passkeytest.New(p.url), "")
	bob.introduces("bob", hostSecret)
	if _, err := bob.steps.Register(p.Context(), "Phone", ""); err != nil {
		p.Fatal(err)
	}
	if out := p.does("", "host", "remove-user", "bob", "--json"); !strings.Contains(out, `"name": "Phone"`) {
		p.Errorf("the removal as JSON: %s", out)
	}
	if _, err := bob.Passkeys(p.Context()); shared.CodeOf(err) != shared.CodeUnauthenticated {
		p.Errorf("the open panel of a removed user: %v", err)
	}
}

// TestHostOfOthers: a database with users of Keypeg's own isn't opened for a program, and users of one installation are
// never those of the other by mistake.
func TestHostOfOthers(t *testing.T) {
	p := newToolshop(t, filepath.Join(t.TempDir(), "keypeg.db"))
	p.hasUser("ann")
	for _, args := range [][]string{p.args, {"host", "user", "ann", "--config", p.config}} {
		out, err := command(t, args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "has 1 users of Keypeg's own with 0 passkeys") || !strings.Contains(string(out), "remove the table [host]") {
			t.Errorf("keypeg %s: %v\n%s", args[0], err, out)
		}
	}
	local := newProgramOn(t, p.database, "")
	if out := local.does("", "user", "list"); !strings.Contains(out, "ann") {
		t.Errorf("without the table: %s", out)
	}
	local.refusesTo("has users of its own: keypeg user show NAME", "", "host", "user", "ann")

	// Before anybody has a passkey, IT may change its mind.
	p = newToolshop(t, filepath.Join(t.TempDir(), "keypeg.db"))
	p.starts()
	p.ends(syscall.SIGTERM)
	local = newProgramOn(t, p.database, "")
	local.starts()
	local.does("correct horse battery\n", "user", "add", "ann")
	local.ends(syscall.SIGTERM)
	out, err := command(t, p.args...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "has 1 users of Keypeg's own") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestHostSecrets rotates the secret while the server runs. A file that can't be used changes nothing.
func TestHostSecrets(t *testing.T) {
	p := newToolshop(t, filepath.Join(t.TempDir(), "keypeg.db"))
	p.starts()
	takes := func(secret string) bool {
		t.Helper()
		status, code := p.opensTab(nil, "").introduces("ann", secret)
		if status != http.StatusNoContent && code != shared.CodeIntroductionInvalid {
			t.Fatalf("%d %s", status, code)
		}
		return status == http.StatusNoContent
	}
	if !takes(hostSecret) || takes(otherHostSecret) {
		t.Error("the only secret isn't the one that counts")
	}
	changes := func(says string, secrets ...string) {
		t.Helper()
		p.has(secrets...)
		if err := p.running.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		p.waitsFor(says, func() bool { return strings.Contains(p.log.String(), says) })
	}
	changes("secrets=2", otherHostSecret, hostSecret)
	if !takes(otherHostSecret) || !takes(hostSecret) {
		t.Error("two secrets don't both count")
	}
	changes("the new secrets of [host] can't be used, so those before stay: mend the file", "short")
	if !takes(otherHostSecret) || !takes(hostSecret) || strings.Contains(p.log.String(), "short ") {
		t.Error("a file that can't be used has changed something")
	}
	p.has(otherHostSecret) // without a signal the file is looked at every ten seconds
	p.waitsFor("the change without a signal", func() bool { return strings.Contains(p.log.String(), "secrets=1") })
	if !takes(otherHostSecret) || takes(hostSecret) {
		t.Error("the old secret counts for ever")
	}
	if out := p.log.String(); strings.Contains(out, hostSecret) || strings.Contains(out, otherHostSecret) {
		t.Errorf("a secret is in the log:\n%s", out)
	}
}
