package httpapi

import (
	"context"
	"net/http"
	"slices"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Caller is the signed-in user who sends a request. Rules are called with its Actor, whose
// User is the record with the passkeys.
type Caller struct {
	session.Actor
	Shown  shared.User // the user as people see them
	AtHost string      // the id of the session at a host program
}

// CallerOf returns the caller of a request. The handler must be behind [Gates.SignedIn].
func CallerOf(r *http.Request) Caller { return *exchangeOf(r.Context()).caller }

// CallerFrom returns the caller of a request, if it is known.
func CallerFrom(ctx context.Context) (who Caller, known bool) {
	v := exchangeOf(ctx)
	if v == nil || v.caller == nil {
		return Caller{}, false
	}
	return *v.caller, true
}

// WithCaller passes a request of this caller to a handler of a host program. It gets no
// request id, because the answer isn't ours.
func WithCaller(w http.ResponseWriter, r *http.Request, who *Caller) (http.ResponseWriter, *http.Request) {
	v := &exchange{ResponseWriter: w, caller: who}
	return w, v.of(r)
}

// WithID gives an id to a request that didn't come through [Requests.Logged]. The person
// can tell it to IT.
func WithID(w http.ResponseWriter, r *http.Request) *http.Request { return newExchange(w).of(r) }

// Gates let a handler run for certain callers only.
type Gates struct {
	// Authenticate finds the caller of a request. It refuses with
	// [shared.CodeUnauthenticated].
	Authenticate func(*http.Request) (*Caller, error)
	// Admitted is called when Authenticate has found the caller. Nil does nothing.
	Admitted func(http.ResponseWriter, *http.Request, *Caller)
	// Refused is called when Authenticate has refused a request. Nil does nothing.
	Refused func(http.ResponseWriter, *http.Request)
	// Fresh refuses a session without a recent confirmation.
	Fresh func(store.Session) error
}

// SignedIn lets a handler run for signed-in users only. The handler gets the user by
// [CallerOf].
func (g Gates) SignedIn(h Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := g.admit(w, r); err != nil {
			return err
		}
		return h(w, r)
	}
}

// admit finds the caller. It is apart from the handler, because the record's kilobytes would otherwise
// stay on the stack of each open stream.
//
//go:noinline
func (g Gates) admit(w http.ResponseWriter, r *http.Request) error {
	who, err := g.Authenticate(r)
	if err == nil {
		exchangeOf(r.Context()).caller = who
		if g.Admitted != nil {
			g.Admitted(w, r, who)
		}
	} else if shared.CodeOf(err) == shared.CodeUnauthenticated && g.Refused != nil {
		g.Refused(w, r)
	}
	return err
}

// Confirmed lets a handler run only for signed-in users with a recent confirmation.
func (g Gates) Confirmed(h Handler) Handler {
	return g.SignedIn(g.fresh(h))
}

// Role lets a handler run for users with one of these roles only. What the role allows for a certain
// user is for the rule to say.
func (g Gates) Role(h Handler, roles ...shared.Role) Handler {
	return g.SignedIn(only(roles, h))
}

// ConfirmedRole lets a handler run only for users with one of these roles and a recent
// confirmation.
func (g Gates) ConfirmedRole(h Handler, roles ...shared.Role) Handler {
	return g.SignedIn(only(roles, g.fresh(h)))
}

func (g Gates) fresh(h Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := g.Fresh(CallerOf(r).Session); err != nil {
			return err
		}
		return h(w, r)
	}
}

func only(roles []shared.Role, h Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !slices.Contains(roles, CallerOf(r).User.Role) {
			return shared.Errorf(shared.CodeNotAllowed, "Your role doesn't allow this. Ask an administrator.")
		}
		return h(w, r)
	}
}
