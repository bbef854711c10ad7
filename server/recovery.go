package server

import (
	"net/http"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/shared"
)

func (s *Server) signInWithRecoveryCode(w http.ResponseWriter, r *http.Request) error {
	var request shared.RecoverySignIn
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	issued, err := s.recoverAs(r, request.Name, request.Code)
	if err != nil {
		return err
	}
	s.local.setSession(w, r, issued)
	return httpapi.Respond(w, http.StatusOK, shared.SignedIn{User: account.PublicUser(issued.User)})
}

func (s *Server) recoverAs(r *http.Request, name, code string) (session.Issued, error) {
	return s.c.Accounts.SignInWithRecoveryCode(r.Context(), s.local.visitor(r), account.RecoverySignIn{
		Name: name, Code: code, DeviceCookie: s.local.device.Of(r, name),
	})
}

func (s *Server) makeRecoveryCodes(w http.ResponseWriter, r *http.Request) error {
	codes, err := s.c.Accounts.MakeRecoveryCodes(r.Context(), httpapi.CallerOf(r).Actor)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, shared.RecoveryCodes{Codes: codes})
}

// The page for users who have lost all sign-in methods. Its form works without a script.

func (s *Server) showRecovery(w http.ResponseWriter, r *http.Request) error {
	s.cookies.MarkBrowser(w, r)
	return s.signInPages.Recovery(w, http.StatusOK, httpapi.Text(r), signinpages.Recovery{})
}

func (s *Server) submitRecovery(w http.ResponseWriter, r *http.Request) error {
	typed, err := httpapi.Form(r)
	if err != nil {
		return err
	}
	name := typed.Get("name")
	issued, err := s.recoverAs(r, name, typed.Get("code"))
	if code := shared.CodeOf(err); code != "" {
		refusal := s.answers.Report(w, r, err)
		return s.signInPages.Recovery(w, httpapi.Status(code), httpapi.Text(r), signinpages.Recovery{Name: name, Refusal: refusal.Message})
	}
	if err != nil {
		return err
	}
	s.local.setSession(w, r, issued)
	s.toSignedIn(w, r, shared.PageHome)
	return nil
}
