package server_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/shared"
)

// TestDraw gets drawn pages: for the user who asks, by the API's rules, of a page of the app, and only
// for a request that no link can make.
func TestDraw(t *testing.T) {
	s := newSite(t, stores["memstore"], func(c *server.Config) {
		c.App.Draw = func(r *http.Request, page *url.URL, ask server.Ask) (shared.DrawnPage, error) {
			drawn := shared.DrawnPage{HTML: page.String() + strings.Repeat(" ", 4096), Answers: map[string]shared.DrawnAnswer{}}
			for _, path := range []string{shared.PathAccount, "/api/v1/users", "/api/v1/nothing", "::"} {
				status, body := ask(r.Context(), path, "de")
				drawn.Answers[path] = shared.DrawnAnswer{Status: status, Body: string(body)}
			}
			return drawn, nil
		}
	})
	ann, bob := s.user("ann"), s.user("bob")
	withNonce := func(r *http.Request) { r.Header.Set(shared.HeaderNonce, "n1") }

	for _, v := range []*visitor{ann, bob} {
		a := v.sends("GET", "/drawn?page="+url.QueryEscape("/users/x?find=a&b=<"), nil, withNonce, func(r *http.Request) { r.Header.Set("Range", "bytes=0-1") })
		drawn := into[shared.DrawnPage](v, a, 200)
		if a.header.Get("Cache-Control") != "no-store" || a.header.Get(shared.HeaderNonce) != "n1" || !strings.HasPrefix(drawn.HTML, "/users/x?find=a&b=<") {
			t.Errorf("%s got %v %s", v.name, a.header, a)
		}
		var account shared.Account
		if err := json.Unmarshal([]byte(drawn.Answers[shared.PathAccount].Body), &account); err != nil || account.User.Name != v.name {
			t.Errorf("%s got the account of %+v (%v)", v.name, account.User, err)
		}
		if users := drawn.Answers["/api/v1/users"]; users.Status != 403 || !strings.Contains(users.Body, "Ihre Rolle erlaubt das nicht.") {
			t.Errorf("%s, who has no role, got %+v", v.name, users)
		}
		if drawn.Answers["/api/v1/nothing"].Status != 404 || drawn.Answers["::"].Status != 404 {
			t.Errorf("paths that aren't there: %+v", drawn.Answers)
		}
	}

	for what, row := range map[string]struct {
		v      *visitor
		path   string
		nonce  bool
		status int
	}{
		"a stranger":          {s.visitor(), "/drawn?page=/", true, 401},
		"a link":              {ann, "/drawn?page=/", false, 400},
		"no page":             {ann, "/drawn", true, 400},
		"a page of others":    {ann, "/drawn?page=" + url.QueryEscape("https://evil.test/"), true, 400},
		"another page":        {ann, "/drawn?page=/sign-in", true, 404},
		"a path that isn't":   {ann, "/drawn?page=" + url.QueryEscape("/users/a/b"), true, 404},
		"half an address":     {ann, "/drawn?page=" + url.QueryEscape("//evil.test/"), true, 404},
		"what is no address":  {ann, "/drawn?page=%00", true, 400},
		"the API, as a page":  {ann, "/drawn?page=" + shared.PathAccount, true, 404},
		"itself, for ever so": {ann, "/drawn?page=" + url.QueryEscape("/drawn?page=/"), true, 404},
	} {
		change := []func(*http.Request){}
		if row.nonce {
			change = append(change, withNonce)
		}
		if a := row.v.sends("GET", row.path, nil, change...); a.status != row.status || strings.Contains(string(a.body), "html") {
			t.Errorf("%s: %s", what, a)
		}
	}

	a := ann.sends("GET", "/drawn?page=/", nil, withNonce, func(r *http.Request) { r.Header.Set("Accept-Encoding", "br, gzip") })
	unpacked, err := gzip.NewReader(strings.NewReader(string(a.body)))
	if err != nil || a.header.Get("Content-Encoding") != "gzip" || a.header.Get("Vary") != "Accept-Encoding" {
		t.Fatalf("compressed: %v, %v", a.header, err)
	}
	if whole, err := io.ReadAll(unpacked); err != nil || len(a.body) > len(whole)/4 {
		t.Errorf("compressed it has %d bytes of %d (%v)", len(a.body), len(whole), err)
	}
}

// TestDrawAsksNothing draws a page that needs no answer of the API.
func TestDrawAsksNothing(t *testing.T) {
	s := newSite(t, stores["memstore"], func(c *server.Config) {
		c.App.Draw = func(*http.Request, *url.URL, server.Ask) (shared.DrawnPage, error) {
			return shared.DrawnPage{HTML: "a page"}, nil
		}
	})
	ann := s.user("ann")
	drawn := into[shared.DrawnPage](ann, ann.sends("GET", "/drawn?page=/", nil, func(r *http.Request) { r.Header.Set(shared.HeaderNonce, "n") }), 200)
	unmarked := ann.sends("GET", "/drawn?page=/", nil, func(r *http.Request) { r.Header.Set(shared.HeaderNonce, "n") }, has("keypeg-browser", ""))
	if set := strings.Join(unmarked.header.Values("Set-Cookie"), " "); !strings.Contains(set, "keypeg-browser=") {
		t.Errorf("a browser that has lost its mark gets %q", set)
	}
	if drawn.HTML != "a page" || drawn.Answers[shared.PathLive].Body == "" {
		t.Errorf("got %+v", drawn)
	}
}

// TestDrawFails lets drawing fail. Nobody is worse off: the program draws the page.
func TestDrawFails(t *testing.T) {
	s := newSite(t, stores["memstore"], func(c *server.Config) {
		c.App.Draw = func(*http.Request, *url.URL, server.Ask) (shared.DrawnPage, error) {
			return shared.DrawnPage{}, context.DeadlineExceeded
		}
	})
	ann := s.user("ann")
	if a := ann.sends("GET", "/drawn?page=/", nil, func(r *http.Request) { r.Header.Set(shared.HeaderNonce, "n") }); a.status != 500 {
		t.Errorf("got %s", a)
	}
	if a := ann.sends("GET", "/", nil); a.status != 200 || string(a.body) != "the app" {
		t.Errorf("the page: %s", a)
	}
}
