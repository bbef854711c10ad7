package forwardauth_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// attack is a request of somebody who wants to be somebody else, or to come in without a session. COOKIE is bob's, and
// OTHER that of eve, who may pass another gate alone.
type attack struct {
	what string
	sent string // \n ends a line; there is a Host and an empty line behind unless it has them
	want outcome
}

// outcome is what may come of a request.
type outcome int

const (
	asBob   outcome = iota // the program gets it, as bob's
	refused                // the program doesn't get it
	either                 // it may be refused; if the program gets it, then as bob's
)

// CVE numbers name where others have failed.
var attacks = []attack{
	{"bob himself", "GET /\nCookie: COOKIE", asBob},
	{"the header", "GET /\nCookie: COOKIE\nRemote-User: ann", asBob},
	{"in small letters", "GET /\nCookie: COOKIE\nremote-user: ann", asBob},
	{"in capitals", "GET /\nCookie: COOKIE\nREMOTE-USER: ann", asBob},
	{"twice", "GET /\nCookie: COOKIE\nRemote-User: ann\nRemote-User: ada", asBob},
	{"with an underscore (CVE-2026-52845, CVE-2025-64484)", "GET /\nCookie: COOKIE\nRemote_User: ann", asBob},
	{"with one in small letters", "GET /\nCookie: COOKIE\nremote_user: ann", asBob},
	{"with one in capitals", "GET /\nCookie: COOKIE\nREMOTE_USER: ann", asBob},
	{"with a dot", "GET /\nCookie: COOKIE\nRemote.User: ann", either},
	{"with another sign", "GET /\nCookie: COOKIE\nRemote~User: ann\nRemote|Groups: admins", either},
	{"an address that bob lacks (CVE-2026-30851)", "GET /\nCookie: COOKIE\nRemote-Email: boss@example.com", asBob},
	{"groups", "GET /\nCookie: COOKIE\nRemote-Groups: admins\nRemote_Groups: admins", asBob},
	{"a name", "GET /\nCookie: COOKIE\nRemote-Name: Ann\nRemote_Name: Ann", asBob},
	{"an assertion", "GET /\nCookie: COOKIE\nKeypeg-Assertion: eyJ\nKeypeg_Assertion: eyJ", asBob},
	{"Connection names the header", "GET /\nCookie: COOKIE\nConnection: close, Remote-User", asBob},
	{"it names all", "GET /\nCookie: COOKIE\nConnection: Remote-User, Remote-Groups, Remote-Name, Keypeg-Assertion\nRemote-User: ann", asBob},
	{"it names them twice", "GET /\nCookie: COOKIE\nConnection: close\nConnection: remote-user\nRemote_User: ann", asBob},
	{"Proxy-Connection names it", "GET /\nCookie: COOKIE\nProxy-Connection: Remote-User", asBob},
	{"a folded line", "GET /\nCookie: COOKIE\nX: y\n Remote-User: ann", either},
	{"a blank before the colon", "GET /\nCookie: COOKIE\nRemote-User : ann", either},

	{"headers of the check (CVE-2026-40575)", "GET /\nX-Forwarded-Uri: /healthz\nX-Forwarded-Host: open.example.com\nX-Forwarded-Proto: https\nX-Forwarded-Method: GET", refused},
	{"those of nginx's", "GET /\nX-Original-URL: https://open.example.com/\nX-Original-Method: OPTIONS", refused},
	{"those, twice", "GET /\nX-Original-URL: https://wiki.example.com/.keypeg/\nX-Original-URL: https://open.example.com/\nX-Forwarded-Host: a, b", refused},
	{"bob with those headers", "GET /\nCookie: COOKIE\nX-Forwarded-Uri: //evil.example\nX-Forwarded-Host: open.example.com\nX-Original-URL: https://open.example.com/", either},
	{"a method in a header", "GET /\nX-HTTP-Method-Override: OPTIONS\nX-Method-Override: HEAD", refused},
	{"another path in a header", "GET /secret\nX-Rewrite-URL: /.keypeg/enter\nX-Original-URL: /.keypeg/enter", refused},
	{"a setting in the query", "GET /?gate=open&to=/x&bound=x&headers=off&X-Forwarded-Host=open.example.com", refused},
	{"a health check (GHSA-5hvv)", "GET /\nUser-Agent: GoogleHC/1.0", refused},
	{"another one", "GET /ping\nUser-Agent: kube-probe/1.29", refused},
	{"from this machine", "GET /\nX-Forwarded-For: 127.0.0.1\nX-Real-IP: 127.0.0.1\nForwarded: for=127.0.0.1", refused},
	{"OPTIONS", "OPTIONS /\nOrigin: https://evil.example\nAccess-Control-Request-Method: GET", refused},
	{"OPTIONS of all", "OPTIONS *", refused},
	{"TRACE", "TRACE /", refused},
	{"another method", "GETT /", refused},
	{"HEAD", "HEAD /", refused},
	{"a password", "GET /\nAuthorization: Basic Ym9iOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==", refused},
	{"a token", "GET /\nAuthorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJib2IifQ.", refused},

	{"no cookie", "GET /", refused},
	{"a malformed cookie (CVE-2026-25748)", "GET /\nCookie: __Host-keypeg-gate", refused},
	{"an empty one", "GET /\nCookie: __Host-keypeg-gate=", refused},
	{"one that is no base64", "GET /\nCookie: __Host-keypeg-gate=%%%; ;=;;", refused},
	{"one in quotes", "GET /\nCookie: __Host-keypeg-gate=\"", refused},
	{"a long one", "GET /\nCookie: __Host-keypeg-gate=" + strings.Repeat("A", 6000), refused},
	{"bytes", "GET /\nCookie: __Host-keypeg-gate=\x80\xff\x01", refused},
	{"one of another name", "GET /\nCookie: keypeg-gate=x; keypeg=y; __Host-keypeg=z", refused},
	{"one that was altered", "GET /\nCookie: COOKIEx", refused},

	{"a fragment (GHSA-pxq7)", "GET /secret#/.keypeg/enter", refused},
	{"dots", "GET /.keypeg/../secret", refused},
	{"dots in code", "GET /.keypeg/%2e%2e/secret", refused},
	{"dots and a slash in code", "GET /.keypeg/..%2fsecret", refused},
	{"dots and a semicolon", "GET /.keypeg/..;/secret", refused},
	{"our path in code", "GET /%2ekeypeg/enter", refused},
	{"our path in code twice", "GET /%252ekeypeg/%252e%252e/secret", refused},
	{"two slashes", "GET //.keypeg/../secret", refused},
	{"a slash in code", "GET /.keypeg%2f..%2fsecret", refused},
	{"a backslash", "GET /.keypeg\\..\\secret", refused},
	{"a zero byte in code", "GET /.keypeg/%00/../../secret", refused},
	{"capitals", "GET /.KEYPEG/../secret", refused},
	{"the check itself", "GET /.keypeg/check", refused},
	{"the check of Keypeg", "GET /gate/nginx\nX-Original-URL: https://open.example.com/", refused},

	{"a whole URL", "GET https://wiki.example.com/secret", refused},
	{"bob by a whole URL of another gate", "GET https://open.example.com/secret\nCookie: COOKIE", either},
	{"bob at another host by a whole URL of this", "GET https://wiki.example.com/\nHost: open.example.com\nCookie: COOKIE", either},
	{"eve", "GET /secret\nCookie: OTHER", refused},
	{"eve at the host of her gate", "GET /secret\nHost: open.example.com\nCookie: OTHER", refused},
	{"eve by a whole URL of her gate", "GET https://open.example.com/secret\nCookie: OTHER", refused},
	{"eve at the host of her gate by a whole URL of this", "GET https://wiki.example.com/secret\nHost: open.example.com\nCookie: OTHER", refused},
	{"eve with the headers of a check", "GET /secret\nCookie: OTHER\nX-Forwarded-Host: open.example.com\nX-Forwarded-Proto: https\nX-Original-URL: https://open.example.com/", refused},
	{"eve with two hosts", "GET /secret\nHost: open.example.com\nHost: wiki.example.com\nCookie: OTHER", refused},
	{"eve with a final dot", "GET /secret\nHost: open.example.com.\nCookie: OTHER", refused},
	{"another host by a whole URL", "GET https://wiki.example.com/.keypeg/../secret\nHost: open.example.com", refused},
	{"two hosts", "GET /\nHost: wiki.example.com\nHost: open.example.com", refused},
	{"a host with a user", "GET /\nHost: x@wiki.example.com", refused},
	{"a host with a port", "GET /\nHost: wiki.example.com:8443", refused},
	{"no host", "GET /\nHost:", refused},
	{"HTTP/1.0", "GET / HTTP/1.0", refused},

	{"an Upgrade to HTTP/2", "GET /\nCookie: COOKIE\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", asBob},
	{"an Upgrade to two", "GET /\nCookie: COOKIE\nConnection: Upgrade\nUpgrade: websocket, h2c", either},
	{"a WebSocket without a session", "GET /ws\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", refused},
	{"a form without a session", "POST /form\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 4\n\na=bc", refused},
	{"two lengths", "POST /form\nContent-Length: 4\nTransfer-Encoding: chunked\n\n0\r\n\r\nGET /secret HTTP/1.1\r\nHost: wiki.example.com\r\n\r\n", refused},
	{"a condition", "GET /\nIf-None-Match: *\nIf-Modified-Since: Mon, 30 Nov 2026 00:00:00 GMT\nRange: bytes=0-1", refused},
	{"a wait for 100", "POST /form\nExpect: 100-continue\nContent-Length: 0", refused},
}

