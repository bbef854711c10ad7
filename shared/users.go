package shared

import "time"

// What administrators see of the organisation's users, and change.

// Members is a page of the users, in byte order of their names.
type Members struct {
	Users []Member `json:"users"`
	Next  string   `json:"next,omitempty"` // asks for the page after; "" at the end
}

// Member is what an administrator sees of a user.
type Member struct {
	User
	HasPassword bool      `json:"hasPassword"`
	Passkeys    int       `json:"passkeys"`
	Identities  int       `json:"identities"`        // linked ones at OpenID providers
	Invited     bool      `json:"invited,omitempty"` // has no sign-in method yet
	Created     time.Time `json:"created"`
	// LinkUntil is set while an invitation or a recovery link of the account works.
	LinkUntil *time.Time `json:"linkUntil,omitempty"`
}

// Invite asks for a new user. With the link in the answer, the user chooses how to sign in.
type Invite struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName,omitempty"` // "" for the name
	Role        Role   `json:"role,omitempty"`
}

// Invited answers an [Invite].
type Invited struct {
	User Member        `json:"user"`
	Link EnrolmentLink `json:"link"`
}

// EnrolmentLink is an address with which a user adds a sign-in method, once. It is shown only
// once.
type EnrolmentLink struct {
	URL     string    `json:"url"`
	QR      QR        `json:"qr"` // of the URL
	Expires time.Time `json:"expires"`
}

// QR is a drawing of a QR code (ISO/IEC 18004): a square of Size by Size modules without the
// quiet zone, and an SVG path that fills the dark modules.
type QR struct {
	Size int    `json:"size"`
	Path string `json:"path"`
}

// ChangeMember disables or enables a user.
type ChangeMember struct {
	Disabled bool `json:"disabled"`
}

// FinishEnrolment is a [FinishRegistration] by an enrolment link. It may also set a password.
type FinishEnrolment struct {
	FinishRegistration
	Password string `json:"password,omitempty"`
}
