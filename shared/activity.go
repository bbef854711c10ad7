package shared

import "time"

// Activity is a page of what happened to an account, newest first.
type Activity struct {
	Events []Event `json:"events"`
	Next   string  `json:"next,omitempty"` // asks for the page after; "" at the end
}

// EventKind says what happened.
type EventKind string

// The kinds of events. Programs must ignore kinds that they don't know.
const (
	EventAccountCreated EventKind = "account_created"
	EventSignedIn       EventKind = "signed_in"
	EventSignInFailed   EventKind = "sign_in_failed"
	// EventPasskeyFailed: somebody wanted to use or to add a passkey, which failed for the Reason.
	// What only the browser knows is written when its user signs in there.
	EventPasskeyFailed   EventKind = "passkey_failed"
	EventSignedOut       EventKind = "signed_out"
	EventConfirmed       EventKind = "confirmed"
	EventPasswordChanged EventKind = "password_changed"
	EventPasswordRemoved EventKind = "password_removed"
	EventDisabled        EventKind = "account_disabled"
	EventEnabled         EventKind = "account_enabled"
	EventPasskeyAdded    EventKind = "passkey_added"
	EventPasskeyRenamed  EventKind = "passkey_renamed"
	EventPasskeyRemoved  EventKind = "passkey_removed"
	// EventCounterFell: a passkey's signature counter didn't grow, so the passkey may have
	// been copied. The sign-in was refused.
	EventCounterFell EventKind = "passkey_counter_fell"
	// EventCounterDiffers: a synced passkey has a signature counter of its own on each
	// device. The sign-in was accepted.
	EventCounterDiffers EventKind = "passkey_counter_differs"
	// EventBackupChanged: a passkey's provider has begun or ended to keep a copy.
	EventBackupChanged EventKind = "passkey_backup_changed"
	EventSessionEnded  EventKind = "session_ended"
	// EventIdentityLinked: the user can sign in at an OpenID provider from now on.
	EventIdentityLinked   EventKind = "identity_linked"
	EventIdentityUnlinked EventKind = "identity_unlinked"
	// EventRecoveryCodesMade: the user has new recovery codes, which replace all earlier ones.
	EventRecoveryCodesMade EventKind = "recovery_codes_made"
	// EventInvited: an administrator made a new link for a user who has no sign-in method yet.
	EventInvited EventKind = "invited"
	// EventRecoveryLinkMade: for 30 minutes, whoever has the link can add a sign-in method.
	EventRecoveryLinkMade EventKind = "recovery_link_made"
	// EventLinkWithdrawn: an administrator or IT ended an invitation or a recovery link.
	EventLinkWithdrawn EventKind = "link_withdrawn"
	// EventLinkUsed: somebody added a sign-in method by a link of the kind in Method.
	EventLinkUsed EventKind = "link_used"
	// EventOthersEnded: the user ended all sessions but one.
	EventOthersEnded EventKind = "other_sessions_ended"
	// EventRenamed: the user has another user name.
	EventRenamed EventKind = "account_renamed"
	// EventProfileChanged: the display name or the language is another one.
	EventProfileChanged EventKind = "profile_changed"
	EventEmailChanged   EventKind = "email_changed"
	// EventEmailVerified: the user has shown that they read what is sent to their address, or a
	// provider knows it.
	EventEmailVerified EventKind = "email_verified"
	EventGroupsChanged EventKind = "groups_changed"
	// EventRoleChanged: the role, or the groups whose users a helper may help.
	EventRoleChanged EventKind = "role_changed"
	// EventAccountRemoved: the account was removed. It is an event of the organisation, and of who
	// did it.
	EventAccountRemoved EventKind = "account_removed"
	// EventHeld: somebody who reads the user's mails said that it wasn't them. For a while, no sign-in
	// method can be added.
	EventHeld EventKind = "held"
	// EventReleased: sign-in methods can be added again.
	EventReleased EventKind = "released"
	// EventDataExported: the user got everything that is kept about them.
	EventDataExported EventKind = "data_exported"
	// EventProgramAllowed: the user let a program in, which gets from then on what it asked for.
	EventProgramAllowed EventKind = "program_allowed"
	// EventProgramEnded: the user, or somebody for them, ended what a program may do.
	EventProgramEnded EventKind = "program_ended"
	// EventSignedInTo: the user signed in to a program with the account.
	EventSignedInTo EventKind = "signed_in_to"
	// EventClientAdded: users can sign in to a program from now on. This event and the next ones are
	// of the organisation, and of the administrator who did it. Their Program is the client's name, with
	// its id where that is another text.
	EventClientAdded EventKind = "client_added"
	// EventClientChanged: something of a client was changed. Change has its redirects.
	EventClientChanged EventKind = "client_changed"
	// EventClientSecretRotated: a client has a new secret.
	EventClientSecretRotated EventKind = "client_secret_rotated"
	// EventClientRemoved: nobody can sign in to a program any more.
	EventClientRemoved EventKind = "client_removed"
	// EventKeysRotated: tokens for programs are signed with new keys. It is of the organisation.
	EventKeysRotated EventKind = "signing_keys_rotated"
)

