package shared

import (
	"encoding/json"
	"time"
)

// Passkey is a row of the user's list.
type Passkey struct {
	ID           string     `json:"id"`           // names it in paths
	CredentialID string     `json:"credentialId"` // base64url without padding, as WebAuthn writes it
	Name         string     `json:"name"`
	Provider     string     `json:"provider,omitempty"` // the password manager or key that holds it, where known
	Created      time.Time  `json:"created"`
	LastUsed     *time.Time `json:"lastUsed,omitempty"`
	Synced       bool       `json:"synced"`                 // its provider keeps a copy beyond this device
	Current      bool       `json:"current,omitempty"`      // this session began with it
	OnlyMethod   bool       `json:"onlyMethod,omitempty"`   // removing it would leave no way to sign in
	Unverified   bool       `json:"unverified,omitempty"`   // made without asking the user, and not used since
	OtherAddress bool       `json:"otherAddress,omitempty"` // made for another relying party id: it can't be used here
}

// PasskeyList holds all passkeys of one user, oldest first, and what the
// browser needs to tell a password manager about them
// (PublicKeyCredential.signalAllAcceptedCredentials, WebAuthn Level 3, 5.1.10).
type PasskeyList struct {
	Passkeys    []Passkey `json:"passkeys"`
	HasPassword bool      `json:"hasPassword"`
	RPID        string    `json:"rpId"`
	UserHandle  string    `json:"userHandle"` // base64url without padding
	// EndsSessions: [QueryEndSessions] is taken.
	EndsSessions bool `json:"endsSessions,omitempty"`
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
