package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"testing"

	"github.com/chromedp/cdproto/webauthn"

	"github.com/keypeg/keypeg/shared"
)

// TestFailedCeremonies lets ceremonies fail in the browser. The server learns of it from the next one
// that succeeds.
func TestFailedCeremonies(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.setsUp()
	ann.cannotAutofill() // which would sign her in with no click
	finger := ann.hasDevice()
	const closed = "Closed, timed out, or no passkey on the device"

	// counts compares the rollout with what has failed so far.
	counts := func(want map[shared.FailureReason]int) {
		t.Helper()
		var rollout shared.Rollout
		answer := value[string](ann, `fetch("/api/v1/rollout").then((answer) => answer.text())`)
		if err := json.Unmarshal([]byte(answer), &rollout); err != nil {
			t.Fatalf("%v: %s", err, answer)
		}
		got := map[shared.FailureReason]int{}
		for _, failed := range rollout.Failed {
			got[failed.Reason] += failed.Count
		}
		if !maps.Equal(got, want) {
			t.Errorf("the rollout counts %v, want %v", got, want)
		}
	}
	// fails presses a button while the finger isn't recognised. That is then the nth failure since a success.
	fails := func(button, notice, sentence string, nth int) {
		t.Helper()
		const kept = `JSON.parse(sessionStorage.getItem("keypeg-failed"))?.closed ?? 0`
		finger.recognises(false)
		ann.clicks(button)
		ann.waitsFor("the page to count the failure", fmt.Sprintf("(%s) === %d", kept, nth))
		ann.readsIn(notice, sentence)
		finger.recognises(true)
	}

	ann.opensPasskeys()
	ann.clicks("#passkey-add")
	ann.types("#passkey-name", "Laptop")
	fails("#passkey-register", ".panel-add .notice", "Nothing was saved. The prompt was closed or timed out.", 1)
	counts(map[shared.FailureReason]int{})
	ann.clicks("#passkey-register")
	ann.readsIn(row(1, "bdi"), "Laptop")
	counts(map[shared.FailureReason]int{shared.ReasonClosed: 1})
	ann.opens("/activity")
	ann.reads("A passkey didn't work: " + closed)

	ann.signsOut()
	fails("#use-passkey", "#refusal", notHere, 1)
	fails("#use-passkey", "#refusal", cancelled, 2)
	ann.clicks("#use-passkey")
	ann.isAt("/")
	counts(map[shared.FailureReason]int{shared.ReasonClosed: 3})

	ann.signsOut() // the next time she takes her password, which she types wrongly at first
	fails("#use-passkey", "#refusal", notHere, 1)
	ann.fillsInPassword(annsName, "wrong "+annsPassword)
	ann.readsIn("#refusal", "The user name or the password is not right.")
	fails("#use-passkey", "#refusal", notHere, 2)
	ann.types("input[name=password]", annsPassword)
	ann.presses(enter)
	ann.isAt("/")
	counts(map[shared.FailureReason]int{shared.ReasonClosed: 5})

	held := ann.onlyCredential()
	ann.opensPasskeys()
	ann.clicks(row(1, "[id^=remove-]"))
	ann.clicks("#remove-ok")
	finger.comesToHold("none, by the signal", func(all []*webauthn.Credential) bool { return len(all) == 0 })
	finger.gets(held) // as from a manager that doesn't know signals
	ann.opens("/")
	ann.signsOut()
	ann.clicks("#use-passkey")
	ann.readsIn("#refusal", "This passkey was removed here. Delete it in your password manager too, and use another one.")
	ann.fillsInPassword(annsName, annsPassword)
	ann.isAt("/")
	counts(map[shared.FailureReason]int{shared.ReasonClosed: 5, shared.ReasonRemoved: 1})
	ann.hasNoComplaints()
}
