package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/federation/federationtest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Sign-in at real OpenID providers, at the HTTP level, on every store.

var (
	annThere = federationtest.Person{Subject: "1001", Name: "Ann Admin", Email: "ann@example.com", EmailVerified: true}
	danThere = federationtest.Person{Subject: "1004", Name: "Dan Doe", Email: "dan@example.com", EmailVerified: true}
	eveThere = federationtest.Person{Subject: "1005", Name: "Eve", Email: "eve@elsewhere.example", EmailVerified: true}
	uliThere = federationtest.Person{Subject: "1006", Name: "Uli", Email: "uli@example.com"}
	bobThere = federationtest.Person{Subject: "1007", Name: "Not Bob", Email: "bob", EmailVerified: true}
)

// federated is an installation with two identity providers: one, which may make users of
// those at example.com, and two, which may not.
type federated struct {
	*scene
	one, two *federationtest.Provider
}

func newFederated(t *testing.T, open func(*testing.T, store.Clock) store.Store, change ...func(*federation.Config)) *federated {
	people := []federationtest.Person{annThere, danThere, eveThere, uliThere, bobThere}
	a := &federated{scene: newScene(t, open), one: federationtest.Start(t, people...), two: federationtest.Start(t, people...)}
	var providers []*federation.Provider
	a.changesRules(func(c *account.Config) {
		for id, provider := range map[string]*federationtest.Provider{"one": a.one, "two": a.two} {
			callback := origin + shared.PageSSO + id + shared.PageSSOAnswer
			provider.Register(federationtest.Client{ID: "keypeg", Secret: "s3cret", RedirectURIs: []string{callback}, SignedOutURIs: []string{origin + "/sign-in"}})
			config := federation.Config{ID: id, Name: strings.ToUpper(id), Issuer: provider.URL, ClientID: "keypeg", Secret: "s3cret", SignOut: id == "one", Patience: time.Minute}
			for _, f := range change {
				f(&config)
			}
			providers = append(providers, federation.New(config, callback, a.now))
			rules := account.Provider{ID: id, Name: strings.ToUpper(id), Issuer: provider.URL}
			if id == "one" {
				rules.CreateUsers, rules.Domains = true, []string{"Example.com"}
			}
			c.Providers = append(c.Providers, rules)
		}
	})
	a.restarts(func(c *server.Config) { c.Providers = providers })
	a.secret("client secret", "s3cret")
	return a
}

func onEveryStoreFederated(t *testing.T, test func(*federated)) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newFederated(t, open)
			test(a)
			a.keepsSecrets()
		})
	}
}

// goesToProvider begins an authorization request at the provider, and returns its address.
func (a *federated) goesToProvider(v *visitor, id string) string {
	a.Helper()
	out := v.sends("GET", shared.PageSSO+id, nil)
	if out.status != 303 || !strings.HasPrefix(out.header.Get("Location"), "http://localhost:") {
		a.Fatalf("leaving for %s: %s %v", id, out, out.header)
	}
	return out.header.Get("Location")
}

// stateOf is the state of an authorization request.
func (a *federated) stateOf(address string) string {
	a.Helper()
	request, err := url.Parse(address)
	if err != nil {
		a.Fatal(err)
	}
	return request.Query().Get("state")
}

// signsInThere is what a person does at the provider. It returns where they are sent
// back to: a path of ours with the answer.
func (a *federated) signsInThere(address string, who federationtest.Person) string {
	a.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		a.Fatal(err)
	}
	back := ""
	there := http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == siteURL.Host {
			back = r.URL.RequestURI()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := there.Get(address)
	if err != nil {
		a.Fatal(err)
	}
	page.Body.Close()
	if page.StatusCode != 200 {
		a.Fatalf("the provider's page: %s", page.Status)
	}
	chosen, err := there.PostForm(page.Request.URL.String(), url.Values{"id": page.Request.URL.Query()["id"], "subject": {who.Subject}})
	if err != nil {
		a.Fatal(err)
	}
	chosen.Body.Close()
	if back == "" {
		a.Fatalf("the provider didn't send anybody back: %s", chosen.Status)
	}
	answer, _ := url.Parse(back)
	a.secret("code", answer.Query().Get("code"))
	a.secret("state", answer.Query().Get("state"))
	return back
}

