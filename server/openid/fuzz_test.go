package openid_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// endpoint returns a server for requests without a network.
func endpoint(f *testing.F) http.Handler {
	f.Helper()
	db, log := memstore.New(time.Now), slog.New(slog.DiscardHandler)
	address, err := server.ParseAddress("https://id.example.com", "", true)
	if err != nil {
		f.Fatal(err)
	}
	s, err := server.New(f.Context(), server.Config{
		Store: db, Accounts: account.New(account.Config{Store: db, Now: time.Now, Log: log}), Log: log, Address: address, Product: "Keypeg",
		Clients: []openid.Client{clientOf(f, nil)}, Asset: func(name string) string { return "/static/" + name },
		App: server.App{Pages: []shared.PagePattern{"/"}, Page: http.NotFoundHandler(), Files: map[string]http.Handler{"/static/": http.NotFoundHandler()}},
	})
	if err != nil {
		f.Fatal(err)
	}
	return s
}

// FuzzAuthorize sends any query to the authorization endpoint. Nobody is ever sent elsewhere than to the program, or to our
// own pages.
func FuzzAuthorize(f *testing.F) {
	handler := endpoint(f)
	for _, seed := range []url.Values{request(), request("prompt", "none"), request("max_age", "0"), request("request", "x"), request("redirect_uri", "https://evil.example")} {
		f.Add(seed.Encode())
	}
	for _, seed := range []string{"client_id=grafana&client_id=x", "%", "a;b", "client_id=grafana&redirect_uri=" + url.QueryEscape(redirect) + "&response_type=code%00", "request_uri=urn:ietf:params:oauth:request_uri:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", "https://id.example.com"+openid.PathAuthorize, nil)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		to := w.Header().Get("Location")
		if w.Code >= 500 || strings.Contains(to, "code=") && !strings.Contains(query, "code=") {
			t.Errorf("got %d to %s", w.Code, to)
		}
		if to != "" && !strings.HasPrefix(to, redirect+"?") && !strings.HasPrefix(to, shared.PageSignIn+"?next=") {
			t.Errorf("is sent to %s", to)
		}
	})
}

// FuzzToken sends any form to the token endpoint. Nothing gives tokens, and nothing is a fault of ours.
func FuzzToken(f *testing.F) {
	handler := endpoint(f)
	f.Add("grafana", secret, codeForm("x").Encode())
	f.Add("grafana", "x", "grant_type=refresh_token&refresh_token=x")
	f.Add("", "", "client_id=grafana&client_secret="+secret+"&grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=x")
	f.Add("", "", "client_assertion=a.b.c&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	f.Fuzz(func(t *testing.T, id, password, body string) {
		r := httptest.NewRequest("POST", "https://id.example.com"+openid.PathToken, strings.NewReader(body))
		r.Header.Set("Content-Type", asForm)
		if id != "" {
			r.SetBasicAuth(id, password)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code < 400 || w.Code >= 500 || strings.Contains(w.Body.String(), "access_token") {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	})
}
