package server_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server"
)

const (
	label63 = "a23456789-b23456789-c23456789-d23456789-e23456789-f23456789-g23"
	name253 = label63 + "." + label63 + "." + label63 + ".a23456789-b23456789-c23456789-d23456789-e23456789-f23456789-g"
)

func TestParseAddress(t *testing.T) {
	t.Run("an address becomes what browsers send", func(t *testing.T) {
		for _, test := range []struct{ url, origin string }{
			{"https://id.example.com", "https://id.example.com"},
			{"https://ID.Example.com:443/", "https://id.example.com"},
			{"HTTPS://id.example.com", "https://id.example.com"},
			{"https://id.example.com.", "https://id.example.com"},
			{"https://id.example.com.:443/", "https://id.example.com"},
			{"https://id.example.com:", "https://id.example.com"},
			{"https://id.example.com:0443", "https://id.example.com"},
			{"https://id.example.com:8443", "https://id.example.com:8443"},
			{"https://id.example.com:80", "https://id.example.com:80"},
			{"https://id.example.com//", "https://id.example.com"},
			{" https://id.example.com\n", "https://id.example.com"},
			{"\u00a0https://id.example.com\u200b", "https://id.example.com"},
			{"https://bücher.example", "https://xn--bcher-kva.example"},
			{"https://BÜCHER.example", "https://xn--bcher-kva.example"},
			{"https://bu\u0308cher.example", "https://xn--bcher-kva.example"},
			{"https://b%C3%BCcher.example", "https://xn--bcher-kva.example"},
			{"https://XN--BCHER-KVA.example.", "https://xn--bcher-kva.example"},
			{"https://straße.example", "https://xn--strae-oqa.example"},
			{"https://id。example。com", "https://id.example.com"},
			{"https://ｉｄ.example.com", "https://id.example.com"},
			{"https://例え.テスト", "https://xn--r8jz45g.xn--zckzah"},
			{"https://a\u200bb.example.com", "https://ab.example.com"},
			{"https://1id.example.com", "https://1id.example.com"},
			{"https://ann.github.io", "https://ann.github.io"},
			{"https://r3---sn.example.com", "https://r3---sn.example.com"},
			{"https://" + label63 + ".example", "https://" + label63 + ".example"},
			{"https://" + name253, "https://" + name253},
			{"https://intranet", "https://intranet"},
			{"https://Intranet.:8443", "https://intranet:8443"},
			{"https://corp.internal", "https://corp.internal"},
			{"http://localhost", "http://localhost"},
			{"http://LOCALHOST.:8080", "http://localhost:8080"},
			{"http://localhost:80", "http://localhost"},
			{"https://localhost", "https://localhost"},
			{"http://acme.localhost:8080", "http://acme.localhost:8080"},
		} {
			got, err := server.ParseAddress(test.url, "", true)
			_, host, _ := strings.Cut(test.origin, "://")
			name, _, _ := strings.Cut(host, ":")
			if want := (server.Address{Origin: test.origin, Host: host, RPID: name, Secure: strings.HasPrefix(test.origin, "https")}); err != nil || got != want {
				t.Errorf("%q: got %+v (%v), want %+v", test.url, got, err, want)
			}
		}
	})
	t.Run("without passkeys it may be an IP address", func(t *testing.T) {
		for url, origin := range map[string]string{
			"https://10.0.0.1":               "https://10.0.0.1",
			"https://10.0.0.1.:443":          "https://10.0.0.1",
			"https://[2001:DB8:0:0::1]:8443": "https://[2001:db8::1]:8443",
			"https://[::ffff:192.0.2.1]":     "https://[::ffff:c000:201]",
			"https://010.0.0.1":              "",
			"https://id":                     "https://id",
			"http://10.0.0.1":                "",
		} {
			if got, err := server.ParseAddress(url, "", false); got.Origin != origin || (err == nil) != (origin != "") {
				t.Errorf("%s: got %+v (%v), want %q", url, got, err, origin)
			}
		}
	})
}

