package httpapi

import (
	"context"
	"net/http"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Caller is who sends a request. The Actor is what rules are called with; its User is the
// record that their passkeys are in.
type Caller struct {
	session.Actor
	Shown  shared.User // what they are called
	AtHost string      // a host program's id of the session
}

// CallerOf is who sends a request, in a handler behind [Gates.SignedIn].
func CallerOf(r *http.Request) Caller { return *visitOf(r.Context()).caller }

// CallerFrom is who sends a request, if that is known.
func CallerFrom(ctx context.Context) (who Caller, known bool) {
	v := visitOf(ctx)
	if v == nil || v.caller == nil {
		return Caller{}, false
	}
	return *v.caller, true
}

// Passed is a request on its way to a handler of a host program, from who. It has no id: what
// the handler answers isn't ours.
func Passed(w http.ResponseWriter, r *http.Request, who Caller) (http.ResponseWriter, *http.Request) {
	v := &visit{ResponseWriter: w, caller: &who}
	return w, v.of(r)
}

// Named gives a request that didn't come through [Requests.Logged] an id, which the person
// can name.
func Named(w http.ResponseWriter, r *http.Request) *http.Request { return newVisit(w).of(r) }

// Gates let a handler run for some callers only.
type Gates struct {
	// Authenticate finds who sends a request. It refuses with [shared.CodeUnauthenticated].
	Authenticate func(*http.Request) (Caller, error)
	// Refused is told of whom Authenticate refused. Nil does nothing.
	Refused func(http.ResponseWriter, *http.Request)
	// Fresh refuses a session that nobody has confirmed lately.
	Fresh func(store.Session) error
}

// SignedIn lets a handler run for signed-in users only. [CallerOf] is for who stands behind it.
func (g Gates) SignedIn(h Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		who, err := g.Authenticate(r)
		if err != nil {
			if shared.CodeOf(err) == shared.CodeUnauthenticated && g.Refused != nil {
				g.Refused(w, r)
			}
			return err
		}
		visitOf(r.Context()).caller = &who
		return h(w, r)
	}
}

// Confirmed lets a handler run for signed-in users only, and shortly after they proved who
// they are.
func (g Gates) Confirmed(h Handler) Handler {
	return g.SignedIn(g.fresh(h))
}

// Administrator lets a handler run for administrators only.
func (g Gates) Administrator(h Handler) Handler {
	return g.SignedIn(administrators(h))
}

// ConfirmedAdministrator lets a handler run for administrators only, and shortly after they
// proved who they are.
func (g Gates) ConfirmedAdministrator(h Handler) Handler {
	return g.SignedIn(administrators(g.fresh(h)))
}

func (g Gates) fresh(h Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := g.Fresh(CallerOf(r).Session); err != nil {
			return err
		}
		return h(w, r)
	}
}

func administrators(h Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !CallerOf(r).User.Admin {
			return shared.Errorf(shared.CodeNotAllowed, "This is for administrators.")
		}
		return h(w, r)
	}
}

// PublicUser is what others may read of a user of Keypeg's own accounts.
func PublicUser(u store.User) shared.User {
	return shared.User{ID: u.ID, Name: u.Name, DisplayName: u.DisplayName, Admin: u.Admin, Disabled: u.Disabled}
}
