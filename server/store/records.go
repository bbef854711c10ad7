package store

import (
	"errors"
	"slices"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// User is an account of the organisation, with everything that decides how it
// may sign in.
type User struct {
	ID          string // never changes
	Revision    uint64 // grows by one with every write; 0 before the first
	Name        string // what they type to sign in; unique
	DisplayName string
	Handle      []byte // WebAuthn's user handle: 64 random bytes, never change
	Admin       bool
	Disabled    bool
	Created     time.Time
	Password    string // PHC string of argon2id; "" for none
	Passkeys    []Passkey
	Identities  []Identity // how OpenID providers know them

	RecoveryCodes     []Hash // of those that are left; see account
	RecoveryCodesMade time.Time
}

// MayReplace checks the revision of a user who is about to be written against
// the one that is stored, or the error of reading it. Backends ask it within the
// transaction that writes.
func (u User) MayReplace(stored User, err error) error {
	isNew := errors.Is(err, ErrNotFound)
	switch {
	case err != nil && !isNew:
		return err
	case isNew && u.Revision == 0:
		return nil
	case u.Revision == 0:
		return ErrUserExists
	case isNew || u.Revision != stored.Revision:
		return ErrStale
	default:
		return nil
	}
}

// MayRemove checks the same for a user who is about to be removed.
func (op RemoveUser) MayRemove(stored User, err error) error {
	switch {
	case op.Revision == 0:
		return nil
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	case err != nil || op.Revision != stored.Revision:
		return ErrStale
	default:
		return nil
	}
}

// clone returns a user whose lists can be changed without changing the one it was
// made of.
func (u User) clone() User {
	u.Passkeys, u.Identities, u.RecoveryCodes = slices.Clone(u.Passkeys), slices.Clone(u.Identities), slices.Clone(u.RecoveryCodes)
	return u
}

// Has tells whether the user has an identity.
func (u User) Has(issuer, subject string) bool {
	return slices.ContainsFunc(u.Identities, func(i Identity) bool { return i.Issuer == issuer && i.Subject == subject })
}

// Passkey is a WebAuthn credential record (WebAuthn Level 3, 4) with the name
// that its user gave it.
type Passkey struct {
	ID           string // ours, short: names the passkey in paths, sessions and events
	CredentialID []byte // the authenticator's; unique in the store
	PublicKey    []byte // COSE_Key
	Name         string
	AAGUID       [16]byte
	Format       string // the attestation statement's format, "none" mostly
	Attachment   string // "platform", "cross-platform" or ""
	Transports   []string
	Flags        byte   // authenticator data flags of the latest ceremony (6.1)
	SignCount    uint32 // 0 while the authenticator keeps none
	Verified     bool   // the user was verified (UV) with it at least once
	RPID         string // the relying party id that it was made for; "" in early records
	Created      time.Time
	LastUsed     time.Time // zero before the first sign-in
}

// Identity is how an OpenID provider knows a user (OpenID Connect Core 1.0, 5.7):
// issuer and subject together name one person for ever, and nothing else does.
type Identity struct {
	ID       string // ours, short: names the identity in paths
	Issuer   string // "iss"
	Subject  string // "sub"; together with the issuer unique in the store
	Name     string // what the provider called the user last: an e-mail address mostly
	Created  time.Time
	LastUsed time.Time // zero before the first sign-in
}

// IsSubject holds OpenID Connect Core 1.0, 2: a subject has at most 255 ASCII
// characters.
func IsSubject(text string) bool {
	return text != "" && len(text) <= 255 && !slices.ContainsFunc([]byte(text), func(b byte) bool { return b < 0x20 || b > 0x7e })
}

// Client is where a request came from, as far as it told.
type Client struct {
	Browser string // "Chrome", or ""
	System  string // "Windows", or ""
	Address string // IP address without port
	// Mark stands for the browser itself, which keeps a cookie of which this is a hash; "" if
	// it had none. Behind one address many browsers look alike.
	Mark string
}

// Method is a way to sign in.
type Method string

// The values of [Method].
const (
	MethodPassword  Method = shared.MethodPassword
	MethodPasskey   Method = shared.MethodPasskey
	MethodSetupLink Method = shared.MethodSetupLink

	MethodSSO          Method = shared.MethodSSO
	MethodRecoveryCode Method = shared.MethodRecoveryCode

	// With these nobody signs in: they are what an enrolment link was for.
	MethodInvitation   Method = shared.MethodInvitation
	MethodRecoveryLink Method = shared.MethodRecoveryLink
	MethodPhoneLink    Method = shared.MethodPhoneLink
)

// Session is a signed-in browser.
type Session struct {
	ID            Hash // of the cookie's token
	UserID        string
	Method        Method // how it began
	PasskeyID     string // the passkey that it began with, or ""
	Provider      string // the OpenID provider that it began with, by its name in the configuration, or ""
	Client        Client // at sign-in
	Created       time.Time
	Seen          time.Time
	Authenticated time.Time // when the user last proved who they are
	Expires       time.Time
}

// EventID orders the events of a user by time.
type EventID [16]byte

// EventsKept is how long an event is kept.
const EventsKept = 365 * 24 * time.Hour

// Event is a line of a user's activity.
type Event struct {
	ID        EventID
	UserID    string
	Kind      shared.EventKind
	Time      time.Time
	Method    Method // of sign-ins, confirmations and links
	PasskeyID string // the passkey that it is about, or ""
	Passkey   string // that passkey's name at the time
	Provider  string // the OpenID provider that it is about, as people knew it at the time, or ""
	By        string // the administrator who did it to the user, by their name at the time; "" for the user or IT
	Client    Client // of the last one, where it stands for several
	Expires   time.Time

	// An event that stands for several says how many they are, and when the last of them
	// was; Time is when the first was. 0 means one.
	Count uint64
	Last  time.Time
}

// NewEvent returns an event of this moment.
func NewEvent(now time.Time, userID string, kind shared.EventKind, client Client) Event {
	return Event{ID: NewEventID(now), UserID: userID, Kind: kind, Time: now, Client: client, Expires: now.Add(EventsKept)}
}

// SpentTicket is a ceremony's ticket that was used. It is kept until the ticket
// could not be used anyway.
type SpentTicket struct {
	ID      [16]byte
	Expires time.Time
}

// Link is an address with a token that lets its bearer do one thing once, such
// as setting up the first administrator.
type Link struct {
	Key     string // what it is for; one link each
	Hash    Hash   // of the token
	Expires time.Time
}
