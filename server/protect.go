package server

import (
	"context"
	"net/http"
	"strings"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

// Protect passes only requests of signed-in users to a program's own handler, where
// [UserFrom] returns the user. A request of anybody else is redirected to the sign-in page
// if it is for a page, and refused otherwise. With a [Host] it is always refused, because
// the Host has a sign-in page of its own.
func (s *Server) Protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := s.people.authenticate(r)
		switch {
		case err == nil:
			s.sessionUsed(w, r, who)
			next.ServeHTTP(httpapi.WithCaller(w, r, who))
		case shared.CodeOf(err) == shared.CodeUnauthenticated && wantsPage(r) && s.c.Host == nil:
			s.toSignIn(w, r)
		default:
			// The answer gets a request id, so that the person can name it to IT.
			s.answers.Problem(w, httpapi.WithID(w, r), err)
		}
	})
}

// UserFrom returns the signed-in user of a request that came through
// [Server.Protect].
func UserFrom(ctx context.Context) (shared.User, bool) {
	who, known := httpapi.CallerFrom(ctx)
	return who.Shown, known
}

func wantsPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html")
}
