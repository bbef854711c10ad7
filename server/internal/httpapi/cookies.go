package httpapi

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// Cookies sets and reads our cookies. Secure says that the address is reached by https.
type Cookies struct{ Secure bool }

// Name returns the full name of one of our cookies. With the prefix, browsers insist on
// Secure, Path=/ and no Domain (RFC 6265bis, 4.1.3.2). http://localhost can't have it.
func (c Cookies) Name(name string) string {
	if c.Secure {
		return "__Host-" + name
	}
	return name
}

// CookieSession has the token of a session.
const CookieSession = "keypeg"

// cookieBrowser is a random mark of the browser.
const cookieBrowser = "keypeg-browser"

// Set sets a cookie that lives for this time.
func (c Cookies) Set(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, c.cookie(name, value, life, http.SameSiteLaxMode))
}

// SetStrict is [Cookies.Set] for a cookie that browsers send with no request that another site has caused, not
// even with a link to us. [Cookies.Drop] deletes it too.
func (c Cookies) SetStrict(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, c.cookie(name, value, life, http.SameSiteStrictMode))
}

func (c Cookies) cookie(name, value string, life time.Duration, site http.SameSite) *http.Cookie {
	return &http.Cookie{Name: c.Name(name), Value: value, Path: "/", MaxAge: int(life.Seconds()), Secure: c.Secure, HttpOnly: true, SameSite: site}
}

// Drop deletes a cookie.
func (c Cookies) Drop(w http.ResponseWriter, name string) {
	c.Set(w, name, "", -time.Second)
}

// Value returns a cookie's value, or "".
func (c Cookies) Value(r *http.Request, name string) string {
	cookie, err := r.Cookie(c.Name(name))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// Browser identifies the browser of a sign-in ceremony, by a cookie for that purpose,
// because there is no session yet.
func (c Cookies) Browser(r *http.Request) store.Hash {
	return store.HashOf(c.Value(r, cookieBrowser))
}

// AreKept reports whether the browser has sent a cookie back that it got from us, which has the
// attributes of all others.
func (c Cookies) AreKept(r *http.Request) bool { return c.Value(r, cookieBrowser) != "" }

// browserMark identifies the browser in lines of activity. The cookie can't be computed
// from it.
func (c Cookies) browserMark(r *http.Request) string {
	cookie := c.Value(r, cookieBrowser)
	if cookie == "" {
		return ""
	}
	hash := store.HashOf("activity " + cookie)
	return hex.EncodeToString(hash[:8])
}

// MarkBrowser sets the cookie of [Cookies.Browser] if the browser doesn't have it, and
// returns what that returns from then on.
func (c Cookies) MarkBrowser(w http.ResponseWriter, r *http.Request) store.Hash {
	mark := c.Value(r, cookieBrowser)
	if mark == "" {
		mark = rand.Text()
		c.Set(w, cookieBrowser, mark, 365*24*time.Hour)
	}
	return store.HashOf(mark)
}
