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

	SignedInWith string    `json:"signedInWith"` // as [Session] writes it
	SignedInAt   time.Time `json:"signedInAt"`
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
