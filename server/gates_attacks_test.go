package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// fromPeer lets a request come from another address than a trusted proxy's.
func fromPeer(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = address }
}

// gateCheck is a check that must not let anybody pass, whoever's cookie it has. Ann is signed in at the wiki.
type gateCheck struct {
	what   string
	status int // of forward's dialect
	change []func(*http.Request)
}

func host(name string) func(*http.Request) { return with("X-Forwarded-Host", name) }

// misconfigured are checks that a proxy must not send, or that no proxy sends.
var misconfigured = []gateCheck{
	{"from the internet", 403, []func(*http.Request){fromPeer("203.0.113.9:4711")}},
	{"from this machine, which isn't trusted here", 403, []func(*http.Request){fromPeer("127.0.0.1:4711")}},
	{"from nowhere", 403, []func(*http.Request){fromPeer("")}},
	{"said to come from a proxy", 403, []func(*http.Request){fromPeer("203.0.113.9:4711"), with("X-Forwarded-For", "192.0.2.1"), with("X-Real-Ip", "192.0.2.1")}},
	{"without the host", 403, []func(*http.Request){with("X-Forwarded-Host")}},
	{"an empty host", 403, []func(*http.Request){host("")}},
	{"two hosts", 403, []func(*http.Request){with("X-Forwarded-Host", "wiki.example.com", "payroll.example.com:8443")}},
	{"two hosts in one", 403, []func(*http.Request){host("wiki.example.com, payroll.example.com:8443")}},
	{"an unknown host", 403, []func(*http.Request){host("evil.example.com")}},
	{"a host that ends alike", 403, []func(*http.Request){host("notwiki.example.com")}},
	{"a host that begins alike", 403, []func(*http.Request){host("wiki.example.com.evil.example")}},
	{"a host with a user", 403, []func(*http.Request){host("wiki.example.com@evil.example")}},
	{"a host behind a user", 403, []func(*http.Request){host("evil@wiki.example.com")}},
	{"a host with a path", 403, []func(*http.Request){host("wiki.example.com/")}},
	{"a host with another port", 403, []func(*http.Request){host("wiki.example.com:8443")}},
	{"the gate's host without its port", 403, []func(*http.Request){host("payroll.example.com")}},
	{"a host with a zero byte", 403, []func(*http.Request){host("wiki.example.com\x00")}},
	{"a host with blanks", 403, []func(*http.Request){host(" wiki.example.com")}},
	{"the organisation's own host", 403, []func(*http.Request){host("localhost:8080")}},
	{"another gate's host than it names", 403, []func(*http.Request){func(r *http.Request) { r.Host = "payroll.example.com:8443" }}},
	{"without the scheme", 403, []func(*http.Request){with("X-Forwarded-Proto")}},
	{"plain http", 403, []func(*http.Request){with("X-Forwarded-Proto", "http")}},
	{"two schemes", 403, []func(*http.Request){with("X-Forwarded-Proto", "https", "http")}},
	{"two schemes in one", 403, []func(*http.Request){with("X-Forwarded-Proto", "http, https")}},
	{"another scheme", 403, []func(*http.Request){with("X-Forwarded-Proto", "ftp")}},
	{"headers of nginx's dialect", 403, []func(*http.Request){with("X-Forwarded-Host"), with("X-Original-Url", wiki+"/")}},
	{"Forwarded (RFC 7239)", 403, []func(*http.Request){with("X-Forwarded-Host"), with("Forwarded", "host=wiki.example.com;proto=https")}},
	{"headers with underscores", 403, []func(*http.Request){with("X-Forwarded-Host"), func(r *http.Request) { r.Header["X_forwarded_host"] = []string{"wiki.example.com"} }}},
	{"settings in the query", 403, []func(*http.Request){with("X-Forwarded-Host"), func(r *http.Request) { r.URL.RawQuery = "host=wiki.example.com&gate=wiki&proto=https" }}},
	{"about our own paths", 403, []func(*http.Request){with("X-Forwarded-Uri", "/.keypeg/enter")}},
}

