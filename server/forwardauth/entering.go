package forwardauth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// cookieEnter begins the name of a cookie that marks a browser which is about to sign in. Its value is a random
// text, a dot, and where the browser goes afterwards. So that stays on the protected host: neither the
// organisation's log nor its sign-in page has an address of another program.
const cookieEnter = "keypeg-enter-"

const (
	// enterLife is how long a sign-in may take: people leave the page open over night.
	enterLife = 12 * time.Hour
	// enterRoom bounds all those cookies together, in bytes. The programs behind have cookies too, and nginx
	// takes 8 kB of them.
	enterRoom = 4000
)

// boundOf returns the hash of such a cookie. A code is bound to it.
func boundOf(cookie string) string {
	sum := sha256.Sum256([]byte(cookie))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

var bound = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// enter begins a sign-in, on the protected host.
func (h *Handlers) enter(w http.ResponseWriter, r *http.Request) error {
	g, err := h.here(r)
	if err != nil {
		return err
	}
	to := safePath(r.URL.Query().Get("to"))
	switch _, err := h.standing(r, g); {
	case err == nil: // signed in meanwhile, in another tab
		h.back(w, g, to)
		return nil
	case !errors.Is(err, errNobody):
		return err
	}
	cookie := rand.Text() + "." + base64.RawURLEncoding.EncodeToString([]byte(to))
	h.makeRoom(w, r, g, len(cookie))
	bound := boundOf(cookie)
	h.cookies(g).Set(w, cookieEnter+bound[:8], cookie, enterLife)
	query := url.Values{"gate": {g.Name}, "bound": {bound}}
	if isSecond(r) {
		query.Set(querySecond, "1")
	}
	w.Header().Set("Location", h.Origin+shared.PageGate+"?"+query.Encode())
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// querySecond marks a sign-in that began anew by itself, because the cookie of the first one had gone. It travels in
// the addresses, because a browser without cookies keeps nothing else. Whoever writes it there gets a page in the
// place of a second try.
const querySecond = "second"

func isSecond(r *http.Request) bool { return r.URL.Query().Get(querySecond) != "" }

// back leads to a path of the program. The origin is the configured one, so a path can't be a host.
func (h *Handlers) back(w http.ResponseWriter, g Gate, to string) {
	w.Header().Set("Location", g.Origin()+to)
	w.WriteHeader(http.StatusSeeOther)
}

// entering returns the cookies of sign-ins that have begun, the oldest first, as browsers send them (RFC 6265,
// 5.4).
func (h *Handlers) entering(r *http.Request, g Gate) (list []*http.Cookie) {
	for _, cookie := range r.Cookies() {
		if strings.HasPrefix(cookie.Name, h.cookies(g).Name(cookieEnter)) {
			list = append(list, cookie)
		}
	}
	return list
}

// makeRoom drops the oldest of them, so that they don't grow together: each tab has one.
func (h *Handlers) makeRoom(w http.ResponseWriter, r *http.Request, g Gate, more int) {
	list := h.entering(r, g)
	size := more
	for _, cookie := range list {
		size += len(cookie.Value)
	}
	for _, cookie := range list {
		if size <= enterRoom {
			return
		}
		size -= len(cookie.Value)
		h.drop(w, g, cookie.Name)
	}
}

func (h *Handlers) drop(w http.ResponseWriter, g Gate, fullName string) {
	cookies := h.cookies(g)
	cookies.Drop(w, strings.TrimPrefix(fullName, cookies.Name("")))
}

// authorize gives a signed-in user a code for a protected host, at the organisation's address. Whoever isn't
// signed in signs in first. Nothing is written: the code is a sealed text.
func (h *Handlers) authorize(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	g, err := h.named(query.Get("gate"))
	if err != nil {
		return err
	}
	to := query.Get("bound")
	if !bound.MatchString(to) {
		return errAgain.Because(errors.New("bound is no hash"))
	}
	who, err := h.Signed.Authenticate(r)
	if shared.CodeOf(err) == shared.CodeUnauthenticated {
		h.ToSignIn(w, r)
		return nil
	}
	if err != nil {
		return err
	}
	h.Signed.Admitted(w, r, who)
	if !g.Admits(who.User) {
		return g.refusal()
	}
	code, err := h.Grants.Code(who.Actor, grant.Code{Program: g.program(), Name: g.Title, Scopes: gets, Redirect: g.Host, Bound: to, Lasting: true})
	if err != nil {
		return err
	}
	address := g.Origin() + shared.GateArrive + "?code=" + code
	if isSecond(r) {
		address += "&" + querySecond + "=1"
	}
	if mayFollowForm(r) {
		return h.Onward(w, r, g.Title, address)
	}
	w.Header().Set("Location", address)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// TitleOf returns what people read of the gate at which a sign-in goes on, if next is where it does. Without handlers,
// where there is no gate, it returns nothing.
func (h *Handlers) TitleOf(next string) string {
	at, err := url.Parse(next)
	if h == nil || err != nil || at.Path != shared.PageGate {
		return ""
	}
	g, err := h.named(at.Query().Get("gate"))
	if err != nil {
		return ""
	}
	return g.Title
}

// mayFollowForm reports whether a form of ours may have led here, such as that of the sign-in page. Browsers
// apply the policy of its page, form-action 'self', to each redirect after it. They say where a chain of
// redirects began; those that don't say it may have begun anywhere.
func mayFollowForm(r *http.Request) bool {
	from := r.Header.Get("Sec-Fetch-Site")
	return from == "" || from == "same-origin"
}

// errAgain is for a sign-in that has to begin anew.
var errAgain = shared.Errorf(shared.CodeCeremonyRefused, "This sign-in was begun in another browser, or too long ago. Please try again.")

// arrive spends a code, and sets the cookie of the grant, on the protected host.
func (h *Handlers) arrive(w http.ResponseWriter, r *http.Request) error {
	g, err := h.here(r)
	if err != nil {
		return err
	}
	list := h.entering(r, g)
	var cookie *http.Cookie
	on, _, _, err := h.Grants.Exchange(r.Context(), r.URL.Query().Get("code"), func(c grant.Code, _ store.User) error {
		if c.Program != g.program() || c.Redirect != g.Host {
			return fmt.Errorf("%w: the code is for another program", grant.ErrInvalid)
		}
		for _, have := range list {
			if boundOf(have.Value) == c.Bound {
				cookie = have
				return nil
			}
		}
		return fmt.Errorf("%w: the code is for another browser", grant.ErrInvalid)
	})
	if errors.Is(err, grant.ErrInvalid) {
		return h.notArrived(w, r, g, err)
	}
	if err != nil {
		return err
	}
	sealed, err := h.Grants.Reference(on.Grant)
	if err != nil {
		return err
	}
	h.cookies(g).Set(w, cookieGate, sealed, h.Sessions.Lifetime())
	h.drop(w, g, cookie.Name)
	h.back(w, g, leadsTo(cookie.Value))
	return nil
}

// leadsTo returns where a browser goes after its sign-in.
func leadsTo(cookie string) string {
	_, encoded, _ := strings.Cut(cookie, ".")
	to, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return "/"
	}
	return safePath(string(to))
}

// notArrived goes on from a code that doesn't work. Whoever comes back to it in their browser is signed in already. For
// others the sign-in begins anew, once: the cookie may have expired or been dropped, and most of them are signed in at
// the organisation, so they see nothing of it. At the second time it says why that doesn't help.
func (h *Handlers) notArrived(w http.ResponseWriter, r *http.Request, g Gate, cause error) error {
	switch _, err := h.standing(r, g); {
	case err == nil:
		h.back(w, g, "/")
		return nil
	case !errors.Is(err, errNobody):
		return err
	}
	if !isSecond(r) {
		h.Log.Info("a sign-in at a gate begins anew", "request", httpapi.RequestID(r.Context()), "gate", g.Name, "cause", cause)
		h.back(w, g, shared.GateEnter+"?"+querySecond+"=1")
		return nil
	}
	if len(r.Cookies()) == 0 {
		return shared.Errorf(shared.CodeCookies, "Your browser sends no cookies back, so nobody can be signed in. Allow cookies for %s, and try again.", g.Host).Because(cause)
	}
	return errAgain.Because(cause)
}

// refused is the page that says why a user can't pass.
func (h *Handlers) refused(w http.ResponseWriter, r *http.Request) error {
	g, err := h.here(r)
	if err != nil {
		return err
	}
	on, err := h.standing(r, g)
	if errors.Is(err, errNobody) {
		h.back(w, g, shared.GateEnter)
		return nil
	}
	if err == nil && !g.Admits(on.User) {
		err = g.refusal()
	}
	if err == nil {
		err = shared.Errorf(shared.CodeNotAllowed, "The proxy in front of this program isn't set up rightly. Please tell IT.").Because(errors.New("the user may pass, and something else has refused"))
	}
	return err
}

// signOut ends the grant, and leads to the organisation's start page, where the user can sign out of everything.
// Another site can't do that by a link or a form.
func (h *Handlers) signOut(w http.ResponseWriter, r *http.Request) error {
	g, err := h.here(r)
	if err != nil {
		return err
	}
	if from := r.Header.Get("Sec-Fetch-Site"); from != "cross-site" {
		on, err := h.Grants.Find(r.Context(), h.cookies(g).Value(r, cookieGate))
		if err == nil && on.Program == g.program() {
			err = h.Grants.Revoke(r.Context(), on.Grant)
		}
		if err != nil && !errors.Is(err, grant.ErrInvalid) {
			return err
		}
		h.cookies(g).Drop(w, cookieGate)
	}
	w.Header().Set("Location", h.Origin+shared.PageHome)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// gets are what the program behind a gate gets of a user, in the words that people read of other programs.
var gets = []string{shared.ScopeProfile, shared.ScopeEmail, shared.ScopeGroups}
