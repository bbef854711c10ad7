package server

import (
	"net/http"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/shared"
)

// Links of mails. Opening one does nothing, because mail filters open links before people do. As
// with the link of an enrolment, its token moves into a cookie.

// The cookies with the tokens of links that the browser has opened.
const (
	cookieVerify  = "keypeg-verify"
	cookieNotMe   = "keypeg-not-me"
	cookieRelease = "keypeg-release" // also of a browser that has held the account
)

func (s *Server) showVerify(w http.ResponseWriter, r *http.Request) error {
	open := func(token string) (account.MailLink, error) { return s.c.Accounts.Verification(r.Context(), token) }
	link, err := s.openMailLink(w, r, shared.PageVerify, cookieVerify, open)
	if err != nil || link == nil {
		return err
	}
	return s.signInPages.Verify(w, http.StatusOK, httpapi.Text(r), verifyPage(*link))
}

func verifyPage(link account.MailLink) signinpages.Verify {
	return signinpages.Verify{Address: link.User.Email, Name: link.User.Name}
}

func (s *Server) submitVerify(w http.ResponseWriter, r *http.Request) error {
	link, err := s.c.Accounts.Verification(r.Context(), s.cookies.Value(r, cookieVerify))
	if err == nil {
		err = s.c.Accounts.Verify(r.Context(), s.reader(r), link)
	}
	if shared.CodeOf(err) == shared.CodeEmailTaken {
		refusal, page := s.answers.Report(w, r, err), verifyPage(link)
		page.Refusal = refusal.Message
		return s.signInPages.Verify(w, httpapi.Status(refusal.Code), httpapi.Text(r), page)
	}
	if err != nil {
		return err
	}
	s.cookies.Drop(w, cookieVerify)
	http.Redirect(w, r, shared.PageVerified, http.StatusSeeOther)
	return nil
}

func (s *Server) showVerified(w http.ResponseWriter, r *http.Request) error {
	return s.signInPages.Verified(w, httpapi.Text(r))
}

// openMailLink returns the link that the browser has opened, or nil after it has answered: a token
// in the address moves into a cookie.
func (s *Server) openMailLink(w http.ResponseWriter, r *http.Request, page, cookie string, open func(token string) (account.MailLink, error)) (*account.MailLink, error) {
	if token := r.URL.Query().Get("token"); token != "" {
		link, err := open(token)
		if err != nil {
			return nil, err
		}
		s.cookies.Set(w, cookie, token, link.Expires.Sub(s.c.Now()))
		http.Redirect(w, r, page+openedLink, http.StatusSeeOther)
		return nil, nil
	}
	if s.lostCookie(r, cookie) {
		return nil, s.cookieless(r)
	}
	link, err := open(s.cookies.Value(r, cookie))
	return &link, err
}

// reader returns the actor for the link of a mail: somebody who reads what its user is sent, and
// need not be signed in.
func (s *Server) reader(r *http.Request) session.Actor {
	return session.Actor{Client: s.clients.Of(r)}
}

// showNotMe shows the page of *This wasn't me*. Somebody who can sign in does more on the page of
// their activity.
func (s *Server) showNotMe(w http.ResponseWriter, r *http.Request) error {
	open := func(token string) (account.MailLink, error) { return s.c.Accounts.HoldLink(r.Context(), token) }
	link, err := s.openMailLink(w, r, shared.PageNotMe, cookieNotMe, open)
	if err != nil || link == nil {
		return err
	}
	return s.signInPages.NotMe(w, httpapi.Text(r), link.User.Name)
}

func (s *Server) submitNotMe(w http.ResponseWriter, r *http.Request) error {
	link, err := s.c.Accounts.HoldLink(r.Context(), s.cookies.Value(r, cookieNotMe))
	if err != nil {
		return err
	}
	release, until, err := s.c.Accounts.Hold(r.Context(), s.reader(r), link)
	if err != nil {
		return err
	}
	s.cookies.Drop(w, cookieNotMe)
	s.cookies.Set(w, cookieRelease, release, until.Sub(s.c.Now()))
	http.Redirect(w, r, shared.PageHeld, http.StatusSeeOther)
	return nil
}

func (s *Server) showHeld(w http.ResponseWriter, r *http.Request) error {
	return s.signInPages.Held(w, httpapi.Text(r))
}

// showRelease keeps the token for the start page, where the signed-in user can end the hold.
func (s *Server) showRelease(w http.ResponseWriter, r *http.Request) error {
	token := r.URL.Query().Get("token")
	link, err := s.c.Accounts.ReleaseLink(r.Context(), token)
	if err != nil {
		return err
	}
	s.cookies.Set(w, cookieRelease, token, link.Expires.Sub(s.c.Now()))
	http.Redirect(w, r, shared.PageHome, http.StatusSeeOther)
	return nil
}

func (s *Server) releaseAccount(w http.ResponseWriter, r *http.Request) error {
	if err := s.c.Accounts.Release(r.Context(), httpapi.CallerOf(r).Actor, s.cookies.Value(r, cookieRelease)); err != nil {
		return err
	}
	s.cookies.Drop(w, cookieRelease)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) sendVerification(w http.ResponseWriter, r *http.Request) error {
	if err := s.c.Accounts.SendVerification(r.Context(), httpapi.CallerOf(r).Actor); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