// written is the request of an attack, with lines that end as HTTP wants.
func (a attack) written(bob, eve string) string {
	head, body, hasBody := strings.Cut(a.sent, "\n\n")
	lines := strings.Split(strings.NewReplacer("COOKIE", bob, "OTHER", eve).Replace(head), "\n")
	if !strings.Contains(lines[0], " HTTP/") {
		lines[0] += " HTTP/1.1"
	}
	text := strings.Join(lines, "\r\n") + "\r\n"
	if !strings.Contains(head, "\nHost:") {
		text += "Host: " + wikiHost + "\r\n"
	}
	if !hasBody {
		body = ""
	}
	if !strings.Contains(head, "\nConnection:") {
		text += "Connection: close\r\n"
	}
	return text + "\r\n" + body
}

// TestProxyAttacks tries each attack at each proxy of the manual.
func TestProxyAttacks(t *testing.T) {
	for name, proxy := range proxies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStreet(t, proxy)
			for what, wrong := range s.suffers() {
				t.Errorf("%s: %s", what, wrong)
			}
		})
	}
}

// TestProxyMistakes leaves out what the blocks of the manual have against the attacks, each time one line. Then one of
// them succeeds, so that each line is needed, and each attack is one.
func TestProxyMistakes(t *testing.T) {
	for i, row := range []struct{ proxy, line, with, succeeds string }{
		{"nginx", "$scheme://$server_name$request_uri", "$scheme://$http_host$request_uri", "eve at the host of her gate by a whole URL of this"},
		{"nginx", "server_name wiki.example.com;", "server_name wiki.example.com; underscores_in_headers on;", "with an underscore (CVE-2026-52845, CVE-2025-64484)"},
		{"nginx", "\t\tproxy_set_header Remote-Email $keypeg_email;\n", "", "an address that bob lacks (CVE-2026-30851)"},
		{"nginx", "Upgrade $keypeg_upgrade;", "Upgrade $http_upgrade;", "an Upgrade to HTTP/2"},
		{"caddy", "request_header -Remote*", "", "with an underscore (CVE-2026-52845, CVE-2025-64484)"},
		{"caddy", "header_up Remote-User {http.reverse_proxy.header.Remote-User}", "", "bob himself"},
		{"caddy", "request_header @upgrade -Upgrade", "", "an Upgrade to HTTP/2"},
		{"haproxy", "http-request del-header ^(remote|keypeg) -m reg\n", "\n", "with an underscore (CVE-2026-52845, CVE-2025-64484)"},
		{"apache", `string.find(lower, "^remote") or `, "", "with an underscore (CVE-2026-52845, CVE-2025-64484)"},
		{"apache", "UseCanonicalName On", "", "eve at the host of her gate"},
		{"apache", `r.headers_in["Connection"] = nil`, "", "Connection names the header"},
	} {
		t.Run(fmt.Sprint(row.proxy, i), func(t *testing.T) {
			t.Parallel()
			s := &street{}
			s.mistake, s.with = row.line, row.with
			s.opens(t, proxies[row.proxy])
			s.arrives()
			s.took()
			if all := s.suffers(); all[row.succeeds] == "" {
				t.Errorf("without %q the attack %q fails; these succeed: %v", row.line, row.succeeds, all)
			}
		})
	}
}

