package session

import (
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// heldTime has the zone, because readers of the sentence may have another one than the server.
const heldTime = "2006-01-02 15:04 MST"

// MayAddMethod refuses a sign-in method for a user whose account is held: see
// [store.User.HoldAt]. Each rule that adds one, or makes a link that can, asks it with the record
// that it changes. User is that of the actor, as it is now.
//
// Refusal: [shared.CodeHeld].
func (a Actor) MayAddMethod(user store.User, now time.Time) error {
	end := user.HoldAt(now)
	if end.IsZero() {
		return nil
	}
	until := end.UTC().Format(heldTime)
	if a.By.ID != "" || a.Client == (store.Client{}) { // an administrator, or IT
		return shared.Errorf(shared.CodeHeld, "Until %s, no way to sign in can be added for %s, who chose “This wasn't me” in a mail. Allow it again first.", until, user.DisplayName)
	}
	return shared.Errorf(shared.CodeHeld, "Until %s, no way to sign in can be added, because somebody chose “This wasn't me” in a mail. To allow it again, open the link of the mail about that, or ask an administrator.", until)
}
