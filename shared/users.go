package shared

import (
	"net/url"
	"time"
)

// What administrators see of the organisation's users, and change.

// MembersQuery asks for a page of [Members]. The zero value is the first page of all.
type MembersQuery struct {
	Find  string // beginnings of words of their names and addresses
	In    string // a filter, such as [MembersInvited]
	Sort  string // an order, such as [SortByName]
	After string // the Next of the page before
}

// String returns the query of an address, with its question mark, or "" for the zero value.
func (q MembersQuery) String() string {
	values := url.Values{}
	for name, value := range map[string]string{"find": q.Find, "in": q.In, "sort": q.Sort, "after": q.After} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// Members is a page of the users, in byte order of their names, or in the order that was asked
// for.
type Members struct {
	Users  []Member     `json:"users"`
	Next   string       `json:"next,omitempty"` // asks for the page after; "" at the end
	Counts MemberCounts `json:"counts"`         // of all users, whatever the page shows
}

// MemberCounts is how many users there are of each kind. A user may be of several.
type MemberCounts struct {
	All            int            `json:"all"`
	WithPasskey    int            `json:"withPasskey"`
	WithoutPasskey int            `json:"withoutPasskey"` // can sign in, but with no passkey
	PasswordOnly   int            `json:"passwordOnly"`
	OneDevice      int            `json:"oneDevice"` // the only passkey is on one device
	Invited        int            `json:"invited"`   // have no way to sign in yet
	Disabled       int            `json:"disabled"`
	Administrators int            `json:"administrators"`
	Helpers        int            `json:"helpers"`
	Auditors       int            `json:"auditors"`
	Groups         map[string]int `json:"groups,omitempty"`
}

// The values of the query's "in" of [PathUsers]. For a group it is [MembersOfGroup] and the name.
const (
	MembersWithPasskey    = "with-passkey"
	MembersWithoutPasskey = "without-passkey"
	MembersPasswordOnly   = "password-only"
	MembersOneDevice      = "one-device"
	MembersInvited        = "invited"
	MembersDisabled       = "disabled"
	MembersAdministrators = "administrators"
	MembersHelpers        = "helpers"
	MembersAuditors       = "auditors"
	MembersOfGroup        = "group/"
)

// The values of the query's "sort" of [PathUsers].
const (
	SortByName       = "name"
	SortByLastSignIn = "last-sign-in" // the newest first; without those who never signed in
)

// Member is what an administrator sees of a user.
type Member struct {
	User
	HasPassword bool      `json:"hasPassword"`
	PasswordSet time.Time `json:"passwordSet,omitzero"` // missing without a password
	Passkeys    int       `json:"passkeys"`
	Identities  int       `json:"identities"`        // linked ones at OpenID providers
	Invited     bool      `json:"invited,omitempty"` // has no sign-in method yet
	Created     time.Time `json:"created"`
	LastSignIn  time.Time `json:"lastSignIn,omitzero"`

	InvitedAt    time.Time `json:"invitedAt,omitzero"`    // the first invitation; missing for a user who wasn't invited
	FirstPasskey time.Time `json:"firstPasskey,omitzero"` // when the first one ever was added
	// HeldUntil is set while no sign-in method may be added to the account.
	HeldUntil time.Time `json:"heldUntil,omitzero"`

	Email         string   `json:"email,omitempty"`
	EmailVerified bool     `json:"emailVerified,omitempty"`
	Language      string   `json:"language,omitempty"`
	Groups        []string `json:"groups,omitempty"`
	Helps         []string `json:"helps,omitempty"` // the groups whose users a helper may help
	ExternalID    string   `json:"externalId,omitempty"`
	// LinkUntil is set while an invitation or a recovery link of the account works.
	LinkUntil *time.Time `json:"linkUntil,omitempty"`
}

// MemberDetails is everything that may be known of a user.
type MemberDetails struct {
	Member
	PasskeyList       []MemberPasskey `json:"passkeyList"`
	IdentityList      []Identity      `json:"identityList"`
	RecoveryCodes     int             `json:"recoveryCodes"` // how many are left
	Sessions          []Session       `json:"sessions"`
	LastAdministrator bool            `json:"lastAdministrator,omitempty"` // nobody else could administer
	// InvitedBy is the display name of whoever made the first invitation. It is missing for IT,
	// and for somebody who was removed since.
	InvitedBy string `json:"invitedBy,omitempty"`
	// May says what whoever asks may do: "read", "help" or "manage".
	May string `json:"may"`
}

// The values of May of [MemberDetails].
const (
	MayRead   = "read"
	MayHelp   = "help"
	MayManage = "manage"
)

// MemberPasskey is a passkey as others than its user see it.
type MemberPasskey struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Provider   string      `json:"provider,omitempty"` // the maker of the password manager or the key
	Kind       PasskeyKind `json:"kind,omitempty"`
	Synced     bool        `json:"synced,omitempty"`
	Created    time.Time   `json:"created"`
	LastUsed   *time.Time  `json:"lastUsed,omitempty"`
	OnlyMethod bool        `json:"onlyMethod,omitempty"`
}

