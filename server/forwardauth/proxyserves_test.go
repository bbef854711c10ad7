package forwardauth_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/shared"
)

// text is a request of bob's browser, with more lines.
func (s *street) text(first string, lines ...string) string {
	return first + " HTTP/1.1\r\nHost: " + wikiHost + "\r\nCookie: " + s.cookie() + "\r\n" + strings.Join(append(lines, "\r\n"), "\r\n")
}

func (s *street) answers(text string) *http.Response {
	s.Helper()
	answer, err := s.sends(text)
	if err != nil {
		s.Fatalf("%.40q: %v", text, err)
	}
	return answer
}

// TestProxyServes checks what people have of a program behind each proxy of the manual.
func TestProxyServes(t *testing.T) {
	for name, proxy := range proxies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStreet(t, proxy)
			s.servesBodies()
			s.servesSockets()
			s.turnsAway()
		})
	}
}

// servesBodies: a body arrives whole, and a method as it is.
func (s *street) servesBodies() {
	body := strings.Repeat("0123456789", 5000)
	answer := s.answers(s.text("POST /form", "Connection: close", "Content-Length: "+strconv.Itoa(len(body))) + body)
	got := s.took()
	if len(got) != 1 || got[0].Method != "POST" {
		s.Fatalf("a form is answered %s, and the program got %v", answer.Status, got)
	}
	if arrived, _ := io.ReadAll(got[0].Body); string(arrived) != body {
		s.Errorf("%d bytes of the form arrived, want %d", len(arrived), len(body))
	}
	for _, method := range []string{"HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"} {
		answer := s.answers(s.text(method+" /", "Connection: close", "Content-Length: 0"))
		if got := s.took(); len(got) != 1 || got[0].Method != method || notAsBob(got[0]) != "" {
			s.Errorf("%s is answered %s, and the program got %v", method, answer.Status, got)
		}
	}
}

func (s *street) servesSockets() {
	answer := s.answers(s.text("GET /ws", "Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-Fetch-Mode: websocket"))
	if answer.StatusCode != http.StatusSwitchingProtocols {
		s.Errorf("a WebSocket is answered %s", answer.Status)
	}
	if got := s.took(); len(got) != 1 || notAsBob(got[0]) != "" {
		s.Errorf("of a WebSocket the program got %v", got)
	}
}

// turnsAway: who can't pass reads why, and gets a status that scripts understand.
func (s *street) turnsAway() {
	const nobody = "GET /page?x HTTP/1.1\r\nHost: " + wikiHost + "\r\nConnection: close\r\n"
	answer := s.answers(nobody + "Sec-Fetch-Mode: navigate\r\nAccept: text/html\r\n\r\n")
	if to := answer.Header.Get("Location"); answer.StatusCode/100 != 3 || to != wiki+shared.GateEnter+"?to=/page?x" {
		s.Errorf("nobody is led to %q: %s", to, answer.Status)
	}
	answer = s.answers(nobody + "Sec-Fetch-Mode: cors\r\n\r\n")
	if to := answer.Header.Get("Location"); answer.StatusCode != http.StatusUnauthorized || to != "" {
		s.Errorf("a script of nobody's is led to %q: %s", to, answer.Status)
	}

	s.isIn()
	navigation := s.text("GET /", "Connection: close", "Sec-Fetch-Mode: navigate", "Accept: text/html")
	answer = s.answers(navigation)
	page, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusForbidden || !strings.Contains(string(page), "You can&#39;t use Wiki with your account.") {
		s.Errorf("outside of the group bob reads %s %s", answer.Status, page)
	}
	if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") {
		s.Errorf("the policy of that page is %q", policy)
	}

	s.isIn("staff")
	s.away()
	answer = s.answers(navigation)
	if answer.StatusCode < 500 {
		s.Errorf("without Keypeg the answer is %s", answer.Status)
	}
	if got := s.took(); len(got) > 0 {
		s.Errorf("the program got %v", got)
	}
}

// TestExamine: what keypeg doctor asks finds nothing at the proxies of the manual, and finds what is wrong with others.
func TestExamine(t *testing.T) {
	examine := func(s *street) error {
		client := &http.Client{Transport: s.transport(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		gates := []forwardauth.Gate{{Name: "wiki", Host: wikiHost, Secure: true}, {Name: "open", Host: otherHost, Secure: true}}
		_, port, _ := net.SplitHostPort(s.keypeg)
		return forwardauth.Examine(s.Context(), client, gates[0], "http://localhost:"+port, gates)
	}
	for name, proxy := range proxies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStreet(t, proxy)
			if err := examine(s); err != nil {
				t.Error(err)
			}
			if got := s.took(); len(got) > 0 {
				t.Errorf("the program got %v", got)
			}
		})
	}
	for i, row := range []struct{ proxy, line, with, says string }{
		{"nginx", "auth_request /.keypeg/check;", "", "is answered 200, and not led to the sign-in"},
		{"nginx", "$scheme://$server_name$request_uri", "$scheme://$http_host$request_uri", "asks about a host that its client names"},
		{"nginx", "127.0.0.1:8080/gate/nginx", "127.0.0.1:8080/gate/forward", "the check of the proxy is refused"},
		{"nginx", "127.0.0.1:8080/gate/nginx", "127.0.0.1:1/gate/nginx", "the proxy answers 500, so its check fails"},
		{"nginx", "wiki.example.com;\n", "wiki.example.net;\n", "the check of the proxy is refused"},
		{"caddy", "handle /.keypeg/* {", "handle /keypeg/* {", "doesn't lead to http://localhost"},
	} {
		t.Run(fmt.Sprint(row.proxy, i), func(t *testing.T) {
			t.Parallel()
			s := &street{mistake: row.line, with: row.with}
			s.opens(t, proxies[row.proxy])
			if err := examine(s); err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("without %q: got %v, want %q", row.line, err, row.says)
			}
		})
	}
}
