package openid_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/shared"
)

const documented, documentedBack = "https://example.com/client.json", "https://example.com/callback"

// describedScene starts a provider that accepts clients by their documents, and a program with one at each of its
// addresses. While gone, it has none.
func describedScene(t *testing.T) (s *scene, gone *atomic.Bool, asked *atomic.Int32) {
	t.Helper()
	gone, asked = &atomic.Bool{}, &atomic.Int32{}
	program := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if gone.Load() {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, `{"client_id":"https://example.com%s","client_name":"Your bank","redirect_uris":[%q],"token_endpoint_auth_method":"none"}`, r.URL.Path, documentedBack)
	}))
	t.Cleanup(program.Close)
	client := program.Client() // whose certificates have example.com
	client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, program.Listener.Addr().String())
	}
	openid.FetchesWith(t, client)
	return newSceneWith(t, stores["memstore"], func(c *server.Config) { c.AnyClient = true }), gone, asked
}

// byDocument is an ordinary request of a client with a document.
func byDocument(id string) []string {
	return []string{"client_id", id, "redirect_uri", documentedBack, "scope", "openid profile email offline_access"}
}

// codeAt returns the code with which a browser is sent to an address.
func (p *person) codeAt(back string, a answer) string {
	p.Helper()
	to := a.header.Get("Location") + a.header.Get("Refresh")
	at, err := url.Parse(strings.TrimPrefix(to, "0;url="))
	if err != nil || !strings.HasPrefix(at.String(), back+"?") || at.Query().Get("code") == "" {
		p.Fatalf("isn't sent to %s with a code: %s", back, a)
	}
	return at.Query().Get("code")
}

// TestSignInByDocument: a program that nobody has registered signs a user in by its document, from the page of consent to
// its End.
func TestSignInByDocument(t *testing.T) {
	s, gone, asked := describedScene(t)
	ann := s.user("ann")
	page := ann.authorizes(byDocument(documented)...)
	if !strings.Contains(page.body, "Sign in to <bdi>example.com</bdi> as <bdi>Ann Miller</bdi>") || strings.Contains(page.body, "Your bank") {
		t.Errorf("the page of consent says %s", page)
	}
	form := func(code string) url.Values {
		return with(codeForm(code), "client_id", documented, "redirect_uri", documentedBack)
	}
	status, got := s.program(openid.PathToken, form(ann.codeAt(documentedBack, ann.lets(page, "allow"))), nothing)
	if status != 200 || got.Scope != "openid profile email" {
		t.Fatalf("the exchange is answered with %d %+v", status, got)
	}
	id := s.claims(got.IDToken)
	s.is("aud", id["aud"], documented)
	s.is("name in the ID token", id["name"], "Ann Miller")
	s.is("name in userinfo", s.userinfo(got.AccessToken)["name"], "Ann Miller")

	code := ann.codeAt(documentedBack, ann.authorizes(byDocument(documented)...)) // let in once is enough
	s.is("document fetched", asked.Load(), 1)
	status, refused := s.program(openid.PathToken, form(code), func(r *http.Request) { r.SetBasicAuth(url.QueryEscape(documented), "a secret") })
	s.is("with a secret, status", status, 401)
	s.is("with a secret", refused.Error, "invalid_client")

	s.is("elsewhere, status", ann.authorizes("client_id", documented, "redirect_uri", "https://example.com/other").status, 400)

	var list shared.ProgramList
	ann.decodes(ann.gets(shared.PathPrograms), &list)
	if len(list.Programs) != 1 || !strings.Contains(list.Programs[0].Name, "example.com") {
		t.Errorf("her programs are %+v", list.Programs)
	}
	ann.decodes(ann.sends("DELETE", shared.PathProgram+list.Programs[0].ID, "", "", own(ann)), &list)
	if claims := s.userinfo(got.AccessToken); len(claims) > 0 {
		t.Errorf("after End, userinfo says %v", claims)
	}
	ann.field(ann.authorizes(byDocument(documented)...))

	gone.Store(true)
	s.passes(6 * time.Minute)
	s.is("after the document has gone, status", ann.authorizes(byDocument(documented)...).status, 400)
}

// TestLongestDocument: the address of a document may be as long as the store can name its program, and a longer one is no
// fault of ours.
func TestLongestDocument(t *testing.T) {
	s, _, _ := describedScene(t)
	ann := s.user("ann")
	longest := "https://example.com/" + strings.Repeat("a", 512-len(grant.Client)-len("https://example.com/"))
	page := ann.authorizes(byDocument(longest)...)
	ann.codeAt(documentedBack, ann.lets(page, "allow"))
	a := ann.authorizes(byDocument(longest + "a")...)
	if a.status != 400 || !strings.Contains(a.body, "isn&#39;t registered here") {
		t.Errorf("an address that is too long is answered with %s", a)
	}
}
