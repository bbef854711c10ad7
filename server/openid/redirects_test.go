package openid_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/openid"
)

func TestRedirectAllowed(t *testing.T) {
	client, err := openid.Client{ID: "app", Redirects: []string{
		"https://app.example/cb",
		"https://app.example/search?in=a%2Fb",
		"https://ported.example:8443/cb",
		"https://default.example:443/cb",
		"https://origin.example",
		"https://[2001:db8::1]/cb",
		"http://127.0.0.1/cb",
		"http://localhost:7000/cb",
		"http://[::1]:1/cb",
		"com.example.app:/cb",
		"com.example.app://host/cb",
	}}.Check()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		claim, uri string
		allowed    bool
	}{
		{"what is registered", "https://app.example/cb", true},
		{"what is registered, with a query", "https://app.example/search?in=a%2Fb", true},
		{"a registered port", "https://ported.example:8443/cb", true},
		{"a registered default port", "https://default.example:443/cb", true},
		{"an IPv6 address", "https://[2001:db8::1]/cb", true},
		{"nothing", "", false},
		{"a longer path", "https://app.example/cb/more", false},
		{"a path that begins alike", "https://app.example/cbx", false},
		{"a shorter path", "https://app.example/c", false},
		{"a slash more", "https://app.example/cb/", false},
		{"a doubled slash", "https://app.example//cb", false},
		{"a query more", "https://app.example/cb?next=https://evil.example", false},
		{"an empty query", "https://app.example/cb?", false},
		{"another order of escapes", "https://app.example/search?in=a%2fb", false},
		{"an unescaped character", "https://app.example/search?in=a/b", false},
		{"an escaped character", "https://app.example/%63b", false},
		{"a fragment", "https://app.example/cb#", false},
		{"a fragment with a text", "https://app.example/cb#x", false},
		{"a step up", "https://app.example/x/../cb", false},
		{"an escaped step up", "https://app.example/x/%2e%2e/cb", false},
		{"a parameter of the path", "https://app.example/cb;x", false},
		{"capital letters in the scheme", "HTTPS://app.example/cb", false},
		{"capital letters in the host", "https://APP.example/cb", false},
		{"capital letters in the path", "https://app.example/CB", false},
		{"plain http", "http://app.example/cb", false},
		{"no scheme", "//app.example/cb", false},
		{"a path only", "/cb", false},
		{"the default port, where none is registered", "https://app.example:443/cb", false},
		{"no port, where one is registered", "https://ported.example/cb", false},
		{"no port, where the default one is registered", "https://default.example/cb", false},
		{"another port", "https://ported.example:8444/cb", false},
		{"an empty port", "https://app.example:/cb", false},
		{"a dot at the end of the host", "https://app.example./cb", false},
		{"a host that ends alike", "https://evilapp.example/cb", false},
		{"a host that begins alike", "https://app.example.evil.example/cb", false},
		{"a host below", "https://sub.app.example/cb", false},
		{"a user name", "https://x@app.example/cb", false},
		{"a user name that looks like the host", "https://app.example@evil.example/cb", false},
		{"a backslash for a slash", `https://app.example\cb`, false},
		{"a backslash before an @", `https://app.example\@evil.example/cb`, false},
		{"a blank at the end", "https://app.example/cb ", false},
		{"a blank at the beginning", " https://app.example/cb", false},
		{"a tab", "https://app.ex\tample/cb", false},
		{"a new line", "https://app.example/cb\n", false},
		{"a new line with a header", "https://app.example/cb\r\nSet-Cookie: x=y", false},
		{"a zero", "https://app.example/cb\x00", false},
		{"a letter that looks alike", "https://аpp.example/cb", false},
		{"an escaped dot in the host", "https://app%2eexample/cb", false},
		{"another form of the IPv6 address", "https://[2001:db8:0::1]/cb", false},

		{"an origin itself", "https://origin.example", true},
		{"an origin's first page", "https://origin.example/", true},
		{"an origin's path and query", "https://origin.example/a/b?c=d", true},
		{"an origin's path that looks like a host", "https://origin.example//evil.example", true},
		{"an origin's path with an @", "https://origin.example/@evil.example", true},
		{"an origin with a fragment", "https://origin.example/a#b", false},
		{"an origin with a port", "https://origin.example:8443/", false},
		{"an origin with its default port", "https://origin.example:443/", false},
		{"an origin, with plain http", "http://origin.example/", false},
		{"a host that begins like an origin", "https://origin.example.evil.example/", false},
		{"a host that begins like an origin, without a dot", "https://origin.examplex/", false},
		{"an origin as a user name", "https://origin.example@evil.example/", false},
		{"an origin as a user name with a password", "https://origin.example:x@evil.example/", false},
		{"an origin before a backslash", `https://origin.example\.evil.example/`, false},
		{"an origin with a backslash in its path", `https://origin.example/\evil.example`, false},
		{"an origin with a query only", "https://origin.example?a=b", false},
		{"an origin with a dot at its end", "https://origin.example./", false},
		{"an origin with a new line in its path", "https://origin.example/a\nb", false},
		{"an origin with a broken escape", "https://origin.example/%zz", false},
		{"an origin with a path of 3,000 characters", "https://origin.example/" + strings.Repeat("a", 3000), false},

		{"a port of the machine itself", "http://127.0.0.1:54321/cb", true},
		{"no port of the machine itself", "http://127.0.0.1/cb", true},
		{"another port than the registered one", "http://localhost:54321/cb", true},
		{"no port, where one is registered for the machine itself", "http://localhost/cb", true},
		{"a port behind an IPv6 address", "http://[::1]:65535/cb", true},
		{"an IPv6 address without a port", "http://[::1]/cb", true},
		{"another path of the machine itself", "http://127.0.0.1:54321/cb2", false},
		{"a query more of the machine itself", "http://127.0.0.1:54321/cb?x=y", false},
		{"localhost for 127.0.0.1 is another text", "http://localhost:54321/CB", false},
		{"another address of the machine itself", "http://127.0.0.2:54321/cb", false},
		{"another form of 127.0.0.1", "http://127.1:54321/cb", false},
		{"another form of ::1", "http://[0:0::1]:54321/cb", false},
		{"https on the machine itself", "https://127.0.0.1:54321/cb", false},
		{"port 0", "http://127.0.0.1:0/cb", false},
		{"a port that is too large", "http://127.0.0.1:65536/cb", false},
		{"a port with zeros", "http://127.0.0.1:00080/cb", false},
		{"a port with a sign", "http://127.0.0.1:+80/cb", false},
		{"an empty port of the machine itself", "http://127.0.0.1:/cb", false},
		{"two ports", "http://127.0.0.1:80:80/cb", false},
		{"a port as a password", "http://127.0.0.1:80@evil.example/cb", false},
		{"a port behind a user name", "http://127.0.0.1:x@evil.example:80/cb", false},
		{"the machine itself as the beginning of a host", "http://127.0.0.1.evil.example:80/cb", false},
		{"localhost as the beginning of a host", "http://localhost.evil.example:80/cb", false},

		{"a scheme of the program's own", "com.example.app:/cb", true},
		{"a scheme of its own with a host", "com.example.app://host/cb", true},
		{"a scheme of its own with another path", "com.example.app:/cb/x", false},
		{"a scheme of its own in capital letters", "COM.example.app:/cb", false},
		{"a scheme of its own with a port", "com.example.app://host:80/cb", false},
		{"another scheme", "com.example.evil:/cb", false},
		{"javascript", "javascript:alert(1)", false},
		{"data", "data:text/html,x", false},
	} {
		if got := client.RedirectAllowed(row.uri); got != row.allowed {
			t.Errorf("%s, %q: allowed %t, want %t", row.claim, row.uri, got, row.allowed)
		}
	}
	if (openid.Client{}).RedirectAllowed("") {
		t.Error("a client without a redirect allows one")
	}
}

