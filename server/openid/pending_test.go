package openid_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/shared"
)

// TestWaitingRequestsStaySmall: proxies refuse requests whose cookies are large, so a page of another site must not make
// a browser collect them.
func TestWaitingRequestsStaySmall(t *testing.T) {
	s := newScene(t, stores["memstore"])
	p := s.browser()
	at, err := url.Parse(s.issuer)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		sent := request("state", strings.Repeat("s", 1024), "nonce", strings.Repeat("n", 512), "login_hint", strings.Repeat("h", 256))
		a := p.sends("POST", openid.PathAuthorize, asForm, sent.Encode())
		s.is("status", a.status, 303)
		s.is("the newest goes on", p.gets(a.header.Get("Location")).status, 303)
		all := 0
		for _, c := range p.jar.Cookies(at) {
			all += len(c.Name) + len(c.Value) + len("=; ")
		}
		if all > 6000 {
			t.Fatalf("the cookies have %d bytes", all)
		}
	}
	var waiting []string
	for range 4 {
		waiting = append(waiting, p.sends("POST", openid.PathAuthorize, asForm, request().Encode()).header.Get("Location"))
	}
	for _, next := range waiting {
		s.is("an ordinary one in each of four tabs", p.gets(next).status, 303)
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
