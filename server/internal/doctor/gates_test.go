package doctor

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/shared"
)

// TestGates looks at protected hosts at the address where the public URLs are looked for. Package forwardauth tries the
// real proxies.
func TestGates(t *testing.T) {
	asks := true
	var origin string
	proxy := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == shared.GateEnter:
			http.Redirect(w, r, "https://id.example.com"+shared.PageGate+"?bound=x", http.StatusSeeOther)
		case asks:
			http.Redirect(w, r, origin+shared.GateEnter+"?to=/", http.StatusFound)
		}
	}))
	t.Cleanup(proxy.Close)
	_, port, _ := net.SplitHostPort(proxy.Listener.Addr().String())
	g := forwardauth.Gate{Name: "wiki", Host: "wiki.example.com:" + port, Secure: true}
	origin = g.Origin()
	v := &visit{Patient: Patient{Resolve: netip.MustParseAddr("127.0.0.1")}, address: server.Address{Origin: "https://id.example.com"}, organisation: installation.Organisation{Gates: []forwardauth.Gate{g}}}
	checks := v.ofGates()
	if len(checks) != 1 || checks[0].Name != "gate wiki" {
		t.Fatalf("the checks are %+v", checks)
	}
	if r := checks[0].Run(t.Context()); r.State != OK || !strings.Contains(r.Compared, "from those who are signed in can't be seen from here") {
		t.Errorf("a proxy that asks: %+v", r)
	}
	asks = false
	if r := checks[0].Run(t.Context()); r.State != Failed || !strings.Contains(r.Compared, "is answered 200, and not led to the sign-in") || len(r.Mend) == 0 {
		t.Errorf("a proxy that doesn't: %+v", r)
	}
	proxy.Close()
	if r := checks[0].Run(t.Context()); r.State != Warning || !strings.Contains(r.Compared, "doesn't answer this machine") {
		t.Errorf("no proxy: %+v", r)
	}
}

// TestGateBelowLocalhost: the manual's way to try a gate on one machine needs no resolver that knows the name.
func TestGateBelowLocalhost(t *testing.T) {
	var origin string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == shared.GateEnter {
			http.Redirect(w, r, "http://localhost:8080"+shared.PageGate+"?bound=x", http.StatusSeeOther)
			return
		}
		http.Redirect(w, r, origin+shared.GateEnter+"?to=/", http.StatusFound)
	}))
	t.Cleanup(proxy.Close)
	_, port, _ := net.SplitHostPort(proxy.Listener.Addr().String())
	g := forwardauth.Gate{Name: "wiki", Host: "wiki.localhost:" + port}
	origin = g.Origin()
	v := &visit{address: server.Address{Origin: "http://localhost:8080"}, organisation: installation.Organisation{Gates: []forwardauth.Gate{g}}}
	if r := v.ofGates()[0].Run(t.Context()); r.State != OK {
		t.Errorf("a proxy on this machine: %+v", r)
	}
}
