package session

import (
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// MayAddMethod refuses a sign-in method for a user whose account is held: see
// [store.User.HoldAt]. Each rule that adds one, or makes a link that can, asks it with the record
// that it changes. User is that of the actor, as it is now. The sentence doesn't say until when: pages
// do, in the reader's time.
//
// Refusal: [shared.CodeHeld].
func (a Actor) MayAddMethod(user store.User, now time.Time) error {
	if user.HoldAt(now).IsZero() {
		return nil
	}
	if a.By.ID != "" || a.Client == (store.Client{}) { // an administrator, or IT
		return shared.Errorf(shared.CodeHeld, "No way to sign in can be added for %s now, who chose “This wasn't me” in a mail. An administrator has to allow it again first.", user.DisplayName)
	}
	return shared.Errorf(shared.CodeHeld, "No way to sign in can be added now, because somebody chose “This wasn't me” in a mail. To allow it again, open the link of the mail about that in this browser, or ask an administrator.")
}