func TestParseAddressRefuses(t *testing.T) {
	for _, test := range []struct{ url, says, write string }{
		{"", "there is no public URL", "the address that people use, such as https://id.example.com"},
		{" \t", "there is no public URL", "the address that people use, such as https://id.example.com"},
		{"id.example.com", "doesn't begin with https://", "https://id.example.com"},
		{"id.example.com:8443", "doesn't begin with https://", "https://id.example.com:8443"},
		{"Bücher.example/", "doesn't begin with https://", "https://xn--bcher-kva.example"},
		{"localhost:8080", "doesn't begin with https://", "http://localhost:8080"},
		{"//id.example.com", "doesn't begin with https://", "https://id.example.com"},
		{"https:id.example.com", "doesn't begin with https://", "https://id.example.com"},
		{"https:/id.example.com", "doesn't begin with https://", "https://id.example.com"},
		{"https//id.example.com", "doesn't begin with https://", "https://id.example.com"},
		{"ftp://id.example.com", "doesn't begin with https://", "https://id.example.com"},
		{"wss://id.example.com:8443", "doesn't begin with https://", "https://id.example.com:8443"},
		{`"https://id.example.com"`, "doesn't begin with https://", "https://id.example.com"},
		{"https://https://id.example.com", "two schemes", "https://id.example.com"},
		{"https://http://id.example.com", "two schemes", "https://id.example.com"},
		{"http://https//id.example.com:8443", "two schemes", "https://id.example.com:8443"},
		{"https://", "has no host", "another one, such as https://id.example.com"},
		{"https://:8443", "has no host", "another one, such as https://id.example.com"},
		{"https://id.example.com/keypeg", "must end after the host", "https://id.example.com"},
		{`https://id.example.com\keypeg`, "must end after the host", "https://id.example.com"},
		{"https://ID.example.com:443?x", "must end after the host", "https://id.example.com"},
		{"https://id.example.com/?code=s3cret", "must end after the host", "https://id.example.com"},
		{"https://id.example.com#x", "must end after the host", "https://id.example.com"},
		{"http://id.example.com:80/x", "must end after the host", "https://id.example.com"},
		{"https://ann@id.example.com", "must not have a user or a password", "https://id.example.com"},
		{"https://ann:s3cret@id.example.com/x", "must not have a user or a password", "https://id.example.com"},
		{"http://id.example.com", "isn't safe without https", "https://id.example.com"},
		{"http://ID.example.com.:80", "isn't safe without https", "https://id.example.com"},
		{"http://intranet:8080", "isn't safe without https", "https://intranet:8080"},
		{"http://notlocalhost", "isn't safe without https", "https://notlocalhost"},
		{"http://localhost.example.com", "isn't safe without https", "https://localhost.example.com"},
		{"https://my_id.example.com", "underscore", "https://my-id.example.com"},
		{"http://my_id.example.com:8443", "underscore", "https://my-id.example.com:8443"},
		{"https://*.example.com", "wildcard", "https://id.example.com"},
		{"https://id..example.com", "dots with nothing between", "https://id.example.com"},
		{"https://.example.com", "dots with nothing between", "https://example.com"},
		{"https://id.example.com..", "dots with nothing between", "https://id.example.com"},
		{"https://-id.example.com", "a dash beside a dot", "https://id.example.com"},
		{"https://id.example-.com", "a dash beside a dot", "https://id.example.com"},
		{"https://id.exam ple.com", "has a blank", "https://id.example.com"},
		{"https://id.exam%20ple.com", "has a blank", "https://id.example.com"},
		{"https://id.example.com,", "letters that hosts can't have", "https://id.example.com"},
		{"https://id!.example.com", "letters that hosts can't have", "another one, such as https://id.example.com"},
		{"https://${HOST}", "letters that hosts can't have", "another one, such as https://id.example.com"},
		{"https://xn--a.example", "letters that hosts can't have", "another one, such as https://id.example.com"},
		{"https://" + label63 + "x.example", "more than 63 letters", "another one, such as https://id.example.com"},
		{"https://" + name253 + "x", "more than 253 letters", "another one, such as https://id.example.com"},
		{"https://" + strings.Repeat("a.", 1000), "too long", "another one, such as https://id.example.com"},
		{"https://id.example.com:0", "from 1 to 65535", "https://id.example.com"},
		{"https://id.example.com:99999", "from 1 to 65535", "https://id.example.com"},
		{"https://id.example.com:-1", "from 1 to 65535", "https://id.example.com"},
		{"https://id.example.com:https", "from 1 to 65535", "https://id.example.com"},
		{"https://id.example.com:6000", "browsers never open", "https://id.example.com"},
		{"https://com", "other people's domains lie under com", "the name of a host of yours, such as https://id.example.com"},
		{"https://CO.uk.", "other people's domains lie under co.uk", "the name of a host of yours, such as https://id.example.com"},
		{"https://10.0.0.1", "the IP address 10.0.0.1", "a host name, such as https://id.example.com"},
		{"https://[::1]:8080", "the IP address [::1]", "a host name, such as https://id.example.com"},
		{"http://127.0.0.1:8080", "the IP address 127.0.0.1", "a host name, such as https://id.example.com, or http://localhost:8080"},
		{"https://10.1", "browsers take it for an IP address", "another one, such as https://id.example.com"},
		{"https://2130706433", "browsers take it for an IP address", "another one, such as https://id.example.com"},
		{"https://[fe80::1%25eth0]", "letters that hosts can't have", "another one, such as https://id.example.com"},
		{"https://0x7f.0x1", "browsers take it for an IP address", "another one, such as https://id.example.com"},
		{"https://id.example.1", "browsers take it for an IP address", "another one, such as https://id.example.com"},
	} {
		_, err := server.ParseAddress(test.url, "", true)
		if err == nil || !strings.Contains(err.Error(), test.says) || !mends(err, test.write) {
			t.Errorf("%q: got %v, want a sentence that says %q, and to write %s", test.url, err, test.says, test.write)
			continue
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: the password is repeated: %v", test.url, err)
		}
		if strings.HasPrefix(test.write, "http") {
			if got, err := server.ParseAddress(test.write, "", true); err != nil || got.Origin != test.write {
				t.Errorf("%s is what to write, and becomes %+v (%v)", test.write, got, err)
			}
		}
	}
}

