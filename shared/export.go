package shared

import "time"

// Export is everything that is kept about a user, for the user. What only the server may know is
// left out: hashes, handles, keys, and the secrets of links.
type Export struct {
	Exported          time.Time          `json:"exported"`
	Member            Member             `json:"user"`
	Passkeys          []ExportedPasskey  `json:"passkeys"`
	Identities        []ExportedIdentity `json:"identities"`
	RecoveryCodes     int                `json:"recoveryCodes"` // how many are left
	RecoveryCodesMade time.Time          `json:"recoveryCodesMade,omitzero"`
	Sessions          []Session          `json:"sessions"`
	Links             []ExportedLink     `json:"links"`
	Programs          []Program          `json:"programs"` // other programs to which the user signs in
	Mails             ExportedMails      `json:"mails"`
	Events            []Event            `json:"events"` // newest first; the last member, which is sent page by page
}

// ExportedPasskey is a passkey with what its authenticator said.
type ExportedPasskey struct {
	Passkey
	AAGUID     string   `json:"aaguid"` // of the model of the authenticator; zeros for an unknown one
	Attachment string   `json:"attachment,omitempty"`
	Transports []string `json:"transports,omitempty"`
	SignCount  uint32   `json:"signCount"`
	RPID       string   `json:"rpId,omitempty"`
}

// ExportedIdentity is an identity with what names it at its provider.
type ExportedIdentity struct {
	Identity
	Issuer   string    `json:"issuer"`
	Subject  string    `json:"subject"`
	LastUsed time.Time `json:"lastUsed,omitzero"`
}

// ExportedLink is a link that works, or that can't be used a second time.
type ExportedLink struct {
	Kind    string    `json:"kind"` // [MethodInvitation], [MethodRecoveryLink], [MethodPhoneLink] or [LinkUsed]
	Expires time.Time `json:"expires"`
}

// LinkUsed is the kind of an [ExportedLink] of a mail, which was used.
const LinkUsed = "used_link_of_a_mail"

// ExportedMails is what is kept to send mails to a user.
type ExportedMails struct {
	Waiting []ExportedMail `json:"waiting"`
	// Former are addresses that get mails too, after the user has got another one.
	Former []ExportedAddress `json:"former"`
	// Asked is the address that the user was asked to verify.
	Asked *ExportedAddress `json:"asked,omitempty"`
	// Browsers are those of which a sign-in isn't told.
	Browsers []ExportedBrowser `json:"browsers"`
}

// ExportedMail is a mail that wasn't sent yet.
type ExportedMail struct {
	To   string    `json:"to"`
	Kind EventKind `json:"kind"`
	Time time.Time `json:"time"` // of what it tells
}

// ExportedAddress is an address that is forgotten at a time.
type ExportedAddress struct {
	Address string    `json:"address"`
	Until   time.Time `json:"until"`
}

// ExportedBrowser is a browser that is known by its cookie, or by all that is in Client.
type ExportedBrowser struct {
	Client string    `json:"client,omitempty"`
	Until  time.Time `json:"until"` // forgotten then
}
