package server_test

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// The sentences of the sign-in page that tests look for.
const (
	greeting    = "Welcome back, "
	greetsAnn   = greeting + "ANN"
	saysExpired = "Your session has ended: it was too old, or unused for too long."
	saysElse    = "You were signed out on another device, or by an administrator."
	saysOut     = "You have signed out."
	saysOff     = "Your account is disabled. Please ask IT."
)

// atSignIn opens the sign-in page.
func (v *visitor) atSignIn(change ...func(*http.Request)) string {
	v.Helper()
	page := v.sends("GET", shared.PageSignIn, nil, change...)
	if page.status != 200 {
		v.Fatalf("the sign-in page: %s", page)
	}
	return string(page.body)
}

// namesNobody checks that a page names none of the users of a scene.
func (v *visitor) namesNobody(what, page string) {
	v.Helper()
	for _, word := range []string{greeting, "ANN", "BOB", `"ann"`, `"bob"`, "ann ·", "bob ·"} {
		if strings.Contains(page, word) {
			v.Errorf("%s: the page has %q", what, word)
		}
	}
}

// cookie returns the value of one of the browser's cookies.
func (v *visitor) cookie(name string) string {
	for _, cookie := range v.jar.Cookies(siteURL) {
		if cookie.Name == name {
			return cookie.Value
		}
	}
	return ""
}

// has adds a cookie to a request, or replaces it.
func has(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		cookies := r.Cookies()
		r.Header.Del("Cookie")
		for _, cookie := range cookies {
			if cookie.Name != name {
				r.AddCookie(cookie)
			}
		}
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
}

const known = "keypeg-known" // the device cookie

// TestGreeting checks in which browsers the sign-in page greets whom.
func TestGreeting(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		s.passes(25 * time.Hour)
		page := s.ann.atSignIn()
		for _, part := range []string{"<h1>" + greetsAnn + "</h1>", "ann · ", "Not you?", `value="ann" autocomplete="username" readonly`, `autocomplete="current-password webauthn"`, "<title>Sign in · Keypeg</title>"} {
			if !strings.Contains(page, part) {
				s.Errorf("after the session has ended by itself, the page lacks %s:\n%s", part, page)
			}
		}
		s.ann.submits(shared.PageSignIn, url.Values{"name": {"ann"}, "password": {password}})
		s.succeeds(s.ann.sends("PATCH", shared.PathProfile, `{"displayName":"ANNIE"}`), http.StatusNoContent)
		s.passes(25 * time.Hour)
		if page := s.ann.atSignIn(); !strings.Contains(page, greeting+"ANNIE<") {
			s.Errorf("a new name isn't read:\n%s", page)
		}

		refused := string(s.ann.submits(shared.PageSignIn, url.Values{"name": {"ann"}, "password": {"wrong"}}).body)
		if !strings.Contains(refused, greeting+"ANNIE<") || !strings.Contains(refused, `<details id="by-password" open>`) || !strings.Contains(refused, "The user name or the password is not right.") {
			s.Errorf("after a wrong password:\n%s", refused)
		}
		other := string(s.ann.submits(shared.PageSignIn, url.Values{"name": {"carl"}, "password": {"wrong"}}).body)
		if strings.Contains(other, greeting) || !strings.Contains(other, `value="carl"`) {
			s.Errorf("somebody else's wrong password:\n%s", other)
		}

		s.bob.name = "ann" // several users of one browser: the last counts
		s.bob.signsInWithPassword()
		s.passes(25 * time.Hour)
		if page := s.bob.atSignIn(); !strings.Contains(page, greeting+"ANNIE<") || strings.Contains(page, "BOB") {
			s.Errorf("bob's browser, in which ann signed in last:\n%s", page)
		}
	})
}