// mends reports whether a sentence says to write exactly this.
func mends(err error, what string) bool {
	_, write, _ := strings.Cut(err.Error(), "write ")
	return write == what || strings.HasPrefix(write, what+" ") || strings.HasPrefix(write, what+",")
}

func TestRPID(t *testing.T) {
	t.Run("it is the host, or a domain above it", func(t *testing.T) {
		for _, test := range []struct{ url, written, want string }{
			{"https://id.example.com", "", "id.example.com"},
			{"https://id.example.com", "id.example.com", "id.example.com"},
			{"https://id.example.com:8443", " Example.COM. ", "example.com"},
			{"https://id.example.co.uk", "example.co.uk", "example.co.uk"},
			{"https://id.bücher.example", "Bücher.example", "xn--bcher-kva.example"},
			{"https://id.xn--bcher-kva.example", "bücher.example", "xn--bcher-kva.example"},
			{"https://id.acme.github.io", "acme.github.io", "acme.github.io"},
			{"https://intranet", "INTRANET", "intranet"},
			{"https://id.corp.internal", "corp.internal", "corp.internal"},
			{"http://localhost:8080", "localhost", "localhost"},
			{"http://id.acme.localhost", "acme.localhost", "acme.localhost"},
		} {
			if got, err := server.ParseAddress(test.url, test.written, true); err != nil || got.RPID != test.want {
				t.Errorf("%s with %q: got %q (%v), want %q", test.url, test.written, got.RPID, err, test.want)
			}
		}
	})
	t.Run("a host that browsers refuse is refused with what to write", func(t *testing.T) {
		for _, test := range []struct{ url, written, says, write string }{
			{"https://id.example.com", "https://example.com", "must be a domain alone", "example.com"},
			{"https://id.example.com", "example.com:443", "must be a domain alone", "example.com"},
			{"https://id.example.com", "example.com/", "must be a domain alone", "example.com"},
			{"https://id.example.com", "ann@example.com", "must be a domain alone", "example.com"},
			{"https://acme.github.io", "https://github.io", "must be a domain alone", "acme.github.io"},
			{"https://id.example.com", "*.example.com", "wildcard", "id.example.com"},
			{"https://id.example.com", ".example.com", "dots with nothing between", "example.com"},
			{"https://id.example.com", "exam ple.com", "has a blank", "example.com"},
			{"https://id.example.com", "example.org", "doesn't belong to", "id.example.com"},
			{"https://id.example.com", "d.example.com", "doesn't belong to", "id.example.com"},
			{"https://example.com", "id.example.com", "doesn't belong to", "example.com"},
			{"https://id.example.com", "10.0.0.1", "doesn't belong to", "id.example.com"},
			{"http://localhost:8080", "example.com", "doesn't belong to", "localhost"},
			{"https://id.example.com", "com", "shared by unrelated sites", "id.example.com"},
			{"https://id.example.co.uk", "CO.UK.", "shared by unrelated sites", "id.example.co.uk"},
			{"https://acme.github.io", "github.io", "shared by unrelated sites", "acme.github.io"},
			{"https://acme.appspot.com", "appspot.com", "shared by unrelated sites", "acme.appspot.com"},
			{"https://id.acme.kobe.jp", "kobe.jp", "shared by unrelated sites", "id.acme.kobe.jp"},
			{"https://x.s3.amazonaws.com", "s3.amazonaws.com", "shared by unrelated sites", "x.s3.amazonaws.com"},
			{"http://acme.localhost:8080", "localhost", "shared by unrelated sites", "acme.localhost"},
			{"https://login.intranet", "intranet", "shared by unrelated sites", "login.intranet"},
		} {
			_, err := server.ParseAddress(test.url, test.written, true)
			if err == nil || !strings.Contains(err.Error(), test.says) || !mends(err, `"`+test.write+`"`) {
				t.Errorf("%s with %q: got %v, want a sentence that says %q, and to write %q", test.url, test.written, err, test.says, test.write)
			} else if _, err := server.ParseAddress(test.url, test.write, true); err != nil {
				t.Errorf("%s with %q, as the sentence says: %v", test.url, test.write, err)
			}
		}
	})
}