// The signs in [Event.Change].
const (
	ChangeTaken = "-"
	ChangeGiven = "+"
)

// The fields in [Event.Change].
const (
	ChangedName  = "name:" // the user name
	ChangedEmail = "email:"
	ChangedGroup = "group:"
	ChangedRole  = "role:"  // a [Role] other than none
	ChangedHelps = "helps:" // a group whose users a helper may help
	// ChangedRedirect is an address to which a client may have users sent back, a redirect URI. There may
	// be more than an event has.
	ChangedRedirect = "redirect:"
)

// EventGroup is what kinds of events have in common: a filter selects them together.
type EventGroup string

// The groups.
const (
	GroupSignIns   EventGroup = "sign-ins"
	GroupFailures  EventGroup = "failures"
	GroupPasskeys  EventGroup = "passkeys"
	GroupPasswords EventGroup = "passwords" // and other ways to sign in
	GroupUsers     EventGroup = "users"     // and their links
	GroupPrograms  EventGroup = "programs"  // to which users sign in with their accounts
)

// EventGroups has each kind, with its group.
var EventGroups = map[EventKind]EventGroup{
	EventAccountCreated:    GroupUsers,
	EventSignedIn:          GroupSignIns,
	EventSignInFailed:      GroupFailures,
	EventPasskeyFailed:     GroupFailures,
	EventSignedOut:         GroupSignIns,
	EventConfirmed:         GroupSignIns,
	EventPasswordChanged:   GroupPasswords,
	EventPasswordRemoved:   GroupPasswords,
	EventDisabled:          GroupUsers,
	EventEnabled:           GroupUsers,
	EventPasskeyAdded:      GroupPasskeys,
	EventPasskeyRenamed:    GroupPasskeys,
	EventPasskeyRemoved:    GroupPasskeys,
	EventCounterFell:       GroupFailures,
	EventCounterDiffers:    GroupPasskeys,
	EventBackupChanged:     GroupPasskeys,
	EventSessionEnded:      GroupSignIns,
	EventIdentityLinked:    GroupPasswords,
	EventIdentityUnlinked:  GroupPasswords,
	EventRecoveryCodesMade: GroupPasswords,
	EventInvited:           GroupUsers,
	EventRecoveryLinkMade:  GroupUsers,
	EventLinkWithdrawn:     GroupUsers,
	EventLinkUsed:          GroupUsers,
	EventOthersEnded:       GroupSignIns,
	EventRenamed:           GroupUsers,
	EventProfileChanged:    GroupUsers,
	EventEmailChanged:      GroupUsers,
	EventEmailVerified:     GroupUsers,
	EventGroupsChanged:     GroupUsers,
	EventRoleChanged:       GroupUsers,
	EventAccountRemoved:    GroupUsers,
	EventHeld:              GroupPasswords,
	EventReleased:          GroupPasswords,
	EventDataExported:      GroupUsers,
	EventProgramAllowed:    GroupPrograms,
	EventProgramEnded:      GroupPrograms,
	EventSignedInTo:        GroupPrograms,

	EventClientAdded:         GroupPrograms,
	EventClientChanged:       GroupPrograms,
	EventClientSecretRotated: GroupPrograms,
	EventClientRemoved:       GroupPrograms,
	EventKeysRotated:         GroupPrograms,
}

// Event is a line of a user's activity.
type Event struct {
	ID   string    `json:"id"`
	Kind EventKind `json:"kind"`
	Time time.Time `json:"time"` // of the first one, if the line stands for several
	// Count and Last are set in a line that stands for several events: for the failed
	// attempts of an hour, or for those after the first fifty of a kind and reason in a day. Count is
	// their number, and Last the time of the last one. The other members are of the last one.
	Count     uint64     `json:"count,omitempty"`
	Last      *time.Time `json:"last,omitempty"`
	Method    string     `json:"method,omitempty"`    // of sign-ins, confirmations and links
	Passkey   string     `json:"passkey,omitempty"`   // its name at that time
	PasskeyID string     `json:"passkeyId,omitempty"` // set while the user has it
	Provider  string     `json:"provider,omitempty"`  // the name of the OpenID provider
	Program   string     `json:"program,omitempty"`   // the name of the program, at that time
	By        string     `json:"by,omitempty"`        // the display name of the administrator who did it
	ByRemoved bool       `json:"byRemoved,omitempty"` // an administrator did it who was removed since; By is ""
	About     string     `json:"about,omitempty"`     // the display name of another user to whom it was done
	// AboutRemoved: it was done to a user who was removed since; About is "".
	AboutRemoved bool          `json:"aboutRemoved,omitempty"`
	Reason       FailureReason `json:"reason,omitempty"` // why a passkey didn't work
	// Change is what was changed, in words with a space between. A word is [ChangeTaken] or
	// [ChangeGiven], a field such as [ChangedGroup], and a value, which has no space. An account
	// that was created has its role and groups.
	Change  string `json:"change,omitempty"`
	Browser string `json:"browser,omitempty"`
	System  string `json:"system,omitempty"`
	Address string `json:"address,omitempty"`
	Here    bool   `json:"here,omitempty"` // this browser did it, as its device cookie says
}
