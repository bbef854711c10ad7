package server

import (
	"net/http"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/door"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/shared"
)

func (s *Server) signInWithRecoveryCode(w http.ResponseWriter, r *http.Request) error {
	var request shared.RecoverySignIn
	if err := decode(r, &request); err != nil {
		return err
	}
	issued, err := s.recoverAs(r, request.Name, request.Code)
	if err != nil {
		return err
	}
	s.local.admit(w, r, issued)
	return respond(w, http.StatusOK, shared.SignedIn{User: publicUser(issued.User)})
}

func (s *Server) recoverAs(r *http.Request, name, code string) (session.Issued, error) {
	return s.Accounts.SignInWithRecoveryCode(r.Context(), s.local.visitor(r), account.RecoverySignIn{
		Name: name, Code: code, Known: s.local.device.of(r, name),
	})
}

func (s *Server) makeRecoveryCodes(w http.ResponseWriter, r *http.Request) error {
	codes, err := s.Accounts.MakeRecoveryCodes(r.Context(), caller(r).Actor)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, shared.RecoveryCodes{Codes: codes})
}

// The page for who has lost every other way in: a form that works without a script.

func (s *Server) showRecovery(w http.ResponseWriter, r *http.Request) error {
	s.markBrowser(w, r)
	return s.door.Recovery(w, http.StatusOK, text(r), door.Recovery{})
}

func (s *Server) submitRecovery(w http.ResponseWriter, r *http.Request) error {
	typed, err := form(r)
	if err != nil {
		return err
	}
	name := typed.Get("name")
	issued, err := s.recoverAs(r, name, typed.Get("code"))
	if code := shared.CodeOf(err); code != "" {
		refusal := s.report(w, r, err)
		return s.door.Recovery(w, status[code], text(r), door.Recovery{Name: name, Refusal: refusal.Message})
	}
	if err != nil {
		return err
	}
	s.local.admit(w, r, issued)
	toSignedIn(w, r, shared.PageHome)
	return nil
}
