package openid

import (
	"crypto/rand"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// A request that can't be answered at once waits in the browser, sealed in a cookie, while its user signs in,
// confirms or lets the program in. The server stores nothing, and the address of the sign-in page has no more of it
// than the cookie's name. Each request has a cookie of its own, because people have several tabs.

const (
	// cookieRequest, followed by the id of a request, is its cookie.
	cookieRequest = "keypeg-request-"
	// requestLife is how long a request waits: people leave pages open over night. The program may have forgotten it
	// sooner, and then begins anew.
	requestLife = 12 * time.Hour
	// mostRequests bounds how many a browser has, because it sends all of them with every request. The oldest are
	// dropped.
	mostRequests = 4
	// requestRoom bounds them together, in bytes: nginx takes 8 kB of cookies, and any site can begin a request.
	requestRoom = 5000
	// mostSealed bounds a cookie, in bytes: browsers keep 4096 with its name and attributes.
	mostSealed = 3900
)

// pending is a request that waits.
type pending struct {
	request
	id      string
	allowed bool // the user has allowed it just now
}

// continues is the address where a request goes on.
func (p pending) continues() string { return shared.PageContinue + p.id }

// wait makes a request wait in the browser. Only a GET may lead here: a POST of another site has no cookies, so makeRoom
// would drop none.
func (h *Handlers) wait(w http.ResponseWriter, r *http.Request, a request) (pending, error) {
	sealed, err := h.sealed(a)
	if err != nil {
		return pending{}, err
	}
	h.makeRoom(w, r, len(sealed))
	p := pending{request: a, id: strings.ToLower(rand.Text()[:16])}
	h.Cookies.Set(w, cookieRequest+p.id, sealed, requestLife)
	return p, nil
}

// sealed returns a request for the browser to keep, in a cookie or an address.
func (h *Handlers) sealed(a request) (string, error) {
	sealed, err := h.requests.SealJSON(a)
	if err == nil && len(sealed) > mostSealed {
		err = oauth("invalid_request", "the request is too long")
	}
	return sealed, err
}

// makeRoom drops the oldest requests of a browser, for one more of this size.
func (h *Handlers) makeRoom(w http.ResponseWriter, r *http.Request, size int) {
	list := h.waiting(r)
	for i, one := range list {
		size += one.size
		if i+1 >= mostRequests || size > requestRoom || h.Now().Sub(one.begun) > requestLife {
			h.Cookies.Drop(w, cookieRequest+one.id)
		}
	}
}

// waiting is a request that waits in a browser.
type waiting struct {
	id    string
	begun time.Time // zero if it can't be opened
	size  int       // of its cookie's value, in bytes
}

// waiting returns the requests of a browser, the newest first.
func (h *Handlers) waiting(r *http.Request) (list []waiting) {
	for _, c := range r.Cookies() {
		if id, is := strings.CutPrefix(c.Name, h.Cookies.Name(cookieRequest)); is {
			list = append(list, waiting{id, h.opened(c.Value).Begun, len(c.Value)})
		}
	}
	slices.Reverse(list) // browsers send the oldest first (RFC 6265, 5.4), which counts for those of one moment
	slices.SortStableFunc(list, func(a, b waiting) int { return b.begun.Compare(a.begun) })
	return list
}

func (h *Handlers) opened(sealed string) (a request) {
	if h.requests.OpenJSON(sealed, &a) != nil {
		return request{}
	}
	return a
}

// errGone is the refusal of a request that doesn't wait any more.
var errGone = shared.Errorf(shared.CodeNotFound, "This sign-in was begun too long ago, or in another browser. Go back to the program, and begin there again.")

// pendingOf returns the request with an id, which must wait in this browser.
func (h *Handlers) pendingOf(r *http.Request, id string) (pending, error) {
	a := h.opened(h.Cookies.Value(r, cookieRequest+id))
	if a.Client == "" {
		return pending{}, errGone
	}
	return pending{request: a, id: id}, nil
}

// done forgets a request.
func (h *Handlers) done(w http.ResponseWriter, id string) {
	if id != "" {
		h.Cookies.Drop(w, cookieRequest+id)
	}
}

// cutContinue returns the id of the request that goes on at one of our addresses.
func cutContinue(next string) (id string, is bool) {
	id, is = strings.CutPrefix(next, shared.PageContinue)
	return id, is && isRequestID.MatchString(id)
}

var isRequestID = regexp.MustCompile(`^[a-z2-7]{16}$`)

// Awaiting is a program that waits for somebody to sign in.
type Awaiting struct {
	Name    string // "" if none waits
	Hint    string // the user name that it has guessed, or ""
	Locales []string
}

// ProgramOf returns the program for which somebody signs in, if next is where a request goes on that waits in this
// browser.
func (h *Handlers) ProgramOf(r *http.Request, next string) Awaiting {
	id, is := cutContinue(next)
	if !is {
		return Awaiting{}
	}
	p, c, err := h.continued(r, id)
	if err != nil {
		return Awaiting{}
	}
	return Awaiting{c.Name, p.Hint, strings.Fields(p.Locales)}
}