// goes signs in at a provider, from the first click to our answer.
func (a *federated) goes(v *visitor, id string, who federationtest.Person) answer {
	a.Helper()
	return v.sends("GET", a.signsInThere(a.goesToProvider(v, id), who), nil)
}

// getsIn expects a session.
func (a *federated) getsIn(v *visitor, id string, who federationtest.Person) shared.Account {
	a.Helper()
	if out := a.goes(v, id, who); out.status != 303 || out.header.Get("Location") != "/" {
		a.Fatalf("%s at %s: %s to %q: %s", who.Name, id, out, out.header.Get("Location"), a.notice(v))
	}
	return into[shared.Account](v, v.sends("GET", shared.PathAccount, nil), 200)
}

// notice reads the refusal on the page that somebody was sent to.
func (a *federated) notice(v *visitor) string {
	page := string(v.sends("GET", shared.PageSignIn, nil).body)
	_, text, _ := strings.Cut(page, `role="alert"`)
	_, text, _ = strings.Cut(text, ">")
	text, _, _ = strings.Cut(text, "<")
	return html.UnescapeString(text)
}

// staysOut expects a refusal: one sentence at the sign-in page, a cause in the log,
// no session, and nothing changed.
func (a *federated) staysOut(v *visitor, sentence, cause string, do func() answer) {
	a.Helper()
	logged := len(a.log.String())
	a.changesOnly(nil, func() {
		a.Helper()
		out := do()
		if out.status == 303 && strings.TrimSuffix(out.header.Get("Location"), "#") == shared.PageSignedIn { // which sees that cookies come back
			out = v.sends("GET", shared.PageSignedIn, nil)
		}
		if to := out.header.Get("Location"); out.status != 303 || !strings.HasPrefix(to, shared.PageSignIn) || strings.Contains(to, "code") {
			a.Errorf("answered %s, to %q", out, to)
		}
	})
	if got := a.notice(v); got != sentence {
		a.Errorf("the page says %q, want %q", got, sentence)
	}
	if got := a.notice(v); got != "" {
		a.Errorf("the page says it again: %q", got)
	}
	if lines := a.log.String()[logged:]; !strings.Contains(lines, cause) {
		a.Errorf("the log doesn't name the cause %q:\n%s", cause, lines)
	}
	v.refused(v.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
}

const (
	didntWork = "Signing in with ONE didn't work. Please try again."
	notSetUp  = "Signing in with ONE isn't set up rightly. Please sign in another way, and tell IT."
	beganElse = "This sign-in was begun in another browser, or too long ago. Please try again."
)

// TestFederation checks who gets in with an identity at a provider.
func TestFederation(t *testing.T) {
	t.Run("a new user from an allowed domain gets an account, and the same one again", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			first := a.getsIn(a.visitor(), "one", danThere)
			if first.User.Name != "dan@example.com" || first.User.DisplayName != "Dan Doe" || first.User.Role != "" || first.HasPassword || first.SignedInWith != "sso" {
				t.Errorf("got %+v", first)
			}
			if len(first.Identities) != 1 || first.Identities[0].Provider != "ONE" || first.Identities[0].Name != "dan@example.com" || !first.Identities[0].OnlyMethod {
				t.Errorf("identities: %+v", first.Identities)
			}
			v := a.visitor()
			if again := a.getsIn(v, "one", danThere); again.User.ID != first.User.ID {
				t.Errorf("somebody else: %+v", again)
			}
			activity := into[shared.Activity](v, v.sends("GET", shared.PathActivity, nil), 200)
			var kinds []shared.EventKind
			for _, e := range activity.Events {
				kinds = append(kinds, e.Kind)
				if e.Kind != shared.EventAccountCreated && e.Provider != "ONE" || e.Kind == shared.EventSignedIn && e.Method != "sso" {
					t.Errorf("an event: %+v", e)
				}
			}
			// The clock stands still, and they have their order all the same.
			if want := []shared.EventKind{shared.EventSignedIn, shared.EventSignedIn, shared.EventEmailVerified, shared.EventIdentityLinked, shared.EventAccountCreated}; !slices.Equal(kinds, want) {
				t.Errorf("events: %v, want %v", kinds, want)
			}
			sessions := into[shared.SessionList](v, v.sends("GET", shared.PathSessions, nil), 200)
			if s := sessions.Sessions[0]; s.Method != "sso" || s.Provider != "ONE" {
				t.Errorf("the session: %+v", s)
			}
		})
	})
	t.Run("nobody else gets an account", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			for _, refused := range []struct {
				id    string
				who   federationtest.Person
				cause string
			}{
				{"one", eveThere, "in none of the domains"}, {"one", uliThere, "has not verified"},
				{"one", bobThere, "gave no e-mail address"}, {"two", danThere, "nobody has this identity"},
			} {
				v := a.visitor()
				a.staysOut(v, strings.ToUpper(refused.id)+" knows you, but you have no account here yet. Please ask IT for one.", refused.cause,
					func() answer { return a.goes(v, refused.id, refused.who) })
			}
		})
	})
	t.Run("an e-mail address leads to nobody's account", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			a.user("dan@example.com")
			v := a.visitor()
			a.staysOut(v, "There is an account with the name dan@example.com already. Sign in to it another way, and link ONE there.", "sign-in name",
				func() answer { return a.goes(v, "one", danThere) })
		})
	})
	t.Run("a disabled user stays out", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			a.links(a.ann, "two", annThere)
			if err := a.accounts.Disable(t.Context(), it(t, a.accounts, "ann")); err != nil {
				t.Fatal(err)
			}
			v := a.visitor()
			a.staysOut(v, "Your account is disabled. Please ask IT.", "disabled", func() answer { return a.goes(v, "two", annThere) })
		})
	})
	t.Run("signing out goes on to the provider where that is wanted", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			dan := a.visitor()
			a.getsIn(dan, "one", danThere)
			out := into[shared.SignedOut](dan, dan.sends("POST", shared.PathSignOut, nil), 200)
			ended, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Get(out.Continue)
			if err != nil {
				t.Fatal(err)
			}
			ended.Body.Close()
			if back := ended.Header.Get("Location"); len(a.one.Ended()) != 1 || back != origin+"/sign-in" {
				t.Errorf("%s: ended %v, back to %q", out.Continue, a.one.Ended(), back)
			}
			a.succeeds(a.ann.sends("POST", shared.PathSignOut, nil), 204)
		})
	})
}