func TestSignedOutAllowed(t *testing.T) {
	client := openid.Client{Redirects: []string{"https://app.example/cb"}, SignedOut: []string{"https://app.example/bye"}}
	for uri, want := range map[string]bool{
		"https://app.example/bye":     true,
		"https://app.example/bye?x=y": false,
		"https://app.example/cb":      false,
		"":                            false,
	} {
		if got := client.SignedOutAllowed(uri); got != want {
			t.Errorf("%q: allowed %t, want %t", uri, got, want)
		}
	}
}

// FuzzRedirectAllowed holds the comparison, which doesn't parse, against Go's parser: what is allowed has the
// scheme and the host of what is registered.
func FuzzRedirectAllowed(f *testing.F) {
	registered := []string{"https://origin.example", "https://app.example/cb", "http://127.0.0.1", "http://[::1]:80/cb", "http://localhost/a?b"}
	client, err := openid.Client{ID: "app", Redirects: registered}.Check()
	if err != nil {
		f.Fatal(err)
	}
	for _, uri := range append(registered, "https://origin.example/a@b", "http://127.0.0.1:80/x", "http://localhost:9/a?b", "https://origin.example:443/", `https://origin.example\@x`) {
		f.Add(uri)
	}
	origins := map[string]bool{"https://origin.example": true, "https://app.example": true, "http://127.0.0.1": true, "http://::1": true, "http://localhost": true}
	f.Fuzz(func(t *testing.T, uri string) {
		if !client.RedirectAllowed(uri) {
			return
		}
		parsed, err := url.Parse(uri)
		if err != nil {
			t.Fatalf("%q is allowed, and no URL: %v", uri, err)
		}
		if !origins[parsed.Scheme+"://"+parsed.Hostname()] || parsed.User != nil || parsed.Fragment != "" || parsed.Scheme == "https" && parsed.Port() != "" {
			t.Errorf("%q is allowed", uri)
		}
	})
}
