package session

import (
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Actor is who does something, for which user, and from where. It is the first argument
// after the context of every rule that somebody acts in. So no rule is called with one
// user's record and another's session, and none can be asked to count sign-in methods in
// another way than its caller's.
//
//   - A signed-in user acts for themselves: User and Session are theirs.
//   - An administrator acts for somebody else: User is that other one, By is the
//     administrator, and there is no Session.
//   - IT acts at the command line: User is whom it is about, and there is neither a Session
//     nor a Client.
//   - Whoever isn't signed in yet is known by Client alone. Session is the one that their
//     browser had before, if any: a sign-in takes its place.
type Actor struct {
	User    store.User     // as read for this request; rules write it by compare-and-swap
	Session store.Session  // zero for none
	Client  store.Client   // zero at the command line
	By      string         // what the administrator is called who acts for User; else ""
	Methods policy.Methods // how the rule of the last method counts
}

// Event returns an event of what the actor does now, for the activity of the user.
func (a Actor) Event(kind shared.EventKind, now time.Time) store.Event {
	event := store.NewEvent(now, a.User.ID, kind, a.Client)
	event.By = a.By
	return event
}

// Passkey finds one of the user's passkeys by its id.
func (a Actor) Passkey(id string) (passkey store.Passkey, found bool) {
	at := slices.IndexFunc(a.User.Passkeys, func(p store.Passkey) bool { return p.ID == id })
	if at < 0 {
		return store.Passkey{}, false
	}
	return a.User.Passkeys[at], true
}
