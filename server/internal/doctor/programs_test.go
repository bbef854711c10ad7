package doctor

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/openid"
)

func TestPrograms(t *testing.T) {
	program := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/callback":
			http.Error(w, "there is no code", http.StatusBadRequest)
		case "/elsewhere":
			http.Redirect(w, r, "https://nothing.invalid/", http.StatusFound)
		case "/dead":
			w.WriteHeader(http.StatusBadGateway)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(program.Close)
	trusted := http.DefaultTransport
	http.DefaultTransport = program.Client().Transport
	t.Cleanup(func() { http.DefaultTransport = trusted })

	visits := func(stored []openid.Client, configured ...openid.Client) Result {
		v := &visit{organisation: installation.Organisation{Clients: configured}, examined: &installation.Examined{}}
		for _, c := range stored {
			v.examined.Clients = append(v.examined.Clients, control.RegisteredClient{ID: c.ID, Client: c})
		}
		return v.programs(t.Context())
	}
	at := func(id string, addresses ...string) openid.Client {
		c := openid.Client{ID: id}
		for _, address := range addresses {
			c.Redirects = append(c.Redirects, strings.Replace(address, "PROGRAM", program.URL, 1))
		}
		return c
	}
	good := at("good", "PROGRAM/callback", "PROGRAM/elsewhere", "com.example.app:/cb", "http://localhost/cb")
	if r := visits(nil); r.State != "" {
		t.Errorf("without programs: %+v", r)
	}
	if r := visits([]openid.Client{good}); r.State != OK || r.Compared != "1 are registered, and each of 2 addresses is there" {
		t.Errorf("a program that is there: %+v", r)
	}
	told := at("told", "PROGRAM/callback")
	told.BackChannel = "https://127.0.0.1:1/out"
	for _, row := range []struct {
		says   string
		client openid.Client
	}{
		{"/other isn't there: it answers with status 404", at("moved", "PROGRAM/other")},
		{"/dead has no program behind its proxy: it answers with status 502", at("dead", "PROGRAM/dead")},
		{"https://127.0.0.1:1/ doesn't answer this machine: the connection is refused", at("away", "https://127.0.0.1:1/")},
		{"https://127.0.0.1:1/out doesn't answer this machine, so the program isn't told of ended sessions", told},
	} {
		r := visits([]openid.Client{good}, row.client)
		if r.State != Warning || !strings.HasPrefix(r.Compared, "of "+row.client.ID+", ") || !strings.Contains(r.Compared, row.says) {
			t.Errorf("%s: %+v, want %q", row.client.ID, r, row.says)
		}
	}
	if r := visits([]openid.Client{good}, good); r.State != Warning || !strings.Contains(r.Compared, "good was added with keypeg client add too") {
		t.Errorf("one that is hidden: %+v", r)
	}
	var seen atomic.Int32
	inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) }))
	t.Cleanup(inside.Close)
	tenants := openid.Client{ID: "tenants", Redirects: []string{inside.URL + "/admin"}, BackChannel: inside.URL + "/out"}
	for _, hosted := range []bool{false, true} {
		seen.Store(0)
		v := &visit{Patient: Patient{hosted: hosted}, examined: &installation.Examined{}}
		v.examined.Clients = []control.RegisteredClient{{ID: tenants.ID, Client: tenants}}
		r := v.programs(t.Context())
		if hosted && (seen.Load() > 0 || r.State != OK || r.Compared != "1 are registered") {
			t.Errorf("a tenant has us open %d addresses: %+v", seen.Load(), r)
		}
		if !hosted && seen.Load() != 2 {
			t.Errorf("for IT, %d addresses are opened", seen.Load())
		}
	}

	var many []openid.Client
	for range 9 {
		many = append(many, at("moved", "PROGRAM/other"))
	}
	if r := visits(nil, many...); strings.Count(r.Compared, "isn't there") != 5 || !strings.HasSuffix(r.Compared, "; and 4 more") {
		t.Errorf("many: %+v", r)
	}
}
