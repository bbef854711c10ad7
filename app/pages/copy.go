package pages

import (
	"encoding/json"
	"time"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
)

// copyKey is where this browser keeps the last that was known of the signed-in
// user, to show it read-only while the server is away. The sign-in page removes
// it too (web/static/signinpages.js): whoever comes there is signed out.
const copyKey = "keypeg-copy"

// lastKnown is that copy. It holds names and dates, and nothing that lets anybody
// in.
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

// keepCopy changes the copy. A copy of another user is not added to, but replaced.
func keepCopy(userID string, change func(*lastKnown)) {
	known, _ := recallCopy()
	if known.Account.User.ID != userID {
		known = lastKnown{}
	}
	change(&known)
	known.Saved = time.Now()
	if encoded, err := json.Marshal(known); err == nil {
		browser.Remember(copyKey, string(encoded))
	}
}

func forgetCopy() { browser.Forget(copyKey) }
