package shared

import (
	"encoding/json"
	"time"
)

// MayBeRegistered are the codes of a finished registration that failed after which the
// server has the passkey all the same, or may have it. After any other one it works nowhere,
// and the user's password manager may have kept it.
var MayBeRegistered = []Code{CodePasskeyExists, CodeInternal, CodeOffline, CodeAway, CodeInBetween}

// PasskeyKind says what holds a passkey, as far as it told when the passkey was made.
// Nothing proves it, and nothing is decided by it.
type PasskeyKind string

const (
	// KindManager is a password manager, which may have it on several devices.
	KindManager PasskeyKind = "password_manager"
	// KindSecurityKey is something that is plugged in, or held to a reader.
	KindSecurityKey PasskeyKind = "security_key"
	// KindComputer is one computer.
	KindComputer PasskeyKind = "computer"
	// KindPhone is one phone.
	KindPhone PasskeyKind = "phone"
	// KindDevice is one device, and it isn't known which sort.
	KindDevice PasskeyKind = "device"
)

// Passkey is a row of the user's list.
type Passkey struct {
	ID           string     `json:"id"`           // names it in paths
	CredentialID string     `json:"credentialId"` // base64url without padding, as WebAuthn writes it
	Name         string     `json:"name"`
	Provider     string     `json:"provider,omitempty"` // the password manager or key that holds it, where known
	Created      time.Time  `json:"created"`
	LastUsed     *time.Time `json:"lastUsed,omitempty"`
	// Kind is what holds it; "" from a server that doesn't tell.
	Kind         PasskeyKind `json:"kind,omitempty"`
	Synced       bool        `json:"synced"`                 // its provider keeps a copy elsewhere
	Current      bool        `json:"current,omitempty"`      // this session began with it
	OnlyMethod   bool        `json:"onlyMethod,omitempty"`   // removing it would leave no way to sign in
	Unverified   bool        `json:"unverified,omitempty"`   // made without asking the user, and not used since
	OtherAddress bool        `json:"otherAddress,omitempty"` // made for another relying party id: it can't be used here
	// Signals are there in the answer to a registration only.
	Signals *Signals `json:"signals,omitempty"`
}

// PasskeyList holds all passkeys of one user, oldest first.
type PasskeyList struct {
	Passkeys    []Passkey `json:"passkeys"`
	HasPassword bool      `json:"hasPassword"`
	RPID        string    `json:"rpId"`
	UserHandle  string    `json:"userHandle"` // base64url without padding
	// EndsSessions: [QueryEndSessions] is taken.
	EndsSessions bool `json:"endsSessions,omitempty"`
	// Signals are there in the answer to a removal only.
	Signals *Signals `json:"signals,omitempty"`
}

// Signals are what a browser may tell the user's password manager, right after what was
// done in it (WebAuthn Level 3, 5.1.10). Each is the argument of a method of
// PublicKeyCredential. What isn't there must not be told: a manager that deletes a passkey
// can't bring it back, so only the server, which has the proof, decides.
//
// There is no complete list (signalAllAcceptedCredentials). It would have a manager delete
// every passkey that isn't in it, and a database that somebody set back to an older one
// doesn't know the newer ones.
type Signals struct {
	UnknownCredential  *UnknownCredential  `json:"unknownCredential,omitempty"`  // signalUnknownCredential
	CurrentUserDetails *CurrentUserDetails `json:"currentUserDetails,omitempty"` // signalCurrentUserDetails
}

// UnknownCredential names a passkey that was just removed (5.1.10.1).
type UnknownCredential struct {
	RPID         string `json:"rpId"`
	CredentialID string `json:"credentialId"` // base64url without padding
}

// CurrentUserDetails are what the user is called now (5.1.10.4).
type CurrentUserDetails struct {
	RPID        string `json:"rpId"`
	UserID      string `json:"userId"` // base64url without padding
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
}

// Ceremony is the first half of a registration, a sign-in or a confirmation.
type Ceremony struct {
	// Ticket is the sealed state of the ceremony. Send it back unread, within
	// five minutes, from the same browser, once.
	Ticket string `json:"ticket"`
	// PublicKey is a PublicKeyCredentialCreationOptionsJSON or a
	// PublicKeyCredentialRequestOptionsJSON (WebAuthn Level 3, 5.1.8 and 5.1.9).
	PublicKey json.RawMessage `json:"publicKey"`
	// Mediation is "conditional" where the browser shall not interrupt the user:
	// a sign-in waits for autofill, a registration happens silently or not at all.
	Mediation string `json:"mediation,omitempty"`
}

// BeginSignIn asks for a sign-in ceremony.
type BeginSignIn struct {
	Mediation string `json:"mediation,omitempty"` // "" or "conditional"
}

// BeginRegistration asks for a registration ceremony. With "conditional" the
// browser makes the passkey without asking, right after it filled in a password
// (WebAuthn Level 3, 5.1.3 step 4): nobody is then known to have been there.
type BeginRegistration struct {
	Mediation string `json:"mediation,omitempty"` // "" or "conditional"
}

// FinishCeremony is the second half: the ticket, and what the browser's
// PublicKeyCredential.toJSON made (WebAuthn Level 3, 5.1).
type FinishCeremony struct {
	Ticket     string          `json:"ticket"`
	Credential json.RawMessage `json:"credential"`
}

// FinishRegistration is a [FinishCeremony] with the name the user typed;
// a blank one becomes the provider's name or the device's.
type FinishRegistration struct {
	FinishCeremony
	Name string `json:"name,omitempty"`
}

// RenamePasskey gives a passkey another name.
type RenamePasskey struct {
	Name string `json:"name"`
}