// nobodys are what browsers and others may have in the place of Ann's cookie.
var nobodys = map[string]string{
	"no cookie":                            "",
	"one without a value (CVE-2026-25748)": "__Host-keypeg-gate",
	"an empty one":                         "__Host-keypeg-gate=",
	"only signs":                           "__Host-keypeg-gate=%%%; ;=;,;",
	"a quote":                              `__Host-keypeg-gate="`,
	"bytes":                                "__Host-keypeg-gate=\xff\xfe\x80",
	"a long one":                           "__Host-keypeg-gate=" + strings.Repeat("A", 30_000),
	"an altered one":                       "__Host-keypeg-gate=COOKIEx",
	"a cut one":                            "__Host-keypeg-gate=CUT",
	"the name without its prefix":          "keypeg-gate=COOKIE",
	"the name in capitals":                 "__HOST-KEYPEG-GATE=COOKIE",
	"a session's token":                    "__Host-keypeg-gate=SESSION",
	"a session's own cookie":               "keypeg=SESSION; __Host-keypeg=SESSION",
	"one of another installation":          "__Host-keypeg-gate=OTHER",
	"a code":                               "__Host-keypeg-gate=CODE",
	"two, the first is wrong":              "__Host-keypeg-gate=x; __Host-keypeg-gate=COOKIE",
}

func TestGateAttacks(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, open)
			s.gated()
			s.ann.enters(wiki, "/")
			at := s.ann.at(wiki)
			at.passesAs(at.asksForward("/"), "ann")
			s.changesOnly(nil, func() {
				for _, c := range misconfigured {
					a := at.asksForward("/", c.change...)
					if a.status != c.status {
						t.Errorf("%s: got %s, want %d", c.what, a, c.status)
					}
					at.stops(a, c.status)
				}
				s.checksCookies(at)
				s.asksOtherwise(at)
			})
			s.keepsSecrets()
		})
	}
}

// checksCookies sends each of nobodys, in each dialect.
func (s *scene) checksCookies(at *visitor) {
	s.Helper()
	good := at.cookieOf(wiki, "__Host-keypeg-gate")
	other := newSite(s.T, stores["memstore"], nil)
	other.gated()
	stranger := other.user("ann")
	stranger.enters(wiki, "/")
	code := urlOf(s, s.ann.navigates(shared.PageGate+"?bound="+strings.Repeat("A", 43)+"&gate=wiki").header.Get("Location")).Query().Get("code")
	fill := strings.NewReplacer("COOKIE", good, "CUT", good[:len(good)-1], "SESSION", s.ann.token(), "OTHER", stranger.cookieOf(wiki, "__Host-keypeg-gate"), "CODE", code)
	for what, cookie := range nobodys {
		sends := with("Cookie", fill.Replace(cookie))
		at.stopsAs(what, at.asksForward("/", sends), 302)
		at.stopsAs(what, at.asksNginx("/", sends), 401)
		at.stopsAs(what, at.asksEnvoy("/", sends), 302)
		at.stopsAs(what, at.asksForward("/", sends, with("Sec-Fetch-Mode", "cors")), 401)
	}
}

func (v *visitor) stopsAs(what string, a answer, status int) {
	v.Helper()
	if a.status != status {
		v.Errorf("%s: got %s, want %d", what, a, status)
	}
	v.stops(a, a.status)
}

// asksOtherwise is what scripts, forms and odd clients get, and where browsers are led.
func (s *scene) asksOtherwise(at *visitor) {
	s.Helper()
	no := with("Cookie")
	for _, row := range []struct {
		what   string
		status int
		change []func(*http.Request)
	}{
		{"a form", 303, []func(*http.Request){with("X-Forwarded-Method", "POST")}},
		{"HEAD", 302, []func(*http.Request){with("X-Forwarded-Method", "HEAD")}},
		{"fetch", 401, []func(*http.Request){with("Sec-Fetch-Mode", "cors")}},
		{"an image", 401, []func(*http.Request){with("Sec-Fetch-Mode", "no-cors")}},
		{"a WebSocket", 401, []func(*http.Request){with("Sec-Fetch-Mode", "websocket"), with("X-Forwarded-Proto", "wss")}},
		{"an old browser", 302, []func(*http.Request){with("Sec-Fetch-Mode")}},
		{"an old script", 401, []func(*http.Request){with("Sec-Fetch-Mode"), with("X-Requested-With", "XMLHttpRequest")}},
		{"curl", 401, []func(*http.Request){with("Sec-Fetch-Mode"), with("Accept", "*/*")}},
		{"a health check (GHSA-5hvv)", 401, []func(*http.Request){with("Sec-Fetch-Mode"), with("Accept"), with("User-Agent", "GoogleHC/1.0")}},
		{"a client's own identity (CVE-2026-30851)", 302, []func(*http.Request){with("Remote-User", "ann"), with("Remote-Groups", "finance"), with("Keypeg-Assertion", "x")}},
		{"a password", 302, []func(*http.Request){with("Authorization", "Basic YW5uOng=")}},
	} {
		at.stopsAs(row.what, at.asksForward("/", append(row.change, no)...), row.status)
	}
	for path, want := range map[string]string{
		"/a/b?c=d&e=%26":                      "/a/b?c=d%26e=%2526",
		"/" + strings.Repeat("a", 1999):       "/" + strings.Repeat("a", 1999),
		"/" + strings.Repeat("a", 2000):       "/",
		"":                                    "/",
		"a":                                   "/",
		"*":                                   "/",
		"https://evil.example/":               "/",
		"//evil.example/":                     "/",
		"/\\evil.example/":                    "/",
		"/\t/evil.example/":                   "/",
		"/a\r\nSet-Cookie: x=y":               "/",
		"/é":                                  "/",
		"/secret#/.keypeg/enter":              "/secret%23/.keypeg/enter", // GHSA-pxq7
		"/?x=\"><script>alert(1)</script>":    "/?x=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
		"/healthz?x=/.keypeg/enter&to=//evil": "/healthz?x=/.keypeg/enter%26to=//evil",
	} {
		a := at.asksForward("/", with("X-Forwarded-Uri", path), no)
		if got := a.header.Get("Location"); got != wiki+shared.GateEnter+"?to="+want {
			s.Errorf("%q is led to %q, want %q", path, got, want)
		}
	}
}