// TestFederationLinks checks what a user does with identities that are linked to their account.
func TestFederationLinks(t *testing.T) {
	t.Run("the signed-in user links, signs in, and unlinks what is not the last", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			a.links(a.ann, "two", annThere)
			v := a.visitor()
			account := a.getsIn(v, "two", annThere)
			if account.User.Name != "ann" || len(account.Identities) != 1 || account.Identities[0].OnlyMethod {
				t.Errorf("got %+v", account)
			}
			a.succeeds(v.sends("DELETE", shared.PathIdentity+account.Identities[0].ID, nil), 204)
			v.refused(v.sends("DELETE", shared.PathIdentity+account.Identities[0].ID, nil), 404, shared.CodeNotFound)
			other := a.visitor()
			a.staysOut(other, "TWO knows you, but you have no account here yet. Please ask IT for one.", "nobody has this identity", func() answer { return a.goes(other, "two", annThere) })

			dan := a.visitor()
			only := a.getsIn(dan, "one", danThere)
			dan.refused(dan.sends("DELETE", shared.PathIdentity+only.Identities[0].ID, nil), 409, shared.CodeLastMethod)
		})
	})
	t.Run("linking needs a confirmation", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			a.passes(11 * time.Minute)
			a.ann.refused(a.ann.sends("POST", shared.PathIdentity+"two", nil), 403, shared.CodeConfirmRequired)
			a.ann.refused(a.ann.sends("DELETE", shared.PathIdentity+"x", nil), 403, shared.CodeConfirmRequired)
		})
	})
	t.Run("an identity that another user has stays theirs", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			a.links(a.ann, "two", annThere)
			begun := into[shared.AtProvider](a.bob, a.bob.sends("POST", shared.PathIdentity+"two", nil), 200)
			back := a.signsInThere(begun.URL, annThere)
			a.changesOnly(nil, func() { a.bob.sends("GET", back, nil) })
			page := a.bob.sends("GET", shared.PageSignIn, nil)
			if page.status != 409 || !strings.Contains(string(page.body), "belongs to another account") {
				t.Errorf("got %s", page)
			}
			if v := a.visitor(); a.getsIn(v, "two", annThere).User.Name != "ann" {
				t.Error("it is somebody else's now")
			}
		})
	})
	t.Run("IT links and unlinks by subject", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			if err := a.accounts.LinkUser(t.Context(), it(t, a.accounts, "ann"), "two", annThere.Subject); err != nil {
				t.Fatal(err)
			}
			for _, refused := range []struct {
				name, provider, subject string
				code                    shared.Code
			}{
				{"bob", "two", annThere.Subject, shared.CodeIdentityTaken}, {"nobody", "two", "1", shared.CodeNotFound},
				{"ann", "three", "1", shared.CodeNotFound}, {"ann", "two", "", shared.CodeInvalidRequest}, {"ann", "two", "ä", shared.CodeInvalidRequest},
			} {
				who, err := a.accounts.IT(t.Context(), refused.name)
				if err == nil {
					err = a.accounts.LinkUser(t.Context(), who, refused.provider, refused.subject)
				}
				if shared.CodeOf(err) != refused.code {
					t.Errorf("%+v: got %v", refused, err)
				}
			}
			if account := a.getsIn(a.visitor(), "two", annThere); account.User.Name != "ann" || account.Identities[0].Name != "ann@example.com" {
				t.Errorf("got %+v", account)
			}
			if err := a.accounts.UnlinkUser(t.Context(), it(t, a.accounts, "ann"), "two"); err != nil {
				t.Error(err)
			}
			if err := a.accounts.UnlinkUser(t.Context(), it(t, a.accounts, "ann"), "two"); shared.CodeOf(err) != shared.CodeNotFound {
				t.Errorf("got %v", err)
			}
			a.getsIn(a.visitor(), "one", danThere)
			if err := a.accounts.UnlinkUser(t.Context(), it(t, a.accounts, "dan@example.com"), "one"); shared.CodeOf(err) != shared.CodeLastMethod {
				t.Errorf("got %v", err)
			}
		})
	})
	t.Run("confirming at the provider makes the session fresh, for its own user", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			dan := a.visitor()
			a.getsIn(dan, "one", danThere)
			before := dan.token()
			a.passes(11 * time.Minute)
			dan.refused(dan.sends("POST", shared.PathRegisterBegin, nil), 403, shared.CodeConfirmRequired)

			// The provider's clock stands still meanwhile, and so it seems that it asked
			// nobody.
			begun := into[shared.AtProvider](dan, dan.sends("POST", shared.PathConfirmSSO+"one", shared.BeginSSOConfirmation{Next: "/passkeys"}), 200)
			if !strings.Contains(begun.URL, "max_age=0") {
				t.Errorf("the request doesn't ask the provider to prove the user again: %s", begun.URL)
			}
			dan.sends("GET", a.signsInThere(begun.URL, danThere), nil)
			dan.refused(dan.sends("POST", shared.PathRegisterBegin, nil), 403, shared.CodeConfirmRequired)

			for _, who := range []federationtest.Person{eveThere, danThere} {
				a.one.Lies(&federationtest.Lie{Claims: map[string]any{"auth_time": a.now().Unix(), "iat": a.now().Unix(), "exp": a.now().Add(time.Minute).Unix()}})
				begun = into[shared.AtProvider](dan, dan.sends("POST", shared.PathConfirmSSO+"one", shared.BeginSSOConfirmation{Next: "/passkeys"}), 200)
				out := dan.sends("GET", a.signsInThere(begun.URL, who), nil)
				if fresh := out.header.Get("Location") == "/passkeys"; fresh != (who == danThere) {
					t.Errorf("%s: %s %v", who.Name, out, out.header)
				}
			}
			into[shared.Ceremony](dan, dan.sends("POST", shared.PathRegisterBegin, nil), 200)
			if dan.token() == before {
				t.Error("the session has the old token")
			}
		})
	})
}

