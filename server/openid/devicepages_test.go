package openid_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/shared"
)

// televised is what a device gets first (RFC 8628, 3.2).
type televised struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	Complete   string `json:"verification_uri_complete"`
}

// asks begins the flow on a device.
func (s *scene) asks(scope string) (got televised) {
	s.Helper()
	a := s.browser().sends("POST", openid.PathDevice, asForm, url.Values{"scope": {scope}}.Encode(), func(r *http.Request) { r.SetBasicAuth("grafana", secret) })
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || got.UserCode == "" {
		s.Fatalf("got %s", a)
	}
	return got
}

// polls asks for the tokens of a device, in its own time.
func (s *scene) polls(d televised) (int, tokens) {
	s.Helper()
	s.passes(6 * time.Second)
	return s.program(openid.PathToken, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {d.DeviceCode}})
}

// TestDevicePages: a user types the code of a device, reads for what it is, and decides.
func TestDevicePages(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		ann := s.user("ann")
		s.Run("the code is taken as people type it, and what it is for is said", func(t *testing.T) {
			device := s.asks("openid profile email")
			if status, got := s.polls(device); status != 400 || got.Error != "authorization_pending" {
				t.Errorf("before anybody has decided: %d %+v", status, got)
			}
			typed := strings.ToLower(strings.ReplaceAll(device.UserCode, "-", " "))
			page := ann.submits(shared.PageDevice, url.Values{"code": {typed}})
			for _, said := range []string{device.UserCode, "Sign in to <bdi>Grafana</bdi> as <bdi>Ann Miller</bdi>", "Only go on if you see this code", "grafana.example.com", "Your name, "} {
				if !strings.Contains(page.body, said) {
					t.Errorf("the page doesn't say %q: %s", said, page.body)
				}
			}
			done := ann.submits(shared.PageDeviceAnswer, url.Values{"request": {ann.field(page)}, "answer": {"allow"}})
			if done.status != 200 || !strings.Contains(done.body, "You can go back to your device") || !strings.Contains(done.body, "Grafana") {
				t.Errorf("got %s", done)
			}
			if status, got := s.polls(device); status != 200 || got.AccessToken == "" {
				t.Errorf("the device gets %d %+v", status, got)
			}
		})
		s.Run("a device whose link was opened asks at once, and can be refused", func(t *testing.T) {
			device := s.asks("openid")
			page := ann.gets(device.Complete)
			done := ann.submits(shared.PageDeviceAnswer, url.Values{"request": {ann.field(page)}, "answer": {"cancel"}})
			if done.status != 200 || !strings.Contains(done.body, "Nothing was allowed") {
				t.Errorf("got %s", done)
			}
			if status, got := s.polls(device); status != 400 || got.Error != "access_denied" {
				t.Errorf("the device gets %d %+v", status, got)
			}
		})
		s.Run("a code that no device can show is asked for again", func(t *testing.T) {
			for _, typed := range []string{"", "BCDFG", "<script>", strings.Repeat("B", 10), strings.Repeat("B", 10_000)} {
				a := ann.submits(shared.PageDevice, url.Values{"code": {typed}})
				if a.status != 400 || !strings.Contains(a.body, "No device shows this code") || !strings.Contains(a.body, `name="code"`) || strings.Contains(a.body, "<script>") {
					t.Errorf("%.20q: got %s", typed, a)
				}
			}
		})
		s.Run("a code that was mistyped is asked for again", func(t *testing.T) {
			code, noticed, of := strings.ReplaceAll(s.asks("openid").UserCode, "-", ""), 0, 0
			for at := range code {
				for _, letter := range "BCDFGHJKLMNPQRSTVWXZ" {
					if byte(letter) == code[at] {
						continue
					}
					of++
					if a := ann.submits(shared.PageDevice, url.Values{"code": {code[:at] + string(letter) + code[at+1:]}}); a.status == 400 && strings.Contains(a.body, "No device shows this code") {
						noticed++
					}
				}
			}
			if noticed < of-10 { // one in 400 is a code too
				t.Errorf("of %d mistyped codes %d were noticed", of, noticed)
			}
		})
		s.Run("somebody else at the same browser decides", func(t *testing.T) {
			device := s.asks("openid")
			page := ann.gets(device.Complete)
			if !strings.Contains(page.body, "Use another account") {
				t.Errorf("the page doesn't offer it: %s", page.body)
			}
			a := ann.submits(shared.PageOtherAccount, url.Values{"request": {ann.field(page)}})
			to, err := url.Parse(a.header.Get("Location"))
			if err != nil || to.Path != shared.PageSignIn || to.Query().Get("next") != shared.PageDevice+"?code="+device.UserCode || ann.isSignedIn() {
				t.Errorf("it leads to %q: %s", to, a)
			}
			ann.signsIn()
			ann.field(ann.gets(device.Complete))
		})
		s.Run("who isn't signed in does that first, and is back with the code", func(t *testing.T) {
			device := s.asks("openid")
			a := s.browser().gets(device.Complete)
			to, err := url.Parse(a.header.Get("Location"))
			if err != nil || a.status != 303 || to.Path != shared.PageSignIn || to.Query().Get("next") != shared.PageDevice+"?code="+device.UserCode {
				t.Errorf("got %s", a)
			}
			page := s.browser().gets(a.header.Get("Location"))
			if !strings.Contains(page.body, `name="next" value="`+shared.PageDevice+"?code="+device.UserCode) {
				t.Errorf("the sign-in page doesn't lead back: %s", page)
			}
		})
	}, clientOf(t, func(c *openid.Client) { c.Device = true }))
}
