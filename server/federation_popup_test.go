package server_test

import (
	"net/url"
	"testing"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/shared"
)

// TestFederationInPopup: whoever signs in to a program in a popup may do so at an identity provider. Our answers on that way
// leave the popup connected to the program's page, and without such a program they don't.
func TestFederationInPopup(t *testing.T) {
	a := newFederated(t, stores["memstore"])
	notes, err := openid.Client{ID: "notes", Name: "Notes", Redirects: []string{"https://notes.example.com/back"}, Authentication: openid.AuthenticatesNever}.Check()
	if err != nil {
		t.Fatal(err)
	}
	a.restarts(func(c *server.Config) { c.Clients = []openid.Client{notes} })
	for display, want := range map[string]string{"popup": "unsafe-none", "page": "same-origin"} {
		v := a.visitor()
		sent := url.Values{
			"client_id": {"notes"}, "redirect_uri": notes.Redirects, "response_type": {"code"}, "scope": {"openid"}, "display": {display},
			"code_challenge": {"ahPqLsi7P3zVk_x_mrtpwuI1ckS-ixx0SqLQLE0lQXA"}, "code_challenge_method": {"S256"},
		}
		policy := func(what string, got answer) answer {
			t.Helper()
			if is := got.header.Get("Cross-Origin-Opener-Policy"); is != want {
				t.Errorf("display=%s, %s: Cross-Origin-Opener-Policy %q, want %q", display, what, is, want)
			}
			return got
		}
		asked := policy("the request", v.sends("GET", openid.PathAuthorize+"?"+sent.Encode(), nil))
		at, err := url.Parse(asked.header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		begin := shared.PageSSO + "one?" + at.RawQuery
		left := policy("to the provider", v.sends("GET", begin, nil))
		policy("back with a refusal", v.sends("GET", shared.PageSSO+"one"+shared.PageSSOAnswer+"?error=access_denied&state="+a.stateOf(left.header.Get("Location")), nil))
		left = v.sends("GET", begin, nil)
		policy("back from the provider", v.sends("GET", a.signsInThere(left.header.Get("Location"), danThere), nil))
		policy("signed in already", v.sends("GET", begin, nil))
	}
}
