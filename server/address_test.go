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
		{"HTTPS://ID.example.COM:0443/", "", "https://id.example.com", "id.example.com"},
		{" https://id.example.com\n", "", "https://id.example.com", "id.example.com"},
		{"https://id.example.com.", "", "https://id.example.com", "id.example.com"},
		{"https://id.example.com:", "", "https://id.example.com", "id.example.com"},
		{"https://id.example.com:80", "", "https://id.example.com:80", "id.example.com"},
		{"http://localhost:80", "", "http://localhost", "localhost"},
		{"https://bücher.example", "", "https://xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"https://BÜCHER.example.", "", "https://xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"https://b%C3%BCcher.example", "", "https://xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"https://xn--bcher-kva.example", "", "https://xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"https://straße.example", "", "https://xn--strae-oqa.example", "xn--strae-oqa.example"},
		{"https://例え.テスト", "", "https://xn--r8jz45g.xn--zckzah", "xn--r8jz45g.xn--zckzah"},
		{"https://id。example。com", "", "https://id.example.com", "id.example.com"},
		{"https://ab--cd.example.com", "", "https://ab--cd.example.com", "ab--cd.example.com"},
		{"https://a\u200bb.example.com", "", "https://ab.example.com", "ab.example.com"}, // as browsers have it (UTS 46)
		{"https://1id.example.com", "", "https://1id.example.com", "1id.example.com"},
		{"https://id.bücher.example", "bücher.example", "https://id.xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"https://id.example.com", "Example.COM.", "https://id.example.com", "example.com"},
		{"https://id.example.com", " example.com ", "https://id.example.com", "example.com"},
		{"https://id.ann.github.io", "ann.github.io", "https://id.ann.github.io", "ann.github.io"},
		{"https://ann.github.io", "", "https://ann.github.io", "ann.github.io"},
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
		{"https://ann:s3cret@id.example.com", "", "write https://id.example.com"},
		{"https://id.example.com#x", "", "write https://id.example.com"},
		{"https://id.example.com?", "", "write https://id.example.com"},
		{"https:/id.example.com", "", "write it as https://id.example.com"},
		{"https:id.example.com", "", "write it as https://id.example.com"},
		{"https://", "", "write it as https://id.example.com"},
		{"https://id.example.com:x", "", "write it as https://id.example.com"},
		{"https://id.example.com:0", "", "ports are from 1 to 65535: write https://id.example.com"},
		{"https://id.example.com:65536", "", "ports are from 1 to 65535: write https://id.example.com"},
		{"https://my_id.example.com", "", "letters, digits, dashes and dots"},
		{"https://id example.com", "", "write it as https://id.example.com"},
		{"https://id%20example.com", "", "write it as https://id.example.com"},
		{"https://-id.example.com", "", "letters, digits, dashes and dots"},
		{"https://id..example.com", "", "letters, digits, dashes and dots"},
		{"https://id.example.com..", "", "letters, digits, dashes and dots"},
		{"https://.example.com", "", "letters, digits, dashes and dots"},
		{"https://*.example.com", "", "letters, digits, dashes and dots"},
		{"https://xn--a.example.com", "", "letters, digits, dashes and dots"},
		{"https://" + strings.Repeat("a", 64) + ".example.com", "", "letters, digits, dashes and dots"},
		{"https://0x7f.1", "", "and no number"},
		{"https://2130706433", "", "and no number"},
		{"https://127.1", "", "and no number"},
		{"https://[fe80::1%25eth0]", "", "letters, digits, dashes and dots"},
		{"https://com", "", "write a host name below it, such as https://id.com"},
		{"https://co.uk", "", "write a host name below it, such as https://id.co.uk"},
		{"https://ann.github.io", "github.io", `write "ann.github.io" or leave it out`},
		{"https://id.ann.github.io", "github.io", `write "id.ann.github.io" or leave it out`},
		{"https://x.s3.amazonaws.com", "s3.amazonaws.com", `write "x.s3.amazonaws.com"`},
		{"https://id.intranet", "intranet", `write "id.intranet"`},
		{"https://id.example.com", "https://example.com", "a domain alone"},
		{"https://id.example.com", "id.example.com:443", "a domain alone"},
		{"https://id.example.com", "example.com/", "a domain alone"},
		{"https://id.example.com", "*.example.com", "a domain alone"},
		{"https://id.example.com", "127.0.0.1", "a domain alone"},
		{"https://id.example.com", "d.example.com.", `write "id.example.com"`},
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
		if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s with %q: got %v, want a sentence that says %s", test.url, test.rpID, err, test.says)
		}
	}
}

// TestIsHost compares Host headers as hosts are equal.
func TestIsHost(t *testing.T) {
	for url, test := range map[string]struct{ same, other []string }{
		"https://id.example.com": {
			[]string{"id.example.com", "ID.Example.Com", "id.example.com:443", "id.example.com.", "ID.example.com.:443", "id.example.com:"},
			[]string{"", "id.example.com:80", "id.example.com:8443", "example.com", "id.example.com..", "xid.example.com", "id.example.com.evil.example", "id.example.com:443:443", "ann@id.example.com", "[id.example.com"},
		},
		"https://id.example.com:8443": {
			[]string{"id.example.com:8443", "ID.EXAMPLE.COM.:8443"},
			[]string{"id.example.com", "id.example.com:443", "id.example.com:84430"},
		},
		"http://localhost": {
			[]string{"localhost", "LOCALHOST:80", "localhost."},
			[]string{"localhost:443", "localhost:8080", "127.0.0.1"},
		},
		"https://bücher.example": {
			[]string{"xn--bcher-kva.example", "bücher.example", "BÜCHER.example:443", "XN--BCHER-KVA.example."},
			[]string{"bucher.example"},
		},
		"https://[2001:db8::1]": {
			[]string{"[2001:db8::1]", "[2001:DB8:0:0::1]:443", "[2001:0db8::0001]"},
			[]string{"[2001:db8::2]", "[2001:db8::1]:80"},
		},
	} {
		address, err := server.ParseAddress(url, "", false)
		if err != nil {
			t.Fatal(err)
		}
		for _, header := range test.same {
			if !address.IsHost(header) {
				t.Errorf("%s: %q is another host", url, header)
			}
		}
		for _, header := range test.other {
			if address.IsHost(header) {
				t.Errorf("%s: %q is the same host", url, header)
			}
		}
	}
}
