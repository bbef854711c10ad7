package tenant_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/shared"
)

// gatesOf gives each tenant a protected host.
func gatesOf(t tenant.Tenant) []forwardauth.Gate {
	return []forwardauth.Gate{{Name: "wiki", Title: "Wiki", Host: "wiki." + t.Name + ".example", Secure: true}}
}

// sends makes a request to a host, with the headers and the cookies of a browser's navigation.
func (s *testRouter) sends(host, target string, cookies []*http.Cookie, headers ...string) *http.Response {
	r := httptest.NewRequest("GET", target, nil)
	r.Host = host
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

// asks is the check of a proxy that names a host of its own choice.
func (s *testRouter) asks(named, about string, cookies []*http.Cookie) *http.Response {
	return s.sends(named, shared.GateForward, cookies, "X-Forwarded-Proto", "https", "X-Forwarded-Host", about, "X-Forwarded-Uri", "/page")
}

// TestGatesOfTenants tries to cross from the gate of one tenant to that of another. The gates have the same name.
func TestGatesOfTenants(t *testing.T) {
	s := newTestRouter(t)
	s.adds("acme")
	s.adds("beta")
	s.expects("acme.localhost:8080", "/static/name", 200, "acme")
	session := []*http.Cookie{{Name: "keypeg", Value: s.signsIn("acme")}}

	entered := s.sends("wiki.acme.example", shared.GateEnter+"?to=/page", nil)
	at, err := url.Parse(entered.Header.Get("Location"))
	if err != nil || at.Host != "acme.localhost:8080" {
		t.Fatalf("enter leads to %v", at)
	}
	authorized := s.sends(at.Host, at.RequestURI(), session)
	arrive, err := url.Parse(authorized.Header.Get("Location"))
	if err != nil || arrive.Host != "wiki.acme.example" {
		t.Fatalf("authorize leads to %v: %d", arrive, authorized.StatusCode)
	}
	crossed := s.sends("wiki.beta.example", arrive.RequestURI(), entered.Cookies()) // which may begin there anew
	if got := s.asks("wiki.beta.example", "wiki.beta.example", append(crossed.Cookies(), entered.Cookies()...)); got.StatusCode != 302 || got.Header.Get("Remote-User") != "" || !strings.HasPrefix(crossed.Header.Get("Location"), "https://wiki.beta.example"+shared.GateEnter) {
		t.Errorf("with a code of one tenant, the gate of another leads to %s, and then answers %d for %q", crossed.Header.Get("Location"), got.StatusCode, got.Header.Get("Remote-User"))
	}
	arrived := s.sends(arrive.Host, arrive.RequestURI(), entered.Cookies())
	if got := arrived.Header.Get("Location"); got != "https://wiki.acme.example/page" {
		t.Fatalf("arrive leads to %q: %d", got, arrived.StatusCode)
	}

	for _, row := range []struct {
		named, about string
		want         int
		leads        string
	}{
		{"wiki.acme.example", "wiki.acme.example", 200, ""},
		{"127.0.0.1:8080", "wiki.acme.example", 200, ""},
		{"beta.localhost:8080", "wiki.acme.example", 200, ""},
		{"wiki.acme.example", "wiki.beta.example", 302, "https://wiki.beta.example" + shared.GateEnter},
		{"acme.localhost:8080", "wiki.beta.example", 302, "https://wiki.beta.example" + shared.GateEnter},
		{"wiki.acme.example", "wiki.nobody.example", 403, ""},
		{"wiki.acme.example", "acme.localhost:8080", 403, ""},
		{"wiki.acme.example", "", 403, ""},
	} {
		got := s.asks(row.named, row.about, arrived.Cookies())
		if got.StatusCode != row.want || !strings.HasPrefix(got.Header.Get("Location"), row.leads) {
			t.Errorf("asked at %s about %s: %d %q, want %d %s", row.named, row.about, got.StatusCode, got.Header.Get("Location"), row.want, row.leads)
		}
		if user := got.Header.Get("Remote-User"); (user != "") != (row.want == 200) {
			t.Errorf("asked at %s about %s: the user is %q", row.named, row.about, user)
		}
	}

	if err := s.SetSuspended(t.Context(), "acme", true); err != nil {
		t.Fatal(err)
	}
	if got := s.asks("127.0.0.1:8080", "wiki.acme.example", arrived.Cookies()); got.StatusCode != 403 {
		t.Errorf("of a suspended tenant: %d, want 403", got.StatusCode)
	}
	if got := s.asks("127.0.0.1:8080", "wiki.beta.example", nil); got.StatusCode != 302 {
		t.Errorf("of the other one: %d, want 302", got.StatusCode)
	}
}
