package shared

import "slices"

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