// suffers tries all attacks, and returns what those achieve that succeed.
func (s *street) suffers() map[string]string {
	found := map[string]string{}
	for _, a := range attacks {
		answer, err := s.sends(a.written(s.cookie(), s.other))
		got := s.took()
		said := fmt.Sprint(err)
		if err == nil {
			said = answer.Status
		}
		switch {
		case a.want == refused && len(got) > 0:
			found[a.what] = fmt.Sprintf("the program got %s %s: %v", got[0].Method, got[0].RequestURI, got[0].Header)
		case a.want == asBob && len(got) != 1:
			found[a.what] = fmt.Sprintf("the program got %d requests; the answer was %s", len(got), said)
		}
		for _, r := range got {
			if wrong := notAsBob(r); wrong != "" {
				found[a.what] = fmt.Sprintf("%s: %v", wrong, r.Header)
			}
		}
	}
	return found
}

// isOfBob reports whether these are the claims of an assertion for the program.
func isOfBob(encoded string) bool {
	encoded, _, _ = strings.Cut(encoded, ".")
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	var claims struct {
		Audience string `json:"aud"`
		User     string `json:"preferred_username"`
	}
	return err == nil && json.Unmarshal(text, &claims) == nil && claims.Audience == wiki && claims.User == "bob"
}

