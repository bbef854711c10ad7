package httpapi_test

import (
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/keypeg/keypeg/server/internal/httpapi"
)

// TestClientAddress reads addresses from X-Forwarded-For: those that proxies write, and
// those that clients wrote before them.
func TestClientAddress(t *testing.T) {
	clients := httpapi.NewClients(httpapi.Cookies{}, []netip.Prefix{
		netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("10.0.0.2/32"), netip.MustParsePrefix("::1/128"),
	})
	for _, row := range []struct {
		from      string
		forwarded []string
		want      string
	}{
		{"203.0.113.9:1234", nil, "203.0.113.9"},
		{"[2001:db8::9]:1234", nil, "2001:db8::9"},
		{"[::ffff:203.0.113.9]:1234", nil, "203.0.113.9"},
		{"[fe80::1%eth0]:1234", nil, "fe80::1"},
		{"@", nil, "@"},

		{"203.0.113.9:1", []string{"1.2.3.4"}, "203.0.113.9"}, // nobody's proxy
		{"10.0.0.1:1", []string{"203.0.113.7"}, "203.0.113.7"},
		{"[::ffff:10.0.0.1]:1", []string{"203.0.113.7"}, "203.0.113.7"},
		{"[::1]:1", []string{"203.0.113.7"}, "203.0.113.7"},
		{"10.0.0.1:1", []string{"203.0.113.7:5000"}, "203.0.113.7"},
		{"10.0.0.1:1", []string{"[2001:db8::1]:443"}, "2001:db8::1"},
		{"10.0.0.1:1", []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"10.0.0.1:1", []string{"2001:DB8::0001"}, "2001:db8::1"},
		{"10.0.0.1:1", []string{`"[2001:db8::1]:443"`}, "2001:db8::1"},
		{"10.0.0.1:1", []string{"fe80::1%eth0"}, "fe80::1"},
		{"10.0.0.1:1", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		{"10.0.0.1:1", []string{"  203.0.113.7  "}, "203.0.113.7"},
		{"10.0.0.1:1", []string{"203.0.113.7, "}, "203.0.113.7"},
		{"10.0.0.1:1", []string{"1.2.3.4, 203.0.113.7:5000"}, "203.0.113.7"},
		{"10.0.0.1:1", []string{"1.2.3.4", "203.0.113.7"}, "203.0.113.7"},
		{"10.0.0.1:1", []string{"203.0.113.7, 10.0.0.2"}, "203.0.113.7"},
		{"10.0.0.1:1", []string{"203.0.113.7:99, 10.0.0.2:80"}, "203.0.113.7"},
		{"10.0.0.1:1", []string{"1.2.3.4, 10.0.0.3"}, "10.0.0.3"}, // which is no proxy of ours
		{"10.0.0.1:1", []string{"1.2.3.4, unknown"}, "10.0.0.1"},
		{"10.0.0.1:1", []string{"_hidden"}, "10.0.0.1"},
		{"10.0.0.1:1", []string{"203.0.113.7; DROP TABLE"}, "10.0.0.1"},
		{"10.0.0.1:1", []string{""}, "10.0.0.1"},
		{"10.0.0.1:1", nil, "10.0.0.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = row.from
		for _, line := range row.forwarded {
			r.Header.Add("X-Forwarded-For", line)
		}
		r.Header.Set("Forwarded", "for=6.6.6.6")
		r.Header.Set("X-Real-Ip", "6.6.6.6")
		if got := clients.Address(r); got != row.want {
			t.Errorf("from %s with %q: got %s, want %s", row.from, row.forwarded, got, row.want)
		}
	}
}
