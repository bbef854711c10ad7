package pages

import (
	"encoding/json"
	"time"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
)

// copyKey is the key under which this browser keeps a copy of what the server sent last about
// the signed-in user. The app shows it read-only while the server is away. The sign-in page
// removes it too (web/static/signinpages.js): a user who is there is signed out.
const copyKey = "keypeg-copy"

// lastKnown is that copy. It has names and dates, and nothing with which anybody could sign in.
type lastKnown struct {
	Saved    time.Time           `json:"saved"`
	Account  shared.Account      `json:"account"`
	Passkeys *shared.PasskeyList `json:"passkeys"` // nil until the list was loaded once
}

func recallCopy() (lastKnown, bool) {
	var known lastKnown
	err := json.Unmarshal([]byte(browser.Recall(copyKey)), &known)
	return known, err == nil && !known.Saved.IsZero()
}

// keepAccount keeps a copy of the account. It replaces a copy of another user.
func keepAccount(account shared.Account) {
	known, _ := recallCopy()
	if known.Account.User.ID != account.User.ID {
		known = lastKnown{}
	}
	known.Account = account
	known.keep()
}

// keepPasskeys adds a user's list to the copy of their account. If there is none, they have signed out, and the list
// has come too late.
func keepPasskeys(userID string, list shared.PasskeyList) {
	if known, ok := recallCopy(); ok && known.Account.User.ID == userID {
		known.Passkeys = &list
		known.keep()
	}
}

func (known lastKnown) keep() {
	known.Saved = time.Now()
	if encoded, err := json.Marshal(known); err == nil {
		browser.Remember(copyKey, string(encoded))
	}
}

func forgetCopy() { browser.Forget(copyKey) }
