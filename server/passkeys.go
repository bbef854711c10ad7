package server

import (
	"encoding/base64"
	"net/http"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

// withPasskeys refuses a request if IT has switched passkeys off.
func (s *Server) withPasskeys(h httpapi.Handler) httpapi.Handler {
	if s.passkeys != nil {
		return h
	}
	return func(http.ResponseWriter, *http.Request) error {
		return shared.Errorf(shared.CodePasskeysOff, "Passkeys are not switched on here. Use another way.")
	}
}

func (s *Server) listPasskeys(w http.ResponseWriter, r *http.Request) error {
	return s.respondList(w, s.passkeys.List(httpapi.CallerOf(r).Actor))
}

func (s *Server) renamePasskey(w http.ResponseWriter, r *http.Request) error {
	var request shared.RenamePasskey
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	renamed, err := s.passkeys.Rename(r.Context(), httpapi.CallerOf(r).Actor, r.PathValue("id"), request.Name)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, renamed)
}

func (s *Server) beginTrial(w http.ResponseWriter, r *http.Request) error {
	ceremony, err := s.passkeys.BeginTrial(r.Context(), httpapi.CallerOf(r).Actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	return httpapi.RespondBegun(w, ceremony)
}

func (s *Server) finishTrial(w http.ResponseWriter, r *http.Request) error {
	var answer shared.FinishCeremony
	if err := httpapi.Decode(r, &answer); err != nil {
		return err
	}
	who := httpapi.CallerOf(r).Actor
	who.Failed = answer.Failed
	tried, err := s.passkeys.FinishTrial(r.Context(), who, r.PathValue("id"), answer)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, tried)
}

func (s *Server) removePasskey(w http.ResponseWriter, r *http.Request) error {
	who, id := httpapi.CallerOf(r), r.PathValue("id")
	endSessions := r.URL.Query().Has(shared.QueryEndSessions)
	if endSessions && !s.people.endsSessions() {
		return shared.Errorf(shared.CodeConflict, "Sessions can't be ended here. Remove the passkey without that.")
	}

	left, err := s.passkeys.Remove(r.Context(), who.Actor, id, endSessions, s.people.removing(who, id)...)
	// If ending the sessions fails, the user tries again, and then the passkey doesn't
	// exist any more.
	if endSessions && (err == nil || shared.CodeOf(err) == shared.CodeNotFound) {
		if failed := s.people.removed(r.Context(), who, id); failed != nil {
			return failed
		}
	}
	if err != nil {
		return err
	}
	if left.Signals != nil {
		left.Signals.CurrentUserDetails = s.userDetails(who)
	}
	return s.respondList(w, left)
}

// userDetails returns the names of the user for password managers. The caller has checked
// that they may be told.
func (s *Server) userDetails(who httpapi.Caller) *shared.CurrentUserDetails {
	return &shared.CurrentUserDetails{
		RPID: s.c.Address.RPID, UserID: base64.RawURLEncoding.EncodeToString(who.User.Handle),
		Name: who.Shown.Name, DisplayName: who.Shown.DisplayName,
	}
}

func (s *Server) respondList(w http.ResponseWriter, list shared.PasskeyList) error {
	list.EndsSessions = s.people.endsSessions()
	return httpapi.Respond(w, http.StatusOK, &list)
}