func TestIsOrigin(t *testing.T) {
	address, err := server.ParseAddress("https://id.example.com", "", true)
	if err != nil {
		t.Fatal(err)
	}
	for origin, want := range map[string]bool{
		"https://id.example.com": true, "HTTPS://id.example.com.": true, "https://id.example.com:443": true,
		"http://id.example.com": false, "http://id.example.com:443": false, "id.example.com": false, "null": false, "": false,
		"https://id.example.com/": false, "https://id.example.com@evil.test": false, "https://evil.test#id.example.com": false, "https://https://id.example.com": false,
	} {
		if got := address.IsOrigin(origin); got != want {
			t.Errorf("%q: got %t, want %t", origin, got, want)
		}
	}
}

func TestIsHost(t *testing.T) {
	for url, hosts := range map[string]struct{ equal, others []string }{
		"https://id.example.com": {
			[]string{"id.example.com", "ID.Example.COM", "id.example.com:443", "id.example.com.", "Id.Example.Com.:443", "id.example.com:", "id.example.com:0443", "id.example.com.:00443"},
			[]string{"", "example.com", "id.example.com:80", "id.example.com:8443", "id.example.com..", "x.id.example.com", "id.example.com.evil.test", "id.example.com@evil.test", "id.example.com/", "10.0.0.1", ":443", strings.Repeat("a", 10_000)},
		},
		"https://id.example.com:8443": {
			[]string{"id.example.com:08443", "ID.example.com:8443", "id.example.com.:8443"},
			[]string{"id.example.com", "id.example.com:443"},
		},
		"http://localhost": {
			[]string{"localhost", "localhost:80", "LOCALHOST."},
			[]string{"localhost:443", "127.0.0.1", "[::1]", "a.localhost"},
		},
		"https://bücher.example": {
			[]string{"xn--bcher-kva.example", "XN--BCHER-KVA.example:443", "bücher.example", "BÜCHER.example."},
			[]string{"bucher.example", "buecher.example"},
		},
		"https://[2001:db8::1]": {
			[]string{"[2001:db8::1]", "[2001:DB8:0::1]:443"},
			[]string{"[2001:db8::2]", "[2001:db8::1]:8443", "[2001:db8::1"},
		},
	} {
		address, err := server.ParseAddress(url, "", false)
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range slices.Concat(hosts.equal, hosts.others) {
			if got, want := address.IsHost(host), slices.Contains(hosts.equal, host); got != want {
				t.Errorf("%s is at %q: got %t, want %t", url, host, got, want)
			}
			if got, want := address.IsOrigin(strings.SplitAfter(url, "://")[0]+host), slices.Contains(hosts.equal, host); got != want {
				t.Errorf("%s is the origin with %q: got %t, want %t", url, host, got, want)
			}
		}
	}
}
