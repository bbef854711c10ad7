package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/federation/federationtest"
	"github.com/keypeg/keypeg/shared"
)

// authorizationCookies are those in which a browser keeps its authorization requests.
func (v *visitor) authorizationCookies() (cookies []*http.Cookie) {
	for _, c := range v.jar.Cookies(siteURL) {
		if strings.Contains(c.Name, "keypeg-sso-") {
			cookies = append(cookies, c)
		}
	}
	return cookies
}

// leadsOn expects that somebody goes on to a page, and reads of no refusal there.
func (a *federated) leadsOn(v *visitor, out answer, to string) {
	a.Helper()
	if got := out.header.Get("Location"); out.status != 303 || got != to {
		a.Errorf("answered %s, to %q: %s", out, got, a.notice(v))
		return
	}
	if page := v.sends("GET", shared.PageSignIn, nil); page.status != 303 {
		a.Errorf("the sign-in page: %s", page)
	}
}

// TestFederationTabs signs in with several tabs, and with the browser's own buttons.
func TestFederationTabs(t *testing.T) {
	t.Run("each of five tabs signs in, whichever comes back first", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			v := a.visitor()
			var tabs []string
			for range 5 {
				tabs = append(tabs, a.signsInThere(a.goesToProvider(v, "one"), danThere))
			}
			slices.Reverse(tabs)
			for _, back := range tabs {
				a.leadsOn(v, v.sends("GET", back, nil), "/")
			}
			into[shared.Account](v, v.sends("GET", shared.PathAccount, nil), 200)
			if left := v.authorizationCookies(); len(left) != 0 {
				t.Errorf("cookies are left: %v", left)
			}
		})
	})
	t.Run("tabs at two providers don't disturb each other", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		a.links(a.ann, "two", annThere)
		v := a.visitor()
		one, two := a.signsInThere(a.goesToProvider(v, "one"), eveThere), a.signsInThere(a.goesToProvider(v, "two"), annThere)
		a.staysOut(v, noAccount, "in none of the domains", func() answer { return v.sends("GET", one, nil) })
		a.leadsOn(v, v.sends("GET", two, nil), "/")
	})
	t.Run("a browser keeps a few authorization requests, the newest", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		v := a.visitor()
		var tabs []string
		for range 20 {
			a.passes(time.Millisecond)
			tabs = append(tabs, a.goesToProvider(v, "one"))
		}
		size := 0
		for _, c := range v.authorizationCookies() {
			size += len(c.Name) + len(c.Value)
		}
		if n := len(v.authorizationCookies()); n != 8 || size > 4<<10 {
			t.Errorf("%d cookies of %d bytes", n, size)
		}
		old := a.signsInThere(tabs[10], danThere)
		a.staysOut(v, beganElse, "the cookie of the authorization request", func() answer { return v.sends("GET", old, nil) })
		a.leadsOn(v, v.sends("GET", a.signsInThere(tabs[15], danThere), nil), "/")
	})
	t.Run("authorization requests that took too long make room", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		v := a.visitor()
		for range 3 {
			a.goesToProvider(v, "one")
		}
		a.passes(16 * time.Minute)
		a.goesToProvider(v, "one")
		if n := len(v.authorizationCookies()); n != 1 {
			t.Errorf("%d cookies", n)
		}
	})
	t.Run("Back after a sign-in leads to the start page", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			v := a.visitor()
			back := a.signsInThere(a.goesToProvider(v, "one"), danThere)
			a.leadsOn(v, v.sends("GET", back, nil), "/")
			for range 2 {
				a.changesOnly(nil, func() { a.leadsOn(v, v.sends("GET", back, nil), "/") })
			}
			into[shared.Account](v, v.sends("GET", shared.PathAccount, nil), 200)
		})
	})
	t.Run("so does Back after linking", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		begun := into[shared.AtProvider](a.ann, a.ann.sends("POST", shared.PathIdentity+"two", nil), 200)
		back := a.signsInThere(begun.URL, annThere)
		a.leadsOn(a.ann, a.ann.sends("GET", back, nil), "/")
		a.changesOnly(nil, func() { a.leadsOn(a.ann, a.ann.sends("GET", back, nil), "/") })
	})
	t.Run("a stray answer leads whoever is signed in on, and spends no authorization request", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		v := a.visitor()
		mine := a.signsInThere(a.goesToProvider(v, "one"), danThere)
		strays := []string{"", "?state=x", "?code=y&state=x", "?error=access_denied&state=x", "?error=server_error&error_description=Dienst%20gest%C3%B6rt", "?error=%FF&error_description=%00"}
		for _, query := range strays {
			if out := v.sends("GET", shared.PageSSO+"one"+shared.PageSSOAnswer+query, nil); strings.TrimSuffix(out.header.Get("Location"), "#") != shared.PageSignedIn {
				t.Errorf("%q before the sign-in: %s", query, out)
			}
			a.notice(v)
		}
		a.leadsOn(v, v.sends("GET", mine, nil), "/")
		for _, query := range strays {
			to := "/"
			if query == "" {
				to = "/#"
			}
			a.leadsOn(v, v.sends("GET", shared.PageSSO+"one"+shared.PageSSOAnswer+query, nil), to)
		}
	})
	t.Run("a no in one tab, after a sign-in in another, leads on", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		v := a.visitor()
		no := a.signsInThere(a.goesToProvider(v, "one"), federationtest.Person{})
		yes := a.signsInThere(a.goesToProvider(v, "one"), danThere)
		a.leadsOn(v, v.sends("GET", yes, nil), "/")
		a.leadsOn(v, v.sends("GET", no, nil), "/")
	})
	t.Run("an answer that comes twice at once shows no refusal", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			v := a.visitor()
			back := a.signsInThere(a.goesToProvider(v, "one"), danThere)
			both(func() answer { return v.sends("GET", back, nil) }, func() answer { return v.sends("GET", back, nil) })
			if page := v.sends("GET", shared.PageSignIn, nil); page.status != 303 || page.header.Get("Location") != "/" {
				t.Errorf("got %s", page)
			}
		})
	})
	t.Run("the signed-in user reads a refusal to link", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		begun := into[shared.AtProvider](a.ann, a.ann.sends("POST", shared.PathIdentity+"one", nil), 200)
		a.ann.sends("GET", a.signsInThere(begun.URL, federationtest.Person{}), nil)
		if page := string(a.ann.sends("GET", shared.PageSignIn, nil).body); !strings.Contains(page, "signed in at ONE.") {
			t.Errorf("the page says %s", page)
		}
	})
	t.Run("Back works after the provider was away for a moment", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		v := a.visitor()
		back := a.signsInThere(a.goesToProvider(v, "one"), danThere)
		a.one.IsAway(true)
		a.staysOut(v, oneIsAway, "503", func() answer { return v.sends("GET", back, nil) })
		a.one.IsAway(false)
		a.leadsOn(v, v.sends("GET", back, nil), "/")
	})
}
