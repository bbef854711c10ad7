package server

import (
	"net/http"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

// appPage shows the app at one of its addresses. If a value in the address can't be an id,
// the answer is the same as for an unknown address.
func (s *Server) appPage(pattern shared.PagePattern) httpapi.Handler {
	show := s.forSignedIn(s.c.App.Page)
	return func(w http.ResponseWriter, r *http.Request) error {
		if _, matches := pattern.Match(r.URL.Path); !matches {
			return shared.Errorf(shared.CodeNotFound, "There is nothing at this address.")
		}
		return show(w, r)
	}
}

// forSignedIn shows a page to signed-in users, and redirects others to the sign-in page.
func (s *Server) forSignedIn(page http.Handler) httpapi.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		who, err := s.people.authenticate(r)
		if shared.CodeOf(err) == shared.CodeUnauthenticated {
			s.toSignIn(w, r)
			return nil
		}
		if err != nil {
			return err
		}
		s.sessionUsed(w, r, who)
		page.ServeHTTP(w, r)
		return nil
	}
}

func (s *Server) toSignIn(w http.ResponseWriter, r *http.Request) {
	to := httpapi.WithNext(shared.PageSignIn, s.nextPage(w, r, r.URL.RequestURI()))
	s.sessionEnded(w, r)
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// nextPage returns the page to go to after signing in. If a program waits there for a sign-in in a popup, the answer leaves
// the popup connected to it.
func (s *Server) nextPage(w http.ResponseWriter, r *http.Request, asked string) string {
	next := httpapi.Pages(s.c.App.Pages).Next(asked)
	s.provider.KeepOpener(w, r, next)
	return next
}
