package server_test

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// requestClaims are about who sent a request, and what answers and the log repeat of it.
var requestClaims = []claim{
	{"a request of another site or of another type is refused", func(s *scene) {
		made := s.made(s.beginsAdding(s.ann))
		id := s.ann.lists().Passkeys[0].ID
		set := func(headers ...string) func(*http.Request) {
			return func(r *http.Request) {
				r.Header.Del("Sec-Fetch-Site")
				for i := 0; i < len(headers); i += 2 {
					r.Header.Set(headers[i], headers[i+1])
				}
			}
		}
		for _, foreign := range []func(*http.Request){
			set("Sec-Fetch-Site", "cross-site"), set("Sec-Fetch-Site", "same-site"), set("Origin", "https://evil.test"),
			set("Origin", "null"), set("Origin", "http://localhost:8081"), set("Origin", "http://localhost:8080.evil.test"),
		} {
			for _, request := range []struct {
				method, path string
				body         any
			}{
				{"POST", shared.PathRegisterBegin, nil}, {"POST", shared.PathRegisterFinish, made}, {"DELETE", shared.PathPasskey + id, nil},
				{"PATCH", shared.PathPasskey + id, `{"name":"x"}`}, {"POST", shared.PathSignOut, nil}, {"POST", shared.PathEndOthers, nil},
				{"POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: "bob", Password: password}},
			} {
				s.refusesAs(403, shared.CodeCrossSite, "", func() answer { return s.ann.sends(request.method, request.path, request.body, foreign) })
			}
			for _, page := range []string{"/sign-in", "/setup"} {
				s.refusesForm(403, "came from another site.", func() answer { return s.ann.sends("POST", page, "name=bob", foreign) })
			}
		}
		for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json2"} {
			s.refusesAs(415, shared.CodeUnsupportedType, "", func() answer {
				return s.ann.sends("POST", shared.PathRegisterFinish, made, set("Content-Type", kind))
			})
			s.refusesAs(415, shared.CodeUnsupportedType, "", func() answer {
				return s.ann.sends("PATCH", shared.PathPasskey+id, `{"name":"x"}`, set("Content-Type", kind))
			})
		}
		s.succeeds(s.ann.finishes(shared.PathRegisterFinish, made)(), 201) // none of them spent its ticket
	}},
	{"answers and the log hold no secret", func(s *scene) {
		// Every line ends with this check of its own secrets; here is a tour that
		// fails at all that can fail with one in its hand.
		begun := s.beginsSignIn(s.ann)
		for _, path := range []string{
			"/sign-in?ticket=" + begun.Ticket, "/?token=" + s.ann.token(), shared.PathAccount + "?password=" + url.QueryEscape(password),
			"/setup?token=" + s.ann.token(),
		} {
			a := s.visitor().sends("GET", path, nil)
			if strings.Contains(string(a.body), begun.Ticket) || strings.Contains(string(a.body), s.ann.token()) || strings.Contains(a.header.Get("Location"), s.ann.token()) {
				s.Errorf("%s: %s", path, a)
			}
		}
		s.visitor().submits("/sign-in", url.Values{"name": {"ann"}, "password": {"a secret in vain"}})
		s.secret("wrong password", "a secret in vain")
		s.ann.sends("POST", shared.PathPassword, `{"password":"`+password+`\u0000"}`)
		s.ann.sends("POST", shared.PathSignInFinish, `{"ticket":"`+begun.Ticket+`","credential":"`+s.ann.token())
		s.ann.sends("POST", shared.PathSignInFinish, `{"ticket":"`+begun.Ticket+`","credential":{"id":"`+s.ann.token()+`","rawId":1}}`)
		for v, user := range map[*visitor]store.User{s.ann: s.record(s.ann), s.bob: s.record(s.bob)} {
			s.secret("hash", user.Password)
			for _, path := range []string{shared.PathAccount, shared.PathPasskeys, shared.PathSessions, shared.PathActivity} {
				a := v.sends("GET", path, nil)
				for what, secret := range map[string]string{"token": v.token(), "hash": user.Password, "ticket": begun.Ticket} {
					if strings.Contains(string(a.body), secret) {
						s.Errorf("%s holds the %s", path, what)
					}
				}
			}
		}
	}},
}
