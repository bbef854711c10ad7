package openid_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/shared"
)

// posts sends an authorization request as a browser does by the form of another site: without our cookies, because they
// are SameSite=Lax. It takes those of the answer. Go's cookie jar knows no sites.
func (p *person) posts(changes ...string) answer {
	p.Helper()
	a := p.browser().sends("POST", openid.PathAuthorize, asForm, request(changes...).Encode(), func(r *http.Request) {
		r.Header.Set("Origin", "https://evil.example")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	})
	p.jar.SetCookies(p.at(), (&http.Response{Header: a.header}).Cookies())
	return a
}

func (p *person) at() *url.URL {
	at, err := url.Parse(p.issuer)
	if err != nil {
		p.Fatal(err)
	}
	return at
}

// hasRoom fails if the cookies of a browser could be too large for a proxy.
func (p *person) hasRoom() {
	p.Helper()
	all := 0
	for _, c := range p.jar.Cookies(p.at()) {
		all += len(c.Name) + len(c.Value) + len("=; ")
	}
	if all > 6000 {
		p.Fatalf("the cookies have %d bytes", all)
	}
}

// large makes a request about as long as one that may wait.
var large = []string{"state", strings.Repeat("s", 2048), "nonce", strings.Repeat("n", 43)}

// TestWaitingRequestsStaySmall: proxies refuse requests whose cookies are large, so a page of another site must not make
// a browser collect them.
func TestWaitingRequestsStaySmall(t *testing.T) {
	s := newScene(t, stores["memstore"])
	p := s.browser()
	var next string
	for range 10 {
		a := p.posts(large...)
		s.is("status", a.status, 303)
		next = a.header.Get("Location")
		s.is("the newest goes on", p.gets(next).status, 303)
		p.hasRoom()
	}
	for range 10 { // a page that goes no further, and one that goes back
		s.is("status", p.posts(large...).status, 303)
		s.is("once more", p.gets(next).status, 303)
		p.hasRoom()
	}
	var waiting []string
	for range 4 {
		signIn := p.gets(p.posts().header.Get("Location")).header.Get("Location")
		_, encoded, _ := strings.Cut(signIn, "?next=")
		page, err := url.QueryUnescape(encoded)
		if err != nil || !strings.HasPrefix(page, shared.PageContinue) {
			t.Fatalf("a request by POST leads to %q", signIn)
		}
		waiting = append(waiting, page)
	}
	for _, page := range waiting {
		s.is("an ordinary one in each of four tabs", p.gets(page).status, 303)
	}
}

// TestLongState: some programs write into state where their user was, such as oauth2-proxy the whole address.
func TestLongState(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		ann := s.user("ann")
		ann.code()
		at := strings.Repeat("n", 43) + ":/d/abc?"
		state := at + strings.Repeat("from=<now-6h>&", 200)[:2048-len(at)]
		s.is("state", ann.back(ann.authorizes("state", state)).Get("state"), state)

		stranger := s.browser()
		stranger.name = "ann"
		a := stranger.authorizes("state", state, "nonce", strings.Repeat("n", 43))
		s.is("status before the sign-in", a.status, 303)
		to, err := url.Parse(a.header.Get("Location"))
		if err != nil || to.Path != shared.PageSignIn {
			s.Fatalf("isn't led to the sign-in page: %s", a)
		}
		stranger.signsIn()
		s.is("state after the sign-in", stranger.back(stranger.gets(to.Query().Get("next"))).Get("state"), state)

		for what, changes := range map[string][]string{
			"too long a state":           {"state", strings.Repeat("s", 4096)},
			"too long a nonce":           {"state", state, "nonce", strings.Repeat("n", 513)},
			"a request too long to wait": {"state", state, "nonce", strings.Repeat("n", 512), "login_hint", strings.Repeat("h", 256)},
		} {
			back := s.browser().back(s.browser().authorizes(changes...))
			if back.Get("error") != "invalid_request" || back.Get("state") != changes[1] {
				s.Errorf("%s: got %.200v, want a refusal with the state", what, back)
			}
		}
		s.is("a state that no proxy lets through", ann.back(ann.authorizes("state", strings.Repeat("s", 4097)))["state"], "[]")
	})
}

// TestPostedRequestBeginsAnew: the address of a request that came by POST is worth what the request is.
func TestPostedRequestBeginsAnew(t *testing.T) {
	s := newScene(t, stores["memstore"])
	ann := s.user("ann")
	ann.code()
	s.is("an answer", ann.back(ann.gets(ann.posts("state", "posted").header.Get("Location"))).Get("state"), "posted")
	again := ann.posts("prompt", "login").header.Get("Location")
	s.passes(time.Minute)
	ann.signsIn()
	if a := ann.gets(again); a.status != 200 || a.header.Get("Location") != "" {
		t.Errorf("whoever signed in after the POST isn't asked to confirm it: %s", a)
	}
	s.passes(13 * time.Hour)
	s.is("the next day", s.browser().gets(again).status, 404)
	s.is("made up", s.browser().gets(openid.PathAuthorize+"?posted=AAAA").status, 404)
}
