package metrics

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRebinding: a page of a stranger, whose name leads to this machine now, reads nothing.
func TestRebinding(t *testing.T) {
	for _, test := range []struct {
		listen, host string
		want         int
	}{
		{"localhost:9464", "localhost:9464", 200},
		{"localhost:9464", "127.0.0.1:9464", 200},
		{"[::]:9464", "[2001:db8::1]:9464", 200},
		{":9464", "10.0.0.11:9464", 200},
		{":9464", "keypeg:9464", 200}, // of a network of containers
		{"keypeg.example.com:9464", "Keypeg.example.com.:9464", 200},
		{"unix:/run/keypeg/metrics", "keypeg", 200},
		{":9464", "", 200}, // HTTP/1.0, which no browser speaks
		{"localhost:9464", "evil.example:9464", 421},
		{":9464", "127.0.0.1.evil.example:9464", 421},
		{":9464", "localhost.evil.example", 421},
		{"keypeg.example.com:9464", "keypeg.example.com.evil.example:9464", 421},
	} {
		for _, path := range []string{PathMetrics, "/debug/pprof/", "/healthz"} {
			r := httptest.NewRequest("GET", path, nil)
			r.Host = test.host
			w := httptest.NewRecorder()
			New("").Handler(test.listen, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
			if w.Code != test.want || (test.want == 421) != strings.Contains(w.Body.String(), "name this host in --metrics") {
				t.Errorf("%s asked for as %q, at %q: %d %.80q, want %d", path, test.host, test.listen, w.Code, w.Body, test.want)
			}
		}
	}
}
