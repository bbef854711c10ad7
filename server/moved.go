package server

import (
	"net/http"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/shared"
)

// While an organisation moves, whoever signs in at a former address is shown the way to the new one. A user who
// has passkeys for the former address alone makes a new one there, by a link as for a phone: so that needs
// nothing of the browser.

// cookieMoveLater keeps the page away for laterFor, after somebody has pressed *Later*.
const (
	cookieMoveLater = "keypeg-move-later"
	laterFor        = 24 * time.Hour
)

// pastMove returns the page to go to after signing in: that of the move if it is due, and else next.
func (s *Server) pastMove(r *http.Request, next string) string {
	if s.isFormer(r) && s.cookies.Value(r, cookieMoveLater) == "" {
		return httpapi.WithNext(shared.PageMoved, next)
	}
	return next
}

func (s *Server) showMoved(w http.ResponseWriter, r *http.Request) error {
	next := s.nextPage(w, r, r.FormValue("next"))
	who, err := s.people.authenticate(r)
	if shared.CodeOf(err) == shared.CodeUnauthenticated {
		s.toSignIn(w, r)
		return nil
	}
	if err != nil {
		return err
	}
	if !s.isFormer(r) {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	page := signinpages.Moved{Next: next, Address: s.c.Address.Host, Origin: s.c.Address.Origin}
	if s.passkeys != nil && who.MayAddMethod(who.User, s.c.Now()) == nil {
		page.Passkeys = s.passkeys.Moving(who.User)
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.signInPages.Moved(w, httpapi.Text(r), page)
}

// submitMoved makes the link for a new passkey, and leads to it. It needs a recent sign-in.
func (s *Server) submitMoved(w http.ResponseWriter, r *http.Request) error {
	typed, err := httpapi.Form(r)
	if err != nil {
		return err
	}
	next := s.nextPage(w, r, typed.Get("next"))
	if typed.Has("later") || !s.isFormer(r) {
		s.cookies.Set(w, cookieMoveLater, "yes", laterFor)
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	if who, err := s.people.authenticate(r); err == nil && s.sessions.Fresh(who.Session) != nil {
		// This page is for whoever has just signed in, and the next sign-in leads back to it.
		if _, err := s.endSessionOf(w, r); err != nil {
			return err
		}
		http.Redirect(w, r, httpapi.WithNext(shared.PageSignIn, next), http.StatusSeeOther)
		return nil
	}
	return s.gates.Confirmed(s.withPasskeys(func(w http.ResponseWriter, r *http.Request) error {
		link, err := s.c.Accounts.NewPhoneLink(r.Context(), httpapi.CallerOf(r).Actor)
		if err != nil {
			return err
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Refresh", "0; url="+s.c.Address.EnrolURL(link.Token)) // no redirect: a form of ours may not lead to another site
		w.WriteHeader(http.StatusOK)
		return nil
	}))(w, r)
}
