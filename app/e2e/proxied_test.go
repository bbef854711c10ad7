package e2e

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/keypeg/keypeg/server/proxytest"
)

// startBehind runs the program behind a proxy with a configuration of the test. start gets the
// address at which the proxy listens, and that of the program.
func startBehind(t *testing.T, start func(at, upstream string), flags ...string) *server {
	t.Helper()
	at := proxytest.FreeAddress(t)
	s := startServer(t, append([]string{"--public-url", "http://" + at, "--trusted-proxies", "127.0.0.1", "--contact", "IT desk"}, flags...)...)
	start(at, s.listens)
	return s
}

// behindNginx starts a well configured nginx, with more lines in its server block.
func behindNginx(t *testing.T, more ...string) func(at, upstream string) {
	return func(at, upstream string) {
		pass := "proxy_pass http://" + proxytest.IPv4(upstream) + ";"
		proxytest.Nginx(t, at, "proxy_set_header Host $http_host;\nproxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"+
			"proxy_set_header X-Forwarded-Proto $scheme;\nproxy_http_version 1.1;\n"+
			"proxy_cache_path "+t.TempDir()+" keys_zone=kept:1m;\n"+
			"server {\nlisten "+proxytest.IPv4(at)+";\n"+
			"location / { "+pass+" }\n"+strings.ReplaceAll(strings.Join(more, "\n"), "PASS", pass)+"\n}\n")
	}
}

// behindCaddy starts a Caddy, with more directives in its site.
func behindCaddy(t *testing.T, more ...string) func(at, upstream string) {
	return func(at, upstream string) {
		pass := "reverse_proxy " + proxytest.IPv4(upstream)
		proxytest.CaddySite(t, at, strings.ReplaceAll(strings.Join(append(more, "handle {\n\tPASS\n\t}"), "\n\t"), "PASS", pass))
	}
}

// caddyWasm is a Caddy that answers for the program with another header.
func caddyWasm(header string) string {
	return "handle /static/*.wasm {\n\t\tPASS {\n\t\t\theader_down " + header + "\n\t\t}\n\t}"
}

// warnsOnce checks that the log has one warning, of this cause and with what to configure.
func (s *server) warnsOnce(cause string, says ...string) {
	s.t.Helper()
	var lines []string
	for deadline := time.Now().Add(patience); len(lines) == 0 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		for line := range strings.Lines(s.log.String()) {
			if strings.Contains(line, "WARN") {
				lines = append(lines, line)
			}
		}
	}
	if len(lines) != 1 || !strings.Contains(lines[0], "cause="+cause) {
		s.t.Fatalf("want one warning of %s, got %d:\n%s", cause, len(lines), strings.Join(lines, ""))
	}
	for _, part := range append(says, "nginx=", "caddy=") {
		if !strings.Contains(lines[0], part) {
			s.t.Errorf("the warning has no %q:\n%s", part, lines[0])
		}
	}
}

// readsThatItHasNotStarted checks the sentence on a page whose app hasn't started, and that the
// progress of loading isn't shown.
func (b *browser) readsThatItHasNotStarted(sentence, code string) {
	b.t.Helper()
	seen := `(() => { const e = document.querySelector("#app-stuck"); return !!e && getComputedStyle(e).visibility === "visible" && [` +
		quoted(sentence) + `, ` + quoted("(Code "+code+")") + `, "IT desk"].every((part) => e.innerText.includes(part)); })()`
	// With scripts off, no script of the page can be waited for.
	b.until(fmt.Sprintf("somebody reads %q", sentence), func() bool { return value[bool](b, seen) })
	if value[string](b, `document.body.innerText`) == "100" {
		b.t.Error("they read 100")
	}
}

// TestPasskeysForbidden has a proxy forbid passkeys by a header.
func TestPasskeysForbidden(t *testing.T) {
	t.Parallel()
	const sentence = "Something between you and the server forbids passkeys on this page."
	s := startBehind(t, behindNginx(t, `proxy_hide_header Permissions-Policy;`,
		`add_header Permissions-Policy "publickey-credentials-create=(), publickey-credentials-get=()" always;`))
	ann := openBrowser(t, s)
	ann.hasDevice()
	ann.setsUp()
	ann.opensPasskeys()
	ann.clicks("#passkey-add")
	ann.clicks("#passkey-register")
	ann.reads(sentence)
	ann.opens("/")
	ann.signsOut()
	ann.clicks("#use-passkey")
	ann.reads(sentence)
	s.warnsOnce("passkey-policy")
}

// TestStreamHeld has a proxy compress the stream of changes, and so keep it back. The page says
// so, and loads again from time to time.
func TestStreamHeld(t *testing.T) {
	t.Parallel()
	s := startBehind(t, behindNginx(t, `proxy_ignore_headers X-Accel-Buffering;`, `gzip on;`, `gzip_proxied any;`, `gzip_min_length 1;`, `gzip_types text/event-stream;`))
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.sees("#delayed-bar")
	ann.reads("What changes elsewhere shows here late.")
	s.warnsOnce("stream-held")
	ann.opens("/users")
	ann.reads("Just you so far")
	s.command(t, annsPassword+"\n", "user", "add", "bob")
	ann.sees("#delayed-bar")
	ann.reads("1 new: show")
}

