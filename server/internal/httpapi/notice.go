package httpapi

import (
	"net/http"
	"time"

	"github.com/keypeg/keypeg/server/internal/seal"
	"github.com/keypeg/keypeg/shared"
)

const (
	cookieNotice = "keypeg-said"
	noticeLife   = time.Minute
	// noticeFormat is of what is sealed. Another gets another.
	noticeFormat = "keypeg said 1"
)

// Notice is a refusal that is shown on the next page.
type Notice struct {
	Code    shared.Code `json:"c"`
	Message string      `json:"m"`
	SignIn  bool        `json:"s,omitempty"` // it is of a sign-in, and of no interest to the signed-in
}

// Notices carry one sentence to the next page, sealed in a cookie. So a redirect can take an
// address off the screen that nobody should keep, such as that of a provider's response.
type Notices struct {
	cookies Cookies
	seal    *seal.Sealer
}

// NewNotices returns Notices under a key of [seal.KeySize] bytes.
func NewNotices(key []byte, c Cookies) (Notices, error) {
	sealer, err := seal.New(key, noticeFormat)
	return Notices{c, sealer}, err
}

// Leave has the next page say something.
func (n Notices) Leave(w http.ResponseWriter, what Notice) error {
	sealed, err := n.seal.SealJSON(what)
	if err != nil {
		return err
	}
	n.cookies.Set(w, cookieNotice, sealed, noticeLife)
	return nil
}

// Waits reports whether the browser brings a notice.
func (n Notices) Waits(r *http.Request) bool { return n.cookies.Value(r, cookieNotice) != "" }

// Take returns what the page before wanted to say, once; nothing mostly.
func (n Notices) Take(w http.ResponseWriter, r *http.Request) (what Notice, found bool) {
	if !n.Waits(r) {
		return what, false
	}
	n.cookies.Drop(w, cookieNotice)
	return what, n.seal.OpenJSON(n.cookies.Value(r, cookieNotice), &what) == nil
}