// TestGreetingEnds checks that a browser stops naming its user.
func TestGreetingEnds(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		opaque, err := base64.RawURLEncoding.DecodeString(s.ann.cookie(known))
		if err != nil || len(opaque) == 0 || strings.Contains(string(opaque), "ann") || strings.Contains(string(opaque), s.record(s.ann).ID) {
			s.Errorf("the device cookie is %q (%v)", opaque, err)
		}
		beforeSignOut := s.ann.cookie(known)
		s.ann.sends("POST", shared.PathSignOut, nil)
		page := s.ann.atSignIn()
		s.ann.namesNobody("after a sign-out", page)
		if !strings.Contains(page, saysOut) || strings.Contains(s.ann.atSignIn(), saysOut) {
			s.Errorf("that she has signed out is said once:\n%s", page)
		}
		if after := s.ann.cookie(known); after == "" || after == beforeSignOut {
			s.Errorf("the device cookie was %q and is %q", beforeSignOut, after)
		}

		s.ann.signsInWithPassword()
		s.ann.sends("POST", shared.PathSignOut+"?"+shared.QueryKeepName, nil)
		if page := s.ann.atSignIn(); !strings.Contains(page, greetsAnn) || !strings.Contains(page, saysOut) {
			s.Errorf("she wanted to keep her name there:\n%s", page)
		}
		if a := s.ann.submits(shared.PageNotYou, url.Values{"next": {"/passkeys"}}); a.status != 303 || a.header.Get("Location") != "/sign-in?next=%2Fpasskeys" {
			s.Errorf("Not you?: %s to %s", a, a.header.Get("Location"))
		}
		s.ann.namesNobody("after Not you?", s.ann.atSignIn())

		s.ann.signsInWithPassword()
		s.passes(25 * time.Hour)
		s.ann.sends("POST", shared.PathSignOut, nil) // which arrives late
		s.ann.namesNobody("after a sign-out of a session that had ended", s.ann.atSignIn())

		s.ann.signsInWithPassword()
		confirmed := s.ann.sends("POST", shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password})
		for _, set := range confirmed.header.Values("Set-Cookie") {
			if strings.HasPrefix(set, known+"=") {
				s.Error("the answer to a confirmation names the user, which may come after that to a sign-out")
			}
		}

		for _, administrators := range []struct {
			do   func() error
			what string
		}{
			{func() error { return s.accounts.Disable(s.Context(), it(s, s.accounts, "ann")) }, "disabled"},
			{func() error { return s.accounts.Enable(s.Context(), it(s, s.accounts, "ann")) }, ""},
			{func() error { return s.accounts.Remove(s.Context(), it(s, s.accounts, "ann"), "ann", true) }, "removed"},
		} {
			if err := administrators.do(); err != nil {
				s.Fatal(err)
			}
			page := s.ann.atSignIn()
			if administrators.what != "" {
				s.ann.namesNobody("the user is "+administrators.what, page)
			} else if !strings.Contains(page, greetsAnn) {
				s.Errorf("enabled again, ann isn't greeted:\n%s", page)
			}
		}
	})
}

// greetingClaims are about what strangers learn from the sign-in page.
var greetingClaims = []claim{
	{"a cookie that we didn't make greets nobody", func(s *scene) {
		good := s.ann.cookie(known)
		if page := s.visitor().atSignIn(has(known, good)); !strings.Contains(page, greetsAnn) {
			s.Fatalf("the cookie itself doesn't greet:\n%s", page)
		}
		id := s.record(s.ann).ID
		elsewhere := newSite(s.T, stores["memstore"], nil).user("ann")
		forged := []string{
			"", ".", "x", id, "ann", good[:len(good)-1], good + "A", good[1:], strings.ToUpper(good), s.ann.token(), elsewhere.cookie(known),
			base64.RawURLEncoding.EncodeToString([]byte(`{"m":"x","n":"ann","u":"` + id + `"}`)), strings.Repeat("A", 4000),
		}
		for i := 0; i < len(good); i += 7 {
			other := byte('A')
			if good[i] == other {
				other = 'B'
			}
			forged = append(forged, good[:i]+string(other)+good[i+1:])
		}
		for _, value := range forged {
			stranger := s.visitor()
			s.changesOnly(nil, func() { stranger.namesNobody("with the cookie "+value, stranger.atSignIn(has(known, value))) })
		}
	}},
	{"a session's cookie with the id of a user tells nothing of them", func(s *scene) {
		id, err := hex.DecodeString(s.record(s.ann).ID)
		if err != nil {
			s.Fatal(err)
		}
		token := base64.RawURLEncoding.EncodeToString(append(id, make([]byte, 16)...))
		if store.UserOfSession(store.SessionID(token)) != s.record(s.ann).ID {
			s.Fatal("the token isn't of ann")
		}
		if err := s.accounts.Disable(s.Context(), it(s, s.accounts, "ann")); err != nil {
			s.Fatal(err)
		}
		for _, mine := range []string{"", s.bob.cookie(known)} {
			stranger := s.visitor()
			s.changesOnly(nil, func() {
				stranger.sends("GET", shared.PageHome, nil, has("keypeg", token), has(known, mine))
				page := stranger.atSignIn()
				stranger.namesNobody("with a made-up session", page)
				if !strings.Contains(page, saysExpired) {
					s.Errorf("the page with a made-up session:\n%s", page)
				}
			})
		}
	}},
}
