package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/passkey"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// cookie names one of our cookies. The prefix makes the browser insist on Secure,
// Path=/ and no Domain (RFC 6265bis, 4.1.3.2); http://localhost can't have it.
func (s *Server) cookie(name string) string {
	if s.Address.Secure {
		return "__Host-" + name
	}
	return name
}

const (
	cookieSession = "keypeg"
	cookieBrowser = "keypeg-browser"
	cookieSetup   = "keypeg-setup"
	cookieEnrol   = "keypeg-enrol"
)

func (s *Server) setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookie(name), Value: value, Path: "/", MaxAge: int(life.Seconds()),
		Secure: s.Address.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (s *Server) dropCookie(w http.ResponseWriter, name string) {
	s.setCookie(w, name, "", -time.Second)
}

// cookieValue returns a cookie's value, or "".
func (s *Server) cookieValue(r *http.Request, name string) string {
	cookie, err := r.Cookie(s.cookie(name))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// current is the session that the browser has, or none. A store in trouble refuses what
// comes next.
func (s *Server) current(r *http.Request) store.Session {
	token := s.cookieValue(r, cookieSession)
	if token == "" {
		return store.Session{}
	}
	session, err := s.Store.Session(r.Context(), store.SessionID(token))
	if err != nil {
		return store.Session{}
	}
	return session
}

// admit gives the browser its new session, and marks it as one that its user
// signed in with. The cookie lives as long as a session can; the server decides
// when it ends.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, opened account.Opened) {
	s.setCookie(w, cookieSession, opened.Token, s.Accounts.Lifetime())
	s.know(w, r, opened.User.Name)
}

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
		if err := s.Accounts.Fresh(caller(r).session); err != nil {
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

// rules are those of passkeys, for the caller.
func (s *Server) rules(r *http.Request) *passkey.Service { return s.passkeys.With(caller(r).policy) }

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

func publicUser(u store.User) shared.User {
	return shared.User{ID: u.ID, Name: u.Name, DisplayName: u.DisplayName, Admin: u.Admin, Disabled: u.Disabled}
}

// browserOf is the browser that a sign-in ceremony runs in, known by a cookie of its own,
// because there is no session yet.
func (s *Server) browserOf(r *http.Request) store.Hash {
	return store.HashOf(s.cookieValue(r, cookieBrowser))
}

// browserMark tells this browser's lines of activity from all others'. It says nothing of
// the cookie.
func (s *Server) browserMark(r *http.Request) string {
	cookie := s.cookieValue(r, cookieBrowser)
	if cookie == "" {
		return ""
	}
	hash := store.HashOf("activity " + cookie)
	return hex.EncodeToString(hash[:8])
}

// markBrowser makes sure that the browser has that cookie.
func (s *Server) markBrowser(w http.ResponseWriter, r *http.Request) store.Hash {
	if s.cookieValue(r, cookieBrowser) != "" {
		return s.browserOf(r)
	}
	mark := rand.Text()
	s.setCookie(w, cookieBrowser, mark, 365*24*time.Hour)
	return store.HashOf(mark)
}
