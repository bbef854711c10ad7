package shared

import "time"

// User is what people of the organisation may know of each other.
type User struct {
	ID          string `json:"id"`
	Name        string `json:"name"` // what they type to sign in
	DisplayName string `json:"displayName"`
	Admin       bool   `json:"admin,omitempty"`
	Disabled    bool   `json:"disabled,omitempty"`
}

// Account is what a signed-in browser knows about its user and its server.
type Account struct {
	User    User   `json:"user"`
	Product string `json:"product"`           // what this installation calls itself
	Contact string `json:"contact,omitempty"` // whom to ask, in IT's words

	PasskeysOn  bool   `json:"passkeysOn"`
	RPID        string `json:"rpId"` // WebAuthn's relying party id
	HasPassword bool   `json:"hasPassword"`
	Passkeys    int    `json:"passkeys"` // how many the user has

	Providers  []Provider `json:"providers,omitempty"`  // where people may sign in too
	Identities []Identity `json:"identities,omitempty"` // how they know the user

	RecoveryCodes int `json:"recoveryCodes"` // how many are left
	// RecoveryLinkUntil is set while somebody can get in by a recovery link.
	RecoveryLinkUntil *time.Time `json:"recoveryLinkUntil,omitempty"`

	SignedInWith string    `json:"signedInWith"` // as [Session] writes it
	SignedInAt   time.Time `json:"signedInAt"`
}

// Provider is an OpenID provider where people of the organisation may sign in.
type Provider struct {
	ID   string `json:"id"` // names it in paths
	Name string `json:"name"`
}

// Identity is how an OpenID provider knows a user.
type Identity struct {
	ID         string    `json:"id"`                   // names it in paths
	Provider   string    `json:"provider"`             // what people call the provider
	ProviderID string    `json:"providerId,omitempty"` // unless it isn't configured any more
	Name       string    `json:"name,omitempty"`       // an e-mail address mostly
	Created    time.Time `json:"created"`
	OnlyMethod bool      `json:"onlyMethod,omitempty"` // unlinking it would leave no way to sign in
}

// RecoveryCodes are new ones. They are shown this once.
type RecoveryCodes struct {
	Codes []string `json:"codes"`
}

// RecoverySignIn signs in with a name and a recovery code, which is used up.
type RecoverySignIn struct {
	Name string `json:"name"`
	Code string `json:"code"`
}

// AtProvider is the address of an OpenID provider that the browser is to go to.
type AtProvider struct {
	URL string `json:"url"`
}

// BeginSSOConfirmation has the user confirm at an OpenID provider. The browser
// comes back to a page of the app.
type BeginSSOConfirmation struct {
	Next string `json:"next,omitempty"`
}

// SignedOut tells a browser that has signed out where to go to end its session at
// the OpenID provider too.
type SignedOut struct {
	Continue string `json:"continue"`
}

// SignedIn answers every successful sign-in. The session itself is a cookie
// that scripts can't read.
type SignedIn struct {
	User User `json:"user"`
}

// PasswordSignIn signs in with a name and a password.
type PasswordSignIn struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

// PasswordConfirmation proves once more that the signed-in user is there.
type PasswordConfirmation struct {
	Password string `json:"password"`
}

// Confirmed tells until when nothing needs to be confirmed again.
type Confirmed struct {
	Until time.Time `json:"until"`
}

// ChangePassword gives the signed-in user another password.
type ChangePassword struct {
	Password string `json:"password"`
}
