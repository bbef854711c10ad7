package shared

import "time"

// User is what users of an organisation may know about each other.
type User struct {
	ID          string `json:"id"`
	Name        string `json:"name"` // typed to sign in
	DisplayName string `json:"displayName"`
	Role        Role   `json:"role,omitempty"`
	Disabled    bool   `json:"disabled,omitempty"`
}

// Account is what a signed-in browser gets to know about its user and its server.
type Account struct {
	User    User   `json:"user"`
	Product string `json:"product"`           // the name of this installation
	Contact string `json:"contact,omitempty"` // whom to ask, in IT's words

	PasskeysOn  bool   `json:"passkeysOn"`
	PhoneLinks  bool   `json:"phoneLinks,omitempty"` // [PathPhoneLink] makes links
	RPID        string `json:"rpId"`                 // WebAuthn's relying party id
	HasPassword bool   `json:"hasPassword"`
	// PasswordSet is when the user got the password. It is missing without one.
	PasswordSet time.Time `json:"passwordSet,omitzero"`
	// PasswordsOn says that the user may have a password: the organisation's policy accepts it.
	PasswordsOn bool `json:"passwordsOn,omitempty"`
	// PasswordOnly says that removing the password would leave no way to sign in.
	PasswordOnly bool `json:"passwordOnly,omitempty"`
	Passkeys     int  `json:"passkeys"` // their number
	// NewestPasskey is missing while the user has none.
	NewestPasskey *Passkey `json:"newestPasskey,omitempty"`
	// MovingFrom is the relying party id of an address that people move away from, if those of the
	// user's passkeys that work are for such addresses alone. At such an address, [PageMoved] leads on.
	MovingFrom string `json:"movingFrom,omitempty"`

	Providers  []Provider `json:"providers,omitempty"`  // at which users may sign in too
	Identities []Identity `json:"identities,omitempty"` // the user's identities there

	Email         string `json:"email,omitempty"`
	EmailVerified bool   `json:"emailVerified,omitempty"`
	MailOn        bool   `json:"mailOn,omitempty"`   // the server sends mails
	Language      string `json:"language,omitempty"` // of mails; BCP 47 tag

	// HeldUntil is set while no sign-in method may be added to the account.
	HeldUntil time.Time `json:"heldUntil,omitzero"`
	// MayRelease says that the user can end that in this browser, and change the password meanwhile:
	// it has shown that they read the mails.
	MayRelease bool `json:"mayRelease,omitempty"`

	RecoveryCodes int `json:"recoveryCodes"` // how many are left
	// RecoveryCodesMade is missing for a user who has made none.
	RecoveryCodesMade time.Time `json:"recoveryCodesMade,omitzero"`
	// RecoveryLinkUntil is set while a recovery link of the account works.
	RecoveryLinkUntil *time.Time `json:"recoveryLinkUntil,omitempty"`

	// Programs is the number of other programs to which the user signs in with the account: see [PathPrograms].
	Programs int `json:"programs,omitempty"`

	SignedInWith string    `json:"signedInWith"` // as [Session] writes it
	SignedInAt   time.Time `json:"signedInAt"`
}

// ChangeProfile changes what is set of the user's own account.
type ChangeProfile struct {
	DisplayName *string `json:"displayName,omitempty"`
	Email       *string `json:"email,omitempty"` // "" for none
	Language    *string `json:"language,omitempty"`
}

// Provider is an OpenID provider at which users of the organisation may sign in.
type Provider struct {
	ID   string `json:"id"` // names it in paths
	Name string `json:"name"`
}

// Identity is a user's account at an OpenID provider, linked to their account here.
type Identity struct {
	ID         string    `json:"id"`                   // names it in paths
	Provider   string    `json:"provider"`             // the name of the provider
	ProviderID string    `json:"providerId,omitempty"` // missing if the provider isn't configured any more
	Name       string    `json:"name,omitempty"`       // mostly an e-mail address
	Created    time.Time `json:"created"`
	OnlyMethod bool      `json:"onlyMethod,omitempty"` // unlinking it would leave no way to sign in
}

// RecoveryCodeCount is how many recovery codes a user gets at once.
const RecoveryCodeCount = 10

// RecoveryCodes are new recovery codes. They are shown only once.
type RecoveryCodes struct {
	Codes []string `json:"codes"`
}

// RecoverySignIn signs in with a name and a recovery code. The code works only once.
type RecoverySignIn struct {
	Name string `json:"name"`
	Code string `json:"code"`
}

// AtProvider is the address of an OpenID provider to which the browser has to go.
type AtProvider struct {
	URL string `json:"url"`
}

// BeginSSOConfirmation asks to confirm at an OpenID provider. The browser comes back to Next,
// a page of the app.
type BeginSSOConfirmation struct {
	Next string `json:"next,omitempty"`
}

// SignedOut answers a sign-out with the address at which the OpenID provider ends its own
// session.
type SignedOut struct {
	Continue string `json:"continue"`
}

// SignedIn answers every successful sign-in. The session itself is a cookie that scripts can't
// read.
type SignedIn struct {
	User User `json:"user"`
}

// PasswordSignIn signs in with a name and a password.
type PasswordSignIn struct {
	Name     string      `json:"name"`
	Password string      `json:"password"`
	Failed   FailedTries `json:"failed,omitempty"`
}

// PasswordConfirmation proves again that the signed-in user is present.
type PasswordConfirmation struct {
	Password string `json:"password"`
}

// Confirmed says until when the session needs no other confirmation.
type Confirmed struct {
	Until time.Time `json:"until"`
}

// ChangePassword gives the signed-in user another password.
type ChangePassword struct {
	Password string `json:"password"`
}
