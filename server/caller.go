package server

import (
	"context"
	"net/http"
	"strings"

	"github.com/keypeg/keypeg/shared"
)

// signedIn lets a handler of the API run for signed-in users only.
func (s *Server) signedIn(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		who, err := s.people.authenticate(r)
		if err != nil {
			if shared.CodeOf(err) == shared.CodeUnauthenticated && s.Host == nil {
				s.sessionEnded(w, r)
			}
			return err
		}
		visitOf(r.Context()).who = &who
		return h(w, r)
	}
}

// sessionEnded has the sign-in page say why it is shown. Who had no session isn't told. The
// cookie stays: it is worth nothing, and another tab may have signed in just now. To drop it
// would take that tab's new session from the browser.
func (s *Server) sessionEnded(w http.ResponseWriter, r *http.Request) {
	if s.cookieValue(r, cookieSession) == "" {
		return
	}
	sealed, err := pack(s.travel.said, said{shared.CodeUnauthenticated, text(r).Door.SessionEnded, true})
	if err != nil {
		s.Log.Error("telling that a session has ended", "cause", err)
		return
	}
	s.setCookie(w, cookieSaid, sealed, saidLife)
}

// confirmed lets a handler run only shortly after the user proved who they are.
// It stands inside signedIn.
func (s *Server) confirmed(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.sessions.Fresh(caller(r).Session); err != nil {
			return err
		}
		return h(w, r)
	}
}

// withPasskeys refuses while IT has not switched passkeys on.
func (s *Server) withPasskeys(h handler) handler {
	if s.passkeys != nil {
		return h
	}
	return func(http.ResponseWriter, *http.Request) error {
		return shared.Errorf(shared.CodePasskeysOff, "Passkeys are not switched on here.")
	}
}

// caller is who sends the request, in a handler behind signedIn.
func caller(r *http.Request) signedInUser {
	return *visitOf(r.Context()).who
}

// Protect lets only signed-in users through to a host program's own handler.
// Others are sent to the sign-in page if they ask for a page, and refused if
// they ask for anything else; with a [Host], whose sign-in page is its own, they are
// refused. Behind it, [UserFrom] tells who is there.
func (s *Server) Protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := s.people.authenticate(r)
		switch {
		case err == nil:
			v := &visit{ResponseWriter: w, who: &who}
			next.ServeHTTP(w, v.of(r))
		case shared.CodeOf(err) == shared.CodeUnauthenticated && wantsPage(r) && s.Host == nil:
			s.toSignIn(w, r)
		default:
			// The answer is ours, and the person must be able to name it.
			s.writeProblem(w, newVisit(w).of(r), err)
		}
	})
}

// UserFrom returns the signed-in user of a request that came through
// [Server.Protect].
func UserFrom(ctx context.Context) (shared.User, bool) {
	v := visitOf(ctx)
	if v == nil || v.who == nil {
		return shared.User{}, false
	}
	return v.who.shown, true
}

func wantsPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html")
}