var signs = regexp.MustCompile(`[^a-z0-9]`)

// notAsBob says what the program may take for somebody else's, or "". Many languages fold other signs in the name of a
// header into one.
func notAsBob(r *http.Request) string {
	want := map[string]string{"Remote-User": "bob", "Remote-Name": "Bob Müller", "Remote-Email": "", "Remote-Groups": "a b,staff"}
	if _, claims, _ := strings.Cut(r.Header.Get("Keypeg-Assertion"), "."); !isOfBob(claims) {
		return "the assertion isn't bob's"
	}
	want["Keypeg-Assertion"] = r.Header.Get("Keypeg-Assertion")
	seen := map[string]bool{}
	for name, values := range r.Header {
		folded := http.CanonicalHeaderKey(signs.ReplaceAllString(strings.ToLower(name), "-"))
		value, ours := want[folded]
		if !ours {
			continue
		}
		seen[folded] = true
		if name != folded || len(values) != 1 || values[0] != value {
			return fmt.Sprintf("%s is %q, want %q", name, values, value)
		}
	}
	for name, value := range want {
		if value != "" && !seen[name] {
			return "there is no " + name
		}
	}
	if to := r.Header.Get("Upgrade"); to != "" && to != "websocket" {
		return "it has Upgrade: " + to
	}
	return ""
}
