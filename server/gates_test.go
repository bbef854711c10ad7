package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

const wiki, payroll = "https://wiki.example.com", "https://payroll.example.com:8443"

// proxies is where httptest's requests come from.
var proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}

func gatesOf(t testing.TB, gates ...forwardauth.Gate) []forwardauth.Gate {
	t.Helper()
	for i, g := range gates {
		var err error
		if gates[i], err = server.ParseGate(g); err != nil {
			t.Fatal(err)
		}
	}
	return gates
}

// gated gives a site two protected hosts: one for everybody, and one for a group.
func (s *site) gated() {
	s.restarts(func(c *server.Config) {
		c.TrustedProxies = proxies
		c.Gates = gatesOf(s, forwardauth.Gate{Name: "wiki", Title: "Wiki", Host: "wiki.example.com"},
			forwardauth.Gate{Name: "payroll", Title: "Payroll", Host: "payroll.example.com:8443", Groups: []string{"Finance"}})
	})
}

func onEveryStoreGated(t *testing.T, test func(*site)) {
	onEveryStore(t, func(s *site) {
		s.gated()
		test(s)
	})
}

// at is the same browser at another origin.
func (v *visitor) at(origin string) *visitor {
	there := *v
	there.device = passkeytest.New(origin)
	return &there
}

