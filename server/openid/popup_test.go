package openid_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/shared"
)

// opener checks that an answer leaves a popup connected to its opener, or cuts it off as all others do.
func (p *person) opener(what string, a answer, stays bool) answer {
	p.Helper()
	want := "same-origin"
	if stays {
		want = "unsafe-none"
	}
	p.is(what+": Cross-Origin-Opener-Policy", a.header.Get("Cross-Origin-Opener-Policy"), want)
	return a
}

// goes follows a redirect within the provider.
func (p *person) goes(a answer) answer {
	p.Helper()
	to := a.header.Get("Location")
	if !strings.HasPrefix(to, "/") {
		p.Fatalf("no redirect to a page of ours: %s", a)
	}
	return p.gets(to)
}

var popup = []string{"display", "popup"}

// TestPopup goes all ways that a sign-in in a popup can take. One answer that cuts the popup off, also a redirect, would do so for good.
func TestPopup(t *testing.T) {
	t.Run("by the sign-in page with a password, by the page of consent, and back", func(t *testing.T) {
		s := newScene(t, stores["memstore"])
		s.user("ann")
		ann := s.browser()
		a := ann.opener("the request", ann.authorizes(popup...), true)
		signIn := a.header.Get("Location")
		at, err := url.Parse(signIn)
		if err != nil {
			t.Fatal(err)
		}
		next := at.Query().Get("next")
		ann.opener("the sign-in page", ann.goes(a), true)
		ann.opener("a language", ann.submits(shared.PageLanguage, url.Values{"tag": {"en"}, "at": {signIn}}), true)
		ann.opener("not you", ann.submits(shared.PageNotYou, url.Values{"next": {next}}), true)
		ann.opener("a wrong password", ann.submits(shared.PageSignIn, url.Values{"name": {"ann"}, "password": {"a wrong one"}, "next": {next}}), true)
		a = ann.opener("the right password", ann.submits(shared.PageSignIn, url.Values{"name": {"ann"}, "password": {password}, "next": {next}}), true)
		for strings.HasPrefix(a.header.Get("Location"), "/") {
			a = ann.opener(a.header.Get("Location"), ann.goes(a), true)
		}
		ann.opener("a language", ann.submits(shared.PageLanguage, url.Values{"tag": {"en"}, "at": {next}}), true)
		a = ann.opener("the page that leads back", ann.lets(a, "allow"), true)
		s.exchanges(ann.back(a).Get("code"))
		a = ann.opener("the redirect, the next time", ann.authorizes(popup...), true)
		s.exchanges(ann.back(a).Get("code"))
	})
	t.Run("by a form, by a pushed request, with the answer in a form, and refused", func(t *testing.T) {
		s := newScene(t, stores["memstore"])
		ann := s.user("ann")
		a := ann.opener("the form", ann.sends("POST", openid.PathAuthorize, asForm, request(popup...).Encode()), true)
		ann.opener("the page of consent", ann.goes(a), true)
		ann.opener("cancelled", ann.lets(ann.goes(a), "cancel"), true)
		var pushed struct {
			URI string `json:"request_uri"`
		}
		ann.decodes(s.browser().sends("POST", openid.PathPush, asForm, request(popup...).Encode(), basic("grafana", secret)), &pushed)
		ann.opener("a pushed request", ann.gets(openid.PathAuthorize+"?"+url.Values{"client_id": {"grafana"}, "request_uri": {pushed.URI}}.Encode()), true)
		ann.posted(ann.opener("form_post", ann.lets(ann.authorizes("display", "popup", "response_mode", "form_post"), "allow"), true))
		ann.opener("a wrong request", ann.authorizes("display", "popup", "scope", "email"), true)
		ann.opener("one that asks nobody", s.browser().authorizes("display", "popup", "prompt", "none"), true)
	})
	t.Run("by the page to confirm, by another account, and by what is refused to the person", func(t *testing.T) {
		s := newScene(t, stores["memstore"])
		ann, bob := s.user("ann"), s.user("bob")
		page := ann.opener("the page to confirm", ann.authorizes("display", "popup", "prompt", "login"), true)
		form := url.Values{"request": {ann.field(page)}}
		ann.opener("a wrong password", ann.submits(shared.PageConfirmForm, url.Values{"request": form["request"], "password": {"a wrong one"}}), true)
		ann.opener("the right password", ann.submits(shared.PageConfirmForm, url.Values{"request": form["request"], "password": {password}}), true)
		ann.name = bob.name
		ann.signsIn()
		a := ann.opener("somebody else's form", ann.submits(shared.PageConsent, form), true)
		if !strings.Contains(a.body, "Somebody else is signed in by now") {
			t.Errorf("somebody else's form: %s", a)
		}
		a = ann.authorizes("display", "popup", "prompt", "consent")
		a = ann.opener("another account", ann.submits(shared.PageOtherAccount, url.Values{"request": {ann.field(a)}}), true)
		ann.opener("the sign-in page for it", ann.goes(a), true)
		ann.opener("the form of a page from before", ann.submits(shared.PageConsent, form), true)
	})
}

// TestPopupOfAnother has the ways on which somebody else might get a page of ours connected to theirs.
func TestPopupOfAnother(t *testing.T) {
	s := newScene(t, stores["memstore"], clientOf(t, nil), clientOf(t, func(c *openid.Client) {
		c.ID, c.Redirects, c.Secrets, c.Authentication = "app", []string{"com.example.app:/callback"}, nil, openid.AuthenticatesNever
	}))
	ann, eve := s.user("ann"), s.browser()
	for _, changes := range [][]string{
		nil, {"display", "page"}, {"display", "touch"}, {"display", "POPUP"}, {"display", "popup page"},
		{"display", "popup", "client_id", "nobody"}, {"display", "popup", "redirect_uri", "https://evil.example.com/"},
		{"display", "popup", "client_id", "app", "redirect_uri", "com.example.app:/callback"},
	} {
		ann.opener(strings.Join(changes, " "), ann.authorizes(changes...), false)
		ann.opener(strings.Join(changes, " ")+" by a form", ann.sends("POST", openid.PathAuthorize, asForm, request(changes...).Encode()), false)
	}
	waits := s.browser().authorizes(popup...).header.Get("Location") // in the browser of somebody else
	next, _ := url.QueryUnescape(strings.TrimPrefix(waits, "/sign-in?next="))
	ann.authorizes("display", "popup", "prompt", "consent") // waits in hers, and nobody else knows its address
	for _, path := range []string{
		"/", "/passkeys", "/sign-in", "/sign-in?display=popup", "/?display=popup", "/openid/sign-out?display=popup", "/device?display=popup",
		"/sign-in?next=/openid/authorize?display=popup", "/sign-in?next=/openid/continue/aaaaaaaaaaaaaaaa", "/openid/continue/aaaaaaaaaaaaaaaa?display=popup", waits, next,
	} {
		ann.opener(path, ann.gets(path), false)
		eve.opener(path, eve.gets(path), false)
	}
	a := ann.authorizes("display", "popup", "prompt", "consent")
	cross := func(r *http.Request) {
		r.Header.Set("Origin", "https://evil.example.com")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	ann.opener("a form of another site", ann.sends("POST", shared.PageConsent, asForm, url.Values{"request": {ann.field(a)}}.Encode(), cross), false)
}