// links links an identity of a provider.
func (a *federated) links(v *visitor, id string, who federationtest.Person) {
	a.Helper()
	begun := into[shared.AtProvider](v, v.sends("POST", shared.PathIdentity+id, nil), 200)
	if out := v.sends("GET", a.signsInThere(begun.URL, who), nil); out.status != 303 || out.header.Get("Location") != "/" {
		a.Fatalf("linking: %s: %s\n%s", out, a.notice(v), a.log)
	}
}

// TestFederationHostile checks what a hostile provider, user or network may do.
func TestFederationHostile(t *testing.T) {
	now := time.Now()
	for what, lie := range map[string]struct {
		federationtest.Lie
		cause string
	}{
		"signed with a foreign key": {federationtest.Lie{ForeignKey: true}, "failed to verify signature"},
		"not signed":                {federationtest.Lie{Unsigned: true}, "the ID token fails"},
		"of another issuer":         {federationtest.Lie{Claims: map[string]any{"iss": "https://evil.example"}}, "issued by a different provider"},
		"for another program":       {federationtest.Lie{Claims: map[string]any{"aud": "other"}}, "expected audience"},
		"for many programs":         {federationtest.Lie{Claims: map[string]any{"aud": []string{"keypeg", "other"}, "azp": "other"}}, "another client"},
		"for another party":         {federationtest.Lie{Claims: map[string]any{"azp": "other"}}, "another client"},
		"of another sign-in":        {federationtest.Lie{Claims: map[string]any{"nonce": "other"}}, "nonce"},
		"without a nonce":           {federationtest.Lie{Claims: map[string]any{"nonce": nil}}, "nonce"},
		"expired":                   {federationtest.Lie{Claims: map[string]any{"exp": now.Add(-2 * time.Minute).Unix()}}, "expired"},
		"without a subject":         {federationtest.Lie{Claims: map[string]any{"sub": ""}}, "subject"},
		"with a long subject":       {federationtest.Lie{Claims: map[string]any{"sub": strings.Repeat("x", 256)}}, "subject"},
		"with a foreign subject":    {federationtest.Lie{Claims: map[string]any{"sub": "ä"}}, "subject"},
		"with another's userinfo":   {federationtest.Lie{Claims: map[string]any{"sub": "1005"}}, "userinfo is of another subject"},
	} {
		t.Run("an ID token "+what+" is refused", func(t *testing.T) {
			onEveryStoreFederated(t, func(a *federated) {
				a.one.Lies(&lie.Lie)
				wants := notSetUp // with the next token it would be the same
				if what == "of another sign-in" {
					wants = didntWork
				}
				v := a.visitor()
				a.staysOut(v, wants, lie.cause, func() answer { return a.goes(v, "one", danThere) })
			})
		})
	}
	t.Run("clocks may differ by a minute", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			for _, claims := range []map[string]any{{"exp": a.now().Add(-30 * time.Second).Unix()}, {"iat": a.now().Add(45 * time.Second).Unix()}} {
				a.one.Lies(&federationtest.Lie{Claims: claims})
				a.getsIn(a.visitor(), "one", danThere)
			}
		})
	})
	t.Run("an answer counts once, also when it comes twice at the same moment", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			v := a.visitor()
			back := a.signsInThere(a.goesToProvider(v, "one"), danThere)
			twin := a.copyOf(v)
			x, y := both(func() answer { return v.sends("GET", back, nil) }, func() answer { return twin.sends("GET", back, nil) })
			in := 0
			for _, out := range []answer{x, y} {
				if out.header.Get("Location") == "/" {
					in++
				}
			}
			if in != 1 {
				t.Errorf("%d got in: %v, %v", in, x.header, y.header)
			}
			third := a.copyOf(v)
			third.jar.SetCookies(siteURL, []*http.Cookie{{Name: "keypeg", MaxAge: -1}})
			a.staysOut(third, beganElse, "the cookie of the authorization request", func() answer { return third.sends("GET", back, nil) })
		})
	})
	t.Run("an answer is of use only in the browser that began", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			back := a.signsInThere(a.goesToProvider(a.visitor(), "one"), danThere)
			victim := a.visitor()
			a.staysOut(victim, beganElse, "the cookie of the authorization request", func() answer { return victim.sends("GET", back, nil) })
			a.goesToProvider(victim, "one")
			a.staysOut(victim, beganElse, "the cookie of the authorization request", func() answer { return victim.sends("GET", back, nil) })
		})
	})
	t.Run("an identity is linked to the user who began", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			begun := into[shared.AtProvider](a.bob, a.bob.sends("POST", shared.PathIdentity+"two", nil), 200)
			back := a.signsInThere(begun.URL, eveThere)
			a.bob.sends("POST", shared.PathSignOut, nil)
			a.bob.name = "ann"
			a.bob.signsInWithPassword()
			a.changesOnly(nil, func() { a.bob.sends("GET", back, nil) })
			if page := string(a.bob.sends("GET", shared.PageSignIn, nil).body); !strings.Contains(page, "begun in another browser") {
				t.Errorf("the page says %s", page)
			}
		})
	})
	t.Run("the answer of one provider isn't taken for another's", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			v := a.visitor()
			back := a.signsInThere(a.goesToProvider(v, "two"), danThere)
			a.staysOut(v, didntWork, "begun at the provider", func() answer { return v.sends("GET", strings.Replace(back, "/two/", "/one/", 1), nil) })

			a.one.NamesItself(true)
			a.restarts(func(*server.Config) {})
			v = a.visitor()
			back = a.signsInThere(a.goesToProvider(v, "one"), danThere)
			a.staysOut(v, notSetUp, "the answer is of the issuer", func() answer {
				return v.sends("GET", strings.Replace(back, url.QueryEscape(a.one.URL), url.QueryEscape(a.two.URL), 1), nil)
			})
		})
	})
	t.Run("a provider that names itself must do so in every answer", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		a.one.NamesItself(true)
		v := a.visitor()
		back := a.signsInThere(a.goesToProvider(v, "one"), danThere)
		bare, _, _ := strings.Cut(back, "&iss=")
		a.staysOut(v, notSetUp, "the answer is of the issuer", func() answer { return v.sends("GET", bare, nil) })
		a.getsIn(a.visitor(), "one", danThere)
	})
	t.Run("a late answer is refused", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			v := a.visitor()
			back := a.signsInThere(a.goesToProvider(v, "one"), danThere)
			a.passes(15 * time.Minute)
			a.staysOut(v, "That took longer than 15 minutes. Please try again.", "sso_refused", func() answer { return v.sends("GET", back, nil) })
		})
	})
	t.Run("an altered or made-up answer is refused", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			for query, want := range map[string][2]string{
				"":                                  {notSetUp, "the answer is empty"},
				"code=x":                            {beganElse, "the cookie of the authorization request"},
				"code=x&state=STATE":                {didntWork, "the code wasn't redeemed"},
				"state=STATE":                       {didntWork, "neither a code nor an error"},
				"error=access_denied&state=STATE":   {"You weren't signed in at ONE. Please try again, or sign in another way.", "access_denied"},
				"error=server_error&state=STATE":    {"ONE can't be reached at this moment. Please try again later, or sign in another way.", "server_error"},
				"error=%3Cscript%3E&state=STATE":    {didntWork, "script"},
				"error=access_denied&state=another": {beganElse, "the cookie of the authorization request"},
				"error=access_denied":               {"You weren't signed in at ONE. Please try again, or sign in another way.", "access_denied"},
			} {
				v := a.visitor()
				query = strings.Replace(query, "STATE", a.stateOf(a.goesToProvider(v, "one")), 1)
				a.staysOut(v, want[0], want[1], func() answer { return v.sends("GET", shared.PageSSO+"one"+shared.PageSSOAnswer+"?"+query, nil) })
			}
		})
	})
	t.Run("a user who says no at the provider stays out", func(t *testing.T) {
		onEveryStoreFederated(t, func(a *federated) {
			v := a.visitor()
			a.staysOut(v, "You weren't signed in at ONE. Please try again, or sign in another way.", "access_denied",
				func() answer { return a.goes(v, "one", federationtest.Person{}) })
		})
	})
	t.Run("a provider that nobody configured isn't there", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		for _, path := range []string{shared.PageSSO + "three", shared.PageSSO + "three/callback", shared.PageSSO} {
			if out := a.visitor().sends("GET", path, nil); out.status != 404 {
				t.Errorf("%s: %s", path, out)
			}
		}
		a.ann.refused(a.ann.sends("POST", shared.PathIdentity+"three", nil), 404, shared.CodeNotFound)
	})
}

