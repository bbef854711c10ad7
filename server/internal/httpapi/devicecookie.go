package httpapi

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/seal"
	"github.com/keypeg/keypeg/server/store"
)

// DeviceCookies mark browsers in which a user has signed in (OWASP, "Slow Down Online
// Guessing Attacks with Device Cookies"). The mark stays after signing out. Such a browser
// has a bucket of its own for wrong passwords, so a stranger who guesses elsewhere can't
// keep the user from signing in here. Nobody can sign in with the cookie alone.
//
// Until the user signs out, the cookie also says who they are, so that the sign-in page can greet
// them when their session has ended by itself. It is sealed: only the server can read it.
type DeviceCookies struct {
	cookies Cookies
	seal    *seal.Sealer
}

// device is what the cookie holds.
type device struct {
	Mark string `json:"m"` // random
	Name string `json:"n"` // of the last user who signed in
	// UserID is the id of that user, or "" if they signed out and didn't keep their name here.
	UserID string `json:"u,omitempty"`
}

const (
	cookieDevice = "keypeg-known"
	deviceLife   = 365 * 24 * time.Hour
	secretDevice = "known-browser-key"
	// deviceFormat is authenticated with every cookie. Change it together with the format.
	deviceFormat = "keypeg known 2"
)

// NewDeviceCookies loads the key of the cookies from the store, or makes one. All nodes share
// it, so that each accepts the cookies of every other. Those of another organisation have another key.
func NewDeviceCookies(ctx context.Context, kept store.Store, c Cookies) (DeviceCookies, error) {
	key, err := store.SecretOrNew(ctx, kept, secretDevice, seal.KeySize)
	if err != nil {
		return DeviceCookies{}, err
	}
	sealer, err := seal.New(key, deviceFormat)
	return DeviceCookies{c, sealer}, err
}

// read returns what the browser's cookie holds. It is zero without a cookie, and for one that we
// didn't make.
func (d DeviceCookies) read(r *http.Request) (found device) {
	if d.seal.OpenJSON(d.cookies.Value(r, cookieDevice), &found) != nil {
		return device{}
	}
	return found
}

func (d DeviceCookies) write(w http.ResponseWriter, what device) {
	sealed, _ := d.seal.SealJSON(what) // strings can always be encoded
	d.cookies.Set(w, cookieDevice, sealed, deviceLife)
}

// Of returns the browser's mark if the user with this name has signed in with it before,
// else "". The name is as somebody typed it.
func (d DeviceCookies) Of(r *http.Request, typed string) string {
	found := d.read(r)
	name, err := account.CanonicalName(typed)
	if err != nil || name != found.Name {
		return ""
	}
	return found.Mark
}

// Known returns the id of the user who has signed in with the browser and hasn't signed out, else "".
// The user may be disabled or removed meanwhile.
func (d DeviceCookies) Known(r *http.Request) (userID string) { return d.read(r).UserID }

// Give marks the browser as one in which the user has signed in. It writes nothing if it is marked so:
// a confirmation, whose answer may come after that of a sign-out, must not undo that.
func (d DeviceCookies) Give(w http.ResponseWriter, r *http.Request, user store.User) {
	found := d.read(r)
	if found.UserID == user.ID && found.Name == user.Name {
		return
	}
	if found.Name != user.Name {
		found.Mark = rand.Text()
	}
	d.write(w, device{Mark: found.Mark, Name: user.Name, UserID: user.ID})
}

// Forget makes the cookie say no more who the user is. The mark stays.
func (d DeviceCookies) Forget(w http.ResponseWriter, r *http.Request) {
	if found := d.read(r); found.UserID != "" {
		found.UserID = ""
		d.write(w, found)
	}
}
