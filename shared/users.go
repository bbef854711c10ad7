package shared

import "time"

// What administrators see of the organisation's users, and do for them.

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
	Identities  int       `json:"identities"`        // at OpenID providers
	Invited     bool      `json:"invited,omitempty"` // has no way in yet
	Created     time.Time `json:"created"`
	// LinkUntil is set while somebody can get into the account by an invitation or a
	// recovery link.
	LinkUntil *time.Time `json:"linkUntil,omitempty"`
}

// Invite asks for a new user, who chooses how to sign in by the link that comes back.
type Invite struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName,omitempty"` // "" for the name
	Admin       bool   `json:"admin,omitempty"`
}

// Invited answers an [Invite].
type Invited struct {
	User Member        `json:"user"`
	Link EnrolmentLink `json:"link"`
}

// EnrolmentLink is an address with which somebody adds a way in for one user, once.
// It is shown this one time.
type EnrolmentLink struct {
	URL     string    `json:"url"`
	QR      QR        `json:"qr"` // of the URL
	Expires time.Time `json:"expires"`
}

// QR is a QR code (ISO/IEC 18004) to be drawn: a square of Size by Size modules
// without its quiet zone, and an SVG path that fills the dark ones.
type QR struct {
	Size int    `json:"size"`
	Path string `json:"path"`
}

// ChangeMember lets a user in or shuts them out.
type ChangeMember struct {
	Disabled bool `json:"disabled"`
}

// FinishEnrolment is a [FinishRegistration] by an enrolment link; with a password,
// the user gets that too.
type FinishEnrolment struct {
	FinishRegistration
	Password string `json:"password,omitempty"`
}
