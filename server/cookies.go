package server

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// cookies sets and reads our cookies, at an address that is reached by https or not.
type cookies struct{ secure bool }

// cookie names one of our cookies. The prefix makes the browser insist on Secure,
// Path=/ and no Domain (RFC 6265bis, 4.1.3.2); http://localhost can't have it.
func (c cookies) cookie(name string) string {
	if c.secure {
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

func (c cookies) setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: c.cookie(name), Value: value, Path: "/", MaxAge: int(life.Seconds()),
		Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (c cookies) dropCookie(w http.ResponseWriter, name string) {
	c.setCookie(w, name, "", -time.Second)
}

// cookieValue returns a cookie's value, or "".
func (c cookies) cookieValue(r *http.Request, name string) string {
	cookie, err := r.Cookie(c.cookie(name))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// browserOf is the browser that a sign-in ceremony runs in, known by a cookie of its own,
// because there is no session yet.
func (c cookies) browserOf(r *http.Request) store.Hash {
	return store.HashOf(c.cookieValue(r, cookieBrowser))
}

// browserMark tells this browser's lines of activity from all others'. It says nothing of
// the cookie.
func (c cookies) browserMark(r *http.Request) string {
	cookie := c.cookieValue(r, cookieBrowser)
	if cookie == "" {
		return ""
	}
	hash := store.HashOf("activity " + cookie)
	return hex.EncodeToString(hash[:8])
}

// markBrowser makes sure that the browser has that cookie.
func (c cookies) markBrowser(w http.ResponseWriter, r *http.Request) store.Hash {
	if c.cookieValue(r, cookieBrowser) != "" {
		return c.browserOf(r)
	}
	mark := rand.Text()
	c.setCookie(w, cookieBrowser, mark, 365*24*time.Hour)
	return store.HashOf(mark)
}
