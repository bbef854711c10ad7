package policy

import (
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// Methods says which sign-in methods of one user count: those that the policy accepts, and
// those that a host program has for its user. [Policy.Methods] and [Policy.AtHost] make it.
// The zero Methods counts none, so with it no rule removes anything.
type Methods struct {
	policy   *Policy
	password bool // the host program has a password of the user
	others   int  // how many other methods the host program has
}

// Methods returns the Methods of a local user.
func (p Policy) Methods() Methods { return Methods{policy: &p} }

// AtHost returns the Methods of a host program's user. Others is how many methods the host
// program has for the user besides a password.
func (p Policy) AtHost(password bool, others int) Methods {
	return Methods{policy: &p, password: password, others: others}
}

// HasPassword reports whether the user has a password to sign in with.
func (m Methods) HasPassword(user store.User) bool {
	return m.policy != nil && (m.password || user.Password != "" && m.policy.TakesPassword(user))
}

// PasswordSet returns when the user got the password to sign in with. It is zero if there is none, or
// if somebody else than this program keeps it.
func (m Methods) PasswordSet(user store.User) (at time.Time) {
	if m.HasPassword(user) {
		at = user.PasswordSet
	}
	return at
}

// TakesPasskey is [Policy.TakesPasskey].
func (m Methods) TakesPasskey(passkey store.Passkey) bool {
	return m.policy != nil && m.policy.TakesPasskey(passkey)
}

// IsOfAnother is [Policy.IsOfAnother].
func (m Methods) IsOfAnother(passkey store.Passkey) bool {
	return m.policy != nil && m.policy.IsOfAnother(passkey)
}

// Count returns how many methods the user can sign in with. No rule removes the last one.
// Recovery codes don't count, because they are for users who have lost all methods.
func (m Methods) Count(user store.User) int {
	if m.policy == nil {
		return 0
	}
	count := m.others
	for _, passkey := range user.Passkeys {
		if m.policy.TakesPasskey(passkey) {
			count++
		}
	}
	for _, identity := range user.Identities {
		if m.policy.takesIdentity(identity) {
			count++
		}
	}
	if m.HasPassword(user) {
		count++
	}
	return count
}

// IsLastPasskey reports whether the user could not sign in any more without this passkey.
func (m Methods) IsLastPasskey(user store.User, passkey store.Passkey) bool {
	return m.isLast(user, m.TakesPasskey(passkey))
}

// IsLastIdentity reports whether the user could not sign in any more without this identity.
func (m Methods) IsLastIdentity(user store.User, identity store.Identity) bool {
	return m.isLast(user, m.policy != nil && m.policy.takesIdentity(identity))
}

// IsLastPassword reports whether the user could not sign in any more without their password.
func (m Methods) IsLastPassword(user store.User) bool {
	return m.HasPassword(user) && m.isLast(user, true)
}

func (m Methods) isLast(user store.User, counts bool) bool {
	left := m.Count(user)
	if counts {
		left--
	}
	return left == 0
}
