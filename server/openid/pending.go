package openid

import (
	"crypto/rand"
	"maps"
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
	// requestLife is how long a request waits. The program has mostly forgotten it sooner.
	requestLife = time.Hour
	// mostRequests bounds how many a browser has, because it sends all of them with every request. The oldest are
	// dropped.
	mostRequests = 4
	// mostSealed bounds a cookie, in bytes: browsers keep 4096 with its name and attributes.
	mostSealed = 3500
)

// pending is a request that waits.
type pending struct {
	request
	id string
}

// continues is the address where a request goes on.
func (p pending) continues() string { return shared.PageContinue + p.id }

// wait makes a request wait in the browser.
func (h *Handlers) wait(w http.ResponseWriter, r *http.Request, a request) (pending, error) {
	sealed, err := h.requests.SealJSON(a)
	if err != nil {
		return pending{}, err
	}
	if len(sealed) > mostSealed {
		return pending{}, oauth("invalid_request", "the request is too long")
	}
	waiting := h.waiting(r)
	oldest := slices.SortedFunc(maps.Keys(waiting), func(x, y string) int { return waiting[x].Begun.Compare(waiting[y].Begun) })
	for i, id := range oldest {
		if i <= len(oldest)-mostRequests || h.Now().Sub(waiting[id].Begun) > requestLife {
			h.Cookies.Drop(w, cookieRequest+id)
		}
	}
	p := pending{a, strings.ToLower(rand.Text()[:16])}
	h.Cookies.Set(w, cookieRequest+p.id, sealed, requestLife)
	return p, nil
}

// waiting returns the requests of a browser by their ids. One that can't be opened is zero.
func (h *Handlers) waiting(r *http.Request) map[string]request {
	all := map[string]request{}
	for _, c := range r.Cookies() {
		if id, is := strings.CutPrefix(c.Name, h.Cookies.Name(cookieRequest)); is {
			all[id] = h.opened(c.Value)
		}
	}
	return all
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
	if a.Client == "" || h.Now().Sub(a.Begun) > requestLife {
		return pending{}, errGone
	}
	return pending{a, id}, nil
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