// navigates follows a link of the site at which the browser is, as a navigation from another site.
func (v *visitor) navigates(path string, change ...func(*http.Request)) answer {
	v.Helper()
	return v.sends("GET", path, nil, append([]func(*http.Request){func(r *http.Request) {
		r.Header.Del("Origin")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Accept", "text/html,*/*;q=0.8")
	}}, change...)...)
}

// asksForward is a check of Caddy's about a navigation of the browser to a path.
func (v *visitor) asksForward(path string, change ...func(*http.Request)) answer {
	v.Helper()
	return v.navigates(shared.GateForward, append([]func(*http.Request){func(r *http.Request) {
		host := r.Host
		r.Host = "127.0.0.1:8080"
		r.Header.Set("X-Forwarded-Method", "GET")
		r.Header.Set("X-Forwarded-Proto", "https")
		r.Header.Set("X-Forwarded-Host", host)
		r.Header.Set("X-Forwarded-Uri", path)
	}}, change...)...)
}

// asksNginx is a check of nginx's.
func (v *visitor) asksNginx(path string, change ...func(*http.Request)) answer {
	v.Helper()
	return v.navigates(shared.GateNginx, append([]func(*http.Request){func(r *http.Request) {
		r.Header.Set("X-Original-Url", "https://"+r.Host+path)
		r.Header.Set("X-Original-Method", "GET")
		r.Host = "127.0.0.1:8080"
	}}, change...)...)
}

// asksEnvoy is a check of Envoy's, which keeps host and method.
func (v *visitor) asksEnvoy(path string, change ...func(*http.Request)) answer {
	v.Helper()
	return v.navigates(shared.GateEnvoy+path, append([]func(*http.Request){func(r *http.Request) {
		r.Header.Set("X-Forwarded-Proto", "https")
	}}, change...)...)
}

func with(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) {
		if r.Header[http.CanonicalHeaderKey(name)] = values; len(values) == 0 {
			r.Header.Del(name)
		}
	}
}

// goesOn opens the address to which an answer leads.
func (v *visitor) goesOn(a answer) answer {
	v.Helper()
	to, err := url.Parse(a.header.Get("Location"))
	if err != nil || a.status/100 != 3 && a.status != http.StatusUnauthorized || to.Host == "" {
		v.Fatalf("it leads nowhere: %s, Location %q", a, a.header.Get("Location"))
	}
	return v.at(to.Scheme + "://" + to.Host).navigates(to.RequestURI())
}

// enters goes the whole way from a check that finds nobody, and returns where that leads to.
func (v *visitor) enters(host, path string) answer {
	v.Helper()
	a := v.at(host).asksForward(path)
	for range 3 { // enter, authorize, arrive
		a = v.goesOn(a)
	}
	if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != host+path {
		v.Fatalf("%s led to %q: %s\n%s", host+path, got, a, v.log)
	}
	return a
}

// passes checks that a check lets a request pass, with these headers.
func (v *visitor) passesAs(a answer, user string) {
	v.Helper()
	if a.status != http.StatusOK {
		v.Errorf("the check was answered %s, want 200\n%s", a, v.log)
	}
	if got := a.header.Get("Remote-User"); got != user {
		v.Errorf("Remote-User is %q, want %q", got, user)
	}
	for _, name := range []string{"Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups", "Keypeg-Assertion"} {
		if n := len(a.header[name]); n != 1 {
			v.Errorf("the answer has %s %d times, want once", name, n)
		}
	}
}

// stops checks that a check doesn't let a request pass, and that nothing in the answer names a user.
func (v *visitor) stops(a answer, status int) {
	v.Helper()
	if a.status != status {
		v.Errorf("the check was answered %s, want %d\n%s", a, status, v.log)
	}
	for name := range a.header {
		if strings.HasPrefix(name, "Remote-") || name == "Keypeg-Assertion" {
			v.Errorf("an answer that lets nobody pass has %s", name)
		}
	}
}

func TestGate(t *testing.T) {
	onEveryStoreGated(t, func(s *site) {
		ann := s.user("ann")
		if a := ann.at(wiki).asksForward("/a?b=c"); a.status != 302 || a.header.Get("Location") != wiki+"/.keypeg/enter?to=/a?b=c" {
			s.Fatalf("nobody was answered %s, Location %q", a, a.header.Get("Location"))
		}
		ann.enters(wiki, "/a/%2Fb?c=d%26e&f=%C3%A9#g")
		at := ann.at(wiki)
		at.passesAs(at.asksForward("/a"), "ann")
		at.passesAs(at.asksNginx("/a"), "ann")
		at.passesAs(at.asksEnvoy("/a"), "ann")
		if got := at.asksForward("/").header.Get("Remote-Name"); got != "ANN" {
			s.Errorf("Remote-Name is %q, want ANN", got)
		}

		at.asserts(at.asksForward("/"))

		// Her cookie of the wiki is nobody elsewhere.
		for _, cookie := range ann.jar.Cookies(urlOf(s, wiki)) {
			stolen := ann.at(payroll)
			stolen.jar.SetCookies(urlOf(s, payroll), []*http.Cookie{cookie})
			stolen.stops(stolen.asksForward("/"), 302)
		}
		s.keeps(ann)
	})
}

// asserts checks the assertion of an answer with the keys that programs get.
func (v *visitor) asserts(a answer) {
	v.Helper()
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(v.at(origin).navigates(openid.PathKeys).body, &keys); err != nil {
		v.Fatal(err)
	}
	signed, err := jose.ParseSignedCompact(a.header.Get("Keypeg-Assertion"), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		v.Fatalf("the assertion %q: %v", a.header.Get("Keypeg-Assertion"), err)
	}
	payload, err := signed.Verify(keys)
	if typ := signed.Signatures[0].Header.ExtraHeaders[jose.HeaderType]; err != nil || typ != "keypeg-assertion+jwt" {
		v.Fatalf("the assertion is of type %v, and %v", typ, err)
	}
	var claims struct {
		Iss, Aud, Sub, Sid, Name string
		Username                 string `json:"preferred_username"`
		Iat, Exp                 int64
		Groups                   []string
	}
	user, known := v.store.UserByName(v.Context(), v.name)
	if err := json.Unmarshal(payload, &claims); err != nil || known != nil {
		v.Fatal(err, known)
	}
	now := v.now().Unix()
	if claims.Iss != origin || claims.Aud != v.device.Origin || claims.Sub != user.ID || claims.Username != v.name || claims.Sid == "" || claims.Groups == nil ||
		claims.Iat > now || claims.Exp-claims.Iat != 60 || claims.Exp < now+40 {
		v.Errorf("the assertion says %s", payload)
	}
}

func urlOf(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// keeps checks that the log has no cookie of a browser, and no fault.
func (s *site) keeps(v *visitor) {
	s.Helper()
	log := s.log.String()
	for _, host := range []string{origin, wiki, payroll} {
		for _, cookie := range v.jar.Cookies(urlOf(s, host)) {
			if len(cookie.Value) > 20 && strings.Contains(log, cookie.Value) {
				s.Errorf("the log has the cookie %s", cookie.Name)
			}
		}
	}
	if strings.Contains(log, "level=ERROR") {
		s.Errorf("there was a fault:\n%s", log)
	}
}

// TestGateGroups: the groups count as they are now, and not as they were at the sign-in.
func TestGateGroups(t *testing.T) {
	onEveryStoreGated(t, func(s *site) {
		ann := s.user("ann")
		a := ann.goesOn(ann.at(payroll).asksForward("/"))
		if a = ann.goesOn(a); a.status != 403 || !strings.Contains(string(a.body), "You can&#39;t use Payroll with your account.") || !strings.Contains(string(a.body), "IT desk") {
			s.Errorf("without the group, authorize answers %s", a)
		}
		s.joins("ann", "finance", "it,s")
		ann.enters(payroll, "/")
		at := ann.at(payroll)
		a = at.asksForward("/")
		at.passesAs(a, "ann")
		if got := a.header.Get("Remote-Groups"); got != "finance,it s" {
			s.Errorf("Remote-Groups is %q, want %q", got, "finance,it s")
		}

		s.joins("ann", "it,s")
		if a := at.asksForward("/"); !strings.Contains(string(a.body), "You can&#39;t use Payroll with your account.") {
			s.Errorf("the page says %s", a)
		} else {
			at.stops(a, 403)
		}
		at.stops(at.asksNginx("/"), 403)
		at.stops(at.asksEnvoy("/"), 403)
		at.stops(at.asksForward("/", with("Sec-Fetch-Mode", "cors")), 403)
		if a := at.navigates(shared.GateRefused); a.status != 403 || !strings.Contains(string(a.body), "You can&#39;t use Payroll") {
			s.Errorf("the page for nginx says %s", a)
		}
	})
}

func (s *site) joins(name string, groups ...string) {
	s.Helper()
	if _, err := s.accounts.Change(s.Context(), it(s, s.accounts, name), shared.ChangeMember{Groups: &groups}, false); err != nil {
		s.Fatal(err)
	}
}

// TestGateEnds: whatever ends the session, the next check finds nobody.
func TestGateEnds(t *testing.T) {
	ends := map[string]func(s *site, ann *visitor){
		"sign-out":  func(s *site, ann *visitor) { ann.sends("POST", shared.PathSignOut, nil) },
		"a day off": func(s *site, ann *visitor) { s.passes(25 * time.Hour) },
		"disabled": func(s *site, ann *visitor) {
			if err := s.accounts.Disable(s.Context(), it(s, s.accounts, "ann")); err != nil {
				s.Error(err)
			}
		},
		"removed": func(s *site, ann *visitor) {
			s.user("other")
			user, err := s.store.UserByName(s.Context(), "ann")
			if err == nil {
				err = s.store.Apply(s.Context(), store.Batch{store.RemoveUser{ID: user.ID}})
			}
			if err != nil {
				s.Error(err)
			}
		},
		"the passkey removed with its sessions": func(s *site, ann *visitor) {
			other := s.visitor()
			other.name = ann.name
			other.signsInWithPassword()
			into[shared.PasskeyList](other, other.sends("DELETE", shared.PathPasskey+other.lists().Passkeys[0].ID+"?"+shared.QueryEndSessions, nil), 200)
		},
		"the program's own sign-out": func(s *site, ann *visitor) {
			if a := ann.at(wiki).sends("GET", shared.GateSignOut, nil); a.status != 303 || a.header.Get("Location") != origin+"/" {
				s.Errorf("sign-out led to %q: %s", a.header.Get("Location"), a)
			}
		},
	}
	for what, end := range ends {
		t.Run(what, func(t *testing.T) {
			onEveryStoreGated(t, func(s *site) {
				ann := s.user("ann")
				ann.registers("Phone")
				into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
				ann.enters(wiki, "/")
				at := ann.at(wiki)
				cookies := at.jar.Cookies(urlOf(s, wiki)) // also where the browser has dropped it
				at.passesAs(at.asksForward("/"), "ann")
				end(s, ann)
				at.jar.SetCookies(urlOf(s, wiki), cookies)
				at.stops(at.asksForward("/"), 302)
				at.stops(at.asksNginx("/"), 401)
				at.stops(at.asksEnvoy("/"), 302)
			})
		})
	}
}

// TestGateKeepsSession: who uses a program alone stays signed in.
func TestGateKeepsSession(t *testing.T) {
	onEveryStoreGated(t, func(s *site) {
		ann := s.user("ann")
		ann.enters(wiki, "/")
		at := ann.at(wiki)
		for range 3 {
			s.passes(20 * time.Hour)
			at.passesAs(at.asksForward("/"), "ann")
		}
		s.passes(25 * time.Hour)
		at.stops(at.asksForward("/"), 302)
	})
}

// TestGateSignsIn: who isn't signed in reads the sign-in page first, and its form leads on by a page.
func TestGateSignsIn(t *testing.T) {
	onEveryStoreGated(t, func(s *site) {
		s.user("ann")
		ann := s.visitor()
		a := ann.goesOn(ann.goesOn(ann.at(wiki).asksForward("/x")))
		next := urlOf(s, a.header.Get("Location")).Query().Get("next")
		if a.status != 303 || !strings.HasPrefix(next, shared.PageGate+"?") {
			s.Fatalf("authorize led to %q: %s", a.header.Get("Location"), a)
		}
		if a = ann.navigates(a.header.Get("Location")); !strings.Contains(string(a.body), "Sign in to go on to Wiki.") {
			s.Errorf("the sign-in page doesn't say for what: %s", a)
		}
		a = ann.submits(shared.PageSignIn, url.Values{"name": {"ann"}, "password": {password}, "next": {next}})
		if a.status != 303 || a.header.Get("Location") != next {
			s.Fatalf("the form led to %q, want %q: %s", a.header.Get("Location"), next, a)
		}
		a = ann.sends("GET", next, nil)
		to, is := strings.CutPrefix(a.header.Get("Refresh"), "0;url=")
		if a.status != 200 || !is || !strings.HasPrefix(to, wiki+shared.GateArrive+"?code=") {
			s.Fatalf("after a form, authorize answers %s, Refresh %q", a, a.header.Get("Refresh"))
		}
		if a = ann.at(wiki).navigates(strings.TrimPrefix(to, wiki)); a.header.Get("Location") != wiki+"/x" {
			s.Errorf("arrive led to %q: %s", a.header.Get("Location"), a)
		}
		// Going back to the code isn't an attack.
		if a = ann.at(wiki).navigates(strings.TrimPrefix(to, wiki)); a.header.Get("Location") != wiki+"/" {
			s.Errorf("arrive once more led to %q: %s", a.header.Get("Location"), a)
		}
		at := ann.at(wiki)
		at.passesAs(at.asksForward("/"), "ann")
	})
}

// TestGatePage: what a refusal needs is on the protected host.
func TestGatePage(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	s.gated()
	ann := s.user("ann")
	a := ann.at(wiki).navigates(shared.GateArrive + "?code=x&second=1")
	for _, want := range []string{`href="/.keypeg/files/static/signinpages.css"`, `href="` + origin + `/"`} {
		if !strings.Contains(string(a.body), want) {
			t.Errorf("the page lacks %s: %s", want, a)
		}
	}
	if !strings.Contains(a.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") || a.header.Get("Strict-Transport-Security") != "" {
		t.Errorf("its headers are %v", a.header)
	}
	if a := ann.at(wiki).navigates("/.keypeg/files/static/signinpages.css"); a.status != 200 || string(a.body) != "a file" {
		t.Errorf("its style sheet is %s", a)
	}
	for _, path := range []string{"/.keypeg/", "/.keypeg/files/healthz", "/.keypeg/files/static/../../api/v1/account", "/.keypeg/enter/x"} {
		if a := ann.at(wiki).navigates(path); a.status == 200 {
			t.Errorf("%s is %s", path, a)
		}
	}
	for _, host := range []string{"https://other.example.com", origin} {
		if a := ann.at(host).navigates(shared.GateEnter); a.status == 303 {
			t.Errorf("enter at %s is %s", host, a)
		}
	}
}

// TestGateTitle: without such a gate the sign-in page names nothing, whatever a stranger lets it go on to.
func TestGateTitle(t *testing.T) {
	next := shared.PageSignIn + "?next=" + url.QueryEscape(shared.PageGate+"?bound="+strings.Repeat("A", 43)+"&gate=evil")
	for _, gated := range []bool{false, true} {
		s := newSite(t, stores["memstore"], nil)
		if gated {
			s.gated()
		}
		if a := s.visitor().navigates(next); a.status != 200 || strings.Contains(string(a.body), "to go on to") {
			t.Errorf("with gates %v: %s", gated, a)
		}
	}
}

// TestGateAway: nobody passes while the store is away, and nginx gets a status that it understands.
func TestGateAway(t *testing.T) {
	down := &away{}
	s := newSite(t, func(t *testing.T, now store.Clock) store.Store {
		down.Store = stores["memstore"](t, now)
		return down
	}, nil)
	s.gated()
	ann := s.user("ann")
	ann.enters(wiki, "/")
	down.down.Store(true)
	at := ann.at(wiki)
	at.stops(at.asksForward("/"), 503)
	at.stops(at.asksForward("/", with("Sec-Fetch-Mode", "cors")), 503)
	at.stops(at.asksEnvoy("/"), 503)
	a := at.asksNginx("/")
	at.stops(a, 403)
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control is %q", got)
	}
	down.down.Store(false)
	at.passesAs(at.asksNginx("/"), "ann")
}

// away is a store that can be away.
type away struct {
	store.Store
	down atomic.Bool
}

var errAway = errors.New("the store is away")

// Item implements [store.Store].
func (a *away) Item(ctx context.Context, owner, collection, key string) (store.Item, error) {
	if a.down.Load() {
		return store.Item{}, errAway
	}
	return a.Store.Item(ctx, owner, collection, key)
}
