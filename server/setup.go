package server

import (
	"net/http"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/shared"
)

// cookieSetup has the token of the link that makes the first administrator.
const cookieSetup = "keypeg-setup"

// SetupURL returns the address of a set-up link. Its token moves into a cookie when it is
// opened, so that no page has it in its address.
func (a Address) SetupURL(token string) string {
	return a.Origin + shared.PageSetup + "?token=" + token
}

func (s *Server) showSetup(w http.ResponseWriter, r *http.Request) error {
	if token := r.URL.Query().Get("token"); token != "" {
		if err := s.c.Accounts.CheckSetupLink(r.Context(), token); err != nil {
			return err
		}
		s.cookies.MarkBrowser(w, r)
		s.cookies.Set(w, cookieSetup, token, 30*time.Minute)
		http.Redirect(w, r, shared.PageSetup+openedLink, http.StatusSeeOther)
		return nil
	}
	if s.lostCookie(r, cookieSetup) {
		return s.cookieless(r)
	}

	if err := s.c.Accounts.CheckSetupLink(r.Context(), s.cookies.Value(r, cookieSetup)); err != nil {
		return err
	}
	return s.signInPages.Setup(w, http.StatusOK, httpapi.Text(r), signinpages.Setup{})
}

func (s *Server) submitSetup(w http.ResponseWriter, r *http.Request) error {
	typed, err := httpapi.Form(r)
	if err != nil {
		return err
	}
	first := account.NewUser{
		Name:        typed.Get("name"),
		DisplayName: typed.Get("display-name"),
		Password:    typed.Get("password"),
		Role:        shared.RoleAdministrator,
	}

	err = s.setUp(w, r, first)
	switch code := shared.CodeOf(err); code {
	case shared.CodeInvalidName, shared.CodeInvalidPassword, shared.CodeNameTaken:
		refusal := s.answers.Report(w, r, err)
		return s.signInPages.Setup(w, httpapi.Status(code), httpapi.Text(r), signinpages.Setup{
			Name: first.Name, DisplayName: first.DisplayName, Refusal: refusal.Message, Refused: refusedInput(code, first),
		})
	}
	return err
}

// refusedInput returns the name of the input that has to be typed again.
func refusedInput(code shared.Code, first account.NewUser) string {
	if code == shared.CodeInvalidPassword {
		return "password"
	}
	// Both names have the same code.
	if _, err := account.CanonicalName(first.Name); code == shared.CodeInvalidName && err == nil {
		return "display-name"
	}
	return "name"
}

// setUp makes the first administrator. They are signed in afterwards; where the policy
// accepts no passwords, they go on to add a passkey first.
func (s *Server) setUp(w http.ResponseWriter, r *http.Request, first account.NewUser) error {
	next, token := shared.PageSignedIn, s.cookies.Value(r, cookieSetup)
	if s.c.Accounts.Policy().TakesPasswords() {
		issued, err := s.c.Accounts.SetUp(r.Context(), s.local.visitor(r), token, first)
		if err != nil {
			return err
		}
		s.local.setSession(w, r, issued)
	} else {
		link, err := s.c.Accounts.SetUpByLink(r.Context(), s.local.visitor(r), token, first.Name, first.DisplayName)
		if err != nil {
			return err
		}
		s.cookies.Set(w, cookieEnrol, link.Token, link.Expires.Sub(s.c.Now()))
		next = shared.PageEnrol + openedLink
	}
	s.cookies.Drop(w, cookieSetup)
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}
