package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
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
	Disabled    bool
	Created     time.Time
	LastSignIn  time.Time // zero before the first
	Password    string    // PHC string of argon2id; "" for none
	PasswordSet time.Time // when the user got this password; zero without one
	Passkeys    []Passkey
	Identities  []Identity // at OpenID providers

	RecoveryCodes     []Hash // unused ones; see package account
	RecoveryCodesMade time.Time

	Email         string // an address of the user, "" for none; see UniqueEmail
	EmailVerified bool   // the user has shown that they read what is sent there
	EmailReserved bool   // nobody else may have it, though it may not be verified
	Language      string // BCP 47 tag of the language for mails; "" for the organisation's
	Groups        []string
	Role          shared.Role
	Helps         []string // the groups whose users a helper may help
	ExternalID    string   // the user's id at a system that provisions users (RFC 7643, 3.1)

	Invited      time.Time // the first invitation; zero for a user who wasn't invited
	InvitedBy    string    // the id of the user who made it, who may be removed since; "" for IT
	FirstPasskey time.Time // when the first passkey ever was added, also if it was removed since
	// HeldUntil is the time until which no sign-in method may be added to the account, because its
	// user has said that somebody else may have been in it. It is zero for an account that isn't held.
	HeldUntil time.Time
	// Changed is when something that other programs are told of the user was changed: see [User.Told]. It is zero if nothing
	// was since they were created.
	Changed time.Time
}

// Told is what other programs are told of the user. Two users of whom it differs are told of differently.
func (u User) Told() string {
	return fmt.Sprintf("%q", append([]string{u.Name, u.DisplayName, u.Email, strconv.FormatBool(u.EmailVerified), u.Language}, u.Groups...))
}

// IsAmong reports whether the user is one of those for whom something is: those in one of the groups, or everybody if
// there is no group.
func (u User) IsAmong(groups []string) bool {
	return len(groups) == 0 || slices.ContainsFunc(groups, func(group string) bool { return slices.Contains(u.Groups, group) })
}

// HoldAt returns until when the account is held at this time, or the zero time if it isn't.
func (u User) HoldAt(now time.Time) time.Time {
	if now.Before(u.HeldUntil) {
		return u.HeldUntil
	}
	return time.Time{}
}

// UniqueEmail returns the key of an address that no other user has, or "" if the user has none.
// An address that is neither verified nor reserved isn't one's own: many may have written it
// down, and the first who shows that they read what is sent there has it.
func (u User) UniqueEmail() string {
	if !u.EmailVerified && !u.EmailReserved {
		return ""
	}
	return EmailKey(u.Email)
}

// IsAdministrator reports whether the user has the role that may do everything.
func (u User) IsAdministrator() bool { return u.Role == shared.RoleAdministrator }

// clone returns a copy. A change of the copy's lists does not change the original.
func (u User) clone() User {
	u.Passkeys, u.Identities, u.RecoveryCodes = slices.Clone(u.Passkeys), slices.Clone(u.Identities), slices.Clone(u.RecoveryCodes)
	u.Groups, u.Helps = slices.Clone(u.Groups), slices.Clone(u.Helps)
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
	Attested     bool   // its attestation led to one of the roots that IT trusts
	Created      time.Time
	LastUsed     time.Time // zero before the first sign-in
}

// IsSynced reports whether the passkey may be copied to other devices: it is backup eligible
// (WebAuthn Level 3, 6.1.3).
func (p Passkey) IsSynced() bool { return p.Flags&0x08 != 0 }

// UserVerified reports whether the authenticator has verified its user in the latest ceremony (WebAuthn
// Level 3, 6.1, UV).
func (p Passkey) UserVerified() bool { return p.Flags&0x04 != 0 }

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
	ID            Hash // of the cookie's token; see SessionID
	UserID        string
	Method        Method // of the sign-in
	PasskeyID     string // the passkey of the sign-in, or ""
	Provider      string // the OpenID provider of the sign-in, by its name in the configuration, or ""
	Client        Client // at sign-in
	Created       time.Time
	Seen          time.Time
	Authenticated time.Time // the user's last proof of identity
	Proof         Proof     // what that was
	Expires       time.Time
	// First is the id that the session had before its first confirmation, and zero until then: see
	// [Session.FirstID].
	First Hash
}

// FirstID returns the id with which the session began. A confirmation gives a session another id; this one
// stays.
func (s Session) FirstID() Hash {
	if s.First == (Hash{}) {
		return s.ID
	}
	return s.First
}

// Proof is how a user has proved their identity.
type Proof struct {
	Method       Method
	PasskeyID    string // or ""
	UserVerified bool   // the passkey's authenticator has verified its user (WebAuthn Level 3, 6.1, UV)
}

// EventsKept is how long an event is kept after it happened for the last time, unless IT says
// less. ShortestKept is the least.
const (
	EventsKept   = 365 * 24 * time.Hour
	ShortestKept = 30 * 24 * time.Hour
)

// Event is an entry of a user's activity.
type Event struct {
	ID        EventID
	UserID    string
	Kind      shared.EventKind
	Time      time.Time
	Method    Method               // of sign-ins, confirmations and links
	PasskeyID string               // the passkey that the event is about, or ""
	Passkey   string               // that passkey's name at the time
	Provider  string               // the OpenID provider that the event is about, by its displayed name at the time, or ""
	Program   string               // the program that the event is about, by its name at the time, or ""
	By        string               // the id of the administrator who did it; "" for the user or IT
	About     string               // the id of another user whom the event is about, or ""
	Reason    shared.FailureReason // why a ceremony failed, or ""
	Change    string               // what was changed, as in shared.Event, or ""
	Client    Client               // of the last one, if the event stands for several
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

// LastTime is when the event happened, or happened for the last time.
func (v Event) LastTime() time.Time {
	if v.Last.After(v.Time) {
		return v.Last
	}
	return v.Time
}

// EventMark is the place of an event in the order of all events: by its id, and then by that of
// its user.
type EventMark struct {
	ID     EventID
	UserID string
}

// Compare orders marks: negative for one that is before other, so that its event is older.
func (m EventMark) Compare(other EventMark) int {
	return cmp.Or(bytes.Compare(m.ID[:], other.ID[:]), cmp.Compare(m.UserID, other.UserID))
}

// Mark returns the place of the event.
func (v Event) Mark() EventMark { return EventMark{v.ID, v.UserID} }

// Time returns the time in an event's id.
func (id EventID) Time() time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(id[:]))).UTC()
}

// MarkOf returns the place before which all events of a time or later are not.
func MarkOf(at time.Time) (mark EventMark) {
	binary.BigEndian.PutUint64(mark.ID[:], uint64(at.UnixNano()))
	return mark
}

// EventQuery selects events of all users. The zero value selects all.
type EventQuery struct {
	Before EventMark          // only events that are older; the zero value is no limit
	Kinds  []shared.EventKind // only these; none is no limit
}

// Selects reports whether the query selects an event.
func (q EventQuery) Selects(v Event) bool {
	return (q.Before == EventMark{} || v.Mark().Compare(q.Before) < 0) && (len(q.Kinds) == 0 || slices.Contains(q.Kinds, v.Kind))
}