func (v *visitor) cookieOf(origin, name string) string {
	v.Helper()
	for _, c := range v.jar.Cookies(urlOf(v, origin)) {
		if c.Name == name {
			return c.Value
		}
	}
	v.Fatalf("there is no cookie %s at %s", name, origin)
	return ""
}

// TestGateCodes tries codes of others, in other browsers, at other gates, late and twice.
func TestGateCodes(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, open)
			s.gated()
			refuses := func(what string, a answer) {
				t.Helper()
				if to := a.header.Get("Location"); a.status != 303 || to != wiki+"/.keypeg/enter?second=1" && to != payroll+"/.keypeg/enter?second=1" {
					t.Errorf("%s: got %s, Location %q", what, a, to) // only one's own sign-in begins
				}
			}
			begins := func(v *visitor, host string) (arrive string) {
				t.Helper()
				a := v.goesOn(v.goesOn(v.at(host).asksForward("/page")))
				return a.header.Get("Location")
			}

			arrive := urlOf(s, begins(s.bob, wiki)).RequestURI()
			s.changesOnly(nil, func() {
				refuses("a code of bob's in a browser without a cookie", s.visitor().at(wiki).navigates(arrive))
				s.ann.goesOn(s.ann.at(wiki).asksForward("/"))
				refuses("a code of bob's in ann's browser, who has begun too", s.ann.at(wiki).navigates(arrive))
				s.bob.jar.SetCookies(urlOf(s, payroll), s.bob.jar.Cookies(urlOf(s, wiki)))
				refuses("at another gate, with bob's cookie", s.bob.at(payroll).navigates(arrive))
				refuses("altered", s.bob.at(wiki).navigates(arrive+"x"))
				refuses("without a code", s.bob.at(wiki).navigates(shared.GateArrive))
				if a := s.bob.at(wiki).navigates(arrive + "x&second=1"); a.status != 400 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
					t.Errorf("altered, at a second try: got %s, Location %q", a, a.header.Get("Location"))
				}
				s.bob.at(wiki).stops(s.bob.at(wiki).asksForward("/"), 302)
			})
			if a := s.bob.at(wiki).navigates(arrive); a.header.Get("Location") != wiki+"/page" {
				t.Fatalf("bob's code leads him to %q: %s", a.header.Get("Location"), a)
			}
			s.bob.at(wiki).passesAs(s.bob.at(wiki).asksForward("/"), "bob")

			arrive = urlOf(s, begins(s.ann, wiki)).RequestURI()
			s.passes(61 * time.Second)
			s.changesOnly(nil, func() { refuses("after a minute", s.ann.at(wiki).navigates(arrive)) })

			arrive = urlOf(s, begins(s.ann, wiki)).RequestURI()
			s.ann.sends("POST", shared.PathSignOut, nil)
			s.changesOnly(nil, func() { refuses("after a sign-out", s.ann.at(wiki).navigates(arrive)) })
			s.keepsSecrets()
		})
	}
}