const oneIsAway = "ONE can't be reached at this moment. Please try again later, or sign in another way."

// TestFederationAway checks that a provider in trouble breaks only its own button.
func TestFederationAway(t *testing.T) {
	t.Run("from the start", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		a.one.IsAway(true)
		v := a.visitor()
		a.staysOut(v, oneIsAway, "503", func() answer { return v.sends("GET", shared.PageSSO+"one", nil) })
		a.links(a.ann, "two", annThere)
		a.getsIn(a.visitor(), "two", annThere)
		a.visitor().signsAnnIn()
		a.one.IsAway(false)
		a.getsIn(v, "one", danThere)
	})
	t.Run("in between", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		v := a.visitor()
		back := a.signsInThere(a.goesToProvider(v, "one"), danThere)
		a.one.IsAway(true)
		a.staysOut(v, oneIsAway, "503", func() answer { return v.sends("GET", back, nil) })
	})
	t.Run("without an answer", func(t *testing.T) {
		a := newFederated(t, stores["memstore"], func(c *federation.Config) { c.Patience = 50 * time.Millisecond })
		never := make(chan struct{})
		a.one.Waits(func(*http.Request) { <-never })
		v := a.visitor()
		a.staysOut(v, oneIsAway, "exceeded", func() answer { return v.sends("GET", shared.PageSSO+"one", nil) })
		close(never)
	})
	t.Run("slowly, while others come and go", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		asked, released := make(chan struct{}), make(chan struct{})
		ask, release := sync.OnceFunc(func() { close(asked) }), sync.OnceFunc(func() { close(released) })
		defer release()
		a.one.Waits(func(*http.Request) { ask(); <-released })
		v := a.visitor()
		left := make(chan answer)
		go func() { left <- v.sends("GET", shared.PageSSO+"one", nil) }()
		<-asked
		a.visitor().signsAnnIn()
		a.links(a.ann, "two", annThere)
		release()
		if out := <-left; out.status != 303 {
			t.Errorf("got %s", out)
		}
	})
	t.Run("what the provider answered before is remembered, and a new key is found", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		a.getsIn(a.visitor(), "one", danThere)
		visits := a.one.Visits.Load()
		a.getsIn(a.visitor(), "one", danThere)
		if more := a.one.Visits.Load() - visits; more != 0 {
			t.Errorf("%d more visits for the second sign-in", more)
		}
		a.one.Rotate()
		a.getsIn(a.visitor(), "one", danThere)
		if more := a.one.Visits.Load() - visits; more != 1 {
			t.Errorf("%d visits for the new key, want 1", more)
		}
		a.passes(24 * time.Hour)
		v := a.visitor()
		a.goesToProvider(v, "one")
		if more := a.one.Visits.Load() - visits; more != 2 {
			t.Errorf("%d visits after a day, want 2", more)
		}
		a.passes(24 * time.Hour)
		a.one.IsAway(true)
		a.goesToProvider(v, "one") // its configuration of yesterday will do
	})
}

