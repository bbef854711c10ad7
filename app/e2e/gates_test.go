package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/proxytest"
)

// manualsGate is the manual's block for a proxy in front of a program, without its encryption: a browser of this machine
// finds every name under localhost.
func manualsGate(t *testing.T, language, at, upstream, program string) string {
	t.Helper()
	page, err := os.ReadFile("../../web/manual/gates.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "```"+language+"\n")
	text, _, _ = strings.Cut(text, "\n```")
	if !found {
		t.Fatalf("the manual has no block for %s", language)
	}
	_, port, _ := strings.Cut(at, ":")
	text = regexp.MustCompile(`(?m)^\s*ssl_.*\n`).ReplaceAllString(text, "")
	return strings.NewReplacer(
		"listen 443 ssl;", "listen 127.0.0.1:"+port+";", "$server_name$request_uri", "$server_name:"+port+"$request_uri", "Host $server_name;", "Host $server_name:"+port+";",
		"wiki.example.com {", "http://"+at+" {\n\tbind 127.0.0.1", "wiki.example.com", strings.TrimSuffix(at, ":"+port),
		"127.0.0.1:8080", proxytest.IPv4(upstream), "127.0.0.1:3000", program,
	).Replace(text)
}

// TestGate: Ann opens a program that knows nothing of sign-in. She signs in with her password, and with her passkey, is at
// the page that she wanted, and is stopped when her session has ended.
func TestGate(t *testing.T) {
	for proxy, start := range map[string]func(t testing.TB, at, config string){"nginx": proxytest.Nginx, "caddy": proxytest.Caddy} {
		t.Run(proxy, func(t *testing.T) {
			t.Parallel()
			program := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><h1>The wiki of `+r.Header.Get("Remote-User")+`</h1>`)
			}))
			t.Cleanup(program.Close)
			at := "wiki." + proxytest.FreeAddress(t)
			config := filepath.Join(t.TempDir(), "keypeg.toml")
			if err := os.WriteFile(config, []byte("[gate.wiki]\nhost = \"http://"+at+"\"\ntitle = \"Wiki\"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			s := startServer(t, "--config", config, "--trusted-proxies", "127.0.0.1")
			start(t, strings.TrimPrefix(at, "wiki."), manualsGate(t, proxy, at, s.listens, strings.TrimPrefix(program.URL, "http://")))
			wiki := "http://" + at + "/page?a=b&c=%26"

			ann := openBrowser(t, s)
			laptop := ann.hasDevice()
			ann.setsUp()
			ann.opens(wiki) // she is signed in already
			ann.readsIn("h1", "The wiki of ann")
			ann.isAt("/page?a=b&c=%26")
			ann.opens("/")
			ann.signsOut()
			ann.opens(wiki)
			ann.isAtSignIn()
			ann.fillsInPassword(annsName, annsPassword)
			ann.readsIn("h1", "The wiki of ann")
			ann.isAt("/page?a=b&c=%26")

			ann.opens("/")
			ann.opensPasskeys()
			ann.addsPasskey("Laptop")
			ann.opens("/")
			laptop.touches(false) // else she is signed in again before anybody has seen the page
			ann.signsOut()
			laptop.touches(true)
			ann.opens(wiki) // the browser offers the passkey by itself
			ann.readsIn("h1", "The wiki of ann")
			ann.isAt("/page?a=b&c=%26")
			ann.hasNoComplaints()
		})
	}
}
