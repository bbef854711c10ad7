package session

import (
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Actor says who acts, for which user, and from where. It is the first argument after the
// context of every rule in which somebody acts. So no rule gets one user's record with
// another user's session, and no rule counts sign-in methods differently from its caller.
//
//   - A signed-in user acts for themselves: User and Session are theirs.
//   - An administrator or a helper acts for another user: User is that user, By is who
//     acts, and Session is zero.
//   - IT acts at the command line: User is the user of the command, and Session and
//     Client are zero.
//   - A person who isn't signed in yet is known by Client alone. Session is the one that
//     their browser has, if any; a sign-in replaces it.
//
// A call that leaves no event takes no Actor: queries, and the link with which the first
// administrator is made, when nobody can act yet.
type Actor struct {
	User    store.User     // as read for this request; rules write it by compare-and-swap
	Session store.Session  // zero without one
	Client  store.Client   // zero at the command line
	By      store.User     // who acts for User, as read for this request; zero for the user and for IT
	Methods policy.Methods // counts sign-in methods, for the rule that the last one stays
	// Failed are ceremonies that failed in this browser before, as the browser says. Who proves
	// now that they are User adds FailedBefore to the batch.
	Failed shared.FailedTries
}

// Event returns an event for the user's activity, about what the actor does now. If somebody else acts
// for the user, the event doesn't say from where: their address is theirs, and must go with them when
// they are removed. It is in their own event, see [Actor.Recorded].
func (a Actor) Event(kind shared.EventKind, now time.Time) store.Event {
	client := a.Client
	if a.By.ID != "" && a.By.ID != a.User.ID {
		client = store.Client{}
	}
	event := store.NewEvent(now, a.User.ID, kind, client)
	event.By = a.By.ID
	return event
}

// Recorded returns the operations that record what the actor does now: an event of the user, and one
// of whoever acts for the user.
func (a Actor) Recorded(kind shared.EventKind, now time.Time) store.Batch {
	batch := store.Batch{store.AddEvent{Event: a.Event(kind, now)}}
	if by := a.By.ID; by != "" && by != a.User.ID {
		event := store.NewEvent(now, by, kind, a.Client)
		event.About = a.User.ID
		batch = append(batch, store.AddEvent{Event: event})
	}
	return batch
}

// FailedBefore returns the operations that record Failed: an event for each reason.
func (a Actor) FailedBefore(now time.Time) (batch store.Batch) {
	for _, reason := range shared.FailureReasons {
		n := a.Failed[reason]
		if n < 1 {
			continue
		}
		event := a.Event(shared.EventPasskeyFailed, now)
		event.Method, event.Reason = store.MethodPasskey, reason
		if n > 1 {
			event.Count, event.Last = uint64(n), now
		}
		batch = append(batch, store.AddEvent{Event: event})
	}
	return batch
}

// Passkey finds one of the user's passkeys by its id.
func (a Actor) Passkey(id string) (passkey store.Passkey, found bool) {
	at := slices.IndexFunc(a.User.Passkeys, func(p store.Passkey) bool { return p.ID == id })
	if at < 0 {
		return store.Passkey{}, false
	}
	return a.User.Passkeys[at], true
}
