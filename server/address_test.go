package server_test

import (
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server"
)

func TestParseAddress(t *testing.T) {
	for _, test := range []struct {
		url, rpID    string
		origin, want string // the origin and the relying party id
	}{
		{"http://localhost:8080", "", "http://localhost:8080", "localhost"},
		{"http://localhost", "", "http://localhost", "localhost"},
		{"http://acme.localhost:8080", "", "http://acme.localhost:8080", "acme.localhost"},
		{"https://id.example.com", "", "https://id.example.com", "id.example.com"},
		{"https://ID.Example.com:443/", "", "https://id.example.com", "id.example.com"},
		{"https://id.example.com:8443", "example.com", "https://id.example.com:8443", "example.com"},
		{"https://id.example.co.uk", "example.co.uk", "https://id.example.co.uk", "example.co.uk"},
		{"https://intranet", "", "https://intranet", "intranet"},
	} {
		got, err := server.ParseAddress(test.url, test.rpID, true)
		if err != nil || got.Origin != test.origin || got.RPID != test.want {
			t.Errorf("%s with %q: got %+v (%v), want %s and %s", test.url, test.rpID, got, err, test.origin, test.want)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for _, test := range []struct{ url, rpID, says string }{
		{"", "", "https://id.example.com"},
		{"id.example.com", "", "https://id.example.com"},
		{"ftp://id.example.com", "", "https://id.example.com"},
		{"https://id.example.com/keypeg", "", "write https://id.example.com"},
		{"https://ann@id.example.com", "", "write https://id.example.com"},
		{"https://id.example.com?x", "", "write https://id.example.com"},
		{"http://id.example.com", "", "write https://id.example.com"},
		{"http://127.0.0.1:8080", "", "http://localhost:8080"},
		{"https://192.168.1.10", "", "write a host name"},
		{"https://[::1]:8080", "", "write a host name"},
		{"https://id.example.com", "example.org", `write "id.example.com"`},
		{"https://id.example.com", "d.example.com", `write "id.example.com"`},
		{"https://id.example.com", "com", `write "id.example.com"`},
		{"https://id.example.co.uk", "co.uk", `write "id.example.co.uk"`},
		{"http://localhost:8080", "example.com", `write "localhost"`},
		{"http://acme.localhost:8080", "localhost", `write "acme.localhost"`},
		{"http://notlocalhost", "", "write https://notlocalhost"},
	} {
		_, err := server.ParseAddress(test.url, test.rpID, true)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s with %q: got %v, want a sentence that says %s", test.url, test.rpID, err, test.says)
		}
	}
}
