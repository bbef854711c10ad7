package shared

import (
	"maps"
	"testing"
)

func TestPagePattern(t *testing.T) {
	for _, test := range []struct {
		pattern PagePattern
		path    string
		want    map[string]string // nil if it doesn't match
	}{
		{"/", "/", map[string]string{}},
		{"/users", "/users", map[string]string{}},
		{"/users", "/users/", nil},
		{"/users", "/sessions", nil},
		{"/users", "users", nil},
		{"/users/{id}", "/users/Zm9v-_8", map[string]string{"id": "Zm9v-_8"}},
		{"/users/{id}", "/users/", nil},
		{"/users/{id}", "/users", nil},
		{"/users/{id}", "/users/a/b", nil},
		{"/users/{id}", "//users/a", nil},
		{"/users/{id}", "/sessions/a", nil},
		{"/users/{id}/sessions/{session}", "/users/a/sessions/b", map[string]string{"id": "a", "session": "b"}},

		// What would have to be escaped somewhere is no id.
		{"/users/{id}", "/users/..", nil},
		{"/users/{id}", "/users/a b", nil},
		{"/users/{id}", "/users/a%2Fb", nil},
		{"/users/{id}", `/users/\evil.example`, nil},
		{"/users/{id}", `/users/"><script>`, nil},
		{"/users/{id}", "/users/a?next=b", nil},
		{"/users/{id}", "/users/a#b", nil},
		{"/users/{id}", "/users/a\nb", nil},
		{"/users/{id}", "/users/ä", nil},
	} {
		got, matches := test.pattern.Match(test.path)
		if matches != (test.want != nil) || !maps.Equal(got, test.want) {
			t.Errorf("%s matches %q: %t, with %v; want %v", test.pattern, test.path, matches, got, test.want)
		}
	}
}
