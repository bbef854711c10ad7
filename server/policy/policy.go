// Package policy says which sign-in methods an organisation accepts, and so which of a
// user's methods count. A password doesn't count where nobody may use passwords any more.
//
// A [Policy] is what IT has set. A rule that removes a method asks [Methods] whether it is
// the last one that counts, see [Methods.Count].
package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/store"
)

// Passwords says who may sign in with a password.
type Passwords string

// The values of [Passwords].
const (
	PasswordsOn             Passwords = "on" // everybody
	PasswordsOff            Passwords = "off"
	PasswordsAdministrators Passwords = "administrators"
)

// Verification says whether signing in with a passkey must verify its user, by a
// fingerprint, a face or a PIN, or may only show that somebody is there (WebAuthn Level
// 3, 5.8.6).
//
// Adding a passkey always verifies the user, whatever the policy is. If less is asked for,
// Chromium makes passkeys that browsers don't use without verification, and that some
// browsers don't use at all (content/browser/webauth/cred_protect.md in its source).
type Verification string

// The values of [Verification].
const (
	VerificationRequired  Verification = "required"
	VerificationPreferred Verification = "preferred" // where the device can at that moment
)

// Policy is the policy of one organisation. The zero Policy accepts everybody's passwords,
// passkeys that verify their user, and no OpenID provider.
type Policy struct {
	Passwords    Passwords    // "" is PasswordsOn
	Verification Verification // "" is VerificationRequired
	PasskeysOff  bool
	RPID         string   // the relying party id; passkeys for another one don't work, but for those of Former and Others
	Former       []string // relying party ids of addresses that people move away from; RPID isn't among them
	Others       []string // relying party ids of further addresses
	Issuers      []string // of the OpenID providers that are configured
	Elsewhere    bool     // people sign in at a program with users of its own, so nobody depends on what is here
}

// TakesPasswords reports whether any user may sign in with a password.
func (p Policy) TakesPasswords() bool { return p.Passwords != PasswordsOff }

// TakesPassword reports whether this user may sign in with a password.
func (p Policy) TakesPassword(user store.User) bool {
	switch p.Passwords {
	case PasswordsOff:
		return false
	case PasswordsAdministrators:
		return user.IsAdministrator()
	default:
		return true
	}
}

// TakesPasskey reports whether this passkey can be used to sign in. A passkey that the
// browser made silently has never verified its user, and may be unable to.
func (p Policy) TakesPasskey(passkey store.Passkey) bool {
	return !p.PasskeysOff && !p.IsOfAnother(passkey) && (passkey.Verified || p.Verification == VerificationPreferred)
}

// IsOfAnother reports whether the passkey was made for a relying party id that the
// organisation doesn't have. No browser offers it here (WebAuthn Level 3, 5.1.4).
func (p Policy) IsOfAnother(passkey store.Passkey) bool {
	return p.RPID != "" && passkey.RPID != "" && passkey.RPID != p.RPID && !p.IsFormer(passkey) && !slices.Contains(p.Others, passkey.RPID)
}

// IsFormer reports whether the passkey was made for an address that people move away from.
// It works until IT ends the move.
func (p Policy) IsFormer(passkey store.Passkey) bool { return slices.Contains(p.Former, passkey.RPID) }

// takesIdentity reports whether this identity can be used to sign in.
func (p Policy) takesIdentity(identity store.Identity) bool {
	return slices.Contains(p.Issuers, identity.Issuer)
}

// LocksOut reports whether the user has sign-in methods of which none counts under this
// policy. It is false for a disabled user, for an invited user, who has no method yet, and for users of a program.
func (p Policy) LocksOut(user store.User) bool {
	had := len(user.Passkeys)+len(user.Identities) > 0 || user.Password != ""
	return had && !user.Disabled && !p.Elsewhere && p.Methods().Count(user) == 0
}

// String is the same for policies that accept the same sign-in methods.
func (p Policy) String() string {
	issuers := slices.Sorted(slices.Values(p.Issuers))
	rpIDs := strings.Join(slices.Concat([]string{p.RPID}, p.Former, p.Others), " ")
	return fmt.Sprintf("passwords of %v, passkeys off %t, for %s, verified %t, issuers %s",
		cmp.Or(p.Passwords, PasswordsOn), p.PasskeysOff, rpIDs, p.Verification != VerificationPreferred, strings.Join(issuers, " "))
}
