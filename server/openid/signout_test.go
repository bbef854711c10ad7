package openid_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

const signedOut = "https://grafana.example.com/signed-out"

// leaves sends a request to sign out.
func (p *person) leaves(values ...string) answer {
	p.Helper()
	sent := url.Values{}
	for i := 0; i < len(values); i += 2 {
		sent.Set(values[i], values[i+1])
	}
	return p.gets(openid.PathSignOut + "?" + sent.Encode())
}

// isSignedIn reports whether the browser has a session.
func (p *person) isSignedIn() bool { p.Helper(); return p.gets(shared.PathAccount).status == 200 }

// TestRPInitiatedLogout has the modules of the certification plan "RP-Initiated Logout OP", by their names.
func TestRPInitiatedLogout(t *testing.T) {
	for name, module := range map[string]func(*testing.T, *person, string){
		"oidcc-rp-initiated-logout": func(t *testing.T, ann *person, hint string) {
			a := ann.leaves("id_token_hint", hint, "post_logout_redirect_uri", signedOut, "state", "a b&c")
			ann.is("Location", a.header.Get("Location"), signedOut+"?state=a+b%26c")
			ann.is("signed in", ann.isSignedIn(), false)
		},
		"oidcc-rp-initiated-logout-bad-post-logout-redirect-uri": func(t *testing.T, ann *person, hint string) {
			a := ann.leaves("id_token_hint", hint, "post_logout_redirect_uri", "https://evil.example/", "state", "x")
			ann.is("status and Location", a.header.Get("Location"), "")
			ann.is("status", a.status, 400)
			ann.is("signed in", ann.isSignedIn(), true)
		},
		"oidcc-rp-initiated-logout-modified-id-token-hint": func(t *testing.T, ann *person, hint string) {
			parts := strings.Split(hint, ".")
			a := ann.leaves("id_token_hint", parts[0]+"."+parts[1]+"x."+parts[2], "post_logout_redirect_uri", signedOut, "state", "x")
			ann.is("status", a.status, 400)
			ann.is("signed in", ann.isSignedIn(), true)
		},
		"oidcc-rp-initiated-logout-no-id-token-hint": func(t *testing.T, ann *person, _ string) {
			a := ann.leaves("post_logout_redirect_uri", signedOut, "state", "x")
			ann.is("status", a.status, 400)
			ann.is("signed in", ann.isSignedIn(), true)

			page := ann.leaves("client_id", "grafana", "post_logout_redirect_uri", signedOut, "state", "x")
			ann.is("signed in, while the page asks", ann.isSignedIn(), true)
			a = ann.submits(openid.PathSignOut, url.Values{"request": {ann.field(page)}, "answer": {"cancel"}})
			ann.is("signed in, after Stay", ann.isSignedIn(), true)
			a = ann.submits(openid.PathSignOut, url.Values{"request": {ann.field(page)}, "answer": {"allow"}})
			if !strings.Contains(a.body, signedOut+"?state=x") {
				t.Errorf("after Sign out: %s", a)
			}
			ann.is("signed in, after Sign out", ann.isSignedIn(), false)
		},
		"oidcc-rp-initiated-logout-bad-id-token-hint": func(t *testing.T, ann *person, _ string) {
			a := ann.leaves("id_token_hint", "blah blah blah", "post_logout_redirect_uri", signedOut)
			ann.is("status", a.status, 400)
			ann.is("signed in", ann.isSignedIn(), true)
		},
		"oidcc-rp-initiated-logout-no-params": func(t *testing.T, ann *person, _ string) {
			page := ann.leaves()
			ann.is("signed in", ann.isSignedIn(), true)
			a := ann.submits(openid.PathSignOut, url.Values{"request": {ann.field(page)}, "answer": {"allow"}})
			ann.is("Location", a.header.Get("Location"), shared.PageSignIn)
			ann.is("signed in, after Sign out", ann.isSignedIn(), false)
		},
		"oidcc-rp-initiated-logout-no-post-logout-redirect-uri": func(t *testing.T, ann *person, hint string) {
			a := ann.leaves("id_token_hint", hint, "state", "x")
			ann.is("Location", a.header.Get("Location"), shared.PageSignIn)
			ann.is("signed in", ann.isSignedIn(), false)
		},
		"oidcc-rp-initiated-logout-no-state": func(t *testing.T, ann *person, hint string) {
			ann.is("Location", ann.leaves("id_token_hint", hint, "post_logout_redirect_uri", signedOut).header.Get("Location"), signedOut)
		},
		"oidcc-rp-initiated-logout-only-state": func(t *testing.T, ann *person, _ string) {
			ann.leaves("state", "x")
			ann.is("signed in", ann.isSignedIn(), true)
		},
		"oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": func(t *testing.T, ann *person, hint string) {
			a := ann.leaves("id_token_hint", hint, "post_logout_redirect_uri", signedOut+"?foo=bar", "state", "x")
			ann.is("status", a.status, 400)
			ann.is("signed in", ann.isSignedIn(), true)
		},
		"by POST of another site": func(t *testing.T, ann *person, hint string) {
			a := ann.sends("POST", openid.PathSignOut, asForm, url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {signedOut}}.Encode(), func(r *http.Request) {
				r.Header.Set("Origin", "https://grafana.example.com")
				r.Header.Set("Sec-Fetch-Site", "cross-site")
			})
			ann.is("Location", ann.gets(a.header.Get("Location")).header.Get("Location"), signedOut)
			ann.is("signed in", ann.isSignedIn(), false)
		},
		"an ID token of an earlier session is asked about": func(t *testing.T, ann *person, hint string) {
			ann.leaves("id_token_hint", hint)
			ann.signsIn()
			ann.field(ann.leaves("id_token_hint", hint, "post_logout_redirect_uri", signedOut))
			ann.is("signed in", ann.isSignedIn(), true)
		},
		"the next sign-in says for what it is": func(t *testing.T, ann *person, hint string) {
			ann.leaves("id_token_hint", hint, "post_logout_redirect_uri", signedOut)
			page := ann.gets(ann.authorizes().header.Get("Location"))
			if !strings.Contains(page.body, "Sign in to go on to Grafana.") || strings.Contains(page.body, "You have signed out.") {
				t.Errorf("the sign-in page says %s", page)
			}
		},
		"an ID token from before keys were rotated is asked about": func(t *testing.T, ann *person, hint string) {
			ann.forgetsKeys()
			page := ann.leaves("id_token_hint", hint, "post_logout_redirect_uri", signedOut)
			ann.is("signed in, while the page asks", ann.isSignedIn(), true)
			if !strings.Contains(page.body, "Grafana") {
				t.Errorf("the page doesn't say who asks: %s", page)
			}
			if a := ann.submits(openid.PathSignOut, url.Values{"request": {ann.field(page)}, "answer": {"allow"}}); !strings.Contains(a.body, signedOut) {
				t.Errorf("after Sign out: %s", a)
			}
			ann.is("signed in, after Sign out", ann.isSignedIn(), false)
		},
		"an ID token from before keys were rotated leads nowhere else": func(t *testing.T, ann *person, hint string) {
			ann.forgetsKeys()
			ann.is("status", ann.leaves("id_token_hint", hint, "post_logout_redirect_uri", "https://evil.example/").status, 400)
			ann.is("status, of another client", ann.leaves("id_token_hint", hint, "client_id", "other").status, 400)
		},
		"the page that asks waits for an hour": func(t *testing.T, ann *person, _ string) {
			sealed := ann.field(ann.leaves("client_id", "grafana"))
			ann.passes(59 * time.Minute)
			ann.submits(openid.PathSignOut, url.Values{"request": {sealed}, "answer": {"cancel"}})
			ann.passes(2 * time.Minute)
			ann.is("status", ann.submits(openid.PathSignOut, url.Values{"request": {sealed}, "answer": {"allow"}}).status, 404)
			ann.is("signed in", ann.isSignedIn(), true)
		},
		"nobody is signed in": func(t *testing.T, ann *person, hint string) {
			a := ann.browser().leaves("id_token_hint", hint, "post_logout_redirect_uri", signedOut)
			ann.is("Location", a.header.Get("Location"), signedOut)
		},
		"the form that somebody else was shown": func(t *testing.T, ann *person, _ string) {
			bob := ann.scene.user("bob")
			sealed := bob.field(bob.leaves("client_id", "grafana"))
			ann.submits(openid.PathSignOut, url.Values{"request": {sealed}, "answer": {"allow"}})
			ann.is("signed in", ann.isSignedIn(), true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, stores["memstore"])
			ann := s.user("ann")
			hint := s.exchanges(ann.code()).IDToken
			module(t, ann, hint)
		})
	}
}