// Invite asks for a new user. With the link in the answer, the user chooses how to sign in.
type Invite struct {
	Name        string   `json:"name"`
	DisplayName string   `json:"displayName,omitempty"` // "" for the name
	Email       string   `json:"email,omitempty"`
	Language    string   `json:"language,omitempty"` // BCP 47 tag
	Groups      []string `json:"groups,omitempty"`
	Role        Role     `json:"role,omitempty"`
	Helps       []string `json:"helps,omitempty"` // the groups whose users a helper may help
	Mail        bool     `json:"mail,omitempty"`  // the link goes to the user by mail, and isn't shown
}

// InviteAgain asks for a new invitation of a user.
type InviteAgain struct {
	Mail bool `json:"mail,omitempty"` // the link goes to the user by mail, and isn't shown
}

// Invited answers an [Invite].
type Invited struct {
	User Member        `json:"user"`
	Link EnrolmentLink `json:"link"`
}

// EnrolmentLink is an address with which a user adds a sign-in method, once. It is shown only
// once.
type EnrolmentLink struct {
	URL     string    `json:"url,omitempty"`
	QR      QR        `json:"qr,omitzero"` // of the URL
	Expires time.Time `json:"expires"`
	// MailedTo is the address to which the link goes by mail. Then it isn't shown.
	MailedTo string `json:"mailedTo,omitempty"`
}

// QR is a drawing of a QR code (ISO/IEC 18004): a square of Size by Size modules without the
// quiet zone, and an SVG path that fills the dark modules.
type QR struct {
	Size int    `json:"size"`
	Path string `json:"path"`
}

// ChangeMember changes what is set. Disabled comes alone. AddGroups and RemoveGroups keep the groups
// that somebody else gives or takes at the same time, and a group in both stays; Groups replaces them
// all.
type ChangeMember struct {
	Name         *string   `json:"name,omitempty"`
	DisplayName  *string   `json:"displayName,omitempty"`
	Email        *string   `json:"email,omitempty"` // "" for none
	Language     *string   `json:"language,omitempty"`
	Groups       *[]string `json:"groups,omitempty"`
	AddGroups    *[]string `json:"addGroups,omitempty"`
	RemoveGroups *[]string `json:"removeGroups,omitempty"`
	Role         *Role     `json:"role,omitempty"` // "" for none
	Helps        *[]string `json:"helps,omitempty"`
	Disabled     *bool     `json:"disabled,omitempty"`
}

// IsOnlyDisabled reports whether nothing but Disabled is set.
func (c ChangeMember) IsOnlyDisabled() bool { return c == ChangeMember{Disabled: c.Disabled} }

// RemoveMember removes a user for ever. Name is the user name, typed by whoever does it.
type RemoveMember struct {
	Name string `json:"name"`
}

// FinishEnrolment is a [FinishRegistration] by an enrolment link. It may also set a password.
type FinishEnrolment struct {
	FinishRegistration
	Password string `json:"password,omitempty"`
}