func TestFederationClients(t *testing.T) {
	t.Run("a private key in place of a secret", func(t *testing.T) {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "client.key")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := federation.ReadClientKey(path)
		if err != nil {
			t.Fatal(err)
		}
		a := newFederated(t, stores["memstore"], func(c *federation.Config) { c.Secret, c.Key = "", key })
		callback := origin + shared.PageSSO + "one" + shared.PageSSOAnswer
		a.one.Register(federationtest.Client{ID: "keypeg", Key: private.Public(), RedirectURIs: []string{callback}})
		a.getsIn(a.visitor(), "one", danThere)

		other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		a.one.Register(federationtest.Client{ID: "keypeg", Key: other.Public(), RedirectURIs: []string{callback}})
		v := a.visitor()
		a.staysOut(v, notSetUp, "the code wasn't redeemed", func() answer { return a.goes(v, "one", danThere) })
	})
	t.Run("a wrong secret", func(t *testing.T) {
		a := newFederated(t, stores["memstore"], func(c *federation.Config) { c.Secret = "wrong" })
		v := a.visitor()
		a.staysOut(v, notSetUp, "client-secret-file is wrong", func() answer { return a.goes(v, "one", danThere) })
	})
	t.Run("claims in the token itself", func(t *testing.T) {
		a := newFederated(t, stores["memstore"])
		a.one.Register(federationtest.Client{ID: "keypeg", Secret: "s3cret", RedirectURIs: []string{origin + shared.PageSSO + "one" + shared.PageSSOAnswer}, ClaimsInToken: true})
		for what, wants := range map[string]any{"verified": true, "verified as text": "true"} {
			a.one.Lies(&federationtest.Lie{Claims: map[string]any{"email_verified": wants}})
			if account := a.getsIn(a.visitor(), "one", danThere); account.User.Name != "dan@example.com" {
				t.Errorf("%s: %+v", what, account)
			}
		}
	})
}

func (v *visitor) signsAnnIn() {
	v.Helper()
	v.name = "ann"
	v.signsInWithPassword()
}

// copyOf is another browser with the same cookies.
func (a *federated) copyOf(v *visitor) *visitor {
	twin := a.visitor()
	twin.jar.SetCookies(siteURL, v.jar.Cookies(siteURL))
	return twin
}