// forgetsKeys lets IT rotate the keys, so that the old ones aren't kept any more.
func (p *person) forgetsKeys() {
	p.Helper()
	keys, err := openid.NewKeys(p.Context(), p.store, p.now)
	if err == nil {
		err = keys.Rotate(p.Context(), true)
	}
	if err != nil {
		p.Fatal(err)
	}
	p.passes(time.Minute) // until the server looks for new keys
}

// listener is a program that is told of ended sessions.
type listener struct {
	*httptest.Server
	told chan string // logout tokens

	mu       sync.Mutex
	statuses []int // to answer with first
	failed   chan struct{}
}

// fails returns the status with which to answer instead of listening.
func (l *listener) fails() (status int, fails bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.statuses) == 0 {
		return 0, false
	}
	status, l.statuses = l.statuses[0], l.statuses[1:]
	l.failed <- struct{}{}
	return status, true
}

func newListener(t *testing.T) *listener {
	l := &listener{told: make(chan string, 100), failed: make(chan struct{}, 100)}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status, fails := l.fails(); fails {
			w.WriteHeader(status)
			return
		}
		if r.Method != "POST" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			t.Errorf("told by %s of %s", r.Method, r.Header.Get("Content-Type"))
		}
		l.told <- r.FormValue("logout_token")
	}))
	t.Cleanup(l.Close)
	return l
}

