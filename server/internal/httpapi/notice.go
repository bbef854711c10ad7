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
	// noticeFormat is authenticated with every notice. Change it together with the format.
	noticeFormat = "keypeg said 1"
)

// Notice is a refusal that is shown on the next page.
type Notice struct {
	Code    shared.Code `json:"c"`
	Message string      `json:"m"`
	SignIn  bool        `json:"s,omitempty"` // it is about a sign-in, so signed-in users don't see it
	Resumes bool        `json:"r,omitempty"` // a sign-in leads back to the page that the reader was on
	Chosen  bool        `json:"o,omitempty"` // the reader has done it themselves, so who begins something else needn't read it
}

// Notices carry a notice to the next page, sealed in a cookie. So a redirect can remove an
// address from the screen that nobody should see, such as that of an authorization
// response.
type Notices struct {
	cookies Cookies
	seal    *seal.Sealer
}

// NewNotices returns Notices under a key of [seal.KeySize] bytes.
func NewNotices(key []byte, c Cookies) (Notices, error) {
	sealer, err := seal.New(key, noticeFormat)
	return Notices{c, sealer}, err
}

// Set makes the next page show a notice.
func (n Notices) Set(w http.ResponseWriter, what Notice) error {
	sealed, err := n.seal.SealJSON(what)
	if err != nil {
		return err
	}
	n.cookies.Set(w, cookieNotice, sealed, noticeLife)
	return nil
}

// Has reports whether the browser has a notice.
func (n Notices) Has(r *http.Request) bool { return n.cookies.Value(r, cookieNotice) != "" }

// Take returns the notice, if there is one, and deletes it.
func (n Notices) Take(w http.ResponseWriter, r *http.Request) (what Notice, found bool) {
	if !n.Has(r) {
		return what, false
	}
	n.cookies.Drop(w, cookieNotice)
	return what, n.seal.OpenJSON(n.cookies.Value(r, cookieNotice), &what) == nil
}
