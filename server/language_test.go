package server_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// TestLanguageBeforeSignIn checks that the language can be chosen on the pages before sign-in, without
// a script, and that the form leads nowhere else.
func TestLanguageBeforeSignIn(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann := s.user("ann")
	s.passes(25 * time.Hour)
	ann.sends("GET", "/passkeys", nil)
	page := string(ann.sends("GET", "/sign-in?next=%2Fpasskeys", nil).body)
	for _, part := range []string{`action="/language"`, `name="at" value="/sign-in?next=%2Fpasskeys"`, `value="de" lang="de"`, saysExpired} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %s:\n%s", part, page)
		}
	}
	a := ann.submits(shared.PageLanguage, url.Values{"tag": {"de"}, "at": {"/sign-in?next=%2Fpasskeys"}})
	if a.status != 303 || a.header.Get("Location") != "/sign-in?next=%2Fpasskeys" {
		t.Fatalf("got %s to %s", a, a.header.Get("Location"))
	}
	page = string(ann.sends("GET", a.header.Get("Location"), nil).body)
	for _, part := range []string{`<html lang="de">`, "Willkommen zurück, ANN", "Ihre Sitzung ist zu Ende"} { // the reason too
		if !strings.Contains(page, part) {
			t.Errorf("in German, the page lacks %s:\n%s", part, page)
		}
	}

	for at, want := range map[string]string{
		"/about-passkeys": "/about-passkeys", "/recovery": "/recovery", "/enrol": "/enrol", "/sign-in": "/sign-in",
		"/device?code=BCDFG-HJKLM": "/device", "/openid/continue/abcdefgh234567ab": "/openid/continue/abcdefgh234567ab", "https://evil.test/openid/continue/abcdefgh234567ab": "/openid/continue/abcdefgh234567ab",
		"/openid/continue/": "/sign-in", "/openid/continue/../../users": "/sign-in", "/openid/authorize?client_id=x": "/sign-in",
		"": "/sign-in", "https://evil.test/recovery?x": "/recovery", "//evil.test": "/sign-in", "/users/1": "/sign-in", "%": "/sign-in",
		"/sign-in?next=https%3A%2F%2Fevil.test": "/sign-in", "javascript:alert(1)": "/sign-in",
	} {
		if a := s.visitor().submits(shared.PageLanguage, url.Values{"tag": {"fr"}, "at": {at}}); a.status != 303 || a.header.Get("Location") != want {
			t.Errorf("%q leads to %q: %s", at, a.header.Get("Location"), a)
		}
	}
	stranger := s.visitor()
	for _, tag := range []string{"", "tlh", "de-CH", "<script>"} {
		if a := stranger.submits(shared.PageLanguage, url.Values{"tag": {tag}, "at": {"/sign-in"}}); a.status != 303 || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%q: %s sets %q", tag, a, a.header.Get("Set-Cookie"))
		}
	}
}