// hears waits for a logout token, and returns its claims.
func (l *listener) hears(s *scene) map[string]any {
	s.Helper()
	select {
	case token := <-l.told:
		return s.claims(token)
	case <-time.After(2 * time.Minute):
		s.Fatal("the program isn't told")
		return nil
	}
}

// runs lets the clock run fast until the test ends.
func (s *scene) runs(ctx context.Context) {
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
			s.passes(10 * time.Second)
		}
	}
}

// TestBackChannelLogout has the module oidcc-backchannel-rp-initiated-logout, and what else ends sessions.
func TestBackChannelLogout(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := newListener(t)
			s := newScene(t, open, clientOf(t, func(c *openid.Client) { c.BackChannel = program.URL + "/logout" }))
			ends := map[string]func(*person, tokens){
				"RP-initiated":       func(ann *person, got tokens) { ann.leaves("id_token_hint", got.IDToken) },
				"a sign-out":         func(ann *person, _ tokens) { ann.api(shared.PathSignOut, nil) },
				"all sessions ended": func(ann *person, _ tokens) { s.endsAll(ann) },
				"the user disabled": func(ann *person, _ tokens) {
					ann.changes(func(u *store.User) { u.Disabled = true })
				},
				"the user removed": func(ann *person, _ tokens) {
					if err := s.store.Apply(s.Context(), store.Batch{store.RemoveUser{ID: ann.user.ID}}); err != nil {
						s.Fatal(err)
					}
				},
				"the passkey removed with its sessions": func(ann *person, _ tokens) { ann.losesPasskey() },
				"the program ended": func(ann *person, _ tokens) {
					ann.sends("DELETE", shared.PathPrograms+"/client:grafana", "", "", own(ann))
				},
			}
			n := 0
			for what, end := range ends {
				n++
				ann := s.user("ann" + strings.Repeat("n", n))
				ann.signsInByPasskey()
				got := s.exchanges(ann.code())
				id := s.claims(got.IDToken)
				end(ann, got)
				claims := program.hears(s)
				for _, same := range []string{"iss", "aud", "sub", "sid"} {
					s.is(what+": "+same, claims[same], id[same])
				}
				events, _ := json.Marshal(claims["events"])
				s.is(what+": events", string(events), `{"http://schemas.openid.net/event/backchannel-logout":{}}`)
				if _, has := claims["nonce"]; has || claims["jti"] == "" || claims["exp"].(float64) > float64(s.now().Add(2*time.Minute).Unix()) {
					t.Errorf("%s: the logout token has %v", what, claims)
				}
			}
			if len(program.told) > 0 {
				t.Error("told twice")
			}

			ann := s.user("zoe")
			got := s.exchanges(ann.code())
			program.mu.Lock()
			program.statuses = []int{http.StatusInternalServerError}
			program.mu.Unlock()
			ann.api(shared.PathSignOut, nil)
			<-program.failed
			go s.runs(t.Context())
			s.is("sid, told again", program.hears(s)["sid"], s.claims(got.IDToken)["sid"])
		})
	}
}

// TestBackChannelLater: a program that gets back-channel-logout while it has sessions is told of the end of those that it
// refreshes.
func TestBackChannelLater(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := newListener(t)
			s := newScene(t, open)
			registry := openid.NewRegistry(s.store, nil, s.now)
			wiki, secret, err := registry.Add(t.Context(), session.Actor{}, clientOf(t, func(c *openid.Client) { c.ID, c.Secrets = "wiki", nil }))
			if err != nil {
				t.Fatal(err)
			}
			ann := s.user("ann")
			_, got := s.program(openid.PathToken, codeForm(ann.code("client_id", "wiki", "scope", "openid offline_access")), basic("wiki", secret))
			wiki.BackChannel = program.URL + "/logout"
			if _, err := registry.Change(t.Context(), session.Actor{}, wiki); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				s.passes(time.Hour)
				_, got = s.program(openid.PathToken, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.RefreshToken}}, basic("wiki", secret))
				s.is("refresh", got.Error, "")
			}
			ann.api(shared.PathSignOut, nil)
			s.is("sid", program.hears(s)["sid"], s.claims(got.IDToken)["sid"])
		})
	}
}
