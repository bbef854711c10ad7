package server

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/account"
)

// A browser in which somebody signed in keeps a cookie that says so, after they
// signed out too. A stranger who guesses at their password can't empty its
// bucket, and so can't keep them from signing in where they always do. The cookie
// opens nothing by itself: it is a random mark, and a code that ties it to the
// last user's name.

const (
	cookieKnown   = "keypeg-known"
	knownLife     = 365 * 24 * time.Hour
	secretKnown   = "known-browser-key"
	knownKeyBytes = 32
	markLength    = 26 // of rand.Text
)

// knownFor names the browser if the user who types this name signed in with it
// before, else "".
func (s *Server) knownFor(r *http.Request, typed string) string {
	mark, code, found := strings.Cut(s.cookieValue(r, cookieKnown), ".")
	name, err := account.CanonicalName(typed)
	if !found || err != nil || len(mark) != markLength || !hmac.Equal([]byte(code), []byte(s.knownCode(mark, name))) {
		return ""
	}
	return mark
}

// know lets the browser be known to the user from now on.
func (s *Server) know(w http.ResponseWriter, r *http.Request, name string) {
	if s.knownFor(r, name) != "" {
		return
	}
	mark := rand.Text()
	s.setCookie(w, cookieKnown, mark+"."+s.knownCode(mark, name), knownLife)
}

func (s *Server) knownCode(mark, name string) string {
	mac := hmac.New(sha256.New, s.knownKey)
	mac.Write([]byte(mark + " " + name))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
