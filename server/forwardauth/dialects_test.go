package forwardauth

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/keypeg/keypeg/server/store"
)

// FuzzSafePath: whatever a proxy says of a path, a browser that goes back stays at the host, and gets a path that it
// can't take for another one.
func FuzzSafePath(f *testing.F) {
	for _, path := range []string{"/", "/a?b=c&d", "//evil.example", "/\\evil.example", "/\t/evil.example", "/%0d%0a", "/é", "/#", "/.keypeg/enter", "https://evil.example", ""} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		path := safePath(uri)
		to, err := url.Parse("https://wiki.example.com" + path)
		if path != "/" && path != uri {
			t.Fatalf("%q became %q", uri, path)
		}
		if err == nil && to.Host != "wiki.example.com" || strings.ContainsAny(path, "\\\r\n\t ") || strings.HasPrefix(path, "//") {
			t.Fatalf("%q leads to %v", path, to)
		}
		query, err := url.ParseQuery("to=" + queryOf(path))
		if err != nil || query.Get("to") != path || len(query) != 1 {
			t.Fatalf("%q is %q in a query: %v", path, queryOf(path), err)
		}
	})
}

// FuzzInHeader: whatever a name is, it is one value of one header.
func FuzzInHeader(f *testing.F) {
	for _, text := range []string{"Ann", "Bob Müller", "a\r\nRemote-User: x", "\u0085", "\u2028x", "\xff", " a ", "\u202eevil"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		value := inHeader(text)
		if !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) || strings.Trim(value, " \t") != value {
			t.Fatalf("%q is %q in a header", text, value)
		}
		if inHeader(value) != value {
			t.Fatalf("%q changes once more", value)
		}
	})
}

func TestIdentity(t *testing.T) {
	for what, row := range map[string]struct {
		user store.User
		want headers
	}{
		"a user":                    {store.User{Name: "ann", DisplayName: "Ann Miller", Email: "ann@example.com", EmailVerified: true, Groups: []string{"a", "b"}}, headers{user: "ann", name: "Ann Miller", email: "ann@example.com", groups: "a,b"}},
		"an unverified address":     {store.User{Name: "ann", Email: "boss@example.com", EmailReserved: true}, headers{user: "ann"}},
		"a comma in a group's name": {store.User{Name: "ann", Groups: []string{"x,admins", "y"}}, headers{user: "ann", groups: "x admins,y"}},
		"letters of the world":      {store.User{Name: "андрей", DisplayName: "渡辺 \u200bさん"}, headers{user: "андрей", name: "渡辺 さん"}},
		"a line break":              {store.User{Name: "ann", DisplayName: "Ann\r\nRemote-Groups: admins"}, headers{user: "ann", name: "AnnRemote-Groups: admins"}},
	} {
		is := headers{user: inHeader(row.user.Name), name: inHeader(row.user.DisplayName), email: inHeader(verifiedEmail(row.user)), groups: groupList(row.user.Groups)}
		if is != row.want {
			t.Errorf("%s: got %+v, want %+v", what, is, row.want)
		}
	}
	all := http.Header{headerUser: {"x", "y"}}
	headers{}.set(all)
	for _, name := range []string{headerUser, headerName, headerEmail, headerGroups, headerAssertion} {
		if values := all[name]; len(values) != 1 || values[0] != "" {
			t.Errorf("%s of an anonymous gate is %q", name, values)
		}
	}
}
