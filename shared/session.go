package shared

import "time"

// SessionList holds the sessions of a user: the one of this browser first, then the others,
// the last used one first.
type SessionList struct {
	Sessions []Session `json:"sessions"`
}

// The sign-in methods. Programs must ignore methods that they don't know.
const (
	MethodPassword  = "password"
	MethodPasskey   = "passkey"
	MethodSetupLink = "setup_link"

	MethodSSO          = "sso"
	MethodRecoveryCode = "recovery_code"
)

// The kinds of links with which a user adds a sign-in method, as [EventLinkUsed] names them.
const (
	MethodInvitation   = "invitation"
	MethodRecoveryLink = "recovery_link"
	MethodPhoneLink    = "phone_link"
)

// Session is a signed-in browser.
type Session struct {
	ID       string `json:"id"` // names it in paths; it is no secret, and no part of one
	Browser  string `json:"browser,omitempty"`
	System   string `json:"system,omitempty"`
	Address  string `json:"address,omitempty"`  // at sign-in
	Method   string `json:"method"`             // one of the Method constants
	Passkey  string `json:"passkey,omitempty"`  // the name of the passkey that it began with
	Provider string `json:"provider,omitempty"` // the OpenID provider that it began at
	// PasskeyID is the id of that passkey, as long as the user has it.
	PasskeyID string    `json:"passkeyId,omitempty"`
	Created   time.Time `json:"created"`
	Seen      time.Time `json:"seen"` // accurate to a few minutes
	Current   bool      `json:"current,omitempty"`
}
