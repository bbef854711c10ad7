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

// DeviceCookies mark browsers in which a user has signed in (OWASP, "Slow Down Online
// Guessing Attacks with Device Cookies"). The mark stays after signing out. Such a browser
// has a bucket of its own for wrong passwords, so a stranger who guesses elsewhere can't
// keep the user from signing in here. The cookie is a random mark with a code that ties
// it to the name of the last user. Nobody can sign in with the cookie alone.
type DeviceCookies struct {
	cookies Cookies
	key     []byte
}

const (
	cookieDevice   = "keypeg-known"
	deviceLife     = 365 * 24 * time.Hour
	secretDevice   = "known-browser-key"
	deviceKeyBytes = 32
	markLength     = 26 // of rand.Text
)

// NewDeviceCookies loads the key of the codes from the store, or makes one. All nodes share
// it, so that each accepts the cookies of every other.
func NewDeviceCookies(ctx context.Context, kept store.Store, c Cookies) (DeviceCookies, error) {
	key, err := store.SecretOrNew(ctx, kept, secretDevice, deviceKeyBytes)
	return DeviceCookies{c, key}, err
}

// Of returns the browser's mark if the user with this name has signed in with it before,
// else "". The name is as somebody typed it.
func (d DeviceCookies) Of(r *http.Request, typed string) string {
	mark, code, found := strings.Cut(d.cookies.Value(r, cookieDevice), ".")
	name, err := account.CanonicalName(typed)
	if !found || err != nil || len(mark) != markLength || !hmac.Equal([]byte(code), []byte(d.code(mark, name))) {
		return ""
	}
	return mark
}

// Give marks the browser as one in which the user has signed in.
func (d DeviceCookies) Give(w http.ResponseWriter, r *http.Request, name string) {
	if d.Of(r, name) != "" {
		return
	}
	mark := rand.Text()
	d.cookies.Set(w, cookieDevice, mark+"."+d.code(mark, name), deviceLife)
}

func (d DeviceCookies) code(mark, name string) string {
	mac := hmac.New(sha256.New, d.key)
	mac.Write([]byte(mark + " " + name))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
