package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/probe"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// TestStrangersAskNothingOfTheDoctor compares the address that keypeg doctor asks with one at which nothing is.
func TestStrangersAskNothingOfTheDoctor(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	v := s.visitor()
	if _, err := store.Secret(t.Context(), s.store, probe.SecretName); err != nil {
		t.Fatal(err)
	}
	forged, _ := probe.Token(make([]byte, probe.KeySize), time.Now())
	for _, method := range []string{"GET", "POST"} {
		nothing := v.sends(method, "/api/v1/nothing", nil)
		for _, token := range []string{"", "x", forged} {
			got := v.sends(method, probe.Path, nil, func(r *http.Request) { r.Header.Set(probe.Header, token) })
			if got.status != nothing.status || withoutNumber(got) != withoutNumber(nothing) || got.header.Get("Set-Cookie") != "" || len(got.header) != len(nothing.header) {
				t.Errorf("%s with the token %q: %s, want what is answered where nothing is: %s", method, token, got, nothing)
			}
		}
	}
	key, _ := store.Secret(t.Context(), s.store, probe.SecretName)
	token, nonce := probe.Token(key, s.now())
	r := httptest.NewRequest("GET", probe.Path+"?of="+shared.PageSignIn, nil)
	r.Header.Set(probe.Header, token)
	got := httptest.NewRecorder()
	s.handler.ServeHTTP(got, r)
	if got.Code != 200 || !strings.Contains(got.Body.String(), probe.Prove(key, nonce)) {
		t.Errorf("the doctor reads %d %s", got.Code, got.Body)
	}
}

// withoutNumber is the body without the number of the request.
func withoutNumber(a answer) string {
	body, _, _ := strings.Cut(string(a.body), `"requestId"`)
	return body
}
