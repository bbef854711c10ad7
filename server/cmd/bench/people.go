package main

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// The users differ as people do. Each twentieth is of a kind, so that every list of users has a
// full page also where there are a thousand.
const (
	administrator = iota // user 0 is one
	invited
	disabled
	passwordOnly
	oneDevice
	helper
	auditor
	kinds = 20 // the others have nothing special
)

func kind(user int) int { return user % kinds }

func hasPasskey(user int) bool { return kind(user) != invited && kind(user) != passwordOnly }

// rareEvents is how many events of a rare kind there are, however many users.
const rareEvents = 60

var (
	givenNames  = strings.Fields("Anna Ben Clara David Emma Felix Greta Henry Ida Jonas Klara Leo Mia Noah Olga Paul Quinn Rosa Sam Tom")
	familyNames = strings.Fields("Ahmed Baker Cohen Dubois Evans Fischer Garcia Hughes Ito Jansen Kim Lopez Mueller Novak Okafor Petrov Quist Rossi Smith Tanaka")
)

// signedIn is when a user signed in last: the higher the number, the later, within a year.
func (p population) signedIn(user int) time.Time {
	const longest = 360 * 24 * time.Hour
	return p.began.Add(-time.Duration(p.users-user) * (longest / time.Duration(p.users)))
}

// user returns a user. One in twenty has each of the given names, and of these one in twenty
// has each of the family names.
func (p population) user(i int) (store.User, error) {
	point, err := p.key(i).PublicKey.Bytes() // 4, x, y
	if err != nil {
		return store.User{}, err
	}
	given, family := givenNames[i/kinds%len(givenNames)], familyNames[(i+i/kinds+i/400)%len(familyNames)]
	name := strings.ToLower(fmt.Sprintf("%s.%s%d", given, family, i*7919%1_000_003))
	user := store.User{
		ID: hex.EncodeToString(rawID(i)), Name: name, DisplayName: given + " " + family, Email: name + "@example.com", EmailVerified: true,
		Handle: handle(i), Created: p.began, Groups: []string{fmt.Sprint("team", i/kinds%10)},
	}
	switch kind(i) {
	case administrator:
		user.Role = shared.RoleAdministrator
	case helper:
		user.Role = shared.RoleHelper
	case auditor:
		user.Role = shared.RoleAuditor
	case disabled:
		user.Disabled = true
	case passwordOnly:
		user.Password = "$argon2id$v=19$m=65536,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"
	}
	if kind(i) != invited {
		user.LastSignIn = p.signedIn(i)
	}
	for which, name := range []string{"Work laptop", "Phone"}[:passkeysOf(i)] {
		user.Passkeys = append(user.Passkeys, store.Passkey{
			ID: fmt.Sprintf("%x", credential(i, which)[:12]), CredentialID: credential(i, which), Name: name,
			PublicKey: passkeytest.CoseEC2(passkeytest.ES256, 1, point[1:33], point[33:]), Format: "none", Attachment: "platform", Transports: []string{"internal", "hybrid"},
			Flags: passkeytest.FlagUserPresent | passkeytest.FlagUserVerified, Verified: true, RPID: "localhost", Created: p.began,
		})
	}
	return user, nil
}

func passkeysOf(user int) int {
	switch {
	case !hasPasskey(user):
		return 0
	case kind(user) == oneDevice:
		return 1
	}
	return 2
}