// TestCachedAnswers has a proxy keep answers that it must not keep. Nobody sees those of another
// user.
func TestCachedAnswers(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	s := startBehind(t, func(at, upstream string) {
		proxytest.Nginx(t, at, "proxy_cache_path "+cache+" keys_zone=kept:1m;\n"+proxytest.NginxServer(at, upstream,
			"proxy_set_header Host $http_host;", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
			"proxy_cache kept;", "proxy_ignore_headers Cache-Control Set-Cookie Vary Expires;", "proxy_cache_valid 200 1h;"))
	})
	ann := openBrowser(t, s)
	ann.setsUp()
	s.command(t, annsPassword+"\n", "user", "add", "bob", "--display-name", "Bob Builder")
	bob := openBrowser(t, s)
	bob.opens("/sign-in")
	bob.fillsInPassword("bob", annsPassword)
	bob.readsIn("#user-menu-button", "Bob Builder")
	if text := value[string](bob, `document.body.innerText`); strings.Contains(text, "Ann Admin") {
		t.Errorf("bob reads of Ann:\n%s", text)
	}
	s.warnsOnce("answer-kept")
}

// TestNonceTakenAway has a proxy pass only headers on that it knows, in answers or in requests. The log says
// so.
func TestNonceTakenAway(t *testing.T) {
	t.Parallel()
	for heading, lines := range map[string]string{
		"Something is in the way": `proxy_hide_header Keypeg-Nonce;`,
		"Your account": `proxy_set_header Keypeg-Nonce ""; proxy_set_header Host $http_host;
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;`,
	} {
		s := startBehind(t, behindNginx(t, lines))
		ann := openBrowser(t, s)
		ann.fillsInSetUp()
		ann.readsIn("h1", heading)
		s.warnsOnce("answer-kept", "takes the header Keypeg-Nonce away", "proxy_hide_header and proxy_set_header")
	}
}

// TestSignInPagesWithoutTheirScript: the sign-in page and the page of a link say when their
// script doesn't come or doesn't run, and IT reads it in the log.
func TestSignInPagesWithoutTheirScript(t *testing.T) {
	t.Parallel()
	for name, more := range map[string][]string{
		"another place answers for files": {`location ~* \.(js|css|svg|wasm|json)$ { return 404; }`},
		"only the style sheet comes":      {`location ~* \.js$ { return 404; }`},
		"scripts are rewritten":           {`sub_filter '<script' '<script type="8a7f-text/javascript"';`},
	} {
		t.Run(name, func(t *testing.T) {
			s := startBehind(t, behindNginx(t, more...))
			link := regexp.MustCompile(`http://\S+\?token=\S+`).FindString(s.command(t, "", "user", "invite", "bob"))
			bob := openBrowser(t, s) // which keeps no part of either page
			for _, page := range []string{s.url + "/sign-in", link} {
				bob.opens(page)
				bob.until("they read that it hasn't started", func() bool {
					return value[bool](bob, `(() => {
						const e = document.querySelector("#unscripted");
						return !!e && getComputedStyle(e).visibility === "visible" && e.innerText.includes("This page hasn't started.") && e.innerText.includes("(Code app-scripts)");
					})()`)
				})
				if value[bool](bob, `document.querySelector("#use-passkey").checkVisibility({ visibilityProperty: true }) && !!document.styleSheets.length && document.styleSheets[0].cssRules.length > 0`) {
					t.Errorf("%s: the button for passkeys is shown, and does nothing", page)
				}
			}
			s.warnsOnce("app-scripts")
		})
	}
}

