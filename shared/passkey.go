package shared

import (
	"encoding/json"
	"time"
)

// MayBeRegistered are the codes of a failed registration after which the server may have the
// passkey all the same. After any other code the passkey works nowhere, and the user's
// password manager may have kept it.
var MayBeRegistered = []Code{CodePasskeyExists, CodeInternal, CodeOffline, CodeAway, CodeInBetween}

// PasskeyKind says where a passkey is kept, as far as that was known when it was made. It isn't
// proved, so it is shown and decides nothing.
type PasskeyKind string

const (
	// KindManager is a password manager, which may have the passkey on several devices.
	KindManager PasskeyKind = "password_manager"
	// KindSecurityKey is a device that is plugged in or held to a reader.
	KindSecurityKey PasskeyKind = "security_key"
	// KindComputer is one computer.
	KindComputer PasskeyKind = "computer"
	// KindPhone is one phone.
	KindPhone PasskeyKind = "phone"
	// KindDevice is one device of an unknown sort.
	KindDevice PasskeyKind = "device"
)

// Providers of which more is known than their name: where their passkeys are.
const (
	ProviderApple  = "Apple Passwords"         // on all devices of an Apple account
	ProviderGoogle = "Google Password Manager" // wherever a Google account is used
)

// Passkey is a row of the user's list.
type Passkey struct {
	ID           string     `json:"id"`           // names it in paths
	CredentialID string     `json:"credentialId"` // base64url without padding, as WebAuthn writes it
	Name         string     `json:"name"`
	Provider     string     `json:"provider,omitempty"` // the name of the password manager or security key, if known
	Created      time.Time  `json:"created"`
	LastUsed     *time.Time `json:"lastUsed,omitempty"`
	// Kind is "" from a server that doesn't know kinds.
	Kind         PasskeyKind `json:"kind,omitempty"`
	Synced       bool        `json:"synced"`                 // its provider keeps a copy of it
	Current      bool        `json:"current,omitempty"`      // this session began with it
	OnlyMethod   bool        `json:"onlyMethod,omitempty"`   // removing it would leave no way to sign in
	Unverified   bool        `json:"unverified,omitempty"`   // made without asking the user, and not used yet
	FormerRPID   string      `json:"formerRpId,omitempty"`   // the relying party id of an address that people move away from
	OtherAddress bool        `json:"otherAddress,omitempty"` // made for another relying party id, so it can't be used here
	// Signals are only in the answer to a registration.
	Signals *Signals `json:"signals,omitempty"`
}

// PasskeyList holds all passkeys of one user, oldest first.
type PasskeyList struct {
	Passkeys    []Passkey `json:"passkeys"`
	HasPassword bool      `json:"hasPassword"`
	RPID        string    `json:"rpId"`
	UserHandle  string    `json:"userHandle"` // base64url without padding
	// EndsSessions says that the server accepts [QueryEndSessions].
	EndsSessions bool `json:"endsSessions,omitempty"`
	// Signals are only in the answer to a removal.
	Signals *Signals `json:"signals,omitempty"`
}

// Signals are those that a browser may send to the user's password manager, right after a
// change that was made in this browser (WebAuthn Level 3, 5.1.10). Each is the argument of a
// method of PublicKeyCredential. A browser must send no others. A manager that deletes a
// passkey can't restore it, so only the server decides, which has the proof.
//
// There is no signal with the complete list (signalAllAcceptedCredentials). A manager would
// delete every passkey that isn't in it, and a database that was restored from a backup
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

// CurrentUserDetails are the user's names now (5.1.10.4).
type CurrentUserDetails struct {
	RPID        string `json:"rpId"`
	UserID      string `json:"userId"` // base64url without padding
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
}

// Ceremony is the first half of a registration, a sign-in or a confirmation.
type Ceremony struct {
	// Ticket is the sealed state of the ceremony. Send it back as it is, once, within five
	// minutes and from the same browser.
	Ticket string `json:"ticket"`
	// PublicKey is a PublicKeyCredentialCreationOptionsJSON or a
	// PublicKeyCredentialRequestOptionsJSON (WebAuthn Level 3, 5.1.8 and 5.1.9).
	PublicKey json.RawMessage `json:"publicKey"`
	// Mediation is "conditional" if the browser must not interrupt the user. A sign-in then
	// waits for autofill, and a registration happens silently or not at all.
	Mediation string `json:"mediation,omitempty"`
}

// BeginSignIn asks for a sign-in ceremony.
type BeginSignIn struct {
	Mediation string `json:"mediation,omitempty"` // "" or "conditional"
}

// BeginRegistration asks for a registration ceremony. With "conditional" the browser makes the
// passkey without asking, right after it has filled in a password (WebAuthn Level 3, 5.1.3
// step 4). Then there is no proof that a person was present.
type BeginRegistration struct {
	Mediation string `json:"mediation,omitempty"` // "" or "conditional"
	// Hint is where the user wants to keep the passkey. Browsers begin there, and may offer the rest too.
	Hint Hint `json:"hint,omitempty"`
}

// Hint says what a browser should offer first (WebAuthn Level 3, 5.8.7). It excludes nothing. The zero
// Hint leaves it to the browser.
type Hint string

const (
	HintThisDevice  Hint = "client-device" // the device that the browser runs on
	HintPhone       Hint = "hybrid"        // another device, which scans a code
	HintSecurityKey Hint = "security-key"  // a device that does nothing else
)

// FinishCeremony is the second half: the ticket, and the result of
// PublicKeyCredential.toJSON (WebAuthn Level 3, 5.1).
type FinishCeremony struct {
	Ticket     string          `json:"ticket"`
	Credential json.RawMessage `json:"credential"`
	Failed     FailedTries     `json:"failed,omitempty"`
}

// FinishRegistration is a [FinishCeremony] with the name that the user has typed. For a blank
// one, the server takes the name of the provider or of the device.
type FinishRegistration struct {
	FinishCeremony
	Name string `json:"name,omitempty"`
}

// RenamePasskey gives a passkey another name.
type RenamePasskey struct {
	Name string `json:"name"`
}
