package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// cookieUntil has the time at which the browser's session ends by itself. When the session is found to
// have ended, the cookie tells whether that was before its time, of which the store has no record any
// more. It decides nothing but a sentence.
const cookieUntil = "keypeg-until"

// keepUntil makes the browser keep when its session ends by itself, if that has changed.
func keepUntil(w http.ResponseWriter, r *http.Request, cookies httpapi.Cookies, of store.Session, now time.Time) {
	until := strconv.FormatInt(of.Expires.Unix(), 10)
	if cookies.Value(r, cookieUntil) != until && of.Expires.After(now) {
		cookies.Set(w, cookieUntil, until, of.Expires.Sub(now))
	}
}

// sessionUsed is called when a request has been admitted. Use of a session makes it longer.
func (s *Server) sessionUsed(w http.ResponseWriter, r *http.Request, who *httpapi.Caller) {
	if s.c.Host == nil {
		keepUntil(w, r, s.cookies, who.Session, s.c.Now())
	}
}

// sessionEnded leaves a notice for the sign-in page, which says why the session has ended.
// A browser that had no session gets none. The cookie of the session stays: it is useless
// by itself, and another tab may have signed in just now. Dropping it could drop that tab's
// new session.
func (s *Server) sessionEnded(w http.ResponseWriter, r *http.Request) {
	s.explainEnd(w, r, httpapi.Text(r))
}

func (s *Server) explainEnd(w http.ResponseWriter, r *http.Request, text *message.Catalogue) {
	if s.cookies.Value(r, httpapi.CookieSession) != "" {
		s.leaveReason(w, s.whyEnded(r, message.SignInPageIn(text)))
	}
}

// leaveReason makes the sign-in page say why it is shown.
func (s *Server) leaveReason(w http.ResponseWriter, why httpapi.Notice) {
	why.Code, why.SignIn = shared.CodeUnauthenticated, true
	if err := s.notices.Set(w, why); err != nil {
		s.c.Log.Error("the notice that a session has ended could not be left", "cause", err)
	}
}

// whyEnded says why the session of a browser has ended. That a user is disabled is told only in a
// browser in which that user was signed in, which the device cookie proves; the session's cookie
// alone proves nothing any more.
func (s *Server) whyEnded(r *http.Request, words message.SignInPage) httpapi.Notice {
	of := store.UserOfSession(store.SessionID(s.cookies.Value(r, httpapi.CookieSession)))
	if user := s.local.known(r); user.Disabled && user.ID == of {
		return httpapi.Notice{Message: words.Disabled}
	}
	until, err := strconv.ParseInt(s.cookies.Value(r, cookieUntil), 10, 64)
	if err == nil && s.c.Now().Unix() < until {
		return httpapi.Notice{Message: words.Elsewhere, Resumes: true}
	}
	return httpapi.Notice{Message: words.Expired, Resumes: true}
}
