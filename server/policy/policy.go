// Package policy says which sign-in methods an organisation takes, and with that which of a
// user's count: a password that nobody may use any more lets nobody in.
//
// A [Policy] is what IT has set. [Methods] are what a rule asks that takes something away: the
// last method that counts stays, see [Methods.Count].
package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/store"
)

// Passwords is who signs in with a password.
type Passwords string

// The values of [Passwords].
const (
	PasswordsOn             Passwords = "on" // everybody
	PasswordsOff            Passwords = "off"
	PasswordsAdministrators Passwords = "administrators"
)

// Verification is whether signing in with a passkey must verify its user, by a
// fingerprint, a face or a PIN, or may only show that somebody is there (WebAuthn Level
// 3, 5.8.6).
//
// Adding a passkey verifies whatever the policy is. Asked for less, Chromium makes
// passkeys that no browser uses without verification, and some don't use at all
// (content/browser/webauth/cred_protect.md in its source).
type Verification string

// The values of [Verification].
const (
	VerificationRequired  Verification = "required"
	VerificationPreferred Verification = "preferred" // where the device can just then
)

// Policy is an organisation's. The zero Policy takes passwords of everybody, passkeys
// that verify their user, and no OpenID provider.
type Policy struct {
	Passwords    Passwords    // "" is PasswordsOn
	Verification Verification // "" is VerificationRequired
	PasskeysOff  bool
	RPID         string   // the relying party id; passkeys made for another work no more
	Issuers      []string // of the OpenID providers that are configured
}

// TakesPasswords tells whether anybody signs in with a password.
func (p Policy) TakesPasswords() bool { return p.Passwords != PasswordsOff }

// TakesPassword tells whether the user may sign in with a password.
func (p Policy) TakesPassword(user store.User) bool {
	switch p.Passwords {
	case PasswordsOff:
		return false
	case PasswordsAdministrators:
		return user.Admin
	default:
		return true
	}
}

// TakesPasskey tells whether one signs in with this passkey. One that never verified
// its user, because the browser made it silently, may be unable to.
func (p Policy) TakesPasskey(passkey store.Passkey) bool {
	return !p.PasskeysOff && !p.IsOfAnother(passkey) && (passkey.Verified || p.Verification == VerificationPreferred)
}

// IsOfAnother tells whether the passkey was made for another relying party id. No
// browser offers it here (WebAuthn Level 3, 5.1.4).
func (p Policy) IsOfAnother(passkey store.Passkey) bool {
	return p.RPID != "" && passkey.RPID != "" && passkey.RPID != p.RPID
}

// TakesIdentity tells whether one signs in with this identity.
func (p Policy) TakesIdentity(identity store.Identity) bool {
	return slices.Contains(p.Issuers, identity.Issuer)
}

// LocksOut tells whether the user has what was a way in and has none under this
// policy. Who is disabled has been shut out on purpose; who was only invited has
// chosen no method yet.
func (p Policy) LocksOut(user store.User) bool {
	had := len(user.Passkeys)+len(user.Identities) > 0 || user.Password != ""
	return had && !user.Disabled && p.Methods().Count(user) == 0
}

// String is the same for policies that take the same ways in.
func (p Policy) String() string {
	issuers := slices.Sorted(slices.Values(p.Issuers))
	return fmt.Sprintf("passwords of %v, passkeys off %t, for %s, verified %t, issuers %s",
		cmp.Or(p.Passwords, PasswordsOn), p.PasskeysOff, p.RPID, p.Verification != VerificationPreferred, strings.Join(issuers, " "))
}
