package server

import (
	"context"
	"net/http"
	"strings"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

// Protect lets only signed-in users through to a host program's own handler.
// Others are sent to the sign-in page if they ask for a page, and refused if
// they ask for anything else; with a [Host], whose sign-in page is its own, they are
// refused. Behind it, [UserFrom] tells who is there.
func (s *Server) Protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := s.people.authenticate(r)
		switch {
		case err == nil:
			next.ServeHTTP(httpapi.Passed(w, r, who))
		case shared.CodeOf(err) == shared.CodeUnauthenticated && wantsPage(r) && s.c.Host == nil:
			s.toSignIn(w, r)
		default:
			// The answer is ours, and the person must be able to name it.
			s.answers.Problem(w, httpapi.Named(w, r), err)
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

// sessionEnded has the sign-in page say why it is shown. Who had no session isn't told. The
// cookie stays: it is worth nothing, and another tab may have signed in just now. To drop it
// would take that tab's new session from the browser.
func (s *Server) sessionEnded(w http.ResponseWriter, r *http.Request) {
	if s.cookies.Value(r, httpapi.CookieSession) == "" {
		return
	}
	notice := httpapi.Notice{Code: shared.CodeUnauthenticated, Message: httpapi.Text(r).SignInPages.SessionEnded, SignIn: true}
	if err := s.notices.Leave(w, notice); err != nil {
		s.c.Log.Error("telling that a session has ended", "cause", err)
	}
}

// withPasskeys refuses while IT has not switched passkeys on.
func (s *Server) withPasskeys(h httpapi.Handler) httpapi.Handler {
	if s.passkeys != nil {
		return h
	}
	return func(http.ResponseWriter, *http.Request) error {
		return shared.Errorf(shared.CodePasskeysOff, "Passkeys are not switched on here.")
	}
}
