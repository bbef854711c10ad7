package shared

import "time"

// Activity is a page of what happened to an account, newest first.
type Activity struct {
	Events []Event `json:"events"`
	Next   string  `json:"next,omitempty"` // asks for the page after; "" at the end
}

// EventKind is what an [Event] tells.
type EventKind string

// The kinds of events. Programs must let ones that they don't know pass.
const (
	EventAccountCreated  EventKind = "account_created"
	EventSignedIn        EventKind = "signed_in"
	EventSignInFailed    EventKind = "sign_in_failed"
	EventSignedOut       EventKind = "signed_out"
	EventConfirmed       EventKind = "confirmed"
	EventPasswordChanged EventKind = "password_changed"
	EventPasswordRemoved EventKind = "password_removed"
	EventDisabled        EventKind = "account_disabled"
	EventEnabled         EventKind = "account_enabled"
	EventPasskeyAdded    EventKind = "passkey_added"
	EventPasskeyRenamed  EventKind = "passkey_renamed"
	EventPasskeyRemoved  EventKind = "passkey_removed"
	// EventCounterFell: a passkey's signature counter went back, which means that
	// it may have been copied; the sign-in was refused.
	EventCounterFell EventKind = "passkey_counter_fell"
	// EventCounterDiffers: a synced passkey counts its uses apart on each device. It was
	// accepted.
	EventCounterDiffers EventKind = "passkey_counter_differs"
	// EventBackupChanged: a passkey's provider began or ceased to keep a copy.
	EventBackupChanged EventKind = "passkey_backup_changed"
	EventSessionEnded  EventKind = "session_ended"
	// EventIdentityLinked: the user can sign in at an OpenID provider from now on.
	EventIdentityLinked   EventKind = "identity_linked"
	EventIdentityUnlinked EventKind = "identity_unlinked"
	// EventRecoveryCodesMade: the user has new recovery codes, and no old ones.
	EventRecoveryCodesMade EventKind = "recovery_codes_made"
	// EventInvited: an administrator made a new link for a user who has no way in yet.
	EventInvited EventKind = "invited"
	// EventRecoveryLinkMade: with it somebody can add a way in, for 30 minutes.
	EventRecoveryLinkMade EventKind = "recovery_link_made"
	// EventLinkWithdrawn: an administrator or IT made an invitation or a recovery link dead.
	EventLinkWithdrawn EventKind = "link_withdrawn"
	// EventLinkUsed: somebody added a way in by the link of the kind in Method.
	EventLinkUsed EventKind = "link_used"
	// EventOthersEnded: the user ended all sessions but one.
	EventOthersEnded EventKind = "other_sessions_ended"
)

// Event is a line of a user's activity.
type Event struct {
	ID   string    `json:"id"`
	Kind EventKind `json:"kind"`
	Time time.Time `json:"time"` // of the first, where there are several
	// Count and Last are of a line that stands for several: failed attempts of an hour, or
	// what follows the first fifty of a kind in a day. Count is how many they are, and Last
	// when the last one was; what else the line says is of that one.
	Count     uint64     `json:"count,omitempty"`
	Last      *time.Time `json:"last,omitempty"`
	Method    string     `json:"method,omitempty"`    // of sign-ins, confirmations and links
	Passkey   string     `json:"passkey,omitempty"`   // its name at the time
	PasskeyID string     `json:"passkeyId,omitempty"` // set while the user has it
	Provider  string     `json:"provider,omitempty"`  // the OpenID provider that it is about
	By        string     `json:"by,omitempty"`        // the administrator who did it
	Browser   string     `json:"browser,omitempty"`
	System    string     `json:"system,omitempty"`
	Address   string     `json:"address,omitempty"`
	Here      bool       `json:"here,omitempty"` // it was this browser, by a cookie that it keeps
}
