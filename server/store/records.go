package store

import (
	"errors"
	"slices"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// User is a user of the organisation, with everything that decides how the user may sign in.
type User struct {
	ID          string // never changes
	Revision    uint64 // grows by one with every write; 0 before the first
	Name        string // the sign-in name; unique
	DisplayName string
	Handle      []byte // WebAuthn's user handle: 64 random bytes, never change
	Admin       bool
	Disabled    bool
	Created     time.Time
	Password    string // PHC string of argon2id; "" for none
	Passkeys    []Passkey
	Identities  []Identity // at OpenID providers

	RecoveryCodes     []Hash // unused ones; see package account
	RecoveryCodesMade time.Time
}

// MayReplace checks whether u may replace the stored user. Err is the error of reading the
// stored user. Backends call it within the transaction that writes.
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

// MayRemove checks in the same way whether the stored user may be removed.
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

// clone returns a copy. A change of the copy's lists does not change the original.
func (u User) clone() User {
	u.Passkeys, u.Identities, u.RecoveryCodes = slices.Clone(u.Passkeys), slices.Clone(u.Identities), slices.Clone(u.RecoveryCodes)
	return u
}

// Has reports whether the user has an identity.
func (u User) Has(issuer, subject string) bool {
	return slices.ContainsFunc(u.Identities, func(i Identity) bool { return i.Issuer == issuer && i.Subject == subject })
}

// Passkey is a credential record (WebAuthn Level 3, 4) with the name that the user chose.
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
	RPID         string // the relying party id that the passkey was made for; "" in early records
	Created      time.Time
	LastUsed     time.Time // zero before the first sign-in
}

// Identity is a user's account at an OpenID provider. Only issuer and subject together identify
// a person for ever (OpenID Connect Core 1.0, 5.7).
type Identity struct {
	ID       string // ours, short: names the identity in paths
	Issuer   string // "iss"
	Subject  string // "sub"; together with the issuer unique in the store
	Name     string // the provider's latest name for the user, mostly an e-mail address
	Created  time.Time
	LastUsed time.Time // zero before the first sign-in
}

// IsSubject reports whether a text may be a subject. A subject has at most 255 ASCII characters
// (OpenID Connect Core 1.0, 2).
func IsSubject(text string) bool {
	return text != "" && len(text) <= 255 && !slices.ContainsFunc([]byte(text), func(b byte) bool { return b < 0x20 || b > 0x7e })
}

// Client is where a request came from, as far as its headers say.
type Client struct {
	Browser string // "Chrome", or ""
	System  string // "Windows", or ""
	Address string // IP address without port
	// Mark is the hash of a cookie that marks the browser, or "" without such a cookie. Many
	// browsers can have the same address, name and system.
	Mark string
}

// Method is a sign-in method.
type Method string

// The values of [Method].
const (
	MethodPassword  Method = shared.MethodPassword
	MethodPasskey   Method = shared.MethodPasskey
	MethodSetupLink Method = shared.MethodSetupLink

	MethodSSO          Method = shared.MethodSSO
	MethodRecoveryCode Method = shared.MethodRecoveryCode

	// Nobody signs in with these. They say what an enrolment link was for.
	MethodInvitation   Method = shared.MethodInvitation
	MethodRecoveryLink Method = shared.MethodRecoveryLink
	MethodPhoneLink    Method = shared.MethodPhoneLink
)

// Session is a signed-in browser.
type Session struct {
	ID            Hash // of the cookie's token
	UserID        string
	Method        Method // of the sign-in
	PasskeyID     string // the passkey of the sign-in, or ""
	Provider      string // the OpenID provider of the sign-in, by its name in the configuration, or ""
	Client        Client // at sign-in
	Created       time.Time
	Seen          time.Time
	Authenticated time.Time // the user's last proof of identity
	Expires       time.Time
}

// EventID orders the events of a user by time.
type EventID [16]byte

// EventsKept is how long an event is kept.
const EventsKept = 365 * 24 * time.Hour

// Event is an entry of a user's activity.
type Event struct {
	ID        EventID
	UserID    string
	Kind      shared.EventKind
	Time      time.Time
	Method    Method // of sign-ins, confirmations and links
	PasskeyID string // the passkey that the event is about, or ""
	Passkey   string // that passkey's name at the time
	Provider  string // the OpenID provider that the event is about, by its displayed name at the time, or ""
	By        string // the id of the administrator who did it; "" for the user or IT
	Client    Client // of the last one, if the event stands for several
	Expires   time.Time

	// One event can stand for several of the same kind. Count is their number, and 0 means
	// one. Time is that of the first, and Last is that of the last.
	Count uint64
	Last  time.Time
}

// NewEvent returns an event with the time now.
func NewEvent(now time.Time, userID string, kind shared.EventKind, client Client) Event {
	return Event{ID: newEventID(now), UserID: userID, Kind: kind, Time: now, Client: client, Expires: now.Add(EventsKept)}
}

// SpentTicket is the ticket of a finished ceremony, so that nobody can use the ticket again. It
// expires with the ticket.
type SpentTicket struct {
	ID      [16]byte
	Expires time.Time
}

// Link is an address with a token. Whoever has it can do one thing once, such as setting up the
// first administrator.
type Link struct {
	Key     string // its purpose; there is one link for each
	Hash    Hash   // of the token
	Expires time.Time
}
