package checks

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/probe"
	"github.com/keypeg/keypeg/shared"
)

const at = "https://id.example.com"

// scene is a browser behind a proxy, where all is well.
type scene struct {
	seen    shared.Observed
	arrived probe.Arrived
	request *http.Request
}

func newScene(now time.Time) *scene {
	r := httptest.NewRequest("POST", at+shared.PathChecksBrowser, nil)
	r.Header.Set("Cookie", "__Host-keypeg=secret; __Host-keypeg-browser=secret")
	return &scene{
		seen: shared.Observed{
			Origin: at, Secure: true, Clock: now.Add(-5 * time.Second).UnixMilli(), Passkeys: true,
			Page:    shared.ObservedFile{Status: 200, Headers: map[string]string{"content-type": "text/html; charset=utf-8", "strict-transport-security": "max-age=63072000"}},
			Program: shared.ObservedFile{Status: 200, Headers: map[string]string{"content-type": "application/wasm", "content-encoding": "br"}, Size: 9, SHA256: "abc"},
			Worker:  shared.ObservedWorker{Able: true, Registered: true, Controlling: true, Scope: at + "/", Loaded: "1", Served: "1"},
			Stream:  shared.ObservedStream{After: 12}, Throwaway: &shared.ObservedKey{Made: true, Used: true, Proven: true, Verified: true, Signalled: true},
		},
		arrived: probe.Arrived{Host: "id.example.com", Peer: "10.0.0.4", Trusted: true, ForwardedFor: []string{"192.0.2.7"}, Address: "192.0.2.7", ForwardedProto: []string{"https"}, Origin: at, SecFetchSite: "same-origin"},
		request: r,
	}
}

// judged returns what isn't green: "failed clock", and all that is said.
func (s *scene) judged(now time.Time) (wrong, said string) {
	c := &Checks{
		At: func(*http.Request) (string, bool) { return at, true }, Program: "/static/app.wasm", Arrived: func(*http.Request) probe.Arrived { return s.arrived },
		Sent: func(_ *http.Request, path string) *probe.Sent {
			if path == shared.PageChecks {
				return &probe.Sent{Status: 200, Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}, "Strict-Transport-Security": {"max-age=31536000"}}}
			}
			return &probe.Sent{Status: 200, Size: 9, SHA256: "abc"}
		},
	}
	var all []string
	found := c.Judge(s.request, s.seen, now)
	for _, check := range found {
		if check.State == shared.CheckFailed || check.State == shared.CheckWarning {
			all = append(all, string(check.State)+" "+check.Title)
			if len(check.Mend) == 0 {
				said += check.Title + " doesn't say what to do\n"
			}
		}
		said += check.Compared + "\n"
	}
	return strings.Join(all, ", "), said + supportOf(s.request, s.seen, found)
}

func TestJudge(t *testing.T) {
	now := time.Now()
	for _, row := range []struct {
		what   string
		change func(*scene)
		want   string
	}{
		{"all is well", func(*scene) {}, ""},
		{"it says little of itself", func(s *scene) { s.seen.Capabilities = nil }, ""},
		{"a private window without service workers", func(s *scene) { s.seen.Worker = shared.ObservedWorker{} }, ""},
		{"a first visit", func(s *scene) { s.seen.Worker.Controlling = false }, ""},
		{"TLS without a proxy", func(s *scene) { s.arrived = probe.Arrived{TLS: true, Origin: at, SecFetchSite: "same-origin"} }, ""},
		{"a proxy that compresses", func(s *scene) { s.seen.Program.Headers["content-encoding"] = "gzip" }, ""},
		{"no hash, since the page isn't secure", func(s *scene) { s.seen.Program.SHA256 = "" }, ""},
		{"another address", func(s *scene) { s.seen.Origin = "https://id" }, "failed secure page"},
		{"no passkeys", func(s *scene) { s.seen.Passkeys = false }, "failed abilities"},
		{"the wrong scheme", func(s *scene) { s.arrived.ForwardedProto = []string{"http"} }, "warning X-Forwarded-Proto"},
		{"a proxy that isn't trusted", func(s *scene) { s.arrived.Trusted = false }, "failed X-Forwarded-For"},
		{"an odd X-Forwarded-For", func(s *scene) { s.arrived.OddForwarded = true }, "failed X-Forwarded-For"},
		{"a TLS proxy without X-Forwarded-For", func(s *scene) { s.arrived.ForwardedFor, s.arrived.Trusted = nil, false }, "failed X-Forwarded-For"},
		{"no Sec-Fetch-Site", func(s *scene) { s.arrived.SecFetchSite = "" }, "failed Origin"},
		{"no HSTS", func(s *scene) { delete(s.seen.Page.Headers, "strict-transport-security") }, "warning other headers"},
		{"a cookie twice", func(s *scene) { s.request.Header.Set("Cookie", "keypeg=1; keypeg=secret") }, "warning cookies"},
		{"an app that is cut off", func(s *scene) { s.seen.Program.Size, s.seen.Program.SHA256 = 5, "a" }, "failed app.wasm"},
		{"another app", func(s *scene) { s.seen.Program.SHA256 = "d" }, "failed app.wasm"},
		{"no app", func(s *scene) { s.seen.Program = shared.ObservedFile{Failed: "TypeError"} }, "failed app.wasm"},
		{"an older page", func(s *scene) { s.seen.Worker.Loaded = "0" }, "warning service worker"},
		{"another scope", func(s *scene) { s.seen.Worker.Scope = at + "/static/" }, "failed service worker"},
		{"a slow stream", func(s *scene) { s.seen.Stream.After = 5000 }, "failed event stream"},
		{"a clock ahead", func(s *scene) { s.seen.Clock += 3_600_000 }, "warning clock"},
		{"a clock behind", func(s *scene) { s.seen.Clock -= 3_600_000 }, "warning clock"},
		{"a passkey that isn't used", func(s *scene) { s.seen.Throwaway = &shared.ObservedKey{Made: true, Failed: "NotAllowedError"} }, "failed throwaway passkey"},
		{"a passkey that lies", func(s *scene) { s.seen.Throwaway.Proven, s.seen.Throwaway.Failed = false, "signature" }, "failed throwaway passkey"},
		{"a passkey that stays", func(s *scene) { s.seen.Throwaway.Signalled = false }, ""},
		{"nothing of it comes", func(s *scene) { s.seen.Page = shared.ObservedFile{Failed: "TypeError"} }, "failed page"},
	} {
		s := newScene(now)
		row.change(s)
		got, said := s.judged(now)
		if got != row.want || strings.Contains(said, "doesn't say what to do") {
			t.Errorf("%s: it finds %q, want %q\n%s", row.what, got, row.want, said)
		}
		for _, hidden := range []string{"secret", "10.0.0.4"} { // a cookie's value, and the proxy's address, which isn't a tenant's
			if strings.Contains(said, hidden) {
				t.Errorf("%s: it says %q\n%s", row.what, hidden, said)
			}
		}
	}
}

// TestHostileBrowser: what a browser says stays on its line, and short.
func TestHostileBrowser(t *testing.T) {
	s := newScene(time.Now())
	s.seen.Stream.Failed = "x\n  ok        Address, port: fine\x1b[2J" + strings.Repeat("y", 1<<20)
	s.request.Header.Set("User-Agent", "z\r\nok")
	_, said := s.judged(time.Now())
	if strings.Contains(said, "\n  ok        Address") || strings.Contains(said, "\x1b") || strings.Contains(said, "\r") || len(said) > 10_000 {
		t.Errorf("%d bytes: %.500q", len(said), said)
	}
}
