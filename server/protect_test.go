package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/keypeg/keypeg/server"
)

func TestProtect(t *testing.T) {
	s := newSite(t, stores["memstore"], nil)
	ann := s.user("ann")
	protected := s.handler.Protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, ok := server.UserFrom(r.Context())
		fmt.Fprintf(w, "%s %t", user.Name, ok)
	}))
	ask := func(token, accept string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", origin+"/report", nil)
		r.Header.Set("Accept", accept)
		r.AddCookie(&http.Cookie{Name: "keypeg", Value: token})
		w := httptest.NewRecorder()
		protected.ServeHTTP(w, r)
		return w
	}
	t.Run("the signed-in come through, and are known", func(t *testing.T) {
		if w := ask(ann.token(), "*/*"); w.Body.String() != "ann true" {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	})
	t.Run("others are sent to sign in, or refused if it isn't a page", func(t *testing.T) {
		if w := ask("x", "text/html"); w.Code != 303 || w.Header().Get("Location") != "/sign-in" {
			t.Errorf("got %d to %q", w.Code, w.Header().Get("Location"))
		}
		if w := ask("x", "application/json"); w.Code != 401 {
			t.Errorf("got %d", w.Code)
		}
	})
}
