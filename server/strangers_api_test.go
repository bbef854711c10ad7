package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// apiLines are about who may do what.
var apiLines = []line{
	{"password sign-in for a known and an unknown name: same answer, same work", func(s *scene) {
		problem := func(name string, allowed ...shared.EventKind) (p shared.Problem) {
			a := s.refusesAs(401, shared.CodeSignInRefused, "", func() answer { return s.visitor().guesses(name, "wrong") }, allowed...)
			if err := json.Unmarshal(a.body, &p); err != nil {
				s.Fatal(err)
			}
			p.RequestID = ""
			return p
		}
		known := problem("ann", shared.EventSignInFailed)
		for _, name := range []string{"nobody", "", "a b", "\u202enna", strings.Repeat("x", 5000)} {
			if unknown := problem(name); unknown != known {
				s.Errorf("%q: %+v\nann: %+v", name, unknown, known)
			}
		}
		sameWork(s.T)
	}},
	{"creating a user with a taken name: only for who may create users", func(s *scene) {
		taken := url.Values{"name": {"ann"}, "display-name": {"Ann"}, "password": {"another long password"}}
		before := s.everything()
		for _, v := range []*visitor{s.visitor(), s.bob} {
			for _, path := range []string{"/api/v1/users", "/api/v1/account", "/setup", "/commands/user/add", "/"} {
				if a := v.submits(path, taken); a.status < 400 || strings.Contains(string(a.body), "ann") {
					s.Errorf("%s: %s", path, a)
				}
			}
		}
		if after := s.everything(); len(after) != len(before) {
			s.Error("something was made")
		}
		_, err := s.accounts.AddUser(s.Context(), account.NewUser{Name: "ANN", DisplayName: "x", Password: password})
		if shared.CodeOf(err) != shared.CodeNameTaken {
			s.Errorf("IT is told %v", err)
		}
	}},
	{"adding without a session: 401", func(s *scene) {
		begun := s.beginsAdding(s.ann)
		nobody := s.visitor()
		s.refusesAs(401, shared.CodeUnauthenticated, "", nobody.finishes(shared.PathRegisterBegin, nil))
		s.refusesAs(401, shared.CodeUnauthenticated, "", nobody.finishes(shared.PathRegisterFinish, s.made(begun)))

		s.succeeds(s.ann.sends("POST", shared.PathSignOut, nil), 204)
		s.refusesAs(401, shared.CodeUnauthenticated, "", s.ann.finishes(shared.PathRegisterFinish, s.made(begun)))
	}},
	{"a user id in the body: ignored", func(s *scene) {
		hers := s.record(s.ann)
		body := `{"user":"ann","userId":"` + hers.ID + `","name":"ann","id":"` + hers.ID + `"}`
		begun := s.begins(s.bob, shared.PathRegisterBegin, body)
		if !strings.Contains(string(begun.PublicKey), `"bob"`) || strings.Contains(string(begun.PublicKey), `"ann"`) {
			s.Errorf("options for somebody else: %s", begun.PublicKey)
		}
		begun.PublicKey = without(s, begun.PublicKey, "excludeCredentials")
		made := s.made(begun)
		s.succeeds(s.bob.sends("POST", shared.PathRegisterFinish, map[string]any{
			"ticket": made.Ticket, "credential": made.Credential, "userId": hers.ID, "user": "ann",
		}), 201)
		if n := len(s.record(s.ann).Passkeys); n != 1 {
			s.Errorf("Ann has %d passkeys", n)
		}
		if n := len(s.record(s.bob).Passkeys); n != 2 {
			s.Errorf("Bob has %d passkeys", n)
		}
	}},
	{"renaming or removing another user's passkey: 404, unchanged", func(s *scene) {
		hers := s.ann.lists().Passkeys[0]
		for _, id := range []string{hers.ID, hers.CredentialID, "x", "%2e%2e", strings.Repeat("0", 5000)} {
			s.refusesAs(404, shared.CodeNotFound, "", func() answer { return s.bob.sends("PATCH", shared.PathPasskey+url.PathEscape(id), `{"name":"mine"}`) })
			s.refusesAs(404, shared.CodeNotFound, "", func() answer { return s.bob.sends("DELETE", shared.PathPasskey+url.PathEscape(id), nil) })
		}
		hersToo := into[shared.SessionList](s.ann, s.ann.sends("GET", shared.PathSessions, nil), 200).Sessions[0].ID
		s.refusesAs(404, shared.CodeNotFound, "", func() answer { return s.bob.sends("DELETE", shared.PathSession+hersToo, nil) })
	}},
	{"adding, removing, changing the password or recovery without a recent confirmation: 403 confirm_required, and the app asks in place", func(s *scene) {
		// That the app asks in place is shown in app/e2e.
		made := s.made(s.beginsAdding(s.ann))
		id := s.ann.lists().Passkeys[0].ID
		stale := func() {
			s.Helper()
			s.refusesAs(403, shared.CodeConfirmRequired, "", s.ann.finishes(shared.PathRegisterBegin, nil))
			s.refusesAs(403, shared.CodeConfirmRequired, "", s.ann.finishes(shared.PathRegisterFinish, made))
			s.refusesAs(403, shared.CodeConfirmRequired, "", func() answer { return s.ann.sends("DELETE", shared.PathPasskey+id, nil) })
			s.refusesAs(403, shared.CodeConfirmRequired, "", func() answer {
				return s.ann.sends("DELETE", shared.PathPasskey+id+"?"+shared.QueryEndSessions, nil)
			})
			s.refusesAs(403, shared.CodeConfirmRequired, "", s.ann.finishes(shared.PathPassword, shared.ChangePassword{Password: "another long password"}))
		}
		s.passes(10 * time.Minute)
		stale()
		into[shared.Confirmed](s.ann, s.ann.sends("POST", shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password}), 200)
		s.begins(s.ann, shared.PathRegisterBegin, nil)

		// A clock that was set back confirms nobody for longer.
		s.passes(-time.Hour)
		stale()
		into[shared.Confirmed](s.ann, s.ann.sends("POST", shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password}), 200)
		s.begins(s.ann, shared.PathRegisterBegin, nil)
	}},
	{"confirming with another user's passkey: refused", func(s *scene) {
		s.passes(10 * time.Minute)
		begun := s.beginsConfirmation(s.ann)
		begun.PublicKey = without(s, begun.PublicKey, "allowCredentials")
		s.refuses("", s.ann.finishes(shared.PathConfirmFinish, s.proof(s.bob.device, begun)))
		begun = s.beginsConfirmation(s.ann)
		begun.PublicKey = without(s, begun.PublicKey, "allowCredentials")
		handle := s.record(s.ann).Handle
		s.refuses("", s.ann.finishes(shared.PathConfirmFinish, s.proof(s.bob.device, begun, passkeytest.WithUserHandle(handle))))
		s.refusesAs(403, shared.CodeConfirmRequired, "", s.ann.finishes(shared.PathRegisterBegin, nil))
	}},
	{"removing the last method; two parallel removals of the last two: at most one succeeds", func(s *scene) {
		row := into[shared.Passkey](s.ann, s.adds(s.ann), 201)
		if err := s.accounts.RemovePassword(s.Context(), it(s, s.accounts, "ann")); err != nil {
			s.Fatal(err)
		}
		s.succeeds(s.signsIn(s.ann), 200)
		rows := s.ann.lists().Passkeys
		removes := func(id string) func() answer {
			return func() answer { return s.ann.sends("DELETE", shared.PathPasskey+id, nil) }
		}
		a, b := both(removes(rows[0].ID), removes(row.ID))
		s.oneOf(a, b, 200, 409)
		last := s.ann.lists().Passkeys
		if len(last) != 1 || !last[0].OnlyMethod {
			s.Fatalf("left are %+v", last)
		}
		s.refusesAs(409, shared.CodeLastMethod, "", removes(last[0].ID))
	}},
	{"recovery code or invitation reused, expired, raced: single use", func(s *scene) {
		// The set-up link is the one there is so far.
		first := func() (string, *visitor) {
			token, err := s.accounts.NewSetupLink(s.Context())
			if err != nil {
				s.Fatal(err)
			}
			s.secret("link", token)
			v := s.visitor()
			v.sends("GET", "/setup?token="+token, nil)
			return token, v
		}
		form := url.Values{"name": {"root"}, "display-name": {"Root"}, "password": {password}}
		gone := func(a answer) {
			s.Helper()
			if a.status != 404 || strings.Contains(string(a.body), "<form") {
				s.Errorf("got %s", a)
			}
		}
		token, late := first()
		s.passes(30 * time.Minute)
		gone(late.submits("/setup", form))
		gone(late.sends("GET", "/setup?token="+token, nil))

		token, replaced := first()
		_, one := first()
		gone(replaced.submits("/setup", form))
		gone(replaced.sends("GET", "/setup?token="+token, nil))

		two := s.visitor()
		two.jar = one.jar
		other := url.Values{"name": {"toor"}, "display-name": {"Toor"}, "password": {password}}
		a, b := both(func() answer { return one.submits("/setup", form) }, func() answer { return two.submits("/setup", other) })
		s.oneOf(a, b, 303, 404)
		gone(one.submits("/setup", other))
		users, err := s.store.Users(s.Context(), "", 10)
		if err != nil || len(users) != 3 {
			s.Errorf("%d users (%v), want Ann, Bob and one administrator", len(users), err)
		}
	}},
	{"the session id changes at every sign-in and confirmation; a removal or recovery can end the others", func(s *scene) {
		seen := map[string]bool{}
		changed := func(how string) {
			s.Helper()
			if seen[s.ann.token()] || s.ann.token() == "" {
				s.Errorf("after %s the token is an old one", how)
			}
			seen[s.ann.token()] = true
		}
		changed("signing in")
		old := s.ann.token()
		s.succeeds(s.signsIn(s.ann), 200)
		changed("a passkey")
		s.succeeds(s.ann.finishes(shared.PathConfirmFinish, s.proof(s.ann.device, s.beginsConfirmation(s.ann)))(), 200)
		changed("confirming with it")
		s.succeeds(s.ann.finishes(shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password})(), 200)
		changed("confirming with the password")
		s.ann.signsInWithPassword()
		changed("the password")
		s.refusesAs(401, shared.CodeUnauthenticated, "", func() answer {
			return s.visitor().sends("GET", shared.PathAccount, nil, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "keypeg", Value: old}) })
		})
		// A cookie that somebody planted is replaced at sign-in, not taken over.
		fixed := s.visitor()
		fixed.name, fixed.device = "ann", s.ann.device
		planted := strings.Repeat("A", 43)
		a := fixed.sends("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: "ann", Password: password}, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "keypeg", Value: planted}) })
		if s.succeeds(a, 200); fixed.token() == planted {
			s.Error("the planted token is a session")
		}

		other := s.elsewhere(s.ann)
		s.succeeds(s.signsIn(other), 200) // with the passkey
		id := s.ann.lists().Passkeys[0].ID
		into[shared.PasskeyList](s.ann, s.ann.sends("DELETE", shared.PathPasskey+id+"?"+shared.QueryEndSessions, nil), 200)
		s.refusesAs(401, shared.CodeUnauthenticated, "", func() answer { return other.sends("GET", shared.PathAccount, nil) })
		s.succeeds(fixed.sends("GET", shared.PathAccount, nil), 200)
		s.succeeds(s.ann.finishes(shared.PathPassword, shared.ChangePassword{Password: "another long password"})(), 204)
		s.refusesAs(401, shared.CodeUnauthenticated, "", func() answer { return fixed.sends("GET", shared.PathAccount, nil) })
		s.ann.lists()
	}},
	{"cross-site POST, wrong Origin, wrong Content-Type: 403/415", func(s *scene) {
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
	{"answers and logs hold no challenge, no secret, no token", func(s *scene) {
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

// sameWork compares the memory that argon2id takes, which is its work. Here a
// password costs a hundred times as much as all the rest of a request.
func sameWork(t *testing.T) {
	const cost = 4 << 10 // KiB
	db := memstore.New(time.Now)
	accounts := account.New(account.Config{Store: db, Now: time.Now, PasswordCost: account.Cost{MemoryKiB: cost, Time: 1, Threads: 1}})
	for _, name := range []string{"ann", "disabled"} {
		if _, err := accounts.AddUser(t.Context(), account.NewUser{Name: name, DisplayName: name, Password: password}); err != nil {
			t.Fatal(err)
		}
	}
	if err := accounts.Disable(t.Context(), it(t, accounts, "disabled")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ann", "disabled", "nobody", "a b", ""} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		accounts.SignInWithPassword(t.Context(), session.Actor{}, account.PasswordSignIn{Name: name, Password: "wrong"})
		runtime.ReadMemStats(&after)
		if worked := (after.TotalAlloc - before.TotalAlloc) >> 10; worked < cost || worked > cost+cost/10 {
			t.Errorf("a wrong password for %q takes %d KiB, want %d", name, worked, cost)
		}
	}
}
