package server

import (
	"net/http"
	"net/url"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/passkey"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Enrolment links: an invitation, a recovery link, or a link for a passkey on one's phone.
// Opening a link doesn't use it, because mail filters and messengers open links before
// people do. Its token moves into a cookie, so that no page has it in its address.

// cookieEnrol is the cookie with the token of the link that the browser has opened.
const cookieEnrol = "keypeg-enrol"

// EnrolURL is the address of an enrolment link.
func (a Address) EnrolURL(token string) string {
	return a.enrolURL(shared.PageEnrol, token)
}

func (a Address) enrolURL(page, token string) string {
	return a.Origin + page + "?token=" + url.QueryEscape(token)
}

// publicLink returns a new link with its address and QR code. It is shown once.
func (s *Server) publicLink(link account.Link) (shared.EnrolmentLink, error) {
	if link.MailedTo != "" {
		return shared.EnrolmentLink{Expires: link.Expires, MailedTo: link.MailedTo}, nil
	}
	at := s.c.Address.EnrolURL(link.Token)
	if s.c.Host != nil {
		at = s.c.Address.enrolURL(shared.PageHostEnrol, link.Token)
	}
	code, err := qrOf(at)
	return shared.EnrolmentLink{URL: at, QR: code, Expires: link.Expires}, err
}

func (s *Server) makePhoneLink(w http.ResponseWriter, r *http.Request) error {
	link, err := s.c.Accounts.NewPhoneLink(r.Context(), httpapi.CallerOf(r).Actor)
	if err != nil {
		return err
	}
	public, err := s.publicLink(link)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, public)
}

// openedLink is the query of the page to which opening a link redirects, with the token in
// a cookie.
const openedLink = "?opened"

// lostCookie reports whether a link was opened and the browser doesn't send its cookie.
func (s *Server) lostCookie(r *http.Request, cookie string) bool {
	return r.URL.RawQuery == openedLink[1:] && s.cookies.Value(r, cookie) == ""
}

// enrolment describes the link that the browser has opened.
func (s *Server) enrolment(r *http.Request) (account.Enrolment, error) {
	return s.c.Accounts.Enrolment(r.Context(), s.cookies.Value(r, cookieEnrol))
}

func (s *Server) showEnrol(w http.ResponseWriter, r *http.Request) error {
	if token := r.URL.Query().Get("token"); token != "" {
		e, err := s.c.Accounts.Enrolment(r.Context(), token)
		if err != nil {
			return err
		}
		s.cookies.MarkBrowser(w, r)
		s.cookies.Set(w, cookieEnrol, token, e.Expires.Sub(s.c.Now()))
		http.Redirect(w, r, shared.PageEnrol+openedLink, http.StatusSeeOther)
		return nil
	}
	if s.lostCookie(r, cookieEnrol) {
		return s.cookieless(r)
	}
	e, err := s.enrolment(r)
	if err != nil {
		return err
	}
	return s.signInPages.Enrol(w, http.StatusOK, httpapi.Text(r), s.enrolPage(e))
}

func (s *Server) enrolPage(e account.Enrolment) signinpages.Enrol {
	return signinpages.Enrol{
		Kind: e.Kind, Name: e.User.Name, DisplayName: e.User.DisplayName,
		TakesPassword: e.TakesPassword,
	}
}

// submitEnrol takes the form, which works without a script. It sets a password alone.
func (s *Server) submitEnrol(w http.ResponseWriter, r *http.Request) error {
	typed, err := httpapi.Form(r)
	if err != nil {
		return err
	}
	e, err := s.enrolment(r)
	if err != nil {
		return err
	}
	who := s.bearer(r, e)
	who.Failed = failedTries(typed)
	err = s.c.Accounts.EnrolPassword(r.Context(), who, e, typed.Get("password"))
	if shared.CodeOf(err) == shared.CodeInvalidPassword {
		refusal, page := s.answers.Report(w, r, err), s.enrolPage(e)
		page.Refusal, page.Failed = refusal.Message, who.Failed
		return s.signInPages.Enrol(w, httpapi.Status(refusal.Code), httpapi.Text(r), page)
	}
	if err != nil {
		return err
	}
	s.cookies.Drop(w, cookieEnrol)
	http.Redirect(w, r, shared.PageEnrolled+enrolledPassword, http.StatusSeeOther)
	return nil
}

// enrolledPassword is the query of the page that follows the setting of a password.
const enrolledPassword = "?password"

func (s *Server) showEnrolled(w http.ResponseWriter, r *http.Request) error {
	return s.signInPages.Enrolled(w, httpapi.Text(r), r.URL.RawQuery == enrolledPassword[1:])
}

// bearer returns the actor for a link: whoever has it acts for its user. A link doesn't
// sign anybody in.
func (s *Server) bearer(r *http.Request, e account.Enrolment) session.Actor {
	who := s.c.Accounts.Actor(e.User)
	who.Client = s.clients.Of(r)
	return who
}

// browserOfEnrolment binds a ceremony to the link that the browser has opened.
func (s *Server) browserOfEnrolment(r *http.Request, e account.Enrolment) passkey.Browser {
	return passkey.Browser{
		Binding: store.HashOf(s.cookies.Value(r, cookieEnrol)), Text: httpapi.Text(r),
		SentByIT: e.Kind != store.MethodPhoneLink,
	}
}

func (s *Server) beginEnrolment(w http.ResponseWriter, r *http.Request) error {
	e, err := s.enrolment(r)
	if err != nil {
		return err
	}
	ceremony, err := s.passkeys.BeginRegistration(r.Context(), s.bearer(r, e), s.browserOfEnrolment(r, e), shared.BeginRegistration{})
	if err != nil {
		return err
	}
	return httpapi.RespondBegun(w, ceremony)
}

func (s *Server) finishEnrolment(w http.ResponseWriter, r *http.Request) error {
	var answer shared.FinishEnrolment
	if err := httpapi.Decode(r, &answer); err != nil {
		return err
	}
	e, err := s.enrolment(r)
	if err != nil {
		return err
	}
	who := s.bearer(r, e)
	who.Failed = answer.Failed
	enrol, err := s.c.Accounts.Enrol(r.Context(), who, e, answer.Password)
	if err != nil {
		return err
	}
	added, err := s.passkeys.FinishRegistration(r.Context(), who, s.browserOfEnrolment(r, e), answer.FinishRegistration, enrol)
	if err := s.c.Accounts.Enrolled(e, err); err != nil {
		return err
	}
	s.cookies.Drop(w, cookieEnrol)
	return httpapi.Respond(w, http.StatusCreated, added)
}
