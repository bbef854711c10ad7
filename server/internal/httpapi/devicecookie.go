package httpapi

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/store"
)

// DeviceCookies mark browsers that somebody signed in with, after they signed out too. A
// stranger who guesses at their password can't empty such a browser's
// bucket, and so can't keep them from signing in where they always do. The cookie
// opens nothing by itself: it is a random mark, and a code that ties it to the
// last user's name. (OWASP calls it a device cookie.)
type DeviceCookies struct {
	cookies Cookies
	key     []byte
}

const (
	cookieKnown   = "keypeg-known"
	knownLife     = 365 * 24 * time.Hour
	secretKnown   = "known-browser-key"
	knownKeyBytes = 32
	markLength    = 26 // of rand.Text
)

// NewDeviceCookies makes the key of the cookies' codes where the store has none yet, so that
// every node takes every node's.
func NewDeviceCookies(ctx context.Context, kept store.Store, c Cookies) (DeviceCookies, error) {
	key, err := store.SecretOrNew(ctx, kept, secretKnown, knownKeyBytes)
	return DeviceCookies{c, key}, err
}

// Of returns the browser's mark if the user who types this name signed in with it
// before, else "".
func (d DeviceCookies) Of(r *http.Request, typed string) string {
	mark, code, found := strings.Cut(d.cookies.Value(r, cookieKnown), ".")
	name, err := account.CanonicalName(typed)
	if !found || err != nil || len(mark) != markLength || !hmac.Equal([]byte(code), []byte(d.code(mark, name))) {
		return ""
	}
	return mark
}

// Give marks the browser as one that the user signed in with.
func (d DeviceCookies) Give(w http.ResponseWriter, r *http.Request, name string) {
	if d.Of(r, name) != "" {
		return
	}
	mark := rand.Text()
	d.cookies.Set(w, cookieKnown, mark+"."+d.code(mark, name), knownLife)
}

func (d DeviceCookies) code(mark, name string) string {
	mac := hmac.New(sha256.New, d.key)
	mac.Write([]byte(mark + " " + name))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