// TestGateAuthorize: the organisation gives a code to whom it is for, and leads to configured hosts alone.
func TestGateAuthorize(t *testing.T) {
	s := newScene(t, stores["memstore"])
	s.gated()
	sum := sha256.Sum256([]byte("x"))
	bound := base64.RawURLEncoding.EncodeToString(sum[:])
	s.changesOnly(nil, func() {
		for what, query := range map[string]string{
			"no gate": "bound=" + bound, "an unknown gate": "gate=evil&bound=" + bound, "a host for a gate": "gate=wiki.example.com&bound=" + bound,
			"no hash": "gate=wiki", "a short hash": "gate=wiki&bound=AAAA", "another address": "gate=https://evil.example&bound=" + bound,
			"a gate in capitals": "gate=WIKI&bound=" + bound,
		} {
			if a := s.ann.navigates(shared.PageGate + "?" + query); a.status < 400 || a.header.Get("Location") != "" {
				t.Errorf("%s: got %s, Location %q", what, a, a.header.Get("Location"))
			}
		}
		a := s.ann.navigates(shared.PageGate + "?gate=wiki&bound=" + bound + "&to=//evil.example&redirect=https://evil.example")
		if to := a.header.Get("Location"); !strings.HasPrefix(to, wiki+shared.GateArrive+"?code=") || strings.Contains(to, "evil") {
			t.Errorf("more in the query leads to %q", to)
		}
		for _, next := range []string{"//evil.example", shared.PageGate + "?bound=" + bound + "&gate=wiki&x=y", shared.PageGate + "?bound=" + bound + "&gate=../x", shared.PageGate, "/gate/forward"} {
			a := s.ann.navigates(shared.PageSignIn + "?next=" + url.QueryEscape(next))
			if got := a.header.Get("Location"); got != "/" {
				t.Errorf("next %q leads to %q", next, got)
			}
		}
	})
}

// TestGateRoom: the cookies of sign-ins that nobody ends don't grow together.
func TestGateRoom(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	s.gated()
	v := s.visitor().at(wiki)
	for i := range 20 {
		v.navigates(shared.GateEnter + "?to=/" + strings.Repeat("a", 900) + fmt.Sprint(i))
	}
	size := 0
	for _, c := range v.jar.Cookies(urlOf(t, wiki)) {
		size += len(c.Name) + len(c.Value)
	}
	if size < 1000 || size > 4400 {
		t.Errorf("the cookies have %d bytes", size)
	}
}

// TestGateSignOut: another site can't sign anybody out of a program.
func TestGateSignOut(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	s.gated()
	ann := s.user("ann")
	ann.enters(wiki, "/")
	at := ann.at(wiki)
	at.navigates(shared.GateSignOut)
	at.passesAs(at.asksForward("/"), "ann")
	at.sends("POST", shared.GateSignOut, nil)
	at.stops(at.asksForward("/"), 302)
}

// TestGateWarns: IT reads what the proxy does wrong, once, with the line to write.
func TestGateWarns(t *testing.T) {
	for cause, row := range map[string]struct {
		change func(*http.Request)
		says   string
	}{
		"gate-untrusted":  {fromPeer("203.0.113.9:1"), "--trusted-proxies 203.0.113.9"},
		"gate-headers":    {with("X-Forwarded-Host"), "proxy_set_header X-Original-URL"},
		"gate-host":       {host("new.example.com"), "host=new.example.com"},
		"gate-plain-http": {with("X-Forwarded-Proto", "http"), "return 301 https://"},
		"gate-own-path":   {with("X-Forwarded-Uri", "/.keypeg/enter"), "location /.keypeg/"},
	} {
		s := newSite(t, stores["memstore"], nil)
		s.gated()
		for range 3 {
			s.visitor().at(wiki).asksForward("/", row.change)
		}
		if log := s.log.String(); strings.Count(log, "cause="+cause) != 1 || !strings.Contains(log, row.says) {
			t.Errorf("%s: the log is\n%s", cause, log)
		}
	}
}

// TestGateLog: a line for each check would bury the others, and paths are the program's.
func TestGateLog(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	s.gated()
	ann := s.user("ann")
	ann.enters(wiki, "/")
	at := ann.at(wiki)
	at.asksEnvoy("/reset?token=hidden")
	at.asksForward("/reset/hidden")
	at.asksEnvoy("/reset/hidden", with("Cookie"))
	at.asksEnvoy("/reset/hidden", with("X-Forwarded-Proto", "http"))
	log := s.log.String()
	if strings.Contains(log, "hidden") {
		t.Errorf("the log has a path of the program:\n%s", log)
	}
	if want := `level=DEBUG msg=request`; !strings.Contains(log, want) || !strings.Contains(log, `path=/gate/envoy/`) {
		t.Errorf("the log lacks the checks:\n%s", log)
	}
}
