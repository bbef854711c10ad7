package shared

import (
	"encoding/json"
	"slices"
)

// FailureReason says why a ceremony with a passkey failed.
type FailureReason string

// The reasons. Programs must ignore reasons that they don't know.
const (
	// ReasonClosed: somebody closed the prompt, it timed out, or the device has no passkey. No page
	// learns which of these it was: browsers answer all of them with NotAllowedError (WebAuthn Level
	// 3, 14.5.2).
	ReasonClosed FailureReason = "closed"
	// ReasonRemoved: the passkey was removed here, and is still on the device.
	ReasonRemoved FailureReason = "removed"
	// ReasonNoLock: the device has no screen lock or PIN, or didn't ask for it.
	ReasonNoLock FailureReason = "no_lock"
	// ReasonElsewhere: the passkey was made for another address, or the page has another address
	// than the server.
	ReasonElsewhere FailureReason = "elsewhere"
	// ReasonUnsupported: the browser or the device can't make or use such a passkey.
	ReasonUnsupported FailureReason = "unsupported"
	// ReasonProvider: the browser or the password manager had trouble.
	ReasonProvider FailureReason = "provider"
	// ReasonRefused: the server refused the passkey for another reason, because it may have been
	// copied for instance.
	ReasonRefused FailureReason = "refused"
)

// FailureReasons lists all reasons, in the order in which people read them.
var FailureReasons = []FailureReason{ReasonClosed, ReasonRemoved, ReasonNoLock, ReasonElsewhere, ReasonUnsupported, ReasonProvider, ReasonRefused}

// IsKnown reports whether the reason is one of [FailureReasons].
func (r FailureReason) IsKnown() bool { return slices.Contains(FailureReasons, r) }

// FailedTries is how often the ceremonies of a browser failed for each reason since one last
// succeeded there. The page keeps it, because the server learns nothing of a prompt that was
// closed, and sends it with the next ceremony that succeeds.
type FailedTries map[FailureReason]int

// mostTries is the most that a browser is believed of one reason.
const mostTries = 20

// UnmarshalJSON never fails, because nothing that a browser writes here may keep its user out. It
// leaves out what it doesn't know, and believes only small numbers.
func (f *FailedTries) UnmarshalJSON(text []byte) error {
	var said map[FailureReason]any
	*f = nil
	if json.Unmarshal(text, &said) != nil {
		return nil
	}
	for _, reason := range FailureReasons {
		if n, is := said[reason].(float64); is && n >= 1 {
			if *f == nil {
				*f = FailedTries{}
			}
			(*f)[reason] = int(min(n, mostTries))
		}
	}
	return nil
}