// TestAppThatDoesNotStart: a page says when a proxy breaks the program, and IT reads it in the
// log.
func TestAppThatDoesNotStart(t *testing.T) {
	t.Parallel()
	const csp = `Content-Security-Policy "default-src 'self'; script-src 'self'"`
	rows := []struct {
		name, cause, sentence string
		nginx, caddy          []string
	}{
		{"a Content-Security-Policy that forbids the program", "app-blocked", "Your browser was told not to start this page.",
			[]string{"add_header " + csp + ";"}, []string{"header " + csp}},
		{"the same, and the page's own watch comes after it", "app-blocked", "Your browser was told not to start this page.",
			[]string{"add_header " + csp + ";", `location ~ /boot\. { limit_rate 1k; PASS }`}, nil},
		{"another type", "app-type", "Something between you and the server changes this page",
			[]string{`location ~ \.wasm$ { proxy_hide_header Content-Type; add_header Content-Type application/octet-stream; PASS }`},
			[]string{caddyWasm("Content-Type application/octet-stream")}},
		{"compressed, and nobody says so", "app-coding", "Something between you and the server changes this page",
			[]string{`location ~ \.wasm$ { proxy_hide_header Content-Encoding; PASS }`},
			[]string{caddyWasm("-Content-Encoding")}},
		{"said to be compressed otherwise than it is", "app-coding", "Something between you and the server changes this page",
			[]string{`location ~ \.wasm$ { proxy_hide_header Content-Encoding; add_header Content-Encoding gzip; PASS }`},
			[]string{caddyWasm("Content-Encoding gzip")}},
		{"nothing in its place", "app-missing", "A part of this page didn't come.",
			[]string{`location ~ \.wasm$ { return 404; }`}, []string{"handle /static/*.wasm {\n\t\trespond 403\n\t}"}},
		{"a page in its place", "app-missing", "A part of this page didn't come.",
			[]string{`location ~ \.wasm$ { default_type text/html; return 200 "<html>Sign in to the network"; }`},
			[]string{"handle /static/*.wasm {\n\t\theader Content-Type text/html\n\t\trespond `<html>Sign in to the network` 200\n\t}"}},
		{"its own script is missing", "app-missing", "A part of this page didn't come.",
			[]string{`location = /wasm_exec.js { return 404; }`}, []string{"handle /wasm_exec.js {\n\t\trespond 403\n\t}"}},
	}
	t.Run("nginx", func(t *testing.T) {
		in := startBroken(t)
		for _, row := range rows {
			in.doesNotStart(row.name, row.sentence, row.cause, behindNginx, row.nginx)
		}
		in.startsAsItShould(behindNginx)
		in.passes("no script runs", behindNginx, nil, func(t *testing.T, ann *browser) {
			if _, err := chromedp.Call(ann.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
				t.Fatal(err)
			}
			ann.opens("/")
			ann.readsThatItHasNotStarted("This page hasn't started.", "app-scripts")
			in.warnsOnce("app-scripts")
		})
	})
	t.Run("Caddy", func(t *testing.T) {
		in := startBroken(t)
		for _, row := range rows {
			// It can't be slow on purpose. Where the browser gets the same as from nginx, make soak looks.
			if row.caddy != nil && (row.cause == "app-missing" || os.Getenv("KEYPEG_SOAK") != "") {
				in.doesNotStart(row.name, row.sentence, row.cause, behindCaddy, row.caddy)
			}
		}
		in.startsAsItShould(behindCaddy)
	})
}

// broken is a server and a browser of somebody who has signed in. One proxy after the other comes in between, at the same
// address.
type broken struct {
	*server
	at      string
	chrome  *browser
	cookies []network.SetCookieParams // that the sign-in has set
}

// proxy is how a kind of proxy starts, with more lines.
type proxy = func(t *testing.T, more ...string) func(at, upstream string)

func startBroken(t *testing.T) *broken {
	t.Helper()
	at := proxytest.FreeAddress(t)
	in := &broken{at: at, server: startServer(t, "--public-url", "http://"+at, "--trusted-proxies", "127.0.0.1", "--contact", "IT desk")}
	in.chrome = openBrowser(t, in.server)
	in.setup = "" // the next start prints another link
	in.passes("signing in", behindNginx, nil, func(t *testing.T, ann *browser) {
		ann.fillsInSetUp()
		ann.waitsFor("the session", `location.pathname === "/"`)
		cookies, err := chromedp.Call(ann.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{in.url}})
		if err != nil {
			t.Fatal(err)
		}
		for _, cookie := range cookies.Cookies {
			in.cookies = append(in.cookies, network.SetCookieParams{Name: cookie.Name, Value: cookie.Value, URL: in.url})
		}
	})
	return in
}

// passes has a new window, with nothing kept, open pages through a proxy. The server has warned of nothing yet.
func (in *broken) passes(name string, start proxy, lines []string, does func(t *testing.T, ann *browser)) {
	all := in.t
	defer func() { in.t = all }()
	all.Run(name, func(t *testing.T) {
		in.t = t
		in.stops()
		in.log = &proxytest.Output{}
		in.starts()
		start(t, lines...)(in.at, in.listens)
		ann := in.chrome.opensTab(chromedp.WithNewBrowserContext())
		ann.t = t
		for _, cookie := range in.cookies {
			if _, err := chromedp.Call(ann.ctx, network.SetCookie, cookie); err != nil {
				t.Fatal(err)
			}
		}
		does(t, ann)
		if err := chromedp.Cancel(ann.ctx); err != nil {
			t.Error(err)
		}
	})
}

func (in *broken) doesNotStart(name, sentence, cause string, start proxy, lines []string) {
	in.passes(name, start, lines, func(t *testing.T, ann *browser) {
		ann.opens("/")
		ann.readsThatItHasNotStarted(sentence, cause)
		in.warnsOnce(cause)
	})
}

func (in *broken) startsAsItShould(start proxy) {
	in.passes("a well configured one: it starts, and there is no warning", start, nil, func(t *testing.T, ann *browser) {
		ann.opens("/")
		ann.readsIn("#user-menu-button", "Ann Admin")
		if log := in.log.String(); strings.Contains(log, "WARN") {
			t.Error(log)
		}
	})
}
