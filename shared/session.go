package shared

import "time"

// SessionList holds the browsers in which a user is signed in: this one first,
// then the one that was used last.
type SessionList struct {
	Sessions []Session `json:"sessions"`
}

// The ways to sign in. Programs must let ones that they don't know pass.
const (
	MethodPassword  = "password"
	MethodPasskey   = "passkey"
	MethodSetupLink = "setup_link"

	MethodSSO          = "sso"
	MethodRecoveryCode = "recovery_code"
)

// The kinds of links with which a user gets a way in, as [EventLinkUsed] names them.
const (
	MethodInvitation   = "invitation"
	MethodRecoveryLink = "recovery_link"
	MethodPhoneLink    = "phone_link"
)

// Session is a signed-in browser.
type Session struct {
	ID       string `json:"id"` // names it in paths; no secret, and no part of one
	Browser  string `json:"browser,omitempty"`
	System   string `json:"system,omitempty"`
	Address  string `json:"address,omitempty"`  // at sign-in
	Method   string `json:"method"`             // one of the Method constants
	Passkey  string `json:"passkey,omitempty"`  // the name of the passkey that it began with
	Provider string `json:"provider,omitempty"` // the OpenID provider that it began at
	// PasskeyID is that passkey's id, while the user has it.
	PasskeyID string    `json:"passkeyId,omitempty"`
	Created   time.Time `json:"created"`
	Seen      time.Time `json:"seen"` // to a few minutes
	Current   bool      `json:"current,omitempty"`
}
