package policy_test

import (
	"testing"

	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/store"
)

// A rule that doesn't know how to count must refuse to take anything away.
func TestTheZeroMethodsTakesNothingAway(t *testing.T) {
	passkey, identity := store.Passkey{ID: "1", Verified: true}, store.Identity{ID: "2", Issuer: "https://login.example.com"}
	user := store.User{Password: "a hash", Passkeys: []store.Passkey{passkey}, Identities: []store.Identity{identity}}

	var none policy.Methods
	if n := none.Count(user); n != 0 {
		t.Errorf("the zero Methods counts %d of the user's methods, want none", n)
	}
	if !none.IsLastPasskey(user, passkey) || !none.IsLastIdentity(user, identity) {
		t.Error("the zero Methods lets a passkey or an identity be taken away")
	}

	all := policy.Policy{Issuers: []string{identity.Issuer}}.Methods()
	if n := all.Count(user); n != 3 || all.IsLastPasskey(user, passkey) {
		t.Errorf("a policy that takes all three counts %d", n)
	}
	if n := (policy.Policy{}).AtHost(true, 2).Count(store.User{}); n != 3 {
		t.Errorf("a password and two other methods of a host program count as %d", n)
	}
}
