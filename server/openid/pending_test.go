package openid_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/openid"
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
